package drivers

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a request may say is the same for every driver, so that what the
// simulator takes a real host takes, too. All forms are narrow enough to stand
// in XML, in a configuration file and in an argument without quoting.
var (
	formID   = regexp.MustCompile(`\A[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\z`)
	formName = regexp.MustCompile(`\A[A-Za-z0-9][A-Za-z0-9-]{0,62}\z`)
	formLink = regexp.MustCompile(`\A[A-Za-z][A-Za-z0-9._-]{0,14}\z`) // IFNAMSIZ
	formMAC  = regexp.MustCompile(`\A[0-9a-f][02468ace](:[0-9a-f]{2}){5}\z`)
)

const (
	noID  = "00000000-0000-0000-0000-000000000000"
	noMAC = "00:00:00:00:00:00"

	minMTU, maxMTU = 576, 65535
)

// What a machine has room for: QEMU's machine type pc is the narrowest.
const (
	maxCPUs      = 255
	maxMemoryMiB = 4 << 20
	maxDisks     = 12
	maxNICs      = 10
)

// The types of pools.
const (
	PoolLocal = "Filesystem"        // a folder of this host
	PoolMount = "SharedMountPoint"  // mounted by the administrator
	PoolNFS   = "NetworkFilesystem" // likewise
)

// IsUUID tells a UUID in lower case; the nil UUID is none.
func IsUUID(id string) bool { return formID.MatchString(id) && id != noID }

// IsMAC tells the address of one network card, in lower case with colons.
func IsMAC(mac string) bool {
	_, err := net.ParseMAC(mac)
	return err == nil && formMAC.MatchString(mac) && mac != noMAC
}

// IsLink tells a name that a bridge or another network interface may have.
func IsLink(name string) bool { return formLink.MatchString(name) }

// CheckID refuses what is no UUID; op says what for: "start machine".
func CheckID(op, id string) error {
	if !IsUUID(id) {
		return Errorf(Invalid, op, "%q is no UUID in lower case", id)
	}
	return nil
}

// invalid makes what a check says a driver error.
func invalid(op, id string, err error) error {
	var done *Error
	if err == nil || errors.As(err, &done) {
		return err
	}
	return &Error{Kind: Invalid, Op: fmt.Sprintf("%s %q", op, id), Cause: err}
}

// Check refuses a machine that no host can have.
func (s VMSpec) Check() error { return invalid("define machine", s.ID, s.check()) }

func (s VMSpec) check() error {
	switch {
	case !IsUUID(s.ID):
		return errors.New("the ID is no UUID in lower case")
	case !formName.MatchString(s.Name):
		return fmt.Errorf("name %q is not 1 to 63 letters, digits and dashes", s.Name)
	case s.CPUs < 1 || s.CPUs > maxCPUs:
		return fmt.Errorf("%d CPUs: a machine has 1 to %d", s.CPUs, maxCPUs)
	case s.CPUMHz < 0:
		return fmt.Errorf("%d MHz", s.CPUMHz)
	case s.CPUCap < 0 || s.CPUCap > 100:
		return fmt.Errorf("a bound of %d percent of a processor", s.CPUCap)
	case s.MemoryMiB < 1 || s.MemoryMiB > maxMemoryMiB:
		return fmt.Errorf("%d MiB of memory: a machine has 1 to %d", s.MemoryMiB, maxMemoryMiB)
	case len(s.Disks) > maxDisks:
		return fmt.Errorf("%d disks: a machine has room for %d", len(s.Disks), maxDisks)
	case len(s.NICs) > maxNICs:
		return fmt.Errorf("%d network cards: a machine has room for %d", len(s.NICs), maxNICs)
	}
	seen := once{}
	for _, d := range s.Disks {
		if err := errors.Join(d.check(), seen.add(d.ID)); err != nil {
			return fmt.Errorf("disk %q: %w", d.ID, err)
		}
	}
	for _, n := range s.NICs {
		if err := errors.Join(n.check(), seen.add(n.ID, n.MAC)); err != nil {
			return fmt.Errorf("network card %q: %w", n.ID, err)
		}
	}
	return nil
}

func (d VMDisk) check() error {
	if !IsUUID(d.ID) {
		return errors.New("the ID is no UUID in lower case")
	}
	switch d.Cache {
	case "", CacheNone, CacheWriteback, CacheWritethrough:
	default:
		return fmt.Errorf("no cache is called %q", d.Cache)
	}
	if err := d.Limits.check(); err != nil {
		return err
	}
	return d.Pool.check()
}

