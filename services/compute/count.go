package compute

import (
	"context"

	"aerie/services/iam"
)

// counts tells iam how instances are counted against limits: a destroyed one
// no longer is, whether or not it can be recovered.
func (s *Service) counts() {
	for kind, column := range map[iam.Kind]string{iam.Instances: "1", iam.CPUs: "cpus", iam.Memory: "memory_mib"} {
		s.IAM.Count(kind, func(ctx context.Context, accountID string) (n int64, err error) {
			err = s.db.In(ctx).Model(&VM{}).Where("account_id = ? AND state NOT IN ?", accountID, []State{Destroyed, Expunging}).
				Select("COALESCE(SUM(" + column + "), 0)").Scan(&n).Error
			return n, err
		})
	}
}
