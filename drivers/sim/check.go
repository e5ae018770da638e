package sim

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"aerie/drivers"
)

func invalid(op, format string, args ...any) error {
	return drivers.Errorf(drivers.Invalid, op, format, args...)
}

// checkID refuses what is no lower-case UUID.
func checkID(op, id string) error {
	if !isUUID(id) {
		return invalid(op, "%q is no UUID", id)
	}
	return nil
}

func isUUID(id string) bool {
	if len(id) != 36 {
		return false
	}
	for i := range len(id) {
		switch i {
		case 8, 13, 18, 23:
			if id[i] != '-' {
				return false
			}
		default:
			if !strings.ContainsRune("0123456789abcdef", rune(id[i])) {
				return false
			}
		}
	}
	return true
}

func isAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// isWord accepts letters, digits and the extra characters, a letter or digit first.
func isWord(s, extra string, longest int) bool {
	if s == "" || len(s) > longest || !isAlnum(s[0]) {
		return false
	}
	for i := range len(s) {
		if !isAlnum(s[i]) && !strings.Contains(extra, s[i:i+1]) {
			return false
		}
	}
	return true
}

func isLabel(s string) bool { return isWord(s, "-", 63) && !strings.HasSuffix(s, "-") }

func isDomain(s string) bool {
	return len(s) <= 180 && !slices.ContainsFunc(strings.Split(s, "."), func(l string) bool { return !isLabel(l) })
}

func isInterface(s string) bool { return isWord(s, "-_.", 15) && s[0] > '9' }

// isMAC accepts the lower-case address of one card.
func isMAC(s string) bool {
	mac, err := net.ParseMAC(s)
	return err == nil && len(mac) == 6 && mac.String() == s && mac[0]&1 == 0 && s != "00:00:00:00:00:00"
}

func isMTU(n int) bool { return n == 0 || n >= 576 && n <= 65535 }

// isText refuses control characters.
func isText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

func isPath(s string) bool {
	return filepath.IsAbs(s) && filepath.Clean(s) == s && s != "/" && isText(s)
}

func checkPool(op string, p drivers.Pool) error {
	if err := checkID(op, p.ID); err != nil {
		return err
	}
	if !slices.Contains([]string{"Filesystem", "SharedMountPoint", "NetworkFilesystem"}, p.Type) {
		return drivers.Errorf(drivers.Unsupported, op, "pool type %q", p.Type)
	}
	if !isPath(p.Path) {
		return invalid(op, "%q is no absolute path", p.Path)
	}
	return nil
}

func checkImage(s drivers.ImageSpec) error {
	op := "ensure image " + s.ID
	switch {
	case !isUUID(s.ID):
		return invalid(op, "%q is no UUID", s.ID)
	case !isPath(s.Source):
		return invalid(op, "%q is no absolute path", s.Source)
	case s.Format != "qcow2" && s.Format != "raw":
		return invalid(op, "format %q", s.Format)
	}
	return nil
}

func checkDisk(s drivers.DiskSpec) error {
	op := "ensure disk " + s.ID
	switch {
	case !isUUID(s.ID):
		return invalid(op, "%q is no UUID", s.ID)
	case s.Image != "" && !isUUID(s.Image):
		return invalid(op, "%q is no image", s.Image)
	case s.Bytes < 0 || s.Bytes == 0 && s.Image == "":
		return invalid(op, "%d bytes", s.Bytes)
	}
	return nil
}

func checkVM(s drivers.VMSpec) error {
	op := "define " + s.ID
	switch {
	case !isUUID(s.ID):
		return invalid(op, "%q is no UUID", s.ID)
	case !isWord(s.Name, "-", 63):
		return invalid(op, "name %q", s.Name)
	case s.CPUs < 1 || s.CPUMHz < 0 || s.MemoryMiB < 1:
		return invalid(op, "%d CPUs of %d MHz, %d MiB", s.CPUs, s.CPUMHz, s.MemoryMiB)
	}
	seen := map[string]bool{}
	for _, d := range s.Disks {
		if !isUUID(d.ID) || seen[d.ID] {
			return invalid(op, "disk %q is twice or no UUID", d.ID)
		}
		seen[d.ID] = true
		if err := checkPool(op, d.Pool); err != nil {
			return err
		}
	}
	for _, n := range s.NICs {
		if err := checkNIC(n); err != nil {
			return invalid(op, "%w", err)
		}
		if seen[n.ID] || seen[n.MAC] {
			return invalid(op, "NIC %s (%s) is twice", n.ID, n.MAC)
		}
		seen[n.ID], seen[n.MAC] = true, true
	}
	return nil
}

func checkNIC(n drivers.VMNIC) error {
	switch {
	case !isUUID(n.ID):
		return fmt.Errorf("NIC %q is no UUID", n.ID)
	case !isMAC(n.MAC):
		return fmt.Errorf("NIC %s with MAC %q", n.ID, n.MAC)
	case !isInterface(n.Bridge):
		return fmt.Errorf("NIC %s on bridge %q", n.ID, n.Bridge)
	case !isMTU(n.MTU):
		return fmt.Errorf("NIC %s of MTU %d", n.ID, n.MTU)
	}
	return nil
}

func checkBridge(s drivers.BridgeSpec) error {
	op := "apply bridge " + s.Name
	switch {
	case !isInterface(s.Name):
		return invalid(op, "no name of a bridge")
	case !isMTU(s.MTU):
		return invalid(op, "MTU %d", s.MTU)
	case s.Address.IsValid() && !isSeat(s.Address):
		return invalid(op, "address %v", s.Address)
	case s.Masquerade && !s.Address.IsValid():
		return invalid(op, "nothing to masquerade without an address")
	}
	return nil
}
