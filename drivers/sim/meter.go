package sim

import (
	"context"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"aerie/drivers"
)

// MeterVMs reads all machines that hold memory. Figures follow from the ID and
// the time since power-on alone, so the same machine always looks the same.
func (h *Host) MeterVMs(ctx context.Context, _ drivers.MeterVMs) (drivers.Readings, error) {
	return call(ctx, h, "MeterVMs", "", func() (drivers.Readings, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		all := drivers.Readings{At: h.now(), VMs: []drivers.Reading{}}
		for _, m := range h.vms {
			if m.active() {
				all.VMs = append(all.VMs, m.reading())
			}
		}
		slices.SortFunc(all.VMs, func(a, b drivers.Reading) int { return compare(a.ID, b.ID) })
		return all, nil
	})
}

// reading is the counters of a machine since power-on.
func (m *machine) reading() drivers.Reading {
	if m.load == nil {
		m.load = newLoad(m.spec.ID)
	}
	t := max(0, m.run.elapsed().Seconds())
	boot := 1 - math.Exp(-t/3) // what booting takes comes early
	disks, nics := float64(len(m.spec.Disks)), float64(len(m.spec.NICs))
	r := drivers.Reading{
		ID:        m.spec.ID,
		CPUTime:   time.Duration((float64(m.spec.CPUs)*m.load.cpu.sum(t) + boot*2) * 1e9),
		MemoryKiB: int64(float64(m.spec.MemoryMiB<<10) * (0.1 + 0.3*boot + 0.1*m.load.memory.swing(t))),
		NetworkRx: int64(nics * m.load.rx.sum(t)),
		NetworkTx: int64(nics * m.load.tx.sum(t)),
		DiskRead:  int64(disks * (m.load.read.sum(t) + boot*180e6)),
		DiskWrite: int64(disks * (m.load.write.sum(t) + boot*20e6)),
	}
	r.DiskReadOps, r.DiskWriteOps = r.DiskRead/20_000, r.DiskWrite/12_000
	return r
}

// load is how busy a machine is, all its life.
type load struct{ cpu, memory, rx, tx, read, write flow }

// newLoad throws the dice of an ID.
func newLoad(id string) *load {
	seed := fnv.New64a()
	seed.Write([]byte(id))
	dice := rand.New(rand.NewPCG(seed.Sum64(), 0))
	return &load{
		cpu: newFlow(dice, 0.04, 0.3), memory: newFlow(dice, 0, 0),
		rx: newFlow(dice, 2e3, 4e5), tx: newFlow(dice, 1e3, 2e5),
		read: newFlow(dice, 1e3, 2e5), write: newFlow(dice, 4e3, 5e5),
	}
}

// flow is a rate per second that swings around its mean within some minutes.
type flow struct{ mean, turn, phase float64 }

// newFlow is a flow of its own; most are small and few are large.
func newFlow(dice *rand.Rand, least, most float64) flow {
	return flow{
		mean:  least + (most-least)*math.Pow(dice.Float64(), 3),
		turn:  2 * math.Pi / (120 + 600*dice.Float64()),
		phase: 2 * math.Pi * dice.Float64(),
	}
}

// swing is between -1 and 1.
func (f flow) swing(t float64) float64 { return math.Sin(f.turn*t + f.phase) }

// sum is all that has flowed until t. The rate never falls to zero, so the sum
// always grows.
func (f flow) sum(t float64) float64 {
	return f.mean * (t + 0.7/f.turn*(math.Cos(f.phase)-math.Cos(f.turn*t+f.phase)))
}