func (l DiskLimits) check() error {
	if l.TotalOps < 0 || l.TotalOps > 0 && (l.ReadOps != Rate{} || l.WriteOps != Rate{}) {
		return fmt.Errorf("a bound of %d operations beside %+v and %+v", l.TotalOps, l.ReadOps, l.WriteOps)
	}
	for _, r := range []Rate{l.ReadBytes, l.WriteBytes, l.ReadOps, l.WriteOps} {
		if r.Sustained < 0 || r.Seconds < 0 || r.Burst != 0 && (r.Sustained == 0 || r.Burst < r.Sustained) || r.Seconds > 0 && r.Burst == 0 {
			return fmt.Errorf("a bound of %+v", r)
		}
	}
	return nil
}

func (n VMNIC) check() error {
	switch {
	case !IsUUID(n.ID):
		return errors.New("the ID is no UUID in lower case")
	case !IsMAC(n.MAC):
		return fmt.Errorf("%q is not the MAC address of one card, in lower case with colons", n.MAC)
	case !IsLink(n.Bridge):
		return fmt.Errorf("%q is no name of a bridge", n.Bridge)
	case n.Mbit < 0 || n.Mbit > maxMbit:
		return fmt.Errorf("a rate of %d Mbit/s", n.Mbit)
	}
	return checkMTU(n.MTU)
}

// maxMbit is a rate whose bytes an unsigned 32-bit counter of KiB still holds.
const maxMbit = 10_000_000

// once is what may be there one time only.
type once map[string]bool

func (o once) add(keys ...string) error {
	for _, key := range keys {
		if o[key] {
			return fmt.Errorf("%s is there twice", key)
		}
		o[key] = true
	}
	return nil
}

// Check refuses a pool that no host can have. A type that is not known here is
// Unsupported.
func (p Pool) Check() error { return invalid("pool", p.ID, p.check()) }

func (p Pool) check() error {
	switch {
	case !IsUUID(p.ID):
		return fmt.Errorf("the pool's ID %q is no UUID in lower case", p.ID)
	case !isPath(p.Path):
		return fmt.Errorf("the pool's path %q is not clean, absolute and below /", p.Path)
	}
	switch p.Type {
	case PoolLocal, PoolMount, PoolNFS:
		return nil
	}
	return Errorf(Unsupported, fmt.Sprintf("pool %q", p.ID), "pools of type %q", p.Type)
}

// isPath accepts a clean absolute path of text.
func isPath(s string) bool {
	return filepath.IsAbs(s) && filepath.Clean(s) == s && s != "/" && isText(s)
}

func isText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// Check refuses an image that no pool can have.
func (s ImageSpec) Check() error { return invalid("copy image", s.ID, s.check()) }

func (s ImageSpec) check() error {
	switch {
	case !IsUUID(s.ID):
		return errors.New("the ID is no UUID in lower case")
	case !isPath(s.Source):
		return fmt.Errorf("source %q is not a clean absolute path", s.Source)
	case s.Format != "qcow2" && s.Format != "raw":
		return fmt.Errorf("format %q is neither qcow2 nor raw", s.Format)
	}
	return s.Pool.check()
}

// Check refuses a disk that no pool can have.
func (s DiskSpec) Check() error { return invalid("make disk", s.ID, s.check()) }

func (s DiskSpec) check() error {
	switch {
	case !IsUUID(s.ID):
		return errors.New("the ID is no UUID in lower case")
	case s.Image != "" && !IsUUID(s.Image):
		return fmt.Errorf("image %q is no UUID in lower case", s.Image)
	case s.Bytes < 0 || s.Bytes == 0 && s.Image == "":
		return fmt.Errorf("a size of %d bytes", s.Bytes)
	}
	return s.Pool.check()
}

// Check refuses what names no disk.
func (r DiskRef) Check() error {
	if err := CheckID("disk", r.ID); err != nil {
		return err
	}
	return r.Pool.Check()
}

// Check refuses a bridge that no host can have.
func (s BridgeSpec) Check() error { return invalid("apply bridge", s.Name, s.check()) }

func (s BridgeSpec) check() error {
	if !IsLink(s.Name) {
		return errors.New("this is no name of a bridge")
	}
	if err := checkMTU(s.MTU); err != nil {
		return err
	}
	for _, a := range s.Resolvers {
		if !a.Is4() || !a.IsGlobalUnicast() {
			return fmt.Errorf("resolver %q is no IPv4 address of a host", a)
		}
	}
	if s.Address.IsValid() {
		return checkSeat(s.Address)
	}
	if s.Masquerade {
		return errors.New("nothing to masquerade without an address")
	}
	return nil
}

// Check refuses what names no bridge.
func (r BridgeRef) Check() error {
	if !IsLink(r.Name) {
		return Errorf(Invalid, fmt.Sprintf("bridge %q", r.Name), "this is no name of a bridge")
	}
	return nil
}

func checkMTU(mtu int) error {
	if mtu != 0 && (mtu < minMTU || mtu > maxMTU) {
		return fmt.Errorf("MTU %d is not between %d and %d", mtu, minMTU, maxMTU)
	}
	return nil
}
