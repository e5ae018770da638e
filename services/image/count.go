package image

import (
	"context"

	"aerie/services/iam"
)

// counts tells iam how templates are counted against limits: those that users
// registered, a file once however many zones it is in.
func (s *Service) counts() {
	for kind, column := range map[iam.Kind]string{iam.Templates: "1", iam.SecondaryStorage: "file_bytes"} {
		s.parts.IAM.Count(kind, func(ctx context.Context, accountID string) (n int64, err error) {
			err = s.db.In(ctx).Model(&Template{}).Where("account_id = ? AND type = ?", accountID, "USER").
				Select("COALESCE(SUM(" + column + "), 0)").Scan(&n).Error
			return n, err
		})
	}
}
