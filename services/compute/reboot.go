package compute

import (
	"context"
	"fmt"

	"aerie/drivers"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/state"
)

func (s *Service) defineReboot() {
	job.Define(s.Jobs, "vm.reboot", job.Do("reboot", s.reboot, nil))
}

// RebootJob checks that the instance runs and says which job restarts it.
func (s *Service) RebootJob(ctx context.Context, vm *VM, force bool) (job.Spec, error) {
	if err := state.Move(ctx, s.db, vm, States, Reboot, map[string]any{"updated_at": s.db.Now()}); err != nil {
		return job.Spec{}, err
	}
	return job.Spec{
		Kind: "vm.reboot", Entity: vm.Entity(), Object: "VirtualMachine", ObjectID: vm.ID, Owner: vm.Owner(),
		State: halt{VM: vm.ID, Host: vm.HostID, Force: force, Ran: true},
	}, nil
}

func (s *Service) reboot(ctx context.Context, h *halt) error {
	d, err := infra.Ability[drivers.Hypervisor](ctx, s.Fleet, h.Host)
	if err != nil {
		return err
	}
	if _, err := d.RebootVM(ctx, drivers.RebootVM{ID: h.VM, Force: h.Force, Grace: s.Settings.stopGrace.Get(ctx)}); err != nil {
		return infra.Fault(fmt.Errorf("reboot %s: %w", h.VM, err))
	}
	return nil
}
