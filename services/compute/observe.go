package compute

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"aerie/drivers"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/infra"
	"aerie/services/placement"
	"aerie/services/state"
	"aerie/services/store"
)

// Observe takes what a host says of one machine as the truth about its
// instance. What Aerie itself is doing is left to its job, and a machine that
// is not Aerie's is left alone.
func (s *Service) Observe(ctx context.Context, hostID string, seen drivers.VMState, gone bool) error {
	ctx = store.System(ctx, "what hosts tell")
	vm, err := store.Find[VM](ctx, s.db, seen.ID)
	if store.IsAbsent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if vm.HostID != hostID { // an old host speaks of an instance that lives elsewhere
		return nil
	}
	what := observed(seen.Power, gone)
	if !States.Can(vm.State, what) || leadsNowhere(vm.State, what) {
		return nil
	}
	busy, err := s.Jobs.LiveOn(ctx, vm.Entity())
	if err != nil || busy != nil {
		return err
	}
	return s.accept(ctx, vm, what, seen.Why)
}

func observed(p drivers.Power, gone bool) Event {
	switch {
	case gone, p == drivers.PowerOff, p == drivers.PowerCrashed:
		return SeenOff
	case p == drivers.PowerPaused:
		return SeenPaused
	}
	return SeenOn
}

func leadsNowhere(from State, e Event) bool {
	to, _ := States.Next(from, e)
	return to == from
}

// accept writes what was seen, with an event that the tenant reads. An instance
// that was moved meanwhile is left to whoever did that.
func (s *Service) accept(ctx context.Context, was VM, what Event, why string) error {
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		vm := was // as it was, also when this runs again
		set := map[string]any{"updated_at": s.db.Now()}
		level := event.Warn
		if what == SeenOff {
			set["host_id"], set["stopped_at"] = "", s.db.Now()
			level = event.Error
			if err := placement.Release(ctx, s.db, vm.ID); err != nil {
				return err
			}
		}
		from := vm.State
		if err := state.Move(ctx, s.db, &vm, States, what, set); err != nil {
			return err
		}
		if what == SeenOn {
			level = event.Info
		}
		_, err := event.Log(ctx, s.db, event.Event{
			Type: "VM.STATE", Level: level, Owner: new(vm.Owner()),
			Message: "event.vm_observed", Args: []any{"name", vm.DisplayName, "from", string(from), "to", string(vm.State), "why", why},
			Resource: event.Resource{Kind: "virtualmachine", ID: vm.ID, Name: vm.DisplayName},
		})
		return err
	})
	if fault.Is(err, fault.Conflict) {
		return nil
	}
	return err
}

// Sweep compares all instances of a host with everything the host knows: an
// instance that the host does not know is off.
func (s *Service) Sweep(ctx context.Context, hostID string) error {
	ctx = store.System(ctx, "sweep of a host")
	h, err := infra.Ability[drivers.Hypervisor](ctx, s.Fleet, hostID)
	if err != nil {
		return err
	}
	// Rows first: an instance that starts meanwhile is then not taken for lost.
	vms, err := gorm.G[VM](s.db.In(ctx)).Where("host_id = ? AND state IN ?", hostID, []State{Running, Paused, Unknown}).Find(ctx)
	if err != nil {
		return err
	}
	list, err := h.ListVMs(ctx, drivers.ListVMs{})
	if err != nil {
		return fmt.Errorf("sweep of host %s: %w", hostID, err)
	}
	seen := map[string]drivers.VMState{}
	for _, st := range list.VMs {
		seen[st.ID] = st
	}
	for _, vm := range vms {
		st, known := seen[vm.ID]
		if !known {
			st = drivers.VMState{ID: vm.ID, Power: drivers.PowerOff, Why: "the host does not know it"}
		}
		if err := s.Observe(ctx, hostID, st, !known); err != nil {
			return err
		}
	}
	return nil
}

// Watch follows the events of a host until ctx ends. After a gap, and at the
// start, it sweeps.
func (s *Service) Watch(ctx context.Context, hostID string) error {
	w, err := infra.Ability[drivers.Watcher](ctx, s.Fleet, hostID)
	if err != nil {
		return err
	}
	var last int64
	for {
		batch, err := w.NextEvents(ctx, drivers.NextEvents{After: last})
		if err != nil {
			return err
		}
		last = batch.Last
		for _, e := range batch.Events {
			if err := s.Observe(ctx, hostID, e.State, e.Gone); err != nil {
				return err
			}
		}
		if batch.Resync {
			if err := s.Sweep(ctx, hostID); err != nil {
				return err
			}
		}
	}
}

// Silent marks the instances of a host that does not answer as Unknown: they
// may run or not, and nothing starts them elsewhere without proof.
func (s *Service) Silent(ctx context.Context, hostID string) error {
	ctx = store.System(ctx, "a host is silent")
	vms, err := gorm.G[VM](s.db.In(ctx)).Where("host_id = ? AND state IN ?", hostID, []State{Running, Paused}).Find(ctx)
	if err != nil {
		return err
	}
	var all error
	for _, vm := range vms {
		busy, err := s.Jobs.LiveOn(ctx, vm.Entity())
		if err == nil && busy == nil {
			err = s.accept(ctx, vm, Lost, "the host does not answer")
		}
		all = errors.Join(all, err)
	}
	return all
}
