package network

import (
	"context"

	"aerie/services/iam"
)

// counts tells iam how networks and addresses are counted against limits. The
// source NAT address is its network's own and is not counted.
func (s *Service) counts() {
	s.iam.Count(iam.Networks, func(ctx context.Context, accountID string) (n int64, err error) {
		err = s.db.In(ctx).Model(&Network{}).Where("account_id = ?", accountID).Count(&n).Error
		return n, err
	})
	s.iam.Count(iam.Addresses, func(ctx context.Context, accountID string) (n int64, err error) {
		err = s.db.In(ctx).Model(&PublicIP{}).Where("account_id = ? AND source_nat = ?", accountID, false).Count(&n).Error
		return n, err
	})
}
