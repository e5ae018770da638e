//go:build libvirt_dlopen

package libvirt

import (
	"context"
	"time"

	virt "libvirt.org/go/libvirt"

	"aerie/drivers"
)

// MeterVMs reads the figures of all running machines in one call.
func (d *Driver) MeterVMs(ctx context.Context, _ drivers.MeterVMs) (drivers.Readings, error) {
	return call(ctx, d.link, "meter machines", func(c *virt.Connect) (drivers.Readings, error) {
		stats, err := c.GetAllDomainStats(nil,
			virt.DOMAIN_STATS_CPU_TOTAL|virt.DOMAIN_STATS_BALLOON|virt.DOMAIN_STATS_INTERFACE|virt.DOMAIN_STATS_BLOCK,
			virt.CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE|virt.CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT)
		if err != nil {
			return drivers.Readings{}, err
		}
		defer freeStats(stats)
		out := drivers.Readings{At: time.Now(), VMs: make([]drivers.Reading, 0, len(stats))}
		for _, s := range stats {
			id, err := s.Domain.GetUUIDString()
			if err != nil {
				return out, err
			}
			out.VMs = append(out.VMs, reading(id, s))
		}
		return out, nil
	})
}

func reading(id string, s virt.DomainStats) drivers.Reading {
	r := drivers.Reading{ID: id}
	if s.Cpu != nil {
		r.CPUTime = time.Duration(s.Cpu.Time)
	}
	if s.Balloon != nil {
		r.MemoryKiB = memoryUse(*s.Balloon)
	}
	for _, n := range s.Net {
		r.NetworkRx += int64(n.RxBytes)
		r.NetworkTx += int64(n.TxBytes)
	}
	for _, b := range s.Block {
		r.DiskRead += int64(b.RdBytes)
		r.DiskWrite += int64(b.WrBytes)
		r.DiskReadOps += int64(b.RdReqs)
		r.DiskWriteOps += int64(b.WrReqs)
	}
	return r
}

// memoryUse is what the guest says it uses; a guest without a balloon driver
// has never updated its figures, and its process's memory must do.
func memoryUse(b virt.DomainStatsBalloon) int64 {
	told := b.LastUpdateSet && b.LastUpdate > 0 && b.AvailableSet
	switch {
	case told && b.UsableSet && b.Usable <= b.Available:
		return int64(b.Available - b.Usable)
	case told && b.UnusedSet && b.Unused <= b.Available:
		return int64(b.Available - b.Unused)
	}
	return int64(b.Rss)
}
