//go:build !libvirt_dlopen

package libvirt

import (
	"context"

	"aerie/drivers"
)

// Driver drives one libvirtd; in this build there is none.
type Driver struct {
	drivers.Prober
	drivers.Hypervisor
	drivers.Watcher
	drivers.Meter
	drivers.Console
	drivers.Screen
	drivers.DiskHost
}

// Open refuses: this build has no libvirt.
func Open(context.Context, Config) (*Driver, error) {
	return nil, drivers.Errorf(drivers.Unsupported, "open libvirt",
		"this program was built without libvirt; build it with -tags libvirt_dlopen")
}

// Kind is "libvirt".
func (*Driver) Kind() string { return Kind }

// Close does nothing.
func (*Driver) Close() error { return nil }
