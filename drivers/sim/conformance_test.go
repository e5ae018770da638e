package sim_test

import (
	"sync"
	"testing"
	"time"

	"aerie/drivers"
	"aerie/drivers/drivertest"
	"aerie/drivers/sim"
)

func rig(t *testing.T, o sim.Options, poolType string) drivertest.Rig {
	center := sim.New(o)
	t.Cleanup(func() {
		if err := center.Close(); err != nil {
			t.Error(err)
		}
		for _, problem := range center.Snapshot().Problems() {
			t.Error(problem)
		}
		if w := center.Snapshot(); !w.Empty() || len(w.Disks) > 0 {
			t.Errorf("the suite leaves:\n%v", w)
		}
	})
	return drivertest.Rig{
		Open:   func(testing.TB) drivers.Driver { return center.Host("h1") },
		Pool:   drivers.Pool{ID: "0198c000-0000-7000-8000-000000000001", Type: poolType, Path: "/var/lib/aerie/primary"},
		Image:  drivertest.Image{Path: "/var/lib/aerie/images/sim.qcow2", Format: "qcow2"},
		Bridge: "cloudbr0", Boots: true, Patience: 20 * time.Second,
		Behind: drivertest.Behind{
			Kill:     func(id string) error { return center.KillVM("h1", id) },
			Pause:    func(id string) error { return center.PauseVM("", id) },
			Undefine: func(id string) error { return center.UndefineVM("h1", id) },
			Look:     func(id string) (drivers.VMSpec, error) { return center.Look("h1", id) },
		},
	}
}

func TestConformance(t *testing.T) {
	t.Run("at once", func(t *testing.T) { drivertest.Run(t, rig(t, sim.Options{}, "Filesystem")) })
	t.Run("shared pool, slow boot", func(t *testing.T) {
		o := sim.Options{
			Boot:    300 * time.Millisecond,
			Latency: func(string) time.Duration { return time.Millisecond },
			Dir:     t.TempDir(),
		}
		drivertest.Run(t, rig(t, o, "NetworkFilesystem"))
	})
}

// A driver of several parts passes as well as one.
func TestConformanceJoined(t *testing.T) {
	r := rig(t, sim.Options{}, "Filesystem")
	open := r.Open
	r.Open = func(t testing.TB) drivers.Driver {
		return drivers.Join("both", parts{Driver: open(t)}, open(t))
	}
	drivertest.Run(t, r)
}

// An observed driver passes, too, and its observer hears of the calls.
func TestConformanceObserved(t *testing.T) {
	r := rig(t, sim.Options{}, "Filesystem")
	open := r.Open
	var mu sync.Mutex
	heard := map[string]int{}
	r.Open = func(t testing.TB) drivers.Driver {
		return drivers.Observe(open(t), func(method string, _ time.Duration, err error) {
			mu.Lock()
			defer mu.Unlock()
			heard[method]++
			if err != nil {
				heard["errors"]++
			}
		})
	}
	drivertest.Run(t, r)
	for _, method := range []string{"ProbeHost", "DefineVM", "StartVM", "StopVM", "UndefineVM", "ListVMs", "EnsureDisk", "ApplyRouter", "ListBridges", "errors"} {
		if heard[method] == 0 {
			t.Errorf("nobody heard of %s", method)
		}
	}
}

// parts hides every ability of a driver.
type parts struct{ drivers.Driver }
