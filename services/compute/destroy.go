package compute

import (
	"context"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/job"
	"aerie/services/placement"
	"aerie/services/state"
	"aerie/services/storage"
	"aerie/services/store"
)

func (s *Service) defineDestroy() {
	job.Define(s.Jobs, "vm.destroy",
		job.Do("stop", s.stop, nil),
		job.Do("undefine", s.forget, nil),
		job.Commit("destroyed", s.destroyed, nil)).Forward()
	job.Define(s.Jobs, "vm.destroy.expunge",
		job.Do("stop", s.stop, nil),
		job.Do("undefine", s.forget, nil),
		job.Commit("destroyed", s.destroyed, nil),
		job.Do("disks", s.deleteDisks, nil),
		job.Commit("addresses", s.dropNICs, nil),
		job.Do("router", s.tellRouters, nil),
		job.Commit("expunged", s.expunged, nil)).Forward()
}

func (s *Service) defineExpunge() {
	job.Define(s.Jobs, "vm.expunge",
		job.Do("disks", s.deleteDisks, nil),
		job.Commit("addresses", s.dropNICs, nil),
		job.Do("router", s.tellRouters, nil),
		job.Commit("expunged", s.expunged, nil)).Forward()
}

// DestroyJob takes an instance out of use. A destroyed one can be recovered
// until it is expunged. It belongs in the transaction that submits the job.
func (s *Service) DestroyJob(ctx context.Context, vm *VM, expunge bool) (job.Spec, error) {
	if vm.DeleteProtection {
		return job.Spec{}, fault.New(fault.Conflict, "error.delete_protection", "name", vm.DisplayName)
	}
	if vm.State == Destroyed && expunge {
		return s.ExpungeJob(ctx, vm)
	}
	st := halt{VM: vm.ID, Host: vm.HostID, Force: true, Expunge: expunge, Ran: vm.HostID != ""}
	if !st.Ran { // a machine that went off by itself is still defined there
		st.Host = vm.LastHostID
	}
	if err := state.Move(ctx, s.db, vm, States, Destroy, map[string]any{"updated_at": s.db.Now()}); err != nil {
		return job.Spec{}, err
	}
	kind := "vm.destroy"
	if expunge {
		kind = "vm.destroy.expunge"
	}
	return job.Spec{Kind: kind, Entity: vm.Entity(), Object: "VirtualMachine", ObjectID: vm.ID, Owner: vm.Owner(), State: st}, nil
}

// ExpungeJob takes an instance away for good. It belongs in the transaction
// that submits the job.
func (s *Service) ExpungeJob(ctx context.Context, vm *VM) (job.Spec, error) {
	counted := vm.State != Destroyed // a destroyed one was given back already
	if err := state.Move(ctx, s.db, vm, States, Expunge, map[string]any{"updated_at": s.db.Now()}); err != nil {
		return job.Spec{}, err
	}
	if counted {
		if err := s.giveBack(ctx, vm); err != nil {
			return job.Spec{}, err
		}
	}
	return job.Spec{
		Kind: "vm.expunge", Entity: vm.Entity(), Object: "VirtualMachine", ObjectID: vm.ID, Owner: vm.Owner(),
		State: halt{VM: vm.ID, Host: vm.LastHostID},
	}, nil
}

func (s *Service) destroyed(ctx context.Context, h *halt) error {
	vm, err := store.Find[VM](ctx, s.db, h.VM)
	if err != nil || vm.State != Stopping {
		return err
	}
	if err := placement.Release(ctx, s.db, vm.ID); err != nil {
		return err
	}
	if err := s.giveBack(ctx, &vm); err != nil {
		return err
	}
	now := s.db.Now()
	err = state.Move(ctx, s.db, &vm, States, Gone, map[string]any{"host_id": "", "destroyed_at": now, "updated_at": now})
	if err != nil || !h.Expunge {
		return err
	}
	return state.Move(ctx, s.db, &vm, States, Expunge)
}

// giveBack releases the limits that an instance counts against; its volumes
// count until they are expunged.
func (s *Service) giveBack(ctx context.Context, vm *VM) error {
	return s.IAM.ReleaseAll(ctx, vm.Owner(), amounts(*vm))
}

// amounts is what an instance counts as.
func amounts(vm VM) iam.Amounts {
	return iam.Amounts{iam.Instances: 1, iam.CPUs: int64(vm.CPUs), iam.Memory: int64(vm.MemoryMiB)}
}

// deleteDisks removes the volumes that go with the instance: the root disk.
// Data disks survive, detached.
func (s *Service) deleteDisks(ctx context.Context, h *halt) error {
	vols, err := s.rootOf(ctx, h.VM)
	if err != nil {
		return err
	}
	return s.Storage.DeleteDisks(ctx, vols, "")
}

func (s *Service) rootOf(ctx context.Context, vmID string) (roots []storage.Volume, _ error) {
	vols, err := s.Storage.Of(ctx, vmID)
	for _, v := range vols {
		if v.Type == storage.Root {
			roots = append(roots, v)
		}
	}
	return roots, err
}

// dropNICs frees the addresses; the networks are remembered for their routers.
func (s *Service) dropNICs(ctx context.Context, h *halt) error {
	nics, err := s.Net.Of(ctx, h.VM)
	if err != nil || len(nics) == 0 {
		return err
	}
	h.Nets = h.Nets[:0]
	for _, nic := range nics {
		h.Nets = append(h.Nets, nic.NetworkID)
		if err := s.Net.DropNIC(ctx, nic.ID); err != nil {
			return err
		}
	}
	return s.Net.Touch(ctx, h.Nets...)
}

// tellRouters makes the routers forget the instance, so that no lease or name
// of it stays. A network that has no router has nothing to forget.
func (s *Service) tellRouters(ctx context.Context, h *halt) error {
	for _, id := range h.Nets {
		err := s.Net.Refresh(ctx, id)
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) expunged(ctx context.Context, h *halt) error {
	vm, err := store.Find[VM](ctx, s.db, h.VM)
	if store.IsAbsent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	roots, err := s.rootOf(ctx, h.VM)
	if err != nil {
		return err
	}
	for _, v := range roots {
		if err := s.IAM.ReleaseAll(ctx, v.Owner(), iam.Amounts{iam.Volumes: 1, iam.PrimaryStorage: v.Bytes}); err != nil {
			return err
		}
	}
	if err := s.Storage.Forget(ctx, roots); err != nil {
		return err
	}
	if err := s.Storage.Detach(ctx, vm.ID); err != nil {
		return err
	}
	if vm.Bonded {
		if err := s.bind(ctx, vm.ID, nil); err != nil {
			return err
		}
	}
	return s.db.In(ctx).Delete(&vm).Error
}
