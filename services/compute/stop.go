package compute

import (
	"context"
	"fmt"

	"aerie/drivers"
	"aerie/services/fault"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/placement"
	"aerie/services/state"
	"aerie/services/store"
)

// halt is the state of the sagas that take an instance down.
type halt struct {
	VM      string
	Host    string
	Force   bool
	Expunge bool
	Nets    []string // whose routers must forget it
	// Ran tells that it was running when the job began.
	Ran bool
}

func (s *Service) defineStop() {
	job.Define(s.Jobs, "vm.stop",
		job.Do("stop", s.stop, s.notStopped),
		job.Do("undefine", s.forget, nil),
		job.Commit("stopped", s.stopped, nil))
}

// StopJob takes an instance to Stopping and says which job does the rest. It
// belongs in the transaction that submits the job.
func (s *Service) StopJob(ctx context.Context, vm *VM, force bool) (job.Spec, error) {
	if err := state.Move(ctx, s.db, vm, States, Stop, map[string]any{"updated_at": s.db.Now()}); err != nil {
		return job.Spec{}, err
	}
	return job.Spec{
		Kind: "vm.stop", Entity: vm.Entity(), Object: "VirtualMachine", ObjectID: vm.ID, Owner: vm.Owner(),
		State: halt{VM: vm.ID, Host: vm.HostID, Force: force, Ran: true},
	}, nil
}

// stop powers the machine off; one that its host does not know is off.
func (s *Service) stop(ctx context.Context, h *halt) error {
	if h.Host == "" || !h.Ran {
		return nil
	}
	d, err := infra.Ability[drivers.Hypervisor](ctx, s.Fleet, h.Host)
	if store.IsAbsent(err) { // a host that was removed has no machines
		return nil
	}
	if err != nil {
		return err
	}
	_, err = d.StopVM(ctx, drivers.StopVM{ID: h.VM, Force: h.Force, Grace: s.Settings.stopGrace.Get(ctx)})
	if err != nil && drivers.KindOf(err) != drivers.NotFound {
		return infra.Fault(fmt.Errorf("stop %s: %w", h.VM, err))
	}
	return nil
}

// notStopped is the end of a stop that did not work. The host says where that
// left the machine: it runs on, or it is off and so the instance is stopped.
func (s *Service) notStopped(ctx context.Context, h *halt) error {
	power, err := s.power(ctx, h.VM, h.Host)
	if err != nil {
		return err
	}
	event := NotStopped
	switch power {
	case drivers.PowerOn:
	case drivers.PowerPaused:
		event = SeenPaused
	default:
		if err := s.forget(ctx, h); err != nil {
			return err
		}
		return s.db.Tx(ctx, func(ctx context.Context) error { return s.stopped(ctx, h) })
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		vm, err := store.Find[VM](ctx, s.db, h.VM)
		if err != nil || vm.State != Stopping {
			return err
		}
		return state.Move(ctx, s.db, &vm, States, event)
	})
}

// power asks a host for the state of a machine; one that it does not know is off.
func (s *Service) power(ctx context.Context, vmID, hostID string) (drivers.Power, error) {
	if hostID == "" {
		return drivers.PowerOff, nil
	}
	d, err := infra.Ability[drivers.Hypervisor](ctx, s.Fleet, hostID)
	if store.IsAbsent(err) {
		return drivers.PowerOff, nil
	}
	if err != nil {
		return "", err
	}
	list, err := d.ListVMs(ctx, drivers.ListVMs{})
	if err != nil {
		return "", infra.Fault(fmt.Errorf("state of %s: %w", vmID, err))
	}
	for _, st := range list.VMs {
		if st.ID == vmID {
			return st.Power, nil
		}
	}
	return drivers.PowerOff, nil
}

// forget removes the machine's definition. Of an instance that did not run
// that is tidiness, which does not wait for a host that is out of reach.
func (s *Service) forget(ctx context.Context, h *halt) error {
	err := s.undefineOn(ctx, h.VM, h.Host)
	if !h.Ran && fault.Is(err, fault.Unavailable) {
		return nil
	}
	return err
}

func (s *Service) stopped(ctx context.Context, h *halt) error {
	vm, err := store.Find[VM](ctx, s.db, h.VM)
	if err != nil || vm.State != Stopping {
		return err
	}
	if err := placement.Release(ctx, s.db, vm.ID); err != nil {
		return err
	}
	now := s.db.Now()
	return state.Move(ctx, s.db, &vm, States, Halted, map[string]any{"host_id": "", "stopped_at": now, "updated_at": now})
}
