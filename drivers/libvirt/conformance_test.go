//go:build libvirt_dlopen

package libvirt

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	virt "libvirt.org/go/libvirt"
	xmlvirt "libvirt.org/go/libvirtxml"

	"aerie/drivers"
	"aerie/drivers/drivertest"
)

// TestConformance boots the image that AERIE_TEST_IMAGE names; without it the
// guest is a boot sector that sleeps, and what needs a guest is left out.
func TestConformance(t *testing.T) {
	real(t)
	state := labDir(t, "state")
	look := openReal(t)
	rig := drivertest.Rig{
		Open: func(t testing.TB) drivers.Driver {
			return openReal(t, func(c *Config) { c.StateDir = state })
		},
		Pool:      drivers.Pool{ID: newID(), Type: "Filesystem", Path: filepath.Join(labDir(t, "pool"), "p")},
		Image:     drivertest.Image{Path: sectorFile(t, []byte{0xf4, 0xeb, 0xfd}), Format: formatRaw},
		Bridge:    labBridge,
		MemoryMiB: 128,
		Patience:  20 * time.Second,
		BootTime:  2 * time.Minute,
		Behind:    behind(t, look),
	}
	if image := os.Getenv("AERIE_TEST_IMAGE"); image != "" {
		rig.Image, rig.Boots = drivertest.Image{Path: image, Format: formatQcow2}, true
	}
	drivertest.Run(t, rig)
}

// behind is somebody with virsh and kill.
func behind(t *testing.T, d *Driver) drivertest.Behind {
	on := func(f func(*virt.Domain) error) func(string) error {
		return func(id string) error {
			_, err := onDomain(soon(t), d, "behind the back", id, func(dom *virt.Domain) (drivers.Done, error) {
				return drivers.Done{}, f(dom)
			})
			return err
		}
	}
	return drivertest.Behind{
		Kill: func(id string) error {
			pids := qemuPIDs(t, id)
			if len(pids) != 1 {
				return fmt.Errorf("%s has %d processes", id, len(pids))
			}
			return syscall.Kill(pids[0], syscall.SIGKILL)
		},
		Pause:    on(func(dom *virt.Domain) error { return dom.Suspend() }),
		Undefine: on(func(dom *virt.Domain) error { return dom.Undefine() }),
		Look: func(id string) (drivers.VMSpec, error) {
			text, err := onDomain(soon(t), d, "look", id, func(dom *virt.Domain) (string, error) {
				return dom.GetXMLDesc(virt.DOMAIN_XML_INACTIVE)
			})
			var dom xmlvirt.Domain
			if err == nil {
				err = dom.Unmarshal(text)
			}
			if err != nil {
				return drivers.VMSpec{}, err
			}
			return drivers.VMSpec{
				CPUs: int(dom.VCPU.Value), MemoryMiB: int(dom.Memory.Value / 1024),
				NICs: make([]drivers.VMNIC, len(dom.Devices.Interfaces)),
			}, nil
		},
	}
}
