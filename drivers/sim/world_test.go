package sim_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"aerie/drivers"
	"aerie/drivers/sim"
)

func TestImageLockRefusesTheSecondWriter(t *testing.T) {
	center := open(t, sim.Options{})
	a, b := center.Host("a"), center.Host("b")
	vm := spec(1, sharedPool)
	ref := start(t, a, vm)
	define(t, b, vm)

	fails(t, drivers.Busy, b.StartVM, ref)
	center.Partition("a")
	fails(t, drivers.Busy, b.StartVM, ref)
	w := center.Snapshot()
	if len(w.Violations) != 2 || !w.Violations[0].Prevented || len(w.Problems()) != 0 {
		t.Errorf("prevented, but the world shows\n%v%v", w, w.Problems())
	}

	center.Crash("a")
	must(t, b.StartVM, ref)
	center.Heal("a")
	fails(t, drivers.Busy, a.StartVM, ref)
	if running := center.Snapshot().Running(); len(running) != 1 || running[0].Host != "b" {
		t.Errorf("running: %+v", running)
	}
}

func TestBrokenLockShowsTheSplitBrain(t *testing.T) {
	center := open(t, sim.Options{NoImageLock: true})
	vm := spec(1, sharedPool)
	start(t, center.Host("a"), vm)
	start(t, center.Host("b"), vm)
	problems := strings.Join(center.Snapshot().Problems(), "\n")
	for _, want := range []string{"disk " + vm.Disks[0].ID + " is open", "machine " + vm.ID + " runs on [a b]", "MAC " + vm.NICs[0].MAC} {
		if !strings.Contains(problems, want) {
			t.Errorf("%q is not among\n%s", want, problems)
		}
	}
}

func TestTwoMachinesCannotShareADisk(t *testing.T) {
	h := open(t, sim.Options{}).Host("a")
	start(t, h, spec(1, localPool))
	thief := spec(2, localPool)
	thief.Disks = spec(1, localPool).Disks
	must(t, h.DefineVM, thief)
	fails(t, drivers.Busy, h.StartVM, drivers.VMRef{ID: thief.ID})
}

func TestStartWantsDiskAndBridge(t *testing.T) {
	center := open(t, sim.Options{})
	h := center.Host("a")
	vm := spec(1, localPool)
	must(t, h.DefineVM, vm)
	fails(t, drivers.Internal, h.StartVM, drivers.VMRef{ID: vm.ID})
	vm.NICs[0].Bridge = "ababsent"
	define(t, h, vm)
	fails(t, drivers.Internal, h.StartVM, drivers.VMRef{ID: vm.ID})
	must(t, h.ApplyBridge, drivers.BridgeSpec{Name: "ababsent"})
	must(t, h.StartVM, drivers.VMRef{ID: vm.ID})
	fails(t, drivers.Busy, h.RemoveBridge, drivers.BridgeRef{Name: "ababsent"})
	if problems := center.Snapshot().Problems(); len(problems) > 0 {
		t.Error(problems)
	}
}

func TestCrashLosesWhatLivesInMemory(t *testing.T) {
	center := open(t, sim.Options{})
	h := center.Host("a")
	ref := start(t, h, spec(1, localPool))
	must(t, h.ApplyRouter, network(1))
	must(t, h.ApplyBridge, drivers.BridgeSpec{Name: "abother"})
	center.Crash("a")
	fails(t, drivers.Unreachable, h.ListVMs, drivers.ListVMs{})
	center.Heal("a")
	w := center.Snapshot()
	if len(w.VMs) != 1 || len(w.Running()) != 0 || len(w.Disks) != 1 || len(w.Routers)+len(w.Bridges) != 0 {
		t.Errorf("after the crash:\n%v", w)
	}
	must(t, h.StartVM, ref)
}

func TestPartitionLetsMachinesRunAndLosesAnswers(t *testing.T) {
	center := open(t, sim.Options{})
	h := center.Host("a")
	ref := define(t, h, spec(1, localPool))
	remove := center.Hook(func(_ context.Context, c sim.Call) error {
		if c.Method == "StartVM" && c.After {
			center.Partition("a") // the answer is on its way
		}
		return nil
	})
	fails(t, drivers.Unreachable, h.StartVM, ref)
	remove()
	fails(t, drivers.Unreachable, h.StopVM, drivers.StopVM{ID: ref.ID, Force: true})
	if len(center.Snapshot().Running()) != 1 {
		t.Error("the machine does not run on")
	}
	center.Heal("a")
	must(t, h.StopVM, drivers.StopVM{ID: ref.ID, Force: true})
}

func TestWatchersResyncAfterACrash(t *testing.T) {
	center := open(t, sim.Options{})
	h := center.Host("a")
	ref := start(t, h, spec(1, localPool))
	must(t, h.StopVM, drivers.StopVM{ID: ref.ID, Force: true})
	batch := must(t, h.NextEvents, drivers.NextEvents{After: 1})
	if len(batch.Events) != 2 || batch.Resync {
		t.Fatalf("started and stopped: %+v", batch)
	}

	failed := make(chan error, 1)
	go func() {
		_, err := h.NextEvents(context.Background(), drivers.NextEvents{After: batch.Last})
		failed <- err
	}()
	time.Sleep(10 * time.Millisecond)
	center.Crash("a")
	if err := <-failed; drivers.KindOf(err) != drivers.Unreachable {
		t.Errorf("a watch of a crashed host: %v", err)
	}
	center.Heal("a")
	if again := must(t, h.NextEvents, drivers.NextEvents{After: batch.Last}); !again.Resync {
		t.Errorf("after the crash: %+v", again)
	}
}

