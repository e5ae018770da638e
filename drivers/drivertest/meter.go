package drivertest

import (
	"testing"
	"time"

	"aerie/drivers"
)

func (s *suite) prober(t *testing.T, prober drivers.Prober) {
	info := do(t, s, prober.ProbeHost, drivers.ProbeHost{})
	for field, there := range map[string]bool{
		"UUID": info.UUID != "", "Name": info.Name != "",
		"Hypervisor": info.Hypervisor != "", "HypervisorVersion": info.HypervisorVersion != "",
		"Arch": info.Arch != "", "CPUModel": info.CPUModel != "",
		"CPUs": info.CPUs > 0, "CPUSockets": info.CPUSockets > 0, "CPUMHz": info.CPUMHz > 0,
		"MemoryMiB":     info.MemoryMiB > 0,
		"MemoryFreeMiB": info.MemoryFreeMiB >= 0 && info.MemoryFreeMiB <= info.MemoryMiB,
		"LoadAverage":   info.LoadAverage >= 0,
	} {
		if !there {
			t.Errorf("%s is not told: %+v", field, info)
		}
	}
	again := do(t, s, prober.ProbeHost, drivers.ProbeHost{Deep: true})
	if again.UUID != info.UUID || again.Name != info.Name {
		t.Errorf("%s (%s) has become %s (%s)", info.UUID, info.Name, again.UUID, again.Name)
	}
	cancelled(t, s, prober.ProbeHost, drivers.ProbeHost{})
}

func (s *suite) meter(t *testing.T, meter drivers.Meter) {
	spec := s.running(t)
	first := s.read(t, meter, spec.ID)
	if first == nil {
		t.Fatal("a running machine has no reading")
	}
	var last *drivers.Reading
	s.until(t, "the machine has used its CPU and memory", func() bool {
		last = s.read(t, meter, spec.ID)
		return last != nil && last.CPUTime > first.CPUTime && last.MemoryKiB > 0
	})
	if fell(*first, *last) {
		t.Errorf("a counter fell: %+v, then %+v", *first, *last)
	}
	s.offIsNotRead(t, meter)
	cancelled(t, s, meter.MeterVMs, drivers.MeterVMs{})
}

// read takes the machine's counters, nil when there are none.
func (s *suite) read(t *testing.T, meter drivers.Meter, id string) *drivers.Reading {
	t.Helper()
	all := do(t, s, meter.MeterVMs, drivers.MeterVMs{})
	if age := time.Since(all.At); age > time.Hour || age < -time.Hour {
		t.Errorf("a reading of %v", all.At)
	}
	for i := range all.VMs {
		if all.VMs[i].ID == id {
			return &all.VMs[i]
		}
	}
	return nil
}

func fell(a, b drivers.Reading) bool {
	return b.CPUTime < a.CPUTime || b.NetworkRx < a.NetworkRx || b.NetworkTx < a.NetworkTx ||
		b.DiskRead < a.DiskRead || b.DiskWrite < a.DiskWrite ||
		b.DiskReadOps < a.DiskReadOps || b.DiskWriteOps < a.DiskWriteOps
}

func (s *suite) offIsNotRead(t *testing.T, meter drivers.Meter) {
	t.Helper()
	host, ok := drivers.As[drivers.Hypervisor](s.driver)
	if !ok {
		return
	}
	off := s.machine(t)
	do(t, s, host.DefineVM, off)
	if r := s.read(t, meter, off.ID); r != nil {
		t.Errorf("a machine that is off has used %+v", *r)
	}
}
