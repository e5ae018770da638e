package iamcmd

import (
	"context"

	"aerie/services/iam"
	"aerie/services/label"
	"aerie/services/store"
)

// Kinds tell label what here carries labels.
func (s *Service) Kinds(l *label.Service) {
	db := s.IAM.DB()
	l.Kind(label.Kind{
		Name: "User", Can: label.Tags | label.Details | label.Icons, Model: &iam.User{}, Column: "username",
		Find: label.Owned(db, func(u iam.User) string { return u.Username }),
	})
	l.Kind(label.Kind{
		Name: "Account", Can: label.Tags | label.Icons, Model: &iam.Account{}, Column: "name",
		Find: label.Owned(db, func(a iam.Account) string { return a.Name }),
	})
	l.Kind(label.Kind{
		Name: "Domain", Entity: "DOMAIN", Can: label.Icons, Model: &iam.Domain{}, Column: "full_name",
		Find: func(ctx context.Context, id string) (label.Found, error) {
			d, err := store.Find[iam.Domain](ctx, db, id)
			// No account owns a domain: those who administer it do.
			return label.Found{ID: id, Name: d.FullName, Owner: store.Owner{DomainID: d.ID, DomainPath: d.Path}}, err
		},
	})
}
