package storage

import (
	"context"

	"aerie/services/iam"
)

// Count tells iam how volumes are counted against limits, until they are
// expunged, and how they go with their account.
func (s *Service) Count(who *iam.Service) {
	s.IAM = who
	s.wipes()
	for kind, column := range map[iam.Kind]string{iam.Volumes: "1", iam.PrimaryStorage: "bytes"} {
		who.Count(kind, func(ctx context.Context, accountID string) (n int64, err error) {
			err = s.db.In(ctx).Model(&Volume{}).Where("account_id = ?", accountID).Select("COALESCE(SUM(" + column + "), 0)").Scan(&n).Error
			return n, err
		})
	}
}
