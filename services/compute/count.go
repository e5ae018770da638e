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

// Powered is how many of an account's instances run and how many do not.
type Powered struct{ Running, Stopped int }

// Powered counts for accounts that the caller sees.
func (s *Service) Powered(ctx context.Context, accountIDs []string) (map[string]Powered, error) {
	var rows []struct {
		AccountID string
		Running   bool
		N         int
	}
	err := s.db.In(ctx).Model(&VM{}).Where("account_id IN ? AND state NOT IN ?", accountIDs, []State{Destroyed, Expunging}).
		Select("account_id, state IN ? AS running, COUNT(*) AS n", []State{Running, Paused}).Group("account_id, running").Scan(&rows).Error
	out := make(map[string]Powered, len(rows))
	for _, r := range rows {
		p := out[r.AccountID]
		if r.Running {
			p.Running += r.N
		} else {
			p.Stopped += r.N
		}
		out[r.AccountID] = p
	}
	return out, err
}
