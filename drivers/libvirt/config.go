// Package libvirt drives a KVM host through its libvirtd: machines, their
// screens and figures by libvirt, disks by qemu-img in plain directories. It is
// linked with the build tag libvirt_dlopen, so that everything builds without
// libvirt's headers; without the tag [Open] says so.
package libvirt

import (
	"log/slog"
	"path/filepath"
)

// Kind is the driver's short name.
const Kind = "libvirt"

// Config says which libvirtd to drive and how.
type Config struct {
	URI string // default qemu:///system
	Log *slog.Logger
	// StateDir keeps what a restart shall not forget: the host's identity,
	// whether acceleration works, serial sockets and boot logs. Each host needs
	// its own; default /var/lib/aerie/libvirt.
	StateDir string
	Emulator string // path of QEMU; empty leaves the choice to libvirt
	Accel    string // "kvm" or "tcg"; empty finds out by starting a guest
}

func (c Config) withDefaults() Config {
	if c.URI == "" {
		c.URI = "qemu:///system"
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.StateDir == "" {
		c.StateDir = filepath.Join(aerieDir, "libvirt")
	}
	return c
}
