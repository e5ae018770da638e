package storage

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/state"
)

// wipes tells iam how volumes go with their account, once no instance is left
// that they could be attached to.
func (s *Service) wipes() {
	s.IAM.OnWipe(iam.Wiper{What: "volumes", After: "instances", Count: s.owned, Wipe: s.wipe})
}

func (s *Service) owned(ctx context.Context, accounts []string) (n, kept int64, err error) {
	err = s.db.In(ctx).Model(&Volume{}).Where("account_id IN ?", accounts).
		Select("COUNT(*), COALESCE(SUM(CASE WHEN delete_protection THEN 1 ELSE 0 END), 0)").Row().Scan(&n, &kept)
	return n, kept, err
}

func (s *Service) wipe(ctx context.Context, accountID string) error {
	vols, err := gorm.G[Volume](s.db.In(ctx)).Where("account_id = ? AND vm_id = '' AND NOT delete_protection", accountID).
		Order("id").Limit(100).Find(ctx)
	if err != nil {
		return err
	}
	for _, v := range vols {
		if err := s.expunge(ctx, v); err != nil {
			return err
		}
	}
	return nil
}

// expunge takes a detached volume away for good. It may run again at any point.
func (s *Service) expunge(ctx context.Context, v Volume) error {
	if v.State != Expunging {
		err := s.db.Tx(ctx, func(ctx context.Context) error {
			v := v // as it was, also when this runs again
			return state.Move(ctx, s.db, &v, States, Expunge)
		})
		if fault.Is(err, fault.Conflict) { // somebody was quicker
			return nil
		}
		if err != nil {
			return err
		}
		v.State = Expunging
	}
	if err := s.DeleteDisks(ctx, []Volume{v}, ""); err != nil {
		return err
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.IAM.ReleaseAll(ctx, v.Owner(), iam.Amounts{iam.Volumes: 1, iam.PrimaryStorage: v.Bytes}); err != nil {
			return err
		}
		return s.Forget(ctx, []Volume{v})
	})
}
