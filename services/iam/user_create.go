package iam

import (
	"context"

	"aerie/services/fault"
	"aerie/services/store"
)

// CreateUser asks for a further user of an account.
type CreateUser struct {
	Account AccountRef
	User    NewUser
}

// CreateUser adds a user to an account that the actor manages.
func (s *Service) CreateUser(ctx context.Context, r CreateUser) (User, error) {
	a, err := s.FindAccount(ctx, r.Account)
	if err != nil {
		return User{}, err
	}
	if err := s.mayManage(ctx, a); err != nil {
		return User{}, err
	}
	r.User.DomainID = a.DomainID
	r.User, err = s.ReadyUser(ctx, r.User)
	if err != nil {
		return User{}, err
	}
	var u User
	err = s.db.Tx(ctx, func(ctx context.Context) (err error) {
		if err := s.lockAccount(ctx, a); err != nil {
			return err
		}
		u, err = s.insertUser(ctx, a, r.User)
		return err
	})
	return u, err
}

// lockAccount makes the account stay while the transaction adds to it.
func (s *Service) lockAccount(ctx context.Context, a Account) error {
	set := s.db.In(ctx).Model(&Account{}).Where("id = ?", a.ID).Update("is_default", a.IsDefault)
	if set.Error == nil && set.RowsAffected == 0 {
		return fault.Absent("account", a.Name)
	}
	return set.Error
}

func (s *Service) insertUser(ctx context.Context, a Account, n NewUser) (User, error) {
	ctx, err := store.For(ctx, a.Owner())
	if err != nil {
		return User{}, err
	}
	if n.Source == "" {
		n.Source = Native
	}
	u := User{
		Row: s.newRow(n.ID), Owned: store.Owned(a.Owner()), Username: n.Username, LoginKey: ptr(fold(n.Username)),
		Password: n.PasswordHash, Source: n.Source, FirstName: n.FirstName, LastName: n.LastName, Email: n.Email,
		Timezone: n.Timezone, Language: n.Language, State: Enabled, APIKeyAccess: Inherit,
		DirectoryEntry: n.DirectoryEntry,
	}
	if err := s.db.In(ctx).Omit("Account").Create(&u).Error; err != nil {
		return u, taken(err, "username", n.Username)
	}
	s.note(ctx, "USER.CREATE", u.Username, u.ID, a.Owner())
	return u, nil
}
