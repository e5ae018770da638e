package image

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/iam"
)

// wipes tells iam how templates go with the account that registered them.
func (s *Service) wipes() {
	s.parts.IAM.OnWipe(iam.Wiper{What: "templates", After: "volumes", Count: s.owned, Wipe: s.wipe})
}

func (s *Service) owned(ctx context.Context, accounts []string) (n, _ int64, err error) {
	err = s.db.In(ctx).Model(&Template{}).Where("account_id IN ?", accounts).Count(&n).Error
	return n, 0, err
}

// wipe deletes what no job is busy with.
func (s *Service) wipe(ctx context.Context, accountID string) error {
	list, err := gorm.G[Template](s.db.In(ctx)).Where("account_id = ?", accountID).Order("id").Limit(100).Find(ctx)
	if err != nil {
		return err
	}
	for _, t := range list {
		err := s.db.Tx(ctx, func(ctx context.Context) error {
			spec, err := s.deleteJob(ctx, t, "")
			if err != nil {
				return err
			}
			spec.Event = "TEMPLATE.DELETE"
			_, err = s.parts.Jobs.Submit(ctx, spec)
			return err
		})
		if err != nil && !fault.Is(err, fault.Conflict) {
			return err
		}
	}
	return nil
}
