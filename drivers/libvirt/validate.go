//go:build libvirt_dlopen

package libvirt

import (
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"aerie/drivers"
)

// What a machine of type pc has room for.
const (
	maxCPUs      = 255
	maxMemoryMiB = 4 << 20
	maxDisks     = 12
	maxNICs      = 10
)

var (
	uuidForm   = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	nameForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,62}$`)
	bridgeForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$`)
	macForm    = regexp.MustCompile(`^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$`) // unicast
)

const (
	noUUID = "00000000-0000-0000-0000-000000000000"
	noMAC  = "00:00:00:00:00:00"
)

func validID(op, what, id string) error {
	if !uuidForm.MatchString(id) || id == noUUID {
		return invalid(op, "%s %q is not a UUID in lower case", what, id)
	}
	return nil
}

func validPool(op string, p drivers.Pool) error {
	switch {
	case !filepath.IsAbs(p.Path) || filepath.Clean(p.Path) != p.Path || p.Path == "/":
		return invalid(op, "pool path %q is not a clean absolute path below /", p.Path)
	case !utf8.ValidString(p.Path) || strings.ContainsFunc(p.Path, unicode.IsControl):
		return invalid(op, "pool path %q holds characters that are no text", p.Path)
	}
	return nil
}

func validVM(op string, s drivers.VMSpec) error {
	if err := validID(op, "machine", s.ID); err != nil {
		return err
	}
	switch {
	case !nameForm.MatchString(s.Name):
		return invalid(op, "name %q is not 1 to 63 letters, digits and dashes", s.Name)
	case s.CPUs < 1 || s.CPUs > maxCPUs:
		return invalid(op, "%d CPUs: a machine has 1 to %d", s.CPUs, maxCPUs)
	case s.CPUMHz < 0:
		return invalid(op, "%d MHz", s.CPUMHz)
	case s.MemoryMiB < 1 || s.MemoryMiB > maxMemoryMiB:
		return invalid(op, "%d MiB of memory: a machine has 1 to %d", s.MemoryMiB, maxMemoryMiB)
	case len(s.Disks) > maxDisks:
		return invalid(op, "%d disks: a machine has room for %d", len(s.Disks), maxDisks)
	case len(s.NICs) > maxNICs:
		return invalid(op, "%d network cards: a machine has room for %d", len(s.NICs), maxNICs)
	}
	if err := validDisks(op, s.Disks); err != nil {
		return err
	}
	return validNICs(op, s.NICs)
}

func validDisks(op string, disks []drivers.VMDisk) error {
	seen := map[string]bool{}
	for _, d := range disks {
		if err := validID(op, "disk", d.ID); err != nil {
			return err
		}
		if err := validPool(op, d.Pool); err != nil {
			return err
		}
		if seen[d.ID] {
			return invalid(op, "disk %s is plugged in twice", d.ID)
		}
		seen[d.ID] = true
	}
	return nil
}

func validNICs(op string, nics []drivers.VMNIC) error {
	seen := map[string]bool{}
	for _, n := range nics {
		switch {
		case !uuidForm.MatchString(n.ID):
			return invalid(op, "network card %q is not a UUID in lower case", n.ID)
		case !macForm.MatchString(n.MAC) || n.MAC == noMAC:
			return invalid(op, "MAC %q is not a unicast address in lower case with colons", n.MAC)
		case seen[n.MAC]:
			return invalid(op, "MAC %s is given twice", n.MAC)
		case !bridgeForm.MatchString(n.Bridge):
			return invalid(op, "bridge %q is not a network interface's name", n.Bridge)
		case n.MTU != 0 && (n.MTU < 68 || n.MTU > 65535):
			return invalid(op, "MTU %d", n.MTU)
		}
		seen[n.MAC] = true
	}
	return nil
}
