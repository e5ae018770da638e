package compute

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/image"
	"aerie/services/job"
	"aerie/services/network"
	"aerie/services/storage"
	"aerie/services/store"
)

// Clear takes away what an account owns, as far as it can just now, and tells
// how much is left: instances first, then what they leave behind. Whoever wants
// it gone calls it again until nothing is. It must not run in a transaction.
func (s *Service) Clear(ctx context.Context, accountID string) (left int64, err error) {
	ctx = store.System(ctx, "take away what an account owns")
	for _, pass := range []func(context.Context, string) (int64, error){
		s.clearInstances, s.clearVolumes, s.clearNetworks, s.clearTemplates,
	} {
		if left, err = pass(ctx, accountID); err != nil || left > 0 {
			return left, err
		}
	}
	return 0, nil
}

// Left tells what an account owns, as a fault.InUse; nil when it is nothing that
// anybody may miss.
func (s *Service) Left(ctx context.Context, a iam.Account) error {
	ctx = store.System(ctx, "what account "+a.Name+" owns")
	for _, left := range []struct {
		what  string
		model any
	}{
		{"instances", &VM{}}, {"volumes", &storage.Volume{}}, {"networks", &network.Network{}}, {"templates", &image.Template{}},
	} {
		var n int64
		if err := s.db.In(ctx).Model(left.model).Where("account_id = ?", a.ID).Count(&n).Error; err != nil {
			return err
		}
		if n > 0 {
			return fault.New(fault.InUse, "error.holds."+left.what, "name", a.Name, "n", n)
		}
	}
	return nil
}

// owned are rows of an account, a handful at a time.
func owned[T any](ctx context.Context, s *Service, accountID string) ([]T, error) {
	return gorm.G[T](s.db.In(ctx)).Where("account_id = ?", accountID).Order("id").Limit(100).Find(ctx)
}

func (s *Service) clearInstances(ctx context.Context, accountID string) (int64, error) {
	vms, err := owned[VM](ctx, s, accountID)
	if err != nil {
		return 0, err
	}
	var all error
	for i := range vms {
		if vms[i].State == Expunging {
			continue
		}
		all = errors.Join(all, s.submit(ctx, vms[i], "VM.DESTROY", s.end))
	}
	return int64(len(vms)), all
}

// end takes an instance away for good, whatever protects it.
func (s *Service) end(ctx context.Context, vm *VM) (job.Spec, error) {
	vm.DeleteProtection = false
	if vm.State == Broken {
		return s.ExpungeJob(ctx, vm)
	}
	return s.DestroyJob(ctx, vm, true)
}

// clearVolumes takes away data disks, which outlive their instances.
func (s *Service) clearVolumes(ctx context.Context, accountID string) (int64, error) {
	vols, err := owned[storage.Volume](ctx, s, accountID)
	if err != nil || len(vols) == 0 {
		return 0, err
	}
	if err := s.Storage.DeleteDisks(ctx, vols, ""); err != nil {
		return int64(len(vols)), err
	}
	return 0, s.db.Tx(ctx, func(ctx context.Context) error {
		for _, v := range vols {
			if err := s.IAM.ReleaseAll(ctx, v.Owner(), iam.Amounts{iam.Volumes: 1, iam.PrimaryStorage: v.Bytes}); err != nil {
				return err
			}
		}
		return s.Storage.Forget(ctx, vols)
	})
}

func (s *Service) clearNetworks(ctx context.Context, accountID string) (int64, error) {
	nets, err := owned[network.Network](ctx, s, accountID)
	if err != nil {
		return 0, err
	}
	var all error
	for i := range nets {
		all = errors.Join(all, s.begin(ctx, func(ctx context.Context) (job.Spec, error) {
			n := nets[i] // as it was, also when this runs again
			spec, err := s.Net.DeleteJob(ctx, &n)
			spec.Event = "NETWORK.DELETE"
			return spec, err
		}))
	}
	return int64(len(nets)), all
}

func (s *Service) clearTemplates(ctx context.Context, accountID string) (int64, error) {
	list, err := owned[image.Template](ctx, s, accountID)
	if err != nil {
		return 0, err
	}
	var all error
	for _, t := range list {
		all = errors.Join(all, s.begin(ctx, func(ctx context.Context) (job.Spec, error) {
			spec, err := s.Images.DeleteJob(ctx, t, "")
			spec.Event = "TEMPLATE.DELETE"
			return spec, err
		}))
	}
	return int64(len(list)), all
}

// begin submits a job, unless what it is for is busy.
func (s *Service) begin(ctx context.Context, spec func(context.Context) (job.Spec, error)) error {
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		j, err := spec(ctx)
		if err != nil {
			return err
		}
		_, err = s.Jobs.Submit(ctx, j)
		return err
	})
	if fault.Is(err, fault.Conflict) {
		return nil
	}
	return err
}
