package compute

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/job"
	"aerie/services/state"
	"aerie/services/store"
)

// DestroyRequest asks to take an instance out of use.
type DestroyRequest struct {
	ID      string `json:"id" ref:"virtualmachine" required:"true" doc:"the instance"`
	Expunge bool   `json:"expunge" doc:"true takes it away for good at once"`
}

func (s *Service) destroyCommand() *command.Command {
	return command.Async(instance("destroyVirtualMachine", "VM.DESTROY", "Destroys an instance; it can be recovered until it is expunged"),
		func(ctx context.Context, r DestroyRequest) (job.Spec, error) {
			if r.Expunge {
				if err := s.mayExpunge(ctx, "expunge"); err != nil {
					return job.Spec{}, err
				}
			}
			vm, err := s.visible(ctx, r.ID)
			if err != nil {
				return job.Spec{}, err
			}
			return s.DestroyJob(ctx, &vm, r.Expunge)
		}, s.last)
}

// last is the view of an instance that may be gone by the time it is asked.
func (s *Service) last(ctx context.Context, id string) (View, error) {
	var vm VM
	if err := s.db.In(ctx).Unscoped().Where("id = ?", id).Take(&vm).Error; err != nil {
		return View{}, err
	}
	return s.view(ctx, vm)
}

// mayExpunge: administrators, and users where a setting lets them.
func (s *Service) mayExpunge(ctx context.Context, param string) error {
	actor, _ := store.From(ctx)
	if actor.IsSystem() || actor.Rank != store.User || s.Settings.UserRecover(ctx) {
		return nil
	}
	return fault.New(fault.Forbidden, "error.expunge_not_allowed", "param", param)
}

func (s *Service) recoverCommand() *command.Command {
	return command.New(instance("recoverVirtualMachine", "VM.RECOVER", "Brings a destroyed instance back, stopped"),
		func(ctx context.Context, r about) (View, error) {
			if err := s.mayExpunge(ctx, "id"); err != nil {
				return View{}, err
			}
			vm, err := s.visible(ctx, r.ID)
			if err != nil {
				return View{}, err
			}
			if err := s.IAM.ReserveAll(ctx, vm.Owner(), amounts(vm)); err != nil {
				return View{}, err
			}
			if err := s.reserveRecovered(ctx, vm); err != nil {
				return View{}, err
			}
			err = state.Move(ctx, s.db, &vm, States, Recover, map[string]any{"destroyed_at": nil, "updated_at": s.db.Now()})
			if err != nil {
				return View{}, err
			}
			return s.Get(ctx, vm.ID)
		})
}

func (s *Service) expungeCommand() *command.Command {
	m := instance("expungeVirtualMachine", "VM.EXPUNGE", "Takes a destroyed instance away for good")
	m.Object = ""
	return command.Async[about, command.Success](m,
		func(ctx context.Context, r about) (job.Spec, error) {
			if err := s.mayExpunge(ctx, "id"); err != nil {
				return job.Spec{}, err
			}
			vm, err := s.visible(ctx, r.ID)
			if err != nil {
				return job.Spec{}, err
			}
			if vm.State != Destroyed && vm.State != Broken {
				return job.Spec{}, fault.New(fault.Conflict, "error.state", "entity", "virtualmachine", "id", vm.ID,
					"state", string(vm.State), "event", string(Expunge), "want", string(Destroyed))
			}
			return s.ExpungeJob(ctx, &vm)
		}, nil)
}

// ExpungeOld expunges what was destroyed longer ago than expunge.delay.
func (s *Service) ExpungeOld(ctx context.Context) error {
	ctx = store.System(ctx, "expunge what is overdue")
	due := s.db.Now().Add(-s.Settings.expungeDelay.Get(ctx))
	vms, err := gorm.G[VM](s.db.In(ctx)).Where("state = ? AND destroyed_at < ?", Destroyed, due).Limit(100).Find(ctx)
	if err != nil {
		return err
	}
	var all error
	for i := range vms {
		all = errors.Join(all, s.submit(ctx, vms[i], "VM.EXPUNGE", s.ExpungeJob))
	}
	return all
}
