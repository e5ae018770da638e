package compute

import (
	"context"
	"fmt"

	"aerie/drivers"
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
	return job.Spec{Kind: "vm.stop", Entity: vm.Entity(), Object: "VirtualMachine", ObjectID: vm.ID, Owner: vm.Owner(),
		State: halt{VM: vm.ID, Host: vm.HostID, Force: force, Ran: true}}, nil
}

// stop powers the machine off; one that its host does not know is off.
func (s *Service) stop(ctx context.Context, h *halt) error {
	if h.Host == "" {
		return nil
	}
	d, err := infra.Ability[drivers.Hypervisor](ctx, s.Fleet, h.Host)
	if err != nil {
		return err
	}
	_, err = d.StopVM(ctx, drivers.StopVM{ID: h.VM, Force: h.Force, Grace: s.Settings.stopGrace.Get(ctx)})
	if err != nil && drivers.KindOf(err) != drivers.NotFound {
		return infra.Fault(fmt.Errorf("stop %s: %w", h.VM, err))
	}
	return nil
}

// notStopped is the end of a stop that the host refused.
func (s *Service) notStopped(ctx context.Context, h *halt) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		vm, err := store.Find[VM](ctx, s.db, h.VM)
		if err != nil || vm.State != Stopping {
			return err
		}
		return state.Move(ctx, s.db, &vm, States, NotStopped)
	})
}

func (s *Service) forget(ctx context.Context, h *halt) error { return s.undefineOn(ctx, h.VM, h.Host) }

func (s *Service) stopped(ctx context.Context, h *halt) error {
	vm, err := store.Find[VM](ctx, s.db, h.VM)
	if err != nil {
		return err
	}
	if err := placement.Release(ctx, s.db, vm.ID); err != nil {
		return err
	}
	now := s.db.Now()
	return state.Move(ctx, s.db, &vm, States, Halted, map[string]any{"host_id": "", "stopped_at": now, "updated_at": now})
}
