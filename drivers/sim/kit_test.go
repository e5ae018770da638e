package sim_test

import (
	"context"
	"fmt"
	"testing"

	"aerie/drivers"
	"aerie/drivers/sim"
)

var (
	localPool  = drivers.Pool{ID: "0198c000-0000-7000-8000-0000000000aa", Type: "Filesystem", Path: "/local"}
	sharedPool = drivers.Pool{ID: "0198c000-0000-7000-8000-0000000000bb", Type: "SharedMountPoint", Path: "/shared"}
)

// id is the UUID of a number.
func id(n int) string { return fmt.Sprintf("0198c000-0000-7000-8000-%012x", n) }

// must calls a method that must succeed.
func must[Req, Resp any](t testing.TB, method func(context.Context, Req) (Resp, error), req Req) Resp {
	t.Helper()
	resp, err := method(context.Background(), req)
	if err != nil {
		t.Fatalf("%+v: %v", req, err)
	}
	return resp
}

// fails calls a method that must fail with the kind.
func fails[Req, Resp any](t testing.TB, want drivers.Kind, method func(context.Context, Req) (Resp, error), req Req) {
	t.Helper()
	if _, err := method(context.Background(), req); err == nil || drivers.KindOf(err) != want {
		t.Errorf("%+v: %v, want %q", req, err, want)
	}
}

func open(t testing.TB, o sim.Options) *sim.Center {
	c := sim.New(o)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// spec is machine n with a disk and a NIC.
func spec(n int, pool drivers.Pool) drivers.VMSpec {
	return drivers.VMSpec{
		ID: id(n), Name: fmt.Sprintf("i-2-%d-VM", n), CPUs: 1, CPUMHz: 1000, MemoryMiB: 512,
		Disks: []drivers.VMDisk{{ID: id(n + 1<<20), Pool: pool}},
		NICs:  []drivers.VMNIC{{ID: id(n + 2<<20), MAC: fmt.Sprintf("02:00:00:%02x:%02x:%02x", n>>16&0xff, n>>8&0xff, n&0xff), Bridge: "cloudbr0"}},
	}
}

// define makes the disk and the machine.
func define(t testing.TB, h *sim.Host, s drivers.VMSpec) drivers.VMRef {
	t.Helper()
	for _, d := range s.Disks {
		must(t, h.EnsureDisk, drivers.DiskSpec{ID: d.ID, Pool: d.Pool, Bytes: 1 << 30})
	}
	must(t, h.DefineVM, s)
	return drivers.VMRef{ID: s.ID}
}

// start makes a machine run.
func start(t testing.TB, h *sim.Host, s drivers.VMSpec) drivers.VMRef {
	t.Helper()
	ref := define(t, h, s)
	must(t, h.StartVM, ref)
	return ref
}

func power(t testing.TB, h *sim.Host, ref drivers.VMRef) drivers.Power {
	t.Helper()
	for _, vm := range must(t, h.ListVMs, drivers.ListVMs{}).VMs {
		if vm.ID == ref.ID {
			return vm.Power
		}
	}
	return ""
}
