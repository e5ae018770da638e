package compute

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/iam"
	"aerie/services/job"
)

// wipes tells iam how instances go with their account: at once for good.
func (s *Service) wipes() {
	s.IAM.OnWipe(iam.Wiper{What: "instances", Count: s.owned, Wipe: s.wipe})
}

func (s *Service) owned(ctx context.Context, accounts []string) (n, kept int64, err error) {
	err = s.db.In(ctx).Model(&VM{}).Where("account_id IN ?", accounts).
		Select("COUNT(*), COALESCE(SUM(CASE WHEN delete_protection THEN 1 ELSE 0 END), 0)").Row().Scan(&n, &kept)
	return n, kept, err
}

// wipe expunges what no job is busy with.
func (s *Service) wipe(ctx context.Context, accountID string) error {
	vms, err := gorm.G[VM](s.db.In(ctx)).Where("account_id = ?", accountID).Order("id").Limit(100).Find(ctx)
	if err != nil {
		return err
	}
	for _, vm := range vms {
		if err := s.submit(ctx, vm, "VM.DESTROY", s.endJob); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) endJob(ctx context.Context, vm *VM) (job.Spec, error) {
	if vm.State == Broken {
		return s.ExpungeJob(ctx, vm)
	}
	return s.DestroyJob(ctx, vm, true)
}
