package network

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/state"
	"aerie/services/store"
)

func (s *Service) defineShutdown() {
	job.Define(s.jobs, "network.shutdown",
		job.Do("router", func(ctx context.Context, w *work) error { return s.TakeDown(ctx, w.Network) }, nil),
		job.Commit("closed", s.closed, nil)).Forward()
}

func (s *Service) closed(ctx context.Context, w *work) error {
	n, err := store.Find[Network](ctx, s.db, w.Network)
	if err != nil || n.State != Shutdown {
		return err
	}
	return s.Closed(ctx, &n)
}

// GCInterval is how often CollectIdle shall run.
func (s *Service) GCInterval(ctx context.Context) time.Duration {
	return max(s.settings.gcInterval.Get(ctx), time.Second)
}

// CollectIdle takes down the routers of networks in which nothing has run for
// network.gc.wait. Networks of persistent offerings stay.
func (s *Service) CollectIdle(ctx context.Context) error {
	if s.Busy == nil {
		return nil
	}
	ctx = store.System(ctx, "idle networks")
	g := s.db.In(ctx)
	list, err := gorm.G[Network](g).Where("state = ?", Implemented).
		Where("offering_id NOT IN (?)", g.Unscoped().Model(&Offering{}).Where("persistent = ?", true).Select("id")).Find(ctx)
	if err != nil || len(list) == 0 {
		return err
	}
	ids := make([]string, len(list))
	for i, n := range list {
		ids[i] = n.ID
	}
	busy, err := s.Busy(ctx, ids)
	if err != nil {
		return err
	}
	var all error
	for i := range list {
		all = errors.Join(all, s.collect(ctx, &list[i], busy[list[i].ID]))
	}
	return all
}

// collect notes since when a network is idle, and shuts it down in time.
func (s *Service) collect(ctx context.Context, n *Network, busy bool) error {
	switch {
	case busy && n.IdleSince == nil:
		return nil
	case busy:
		return s.idle(ctx, n.ID, nil)
	case n.IdleSince == nil:
		return s.idle(ctx, n.ID, new(s.db.Now()))
	case s.db.Now().Sub(*n.IdleSince) < s.settings.gcWait.Get(ctx):
		return nil
	}
	return s.db.Tx(ctx, func(ctx context.Context) error { return s.shut(ctx, n) })
}

func (s *Service) idle(ctx context.Context, id string, since *time.Time) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		return s.db.In(ctx).Model(&Network{}).Where("id = ?", id).Update("idle_since", since).Error
	})
}

// shut starts the shutdown of a network, unless an instance came meanwhile or
// another job has the network.
func (s *Service) shut(ctx context.Context, n *Network) error {
	busy, err := s.Busy(ctx, []string{n.ID})
	if err != nil || busy[n.ID] {
		return err
	}
	live, err := s.jobs.LiveOn(ctx, n.Entity())
	if err != nil || live != nil {
		return err
	}
	if err := state.Move(ctx, s.db, n, States, ShutDown); err != nil {
		return err
	}
	_, err = s.jobs.Submit(ctx, n.job("network.shutdown", work{Network: n.ID}))
	return err
}

// HealAll applies the routers of all networks in use whose hosts are up, for
// the loop that mends what was changed behind Aerie's back.
func (s *Service) HealAll(ctx context.Context) error {
	ctx = store.System(ctx, "all routers")
	g := s.db.In(ctx)
	routers, err := gorm.G[Router](g).
		Where("host_id IN (?)", g.Model(&infra.Host{}).Where("state = ?", infra.HostUp).Select("id")).Order("id").Find(ctx)
	if err != nil {
		return err
	}
	var all error
	for _, r := range routers {
		if ctx.Err() != nil {
			return errors.Join(all, ctx.Err())
		}
		if err := s.Heal(ctx, r.NetworkID); err != nil && !store.IsAbsent(err) {
			all = errors.Join(all, err)
		}
	}
	return all
}
