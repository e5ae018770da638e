package drivertest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"aerie/drivers"
)

// noIDs are no UUIDs.
var noIDs = []string{
	"", "x", "i-2-17-VM", "../../../etc/passwd", "'; drop table vms; --",
	"01234567-89ab-cdef-0123-456789abcdef\n", "01234567-89ab-cdef-0123-456789abcdeg",
	"00000000-0000-0000-0000-000000000000", "01234567-89AB-cdef-0123-456789abcdef",
	"{01234567-89ab-cdef-0123-456789abcdef}", "0123456789abcdef0123456789abcdef",
}

// noNames are no machine names.
var noNames = []string{
	"", "a b", "a/b", "../up", "a\nb", "a\x00b", "<x/>", "a&b", "a'b", `a"b`, "a;reboot", "$(id)",
	"-leads", "é", strings.Repeat("a", 300),
}

// noBridges are no interface names.
var noBridges = []string{"", "a b", "a/b", "..", "a\nb", "-a", "sixteen-letters-", "a;reboot", "$(id)"}

// noMACs are no addresses of a network card.
var noMACs = []string{
	"", "02:00:00:00:00", "02:00:00:00:00:0g", "02:00:00:00:00:00:00", "02-00-00-00-00-01", "02:00:00:00:00:01\n", "ff:ff:ff:ff:ff:ff",
	"02:AA:00:00:00:01", "00:00:00:00:00:00",
}

// noPaths are no places for a pool.
var noPaths = []string{"", "relative", "./here", "../up", "/a/../b", "/a\nb", "/a\x00b", "/", "/a/"}

func (s *suite) unknownVM(t *testing.T, host drivers.Hypervisor) {
	id := newID()
	refuse(t, s, drivers.NotFound, host.StartVM, drivers.VMRef{ID: id})
	refuse(t, s, drivers.NotFound, host.StopVM, drivers.StopVM{ID: id, Force: true})
	refuse(t, s, drivers.NotFound, host.RebootVM, drivers.RebootVM{ID: id, Force: true})
	do(t, s, host.UndefineVM, drivers.VMRef{ID: id})
}

func (s *suite) hostileVM(t *testing.T, host drivers.Hypervisor) {
	for _, id := range noIDs {
		refuse(t, s, drivers.Invalid, host.StartVM, drivers.VMRef{ID: id})
		refuse(t, s, drivers.Invalid, host.StopVM, drivers.StopVM{ID: id, Force: true})
		refuse(t, s, drivers.Invalid, host.RebootVM, drivers.RebootVM{ID: id, Force: true})
		refuse(t, s, drivers.Invalid, host.UndefineVM, drivers.VMRef{ID: id})
	}
	good := s.machine(t)
	for _, spec := range hostileSpecs(good) {
		refuse(t, s, drivers.Invalid, host.DefineVM, spec)
	}
	if vm, ok := s.find(t, host, good.ID); ok {
		t.Errorf("an invalid machine is there: %+v", vm)
	}
}

// hostileSpecs spoils a good spec in every way, one at a time.
func hostileSpecs(good drivers.VMSpec) []drivers.VMSpec {
	var all []drivers.VMSpec
	spoil := func(how func(*drivers.VMSpec)) {
		bad := good
		bad.NICs = []drivers.VMNIC{{ID: newID(), MAC: newMAC(good.ID), Bridge: "abtest"}}
		bad.Disks = []drivers.VMDisk{{ID: newID(), Pool: drivers.Pool{ID: newID(), Type: "Filesystem", Path: "/var/lib/aerie"}}}
		how(&bad)
		all = append(all, bad)
	}
	for _, id := range noIDs {
		spoil(func(v *drivers.VMSpec) { v.ID = id })
		spoil(func(v *drivers.VMSpec) { v.Disks[0].ID = id })
	}
	for _, name := range noNames {
		spoil(func(v *drivers.VMSpec) { v.Name = name })
	}
	for _, bridge := range noBridges {
		spoil(func(v *drivers.VMSpec) { v.NICs[0].Bridge = bridge })
	}
	for _, mac := range noMACs {
		spoil(func(v *drivers.VMSpec) { v.NICs[0].MAC = mac })
	}
	for _, path := range noPaths {
		spoil(func(v *drivers.VMSpec) { v.Disks[0].Pool.Path = path })
	}
	for _, n := range []int{0, -1} {
		spoil(func(v *drivers.VMSpec) { v.CPUs = n })
		spoil(func(v *drivers.VMSpec) { v.MemoryMiB = n })
	}
	spoil(func(v *drivers.VMSpec) { v.NICs[0].MTU = -1 })
	spoil(func(v *drivers.VMSpec) { v.Disks = append(v.Disks, v.Disks[0]) })
	spoil(func(v *drivers.VMSpec) { v.NICs = append(v.NICs, v.NICs[0]) })
	spoil(func(v *drivers.VMSpec) { v.Disks = slices.Repeat(v.Disks, 13) })
	return all
}

func (s *suite) cancelVM(t *testing.T, host drivers.Hypervisor) {
	spec := s.running(t)
	cancelled(t, s, host.DefineVM, spec)
	cancelled(t, s, host.StartVM, drivers.VMRef{ID: spec.ID})
	cancelled(t, s, host.StopVM, drivers.StopVM{ID: spec.ID, Force: true})
	cancelled(t, s, host.RebootVM, drivers.RebootVM{ID: spec.ID, Force: true})
	cancelled(t, s, host.UndefineVM, drivers.VMRef{ID: spec.ID})
	cancelled(t, s, host.ListVMs, drivers.ListVMs{})
	s.becomes(t, host, spec.ID, drivers.PowerOn)
	if s.rig.Boots {
		s.pause(t, host, spec.ID)
	}
	s.within(t, s.rig.Patience, func() {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if _, err := host.StopVM(ctx, drivers.StopVM{ID: spec.ID, Grace: time.Hour}); err == nil {
			t.Error("a stop that nobody waits for succeeds")
		}
	})
}
