package infra

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"aerie/drivers"
	"aerie/services/event"
	"aerie/services/store"
)

// silence is after how long without an answer a host is no longer Up.
const silence = 30 * time.Second

// Keeper asks hosts how they are and keeps their rows true.
type Keeper struct {
	db    *store.DB
	fleet *Fleet
	// Silent is called when a host stopped answering, Back when it answers again.
	Silent, Back func(ctx context.Context, hostID string) error
}

// NewKeeper makes a keeper; its hooks may be set before the first round.
func NewKeeper(db *store.DB, fleet *Fleet) *Keeper {
	nothing := func(context.Context, string) error { return nil }
	return &Keeper{db: db, fleet: fleet, Silent: nothing, Back: nothing}
}

// Round asks every host once. One that fails does not keep the others from
// being asked.
func (k *Keeper) Round(ctx context.Context) error {
	ctx = store.System(ctx, "round of the hosts")
	hosts, err := gorm.G[Host](k.db.In(ctx)).Find(ctx)
	if err != nil {
		return err
	}
	for _, h := range hosts {
		if err := k.Ask(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

// Ask asks one host and writes down what it says, or that it is silent.
func (k *Keeper) Ask(ctx context.Context, h Host) error {
	info, err := k.probe(ctx, h, h.State == HostConnecting)
	if err != nil {
		return k.silent(ctx, h, err)
	}
	if err := k.db.Tx(ctx, func(ctx context.Context) error { return k.note(ctx, h, info) }); err != nil {
		return err
	}
	if err := k.pools(ctx, h); err != nil {
		return err
	}
	if h.State == HostUp {
		return nil
	}
	return k.Back(ctx, h.ID)
}

func (k *Keeper) probe(ctx context.Context, h Host, deep bool) (drivers.HostInfo, error) {
	d, err := k.fleet.Driver(ctx, h.ID)
	if err != nil {
		return drivers.HostInfo{}, err
	}
	p, ok := drivers.As[drivers.Prober](d)
	if !ok {
		return drivers.HostInfo{}, fmt.Errorf("driver %s cannot probe", d.Kind())
	}
	limit := 5 * time.Second
	if deep {
		limit = time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return p.ProbeHost(ctx, drivers.ProbeHost{Deep: deep})
}

func (k *Keeper) note(ctx context.Context, h Host, i drivers.HostInfo) error {
	c, err := store.Find[Cluster](ctx, k.db, h.ClusterID)
	if err != nil {
		return err
	}
	set := map[string]any{
		"state": HostUp, "why": "", "machine": i.UUID, "hypervisor_version": i.HypervisorVersion, "arch": i.Arch,
		"cpus": i.CPUs, "cpu_sockets": i.CPUSockets, "cpu_mhz": i.CPUMHz, "memory_mib": i.MemoryMiB, "memory_free_mib": i.MemoryFreeMiB,
		"load_average": i.LoadAverage, "last_pinged": k.db.Now(),
		"total_mhz": int64(float64(i.CPUs*i.CPUMHz) * c.CPUFactor), "total_mib": int64(float64(i.MemoryMiB) * c.MemoryFactor),
	}
	if h.State == HostConnecting {
		set["accelerated"] = i.Accelerated
	}
	if h.State != HostUp {
		if _, err := event.Clear(ctx, k.db, event.Host, h.ID); err != nil {
			return err
		}
	}
	return k.db.In(ctx).Model(&Host{}).Where("id = ?", h.ID).UpdateColumns(set).Error
}

func (k *Keeper) silent(ctx context.Context, h Host, why error) error {
	k.fleet.Forget(h.ID)
	if h.LastPinged != nil && k.db.Now().Sub(*h.LastPinged) < silence {
		return nil // a blip
	}
	state := HostDisconnected
	if h.State == HostConnecting {
		state = HostConnecting
	}
	err := k.db.Tx(ctx, func(ctx context.Context) error {
		if h.State == HostUp {
			_, err := event.Raise(ctx, k.db, event.Alert{
				Kind: event.Host, Subject: h.ID, Message: "alert.host", Args: []any{"thing", h.Name}, ZoneID: h.ZoneID, PodID: h.PodID, HostID: h.ID,
			})
			if err != nil {
				return err
			}
		}
		return k.db.In(ctx).Model(&Host{}).Where("id = ?", h.ID).UpdateColumns(map[string]any{"state": state, "why": clip(why.Error())}).Error
	})
	if err != nil || h.State != HostUp {
		return err
	}
	return k.Silent(ctx, h.ID)
}

func clip(s string) string { return s[:min(len(s), 1000)] }

// pools measures the pools that the host reaches.
func (k *Keeper) pools(ctx context.Context, h Host) error {
	d, err := k.fleet.Driver(ctx, h.ID)
	if err != nil {
		return nil // it was there a moment ago; the next round tells
	}
	disks, ok := drivers.As[drivers.DiskHost](d)
	if !ok {
		return nil
	}
	pools, err := PoolsOf(ctx, k.db, h)
	if err != nil {
		return err
	}
	for _, p := range pools {
		st, err := disks.EnsurePool(ctx, p.DiskPool())
		if err != nil {
			continue // a sick pool must not make the host look silent
		}
		err = k.db.Tx(ctx, func(ctx context.Context) error {
			return k.db.In(ctx).Model(&Pool{}).Where("id = ?", p.ID).UpdateColumns(map[string]any{"capacity": st.Capacity, "used": st.Used, "marked": true}).Error
		})
		if err != nil {
			return err
		}
	}
	return nil
}
