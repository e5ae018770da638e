package signon

import (
	"context"
	"errors"
	"strings"
	"time"

	"gorm.io/gorm"

	"aerie/services/iam"
	"aerie/services/store"
)

// identity is which user somebody of a provider is: by issuer and subject, which
// never change, not by names or addresses, which others may get.
type identity struct {
	ID        string `gorm:"primaryKey"`
	CreatedAt time.Time
	UserID    string
	Issuer    string
	Subject   string
}

// TableName is the table of identities.
func (identity) TableName() string { return "oauth_identities" }

// userOf finds the user, binds one by its verified address, or makes one, as the
// provider is set.
func (s *Service) userOf(ctx context.Context, v Vouched) (string, error) {
	sys := store.System(ctx, "whom a provider vouches for")
	key := digest(v.Provider.Issuer, v.Subject)
	known, err := gorm.G[identity](s.db.In(sys)).Where("id = ?", key).Limit(1).Find(sys)
	if err != nil {
		return "", err
	}
	if len(known) == 1 {
		return known[0].UserID, s.ofDomain(sys, v, known[0].UserID)
	}
	id, err := s.byEmail(sys, v)
	if err != nil {
		return "", err
	}
	if id == "" && v.Provider.AutoImport {
		if id, err = s.newcomer(sys, v); err != nil {
			return "", err
		}
	}
	if id == "" {
		return "", errAnswer.Because(errors.New("no user is bound to " + v.Provider.Issuer + " " + v.Subject))
	}
	err = s.db.Tx(sys, func(ctx context.Context) error {
		return s.db.In(ctx).Create(&identity{ID: key, CreatedAt: s.db.Now(), UserID: id, Issuer: v.Provider.Issuer, Subject: v.Subject}).Error
	})
	if store.IsDuplicate(err) { // another sign-in was quicker
		return s.userOf(ctx, v)
	}
	return id, err
}

// unbind forgets whom removed users were: the person may come again as another.
func (s *Service) unbind(ctx context.Context, ids ...string) error {
	sys := store.System(ctx, "identities of removed users")
	return s.db.In(sys).Where("user_id IN ?", ids).Delete(&identity{}).Error
}

// ofDomain refuses a user that the provider has no say about.
func (s *Service) ofDomain(ctx context.Context, v Vouched, userID string) error {
	if v.Provider.DomainID == "" {
		return nil
	}
	u, err := s.IAM.UserByID(ctx, userID)
	if err != nil || u.DomainID != v.Provider.DomainID {
		return errAnswer.Because(errors.Join(err, errors.New("the user is not of the provider's domain")))
	}
	return nil
}

// byEmail is the one user with the address, if the provider has verified it and
// may bind by it. Several users with one address are nobody.
func (s *Service) byEmail(ctx context.Context, v Vouched) (string, error) {
	if !v.Provider.LinkEmail || !v.EmailVerified || v.Email == "" {
		return "", nil
	}
	q := gorm.G[iam.User](s.db.In(ctx)).Where("LOWER(email) = ?", strings.ToLower(v.Email))
	if v.Provider.DomainID != "" {
		q = q.Where("domain_id = ?", v.Provider.DomainID)
	}
	list, err := q.Limit(2).Find(ctx)
	if err != nil || len(list) != 1 {
		return "", err
	}
	return list[0].ID, nil
}

// newcomer makes an account for somebody who comes for the first time.
func (s *Service) newcomer(ctx context.Context, v Vouched) (string, error) {
	domain := v.Provider.DomainID
	if domain == "" {
		root, err := s.IAM.Root(ctx)
		if err != nil {
			return "", err
		}
		domain = root.ID
	}
	name := v.Username
	if name == "" {
		name, _, _ = strings.Cut(v.Email, "@")
	}
	email := ""
	if v.EmailVerified {
		email = v.Email
	}
	_, u, err := s.IAM.CreateAccount(ctx, iam.CreateAccount{
		DomainID: domain, RoleID: iam.RoleUser,
		User: iam.NewUser{Username: name, FirstName: v.First, LastName: v.Last, Email: email, Source: iam.OAuth2},
	})
	if err != nil {
		return "", errAnswer.Because(err)
	}
	return u.ID, nil
}
