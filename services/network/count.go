package network

import (
	"context"

	"aerie/services/iam"
)

// counts tells iam how networks are counted against limits.
func (s *Service) counts() {
	s.iam.Count(iam.Networks, func(ctx context.Context, accountID string) (n int64, err error) {
		err = s.db.In(ctx).Model(&Network{}).Where("account_id = ?", accountID).Count(&n).Error
		return n, err
	})
}