func TestOldEventsAreForgotten(t *testing.T) {
	h := open(t, sim.Options{}).Host("a")
	ref := define(t, h, spec(1, localPool))
	for range 5000 {
		must(t, h.StartVM, ref)
		must(t, h.StopVM, drivers.StopVM{ID: ref.ID, Force: true})
	}
	if batch := must(t, h.NextEvents, drivers.NextEvents{After: 1}); !batch.Resync || batch.Last != 10_001 {
		t.Errorf("from the beginning: resync %v, last %d", batch.Resync, batch.Last)
	}
	if batch := must(t, h.NextEvents, drivers.NextEvents{After: 9_000}); batch.Resync || len(batch.Events) != 1001 {
		t.Errorf("from 9000: resync %v, %d events", batch.Resync, len(batch.Events))
	}
}

func TestSharedPoolsAreOneAndLocalPoolsAreNot(t *testing.T) {
	center := open(t, sim.Options{Pool: 1 << 30})
	a, b := center.Host("a"), center.Host("b")
	for _, pool := range []drivers.Pool{localPool, sharedPool} {
		must(t, a.EnsureDisk, drivers.DiskSpec{ID: id(7), Pool: pool, Bytes: 1 << 40})
	}
	if n := len(must(t, b.ListDisks, sharedPool).Disks); n != 1 {
		t.Errorf("b sees %d disks in the shared pool", n)
	}
	if n := len(must(t, b.ListDisks, localPool).Disks); n != 0 {
		t.Errorf("b sees %d disks of a", n)
	}
	image := drivers.ImageSpec{ID: id(8), Pool: sharedPool, Source: "/images/x", Format: "raw"}
	must(t, a.EnsureImage, image)
	image.ID = id(9)
	fails(t, drivers.NoSpace, b.EnsureImage, image)
}

func TestKilledAndPanickedMachinesAreCrashed(t *testing.T) {
	center := open(t, sim.Options{})
	h := center.Host("a")
	ref := start(t, h, spec(1, localPool))
	for _, act := range []func(string, string) error{center.KillVM, center.PanicVM} {
		if err := act("", ref.ID); err != nil {
			t.Fatal(err)
		}
		if p := power(t, h, ref); p != drivers.PowerCrashed {
			t.Errorf("it is %s", p)
		}
		must(t, h.StartVM, ref)
	}
	if center.KillVM("", id(99)) == nil || center.KillVM("b", ref.ID) == nil {
		t.Error("a machine that is not there is killed")
	}
}

// network is router n with one host.
func network(n int) drivers.RouterSpec {
	return drivers.RouterSpec{
		ID:    id(n + 3<<20),
		Guest: drivers.RouterGuest{Bridge: drivers.BridgeName(id(n)), Gateway: netip.MustParsePrefix("10.1.1.1/24")},
		Hosts: []drivers.RouterHost{{
			NIC: id(n + 2<<20), MAC: spec(n, localPool).NICs[0].MAC,
			IP: netip.MustParseAddr("10.1.1.20"), Name: "web", Default: true,
		}},
	}
}

func TestRouterHashIgnoresOrderAndEmptiness(t *testing.T) {
	h := open(t, sim.Options{}).Host("a")
	one := network(1)
	other := network(2).Hosts[0]
	other.IP = netip.MustParseAddr("10.1.1.21")
	one.Hosts = append(one.Hosts, other)
	hash := must(t, h.ApplyRouter, one).Hash

	two := one
	two.Hosts = []drivers.RouterHost{one.Hosts[1], one.Hosts[0]}
	two.Hosts[0].Metadata, two.Hosts[0].UserData = map[string]string{}, []byte{}
	two.Guest.Upstream = []netip.Addr{}
	if again := must(t, h.ApplyRouter, two).Hash; again != hash {
		t.Error("order or emptiness changes the hash")
	}
}

func TestGuestBridgeGoesWithItsRouter(t *testing.T) {
	center := open(t, sim.Options{})
	h := center.Host("a")
	must(t, h.ApplyRouter, network(1))
	fails(t, drivers.Invalid, h.ApplyRouter, func() drivers.RouterSpec { r := network(1); r.ID = id(77); return r }())
	vm := spec(1, localPool)
	vm.NICs[0].Bridge = network(1).Guest.Bridge
	ref := start(t, h, vm)
	must(t, h.RemoveRouter, drivers.RouterRef{ID: network(1).ID})
	if len(center.Snapshot().Bridges) != 1 {
		t.Error("the bridge of a running machine is gone")
	}
	must(t, h.UndefineVM, ref)
	must(t, h.ApplyRouter, network(1))
	must(t, h.RemoveRouter, drivers.RouterRef{ID: network(1).ID})
	must(t, h.DeleteDisk, drivers.DiskRef{ID: vm.Disks[0].ID, Pool: localPool})
	if w := center.Snapshot(); !w.Empty() {
		t.Errorf("left:\n%v", w)
	}
}
