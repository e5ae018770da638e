package compute

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/job"
	"aerie/services/label"
	"aerie/services/store"
)

// What happens to instances when something happens to their account.

// StopDisabled stops what runs in accounts that are disabled, except what a
// job is busy with: its turn comes when this runs again.
func (s *Service) StopDisabled(ctx context.Context) error {
	ctx = store.System(ctx, "stop what runs in disabled accounts")
	g := s.db.In(ctx)
	vms, err := gorm.G[VM](g).Where("state = ? AND account_id IN (?)", Running,
		g.Model(&iam.Account{}).Where("state = ?", iam.Disabled).Select("id")).Limit(100).Find(ctx)
	if err != nil {
		return err
	}
	var all error
	for i := range vms {
		all = errors.Join(all, s.submit(ctx, vms[i], "VM.STOP", func(ctx context.Context, vm *VM) (job.Spec, error) {
			return s.StopJob(ctx, vm, false)
		}))
	}
	return all
}

// submit moves an instance and submits the job of that, unless somebody was
// quicker.
func (s *Service) submit(ctx context.Context, vm VM, event string, begin func(context.Context, *VM) (job.Spec, error)) error {
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		vm := vm // as it was, also when this runs again
		spec, err := begin(ctx, &vm)
		if err != nil {
			return err
		}
		spec.Event = event
		_, err = s.Jobs.Submit(ctx, spec)
		return err
	})
	if fault.Is(err, fault.Conflict) {
		return nil
	}
	return err
}

// dropKeys takes an account's SSH keys, user data and groups away with it, and
// what anybody has put on them.
func (s *Service) dropKeys(ctx context.Context, a iam.Account) error {
	ctx = store.System(ctx, "keys and groups of a deleted account")
	var all error
	for _, model := range []any{&SSHKey{}, &UserData{}, &Group{}, &AffinityGroup{}} {
		var ids []string
		mine := func() *gorm.DB { return s.db.In(ctx).Unscoped().Model(model).Where("account_id = ?", a.ID) }
		all = errors.Join(all, mine().Pluck("id", &ids).Error, label.Drop(ctx, s.db, ids...), mine().Delete(model).Error)
	}
	return all
}
