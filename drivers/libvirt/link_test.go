//go:build libvirt_dlopen

package libvirt

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"aerie/drivers"
)

const pidFile = "/run/libvirtd.pid"

func libvirtdPID(t testing.TB) int {
	t.Helper()
	data, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	return atoi(strings.TrimSpace(string(data)))
}

// A libvirtd that is killed and started again is found again, its machines run
// on, and whoever watches is told to look for himself.
func TestLibvirtdRestarts(t *testing.T) {
	d := openReal(t)
	spec := vm(t, d)
	must(t, d.StartVM, drivers.VMRef{ID: spec.ID})
	seen := d.ring.now()

	if err := syscall.Kill(libvirtdPID(t), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "libvirtd is unreachable", func() bool {
		_, err := d.ListVMs(soon(t), drivers.ListVMs{})
		return err != nil && drivers.KindOf(err) == drivers.Unreachable
	})
	begin := time.Now()
	if err := daemon("libvirtd", "-d"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "libvirtd is back", func() bool {
		s, err := d.state(soon(t), "look", spec.ID)
		return err == nil && s.Power == drivers.PowerOn
	})
	t.Logf("back after %v", time.Since(begin))

	batch := must(t, d.NextEvents, drivers.NextEvents{After: seen})
	for !batch.Resync {
		batch = must(t, d.NextEvents, drivers.NextEvents{After: batch.Last})
	}
	eventually(t, "events come again", func() bool {
		must(t, d.StopVM, drivers.StopVM{ID: spec.ID, Force: true})
		defer func() { must(t, d.StartVM, drivers.VMRef{ID: spec.ID}) }()
		return hears(t, d, &batch.Last, drivers.PowerOff)
	})
}

// hears waits for an event of that power. A gap ends the wait, and so do five
// seconds: libvirt 9.0 that has just come back now and then tells of a machine's
// shutting down but not of its end.
func hears(t *testing.T, d *Driver, last *int64, power drivers.Power) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for {
		b, err := d.NextEvents(ctx, drivers.NextEvents{After: *last})
		if err != nil {
			return false
		}
		*last = b.Last
		if b.Resync || slices.ContainsFunc(b.Events, func(e drivers.VMEvent) bool { return e.State.Power == power }) {
			return !b.Resync
		}
	}
}

// A libvirtd that hangs must not hang its callers.
func TestLibvirtdHangs(t *testing.T) {
	d := openReal(t)
	must(t, d.ListVMs, drivers.ListVMs{})
	pid := libvirtdPID(t)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
	for range 3 { // the first on the old connection, the others while dialing
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		begin := time.Now()
		_, err := d.ListVMs(ctx, drivers.ListVMs{})
		cancel()
		if drivers.KindOf(err) != drivers.Unreachable || time.Since(begin) > 2*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	}
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	must(t, d.ListVMs, drivers.ListVMs{})
}

func TestNoLibvirtd(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	socket := filepath.Join(t.TempDir(), "none")
	_, err := Open(ctx, Config{URI: "qemu+unix:///system?socket=" + socket, StateDir: t.TempDir()})
	if drivers.KindOf(err) != drivers.Unreachable {
		t.Errorf("%v, want %q", err, drivers.Unreachable)
	}
}

func TestClosedDriverRefuses(t *testing.T) {
	d := openTest(t)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.ListVMs(t.Context(), drivers.ListVMs{}); drivers.KindOf(err) != drivers.Unreachable {
		t.Errorf("%v, want %q", err, drivers.Unreachable)
	}
}

// libvirt's own simulation knows less than QEMU but exercises the same calls.
func TestSimulatedHost(t *testing.T) {
	d := openTest(t)
	if d.Kind() != "libvirt" {
		t.Errorf("a driver of kind %q", d.Kind())
	}
	info := must(t, d.ProbeHost, drivers.ProbeHost{Deep: true})
	if info.CPUs <= 0 || info.MemoryMiB <= 0 || info.UUID == "" || info.Accelerated {
		t.Errorf("%+v", info)
	}
	vms := must(t, d.ListVMs, drivers.ListVMs{}).VMs
	if len(vms) != 1 || vms[0].Name != "test" || vms[0].Power != drivers.PowerOn {
		t.Fatalf("%+v, want the one machine of the simulation", vms)
	}
	ref := drivers.VMRef{ID: vms[0].ID}
	seen := d.ring.now()
	wantPower(t, drivers.PowerOff, must(t, d.StopVM, drivers.StopVM{ID: ref.ID, Grace: time.Second}))
	wantPower(t, drivers.PowerOn, must(t, d.StartVM, ref))
	if b := must(t, d.NextEvents, drivers.NextEvents{After: seen}); len(b.Events) == 0 || b.Events[0].State.ID != ref.ID {
		t.Errorf("%+v", b)
	}
	must(t, d.UndefineVM, ref)
	fails(t, drivers.NotFound, d.StartVM, ref)
}

func TestHostKeepsItsName(t *testing.T) {
	d := openTest(t)
	first, err := d.hostID("0197a000-0000-7000-8000-000000000001")
	if err != nil {
		t.Fatal(err)
	}
	second, err := d.hostID("0197a000-0000-7000-8000-000000000002")
	if err != nil || second != first {
		t.Errorf("%s, then %s, %v", first, second, err)
	}
}
