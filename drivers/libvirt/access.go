package libvirt

import (
	"os"
	"syscall"
)

// Emulator is as whom libvirtd runs QEMU on this machine.
type Emulator struct{ who account }

// FindEmulator reads it from libvirtd's configuration.
func FindEmulator() (Emulator, error) {
	who, err := emulatorUser(qemuConf)
	return Emulator{who}, err
}

// Name is the user's name.
func (e Emulator) Name() string { return e.who.name }

// BlockedAt is the first folder on the way to path that the user may not enter,
// or empty.
func (e Emulator) BlockedAt(path string) string { return e.who.blockedAt(path) }

// MayOpen tells whether the user may read and write a device, as its mode says.
func (e Emulator) MayOpen(device string) (bool, error) {
	info, err := os.Stat(device)
	if err != nil {
		return false, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || e.who.uid == 0 {
		return ok, nil
	}
	bits := st.Mode & 0o006
	for _, gid := range e.who.groups {
		if st.Gid == gid {
			bits = st.Mode & 0o060 >> 3
		}
	}
	if st.Uid == e.who.uid {
		bits = st.Mode & 0o600 >> 6
	}
	return bits == 0o006, nil
}
