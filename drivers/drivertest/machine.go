package drivertest

import (
	"context"
	"testing"

	"aerie/drivers"
)

// machine makes a spec that the host can start, with a disk when the driver
// keeps disks and a NIC when the rig has a bridge. The test's end removes all.
func (s *suite) machine(t testing.TB) drivers.VMSpec {
	t.Helper()
	id := newID()
	spec := drivers.VMSpec{
		ID: id, Name: "i-2-" + id[len(id)-8:] + "-VM",
		CPUs: 1, CPUMHz: 500, MemoryMiB: s.rig.MemoryMiB,
	}
	if s.rig.Bridge != "" {
		spec.NICs = []drivers.VMNIC{{ID: newID(), MAC: newMAC(id), Bridge: s.rig.Bridge}}
	}
	if host, ok := drivers.As[drivers.DiskHost](s.driver); ok && s.rig.Pool.Path != "" {
		spec.Disks = []drivers.VMDisk{{ID: s.disk(t, host), Pool: s.rig.Pool}}
	}
	if host, ok := drivers.As[drivers.Hypervisor](s.driver); ok {
		t.Cleanup(func() { do(t, s, host.UndefineVM, drivers.VMRef{ID: id}) })
	}
	return spec
}

// disk makes a boot disk for a machine.
func (s *suite) disk(t testing.TB, host drivers.DiskHost) string {
	t.Helper()
	spec := drivers.DiskSpec{ID: newID(), Pool: s.rig.Pool, Bytes: 64 << 20}
	do(t, s, host.EnsurePool, s.rig.Pool)
	if s.rig.Image.Path != "" {
		spec.Bytes, spec.Image = 0, s.base(t, host)
	}
	do(t, s, host.EnsureDisk, spec)
	t.Cleanup(func() { do(t, s, host.DeleteDisk, drivers.DiskRef{ID: spec.ID, Pool: spec.Pool}) })
	return spec.ID
}

// base is the image that machines are cloned from, made once for the whole run.
func (s *suite) base(t testing.TB, host drivers.DiskHost) string {
	t.Helper()
	if s.image == "" {
		s.image = s.copyImage(t, s.top, host)
	}
	return s.image
}

// copyImage copies the rig's image into its pool until the owner ends.
func (s *suite) copyImage(t, owner testing.TB, host drivers.DiskHost) string {
	t.Helper()
	id := newID()
	do(t, s, host.EnsureImage, drivers.ImageSpec{ID: id, Pool: s.rig.Pool, Source: s.rig.Image.Path, Format: s.rig.Image.Format})
	owner.Cleanup(func() { do(owner, s, host.DeleteDisk, drivers.DiskRef{ID: id, Pool: s.rig.Pool}) })
	return id
}

// running makes a machine and starts it.
func (s *suite) running(t testing.TB) drivers.VMSpec {
	t.Helper()
	host, ok := drivers.As[drivers.Hypervisor](s.driver)
	if !ok {
		t.Skip("the driver runs no machines")
	}
	spec := s.machine(t)
	do(t, s, host.DefineVM, spec)
	s.power(t, drivers.PowerOn, do(t, s, host.StartVM, drivers.VMRef{ID: spec.ID}), spec)
	return spec
}

// power checks an answer about a machine.
func (s *suite) power(t testing.TB, want drivers.Power, got drivers.VMState, spec drivers.VMSpec) {
	t.Helper()
	if got.Power != want || got.ID != spec.ID || got.Name != spec.Name {
		t.Errorf("%+v, want %s (%s) %s", got, spec.ID, spec.Name, want)
	}
}

// find looks a machine up in the full sweep.
func (s *suite) find(t testing.TB, host drivers.Hypervisor, id string) (drivers.VMState, bool) {
	t.Helper()
	var found drivers.VMState
	n := 0
	for _, vm := range do(t, s, host.ListVMs, drivers.ListVMs{}).VMs {
		if vm.ID == id {
			found = vm
			n++
		}
	}
	if n > 1 {
		t.Errorf("%s is listed %d times", id, n)
	}
	return found, n > 0
}

// becomes waits until the sweep shows the machine in the power state.
func (s *suite) becomes(t testing.TB, host drivers.Hypervisor, id string, want drivers.Power) {
	t.Helper()
	s.until(t, id+" is "+string(want), func() bool {
		vm, ok := s.find(t, host, id)
		return ok && vm.Power == want
	})
}

// booted waits for the prompt of the guest on its serial line.
func (s *suite) booted(t testing.TB, id string) {
	t.Helper()
	console, ok := drivers.As[drivers.Console](s.driver)
	if !ok {
		t.Skip("without a console nobody knows when the guest is up")
	}
	ctx, cancel := context.WithTimeout(t.Context(), s.rig.BootTime)
	defer cancel()
	line := s.dial(ctx, t, console, id, drivers.ConsoleSerial)
	defer line.Close()
	if err := expect(ctx, line, s.rig.Prompt); err != nil {
		t.Fatalf("no %q on the serial line of %s: %v", s.rig.Prompt, id, err)
	}
}
