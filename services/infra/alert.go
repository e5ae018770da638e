package infra

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"aerie/services/config"
	"aerie/services/event"
	"aerie/services/store"
)

// Thresholds are how full something may be before operators are told.
type Thresholds struct {
	cpu, memory, storage, allocated, local, address, secondary config.Value[float64]
}

// DeclareThresholds declares them, under CloudStack's names.
func DeclareThresholds(c *config.Service) *Thresholds {
	at := func(name string, scopes ...config.Scope) config.Value[float64] {
		return c.Float(name, "Alert", 0.75, 0, 1).For(scopes...)
	}
	return &Thresholds{
		cpu:       at("cluster.cpu.allocated.capacity.notificationthreshold", config.Cluster, config.Zone),
		memory:    at("cluster.memory.allocated.capacity.notificationthreshold", config.Cluster, config.Zone),
		storage:   at("cluster.storage.capacity.notificationthreshold", config.Cluster, config.Zone),
		allocated: at("cluster.storage.allocated.capacity.notificationthreshold", config.Cluster, config.Zone),
		local:     at("cluster.localStorage.capacity.notificationthreshold", config.Cluster, config.Zone),
		address:   at("zone.virtualnetwork.publicip.capacity.notificationthreshold", config.Zone),
		secondary: at("zone.secstorage.capacity.notificationthreshold", config.Zone),
	}
}

// gauge is how full one thing is.
type gauge struct {
	kind        event.Kind
	message     string // key in locales
	id, name    string
	total, used int64
	limit       float64
	zone, pod   string
}

func (g gauge) over() bool { return g.total > 0 && float64(g.used) >= g.limit*float64(g.total) }

// WatchCapacity raises an alert for what is too full and clears it when it no
// longer is, or is gone.
func (s *Service) WatchCapacity(ctx context.Context, t *Thresholds) error {
	ctx = store.System(ctx, "how full things are")
	gauges, err := s.gauges(ctx, t)
	if err != nil {
		return err
	}
	full := map[event.Kind]map[string]bool{
		event.CPU: {}, event.Memory: {}, event.Storage: {}, event.StorageAllocated: {}, event.LocalStorage: {}, event.PublicIP: {}, event.SecondaryStorage: {},
	}
	for _, g := range gauges {
		if !g.over() {
			continue
		}
		full[g.kind][g.id] = true
		_, failed := event.Raise(ctx, s.db, event.Alert{
			Kind: g.kind, Subject: g.id, Message: g.message, ZoneID: g.zone, PodID: g.pod,
			Args: []any{"thing", g.name, "percent", percent(g.used, g.total)},
		})
		err = errors.Join(err, failed)
	}
	for kind, still := range full {
		subjects, failed := event.Standing(ctx, s.db, kind)
		err = errors.Join(err, failed)
		for _, id := range subjects {
			if !still[id] {
				_, failed := event.Clear(ctx, s.db, kind, id)
				err = errors.Join(err, failed)
			}
		}
	}
	return err
}

func (s *Service) gauges(ctx context.Context, t *Thresholds) (out []gauge, err error) {
	for _, add := range []func(context.Context, *Thresholds) ([]gauge, error){s.clusterGauges, s.poolGauges, s.zoneGauges} {
		more, err := add(ctx, t)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

func (s *Service) clusterGauges(ctx context.Context, t *Thresholds) (out []gauge, err error) {
	clusters, err := gorm.G[Cluster](s.db.In(ctx)).Find(ctx)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, c := range clusters {
		ids = append(ids, c.ID)
	}
	of := map[string][]CapacityView{}
	if err := s.ofHosts(ctx, byCluster, ids, of); err != nil {
		return nil, err
	}
	for _, c := range clusters {
		at := config.Place{ClusterID: c.ID, ZoneID: c.ZoneID}
		for _, v := range of[c.ID] {
			g := gauge{event.CPU, "alert.capacity.cpu", c.ID, c.Name, v.Total, v.Used, t.cpu.At(ctx, at), c.ZoneID, c.PodID}
			if v.Type == capMemory {
				g.kind, g.message, g.limit = event.Memory, "alert.capacity.memory", t.memory.At(ctx, at)
			}
			out = append(out, g)
		}
	}
	return out, nil
}

func (s *Service) poolGauges(ctx context.Context, t *Thresholds) (out []gauge, err error) {
	pools, err := gorm.G[Pool](s.db.In(ctx)).Where("state = ?", "Up").Find(ctx)
	for _, p := range pools {
		at := config.Place{PoolID: p.ID, ClusterID: p.ClusterID, ZoneID: p.ZoneID}
		promisable := int64(float64(p.Capacity) * p.Factor)
		if p.Scope == "HOST" {
			out = append(out, gauge{event.LocalStorage, "alert.capacity.local", p.ID, p.Name, promisable, p.Allocated, t.local.At(ctx, at), p.ZoneID, p.PodID})
			continue
		}
		out = append(out,
			gauge{event.Storage, "alert.capacity.storage", p.ID, p.Name, p.Capacity, p.Used, t.storage.At(ctx, at), p.ZoneID, p.PodID},
			gauge{event.StorageAllocated, "alert.capacity.allocated", p.ID, p.Name, promisable, p.Allocated, t.allocated.At(ctx, at), p.ZoneID, p.PodID})
	}
	return out, err
}

func (s *Service) zoneGauges(ctx context.Context, t *Thresholds) (out []gauge, err error) {
	zones, err := gorm.G[Zone](s.db.In(ctx)).Find(ctx)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, z := range zones {
		ids = append(ids, z.ID)
	}
	of := map[string][]CapacityView{}
	if err := s.ofZones(ctx, byZone, ids, of); err != nil {
		return nil, err
	}
	for _, z := range zones {
		at := config.Place{ZoneID: z.ID}
		for _, v := range of[z.ID] {
			g := gauge{event.PublicIP, "alert.capacity.address", z.ID, z.Name, v.Total, v.Used, t.address.At(ctx, at), z.ID, ""}
			if v.Type == capSecondary {
				g.kind, g.message, g.limit = event.SecondaryStorage, "alert.capacity.secondary", t.secondary.At(ctx, at)
			}
			out = append(out, g)
		}
	}
	return out, nil
}
