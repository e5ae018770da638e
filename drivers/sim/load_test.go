package sim_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"aerie/drivers"
	"aerie/drivers/sim"
)

// deploy is what a deployment does to a host, and destroy what undoes it.
func deploy(ctx context.Context, h *sim.Host, s drivers.VMSpec) error {
	for _, d := range s.Disks {
		if _, err := h.EnsureDisk(ctx, drivers.DiskSpec{ID: d.ID, Pool: d.Pool, Bytes: 1 << 30}); err != nil {
			return err
		}
	}
	if _, err := h.DefineVM(ctx, s); err != nil {
		return err
	}
	_, err := h.StartVM(ctx, drivers.VMRef{ID: s.ID})
	return err
}

func destroy(ctx context.Context, h *sim.Host, s drivers.VMSpec) error {
	if _, err := h.UndefineVM(ctx, drivers.VMRef{ID: s.ID}); err != nil {
		return err
	}
	for _, d := range s.Disks {
		if _, err := h.DeleteDisk(ctx, drivers.DiskRef{ID: d.ID, Pool: d.Pool}); err != nil {
			return err
		}
	}
	return nil
}

func TestEverybodyAtOnce(t *testing.T) {
	center := open(t, sim.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	var onlookers, workers sync.WaitGroup
	for _, name := range []string{"a", "b", "c"} {
		h := center.Host(name)
		onlookers.Go(func() {
			for after := int64(0); ctx.Err() == nil; {
				batch, err := h.NextEvents(ctx, drivers.NextEvents{After: after})
				if err == nil {
					after = batch.Last
				}
			}
		})
		onlookers.Go(func() {
			for ctx.Err() == nil {
				h.ListVMs(ctx, drivers.ListVMs{})
				h.MeterVMs(ctx, drivers.MeterVMs{})
				center.Snapshot()
				time.Sleep(time.Millisecond)
			}
		})
	}
	remove := center.Fail(sim.Rule{Probability: 0.1, After: true, Method: "StartVM"})
	for w := range 6 {
		workers.Go(func() {
			for i := range 40 {
				h, vm := center.Host(string("abc"[(w+i)%3])), spec(1000*w+i, sharedPool)
				deploy(ctx, h, vm)
				center.PauseVM("", vm.ID)
				if i%8 == 0 {
					h.Screenshot(ctx, drivers.VMRef{ID: vm.ID})
					h.OpenConsole(ctx, drivers.OpenConsole{ID: vm.ID, Kind: drivers.ConsoleVNC})
				}
				if err := destroy(ctx, h, vm); err != nil {
					t.Error(err)
				}
			}
		})
	}
	workers.Wait()
	remove()
	cancel()
	onlookers.Wait()
	if w := center.Snapshot(); !w.Empty() || len(w.Violations) > 0 {
		t.Errorf("left:\n%v", w)
	}
}

func TestNothingRunsInTheBackground(t *testing.T) {
	before := runtime.NumGoroutine()
	center := open(t, sim.Options{})
	for i := range 100 {
		start(t, center.Host("a"), spec(i, localPool))
	}
	must(t, center.Host("a").Screenshot, drivers.VMRef{ID: id(5)})
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines, before %d", n, before)
	}
}

func TestCountersGrowAndFollowFromTheID(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	center := open(t, sim.Options{Now: func() time.Time { return now }})
	a, b := center.Host("a"), center.Host("b")
	for i := range 20 {
		start(t, a, spec(i, localPool))
	}
	first := must(t, a.MeterVMs, drivers.MeterVMs{}).VMs
	old := first
	for range 500 {
		now = now.Add(7 * time.Second)
		next := must(t, a.MeterVMs, drivers.MeterVMs{}).VMs
		for i, r := range next {
			if grew(old[i], r) == 0 || r.MemoryKiB <= 0 || r.MemoryKiB > 512<<10 {
				t.Fatalf("%+v, then %+v", old[i], r)
			}
		}
		old = next
	}
	if busiest := old[0].CPUTime; busiest > 3500*time.Second {
		t.Errorf("one CPU was busy for %v of 3500 s", busiest)
	}
	center.KillVM("a", id(3))
	start(t, b, spec(3, localPool))
	now = now.Add(3500 * time.Second)
	if twin := must(t, b.MeterVMs, drivers.MeterVMs{}).VMs[0]; twin != old[3] {
		t.Errorf("after as long a run it has %+v, not %+v", twin, old[3])
	}
}

// grew is 0 when a counter has fallen or the CPU has rested.
func grew(a, b drivers.Reading) time.Duration {
	if b.NetworkRx < a.NetworkRx || b.NetworkTx < a.NetworkTx || b.DiskRead < a.DiskRead ||
		b.DiskWrite < a.DiskWrite || b.DiskReadOps < a.DiskReadOps || b.DiskWriteOps < a.DiskWriteOps {
		return 0
	}
	return max(0, b.CPUTime-a.CPUTime)
}

func TestPausedMachinesUseNothing(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	center := open(t, sim.Options{Now: func() time.Time { return now }})
	h := center.Host("a")
	start(t, h, spec(1, localPool))
	now = now.Add(time.Hour)
	center.PauseVM("a", id(1))
	before := must(t, h.MeterVMs, drivers.MeterVMs{}).VMs[0]
	now = now.Add(time.Hour)
	if after := must(t, h.MeterVMs, drivers.MeterVMs{}).VMs[0]; after != before {
		t.Errorf("%+v, then %+v", before, after)
	}
}

func BenchmarkDeploy(b *testing.B) {
	h := open(b, sim.Options{}).Host("a")
	for i := 0; b.Loop(); i++ {
		vm := spec(i, localPool)
		if err := deploy(b.Context(), h, vm); err != nil {
			b.Fatal(err)
		}
		if err := destroy(b.Context(), h, vm); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkList(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		h := open(b, sim.Options{}).Host("a")
		for i := range n {
			start(b, h, spec(i, localPool))
		}
		b.Run(fmt.Sprintf("VMs-%d", n), func(b *testing.B) {
			for b.Loop() {
				must(b, h.ListVMs, drivers.ListVMs{})
			}
		})
		b.Run(fmt.Sprintf("Meter-%d", n), func(b *testing.B) {
			for b.Loop() {
				must(b, h.MeterVMs, drivers.MeterVMs{})
			}
		})
	}
}

func BenchmarkScreenshot(b *testing.B) {
	h := open(b, sim.Options{}).Host("a")
	ref := start(b, h, spec(1, localPool))
	for b.Loop() {
		must(b, h.Screenshot, ref)
	}
}
