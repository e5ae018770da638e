//go:build libvirt_dlopen

package libvirt

import (
	"strings"
	"testing"

	"aerie/drivers"
)

func TestValidation(t *testing.T) {
	for name, spoil := range map[string]func(*drivers.VMSpec){
		"no ID":                    func(s *drivers.VMSpec) { s.ID = "" },
		"nil ID":                   func(s *drivers.VMSpec) { s.ID = noUUID },
		"upper case ID":            func(s *drivers.VMSpec) { s.ID = strings.ToUpper("0197a000-0000-7000-8000-00000000000a") },
		"ID with a newline":        func(s *drivers.VMSpec) { s.ID += "\n" },
		"no name":                  func(s *drivers.VMSpec) { s.Name = "" },
		"name with a slash":        func(s *drivers.VMSpec) { s.Name = "../x" },
		"name with a leading dash": func(s *drivers.VMSpec) { s.Name = "-x" },
		"long name":                func(s *drivers.VMSpec) { s.Name = strings.Repeat("x", 64) },
		"XML in the name":          func(s *drivers.VMSpec) { s.Name = "</name>" },
		"no CPU":                   func(s *drivers.VMSpec) { s.CPUs = 0 },
		"too many CPUs":            func(s *drivers.VMSpec) { s.CPUs = 256 },
		"negative MHz":             func(s *drivers.VMSpec) { s.CPUMHz = -1 },
		"no memory":                func(s *drivers.VMSpec) { s.MemoryMiB = 0 },
		"too much memory":          func(s *drivers.VMSpec) { s.MemoryMiB = 1 << 40 },
		"disk without ID":          func(s *drivers.VMSpec) { s.Disks[0].ID = "" },
		"disk twice":               func(s *drivers.VMSpec) { s.Disks = append(s.Disks, s.Disks[0]) },
		"too many disks":           func(s *drivers.VMSpec) { s.Disks = make([]drivers.VMDisk, maxDisks+1) },
		"relative pool":            func(s *drivers.VMSpec) { s.Disks[0].Pool.Path = "pool" },
		"pool with dots":           func(s *drivers.VMSpec) { s.Disks[0].Pool.Path = "/a/../b" },
		"root as pool":             func(s *drivers.VMSpec) { s.Disks[0].Pool.Path = "/" },
		"control in the pool":      func(s *drivers.VMSpec) { s.Disks[0].Pool.Path = "/a\x01" },
		"no text in the pool":      func(s *drivers.VMSpec) { s.Disks[0].Pool.Path = "/a\xff" },
		"multicast MAC":            func(s *drivers.VMSpec) { s.NICs[0].MAC = "03:00:00:00:00:01" },
		"upper case MAC":           func(s *drivers.VMSpec) { s.NICs[0].MAC = "02:AA:00:00:00:01" },
		"zero MAC":                 func(s *drivers.VMSpec) { s.NICs[0].MAC = noMAC },
		"MAC twice":                func(s *drivers.VMSpec) { s.NICs = append(s.NICs, s.NICs[0]) },
		"long bridge":              func(s *drivers.VMSpec) { s.NICs[0].Bridge = "sixteen-letters-" },
		"bridge with a slash":      func(s *drivers.VMSpec) { s.NICs[0].Bridge = "a/b" },
		"tiny MTU":                 func(s *drivers.VMSpec) { s.NICs[0].MTU = 67 },
		"too many cards":           func(s *drivers.VMSpec) { s.NICs = make([]drivers.VMNIC, maxNICs+1) },
	} {
		s := small().VMSpec
		spoil(&s)
		if err := validVM("test", s); drivers.KindOf(err) != drivers.Invalid {
			t.Errorf("%s: %v, want %q", name, err, drivers.Invalid)
		}
	}
	if err := validVM("test", large().VMSpec); err != nil {
		t.Error(err)
	}
}

func TestValidImages(t *testing.T) {
	good := drivers.ImageSpec{ID: small().ID, Pool: pool, Source: "/srv/images/x", Format: formatQcow2}
	for name, spoil := range map[string]func(*drivers.ImageSpec){
		"relative source": func(s *drivers.ImageSpec) { s.Source = "x" },
		"protocol":        func(s *drivers.ImageSpec) { s.Source = "nbd://host/x" },
		"JSON":            func(s *drivers.ImageSpec) { s.Source = `json:{"driver":"host_device"}` },
		"vmdk":            func(s *drivers.ImageSpec) { s.Format = "vmdk" },
		"no format":       func(s *drivers.ImageSpec) { s.Format = "" },
	} {
		s := good
		spoil(&s)
		if err := validImage("test", s); drivers.KindOf(err) != drivers.Invalid {
			t.Errorf("%s: %v, want %q", name, err, drivers.Invalid)
		}
	}
	if err := validImage("test", good); err != nil {
		t.Error(err)
	}
}
