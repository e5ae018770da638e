package network

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/iam"
)

// wipes tells iam how networks, with their addresses, go with their account
// once no instance is in them.
func (s *Service) wipes() {
	s.iam.OnWipe(iam.Wiper{What: "networks", After: "instances", Count: s.owned, Wipe: s.wipe})
}

func (s *Service) owned(ctx context.Context, accounts []string) (n, _ int64, err error) {
	err = s.db.In(ctx).Model(&Network{}).Where("account_id IN ?", accounts).Count(&n).Error
	return n, 0, err
}

// wipe deletes what no job is busy with.
func (s *Service) wipe(ctx context.Context, accountID string) error {
	nets, err := gorm.G[Network](s.db.In(ctx)).Where("account_id = ?", accountID).Order("id").Limit(100).Find(ctx)
	if err != nil {
		return err
	}
	for _, n := range nets {
		err := s.db.Tx(ctx, func(ctx context.Context) error {
			n := n // as it was, also when this runs again
			spec, err := s.DeleteJob(ctx, &n)
			if err != nil {
				return err
			}
			spec.Event = "NETWORK.DELETE"
			_, err = s.jobs.Submit(ctx, spec)
			return err
		})
		if err != nil && !fault.Is(err, fault.Conflict) {
			return err
		}
	}
	return nil
}
