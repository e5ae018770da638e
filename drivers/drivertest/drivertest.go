// Package drivertest is the one suite that every driver passes: the simulator,
// a real libvirt, real namespaces, and any of them behind an agent. It tests
// each ability that the driver has and nothing that it has not.
package drivertest

import (
	"testing"
	"time"

	"aerie/drivers"
)

// Rig is a driver and what it may be tested with. Only Open is required; what
// else is empty leaves out the tests that need it.
type Rig struct {
	// Open opens a fresh driver on the same host: called again, the new one
	// finds what the first has left there.
	Open func(t testing.TB) drivers.Driver

	Pool   drivers.Pool
	Image  Image
	Bridge string // exists on the host: a NIC is plugged in, a router leaves by it

	Boots     bool          // the image boots and its guest obeys ACPI
	MemoryMiB int           // of a test machine; 128 if zero
	Patience  time.Duration // how long one step may take; 10 s if zero
	BootTime  time.Duration // how long a guest may take to its prompt; Patience if zero
	Prompt    string        // ends the boot on the serial line; "login:" if empty

	Behind Behind
}

// Image is a template file on the host.
type Image struct {
	Path   string // absolute; need not exist when the driver only pretends
	Format string // "qcow2" or "raw"
}

// Behind is what somebody else does to the host behind the driver's back, such
// as virsh in a terminal. Tests that need an absent one are left out.
type Behind struct {
	Kill     func(id string) error // the machine's process dies
	Pause    func(id string) error
	Undefine func(id string) error // the host forgets a machine that is off
	// Look tells how the host would start the machine now; only CPUs, MemoryMiB
	// and the number of NICs are read.
	Look func(id string) (drivers.VMSpec, error)
}

// Run tests every ability of the rig's driver.
func Run(t *testing.T, rig Rig) {
	s := newSuite(t, rig)
	t.Run("Kind", s.kind)
	ability(t, s, "Prober", s.prober)
	ability(t, s, "DiskHost", s.diskHost)
	ability(t, s, "Hypervisor", s.hypervisor)
	ability(t, s, "Watcher", s.watcher)
	ability(t, s, "Meter", s.meter)
	ability(t, s, "Console", s.console)
	ability(t, s, "Screen", s.screen)
	ability(t, s, "Switch", s.bridges)
	ability(t, s, "Router", s.router)
}

// ability runs the tests of one interface when the driver has it.
func ability[C any](t *testing.T, s *suite, name string, test func(*testing.T, C)) {
	has, ok := drivers.As[C](s.driver)
	if !ok {
		return
	}
	t.Run(name, func(t *testing.T) { test(t, has) })
}

func (s *suite) kind(t *testing.T) {
	kind := s.driver.Kind()
	if kind == "" {
		t.Error("a driver without a kind")
	}
	if again := s.rig.Open(t).Kind(); again != kind {
		t.Errorf("opened again it is a %q, not a %q", again, kind)
	}
}
