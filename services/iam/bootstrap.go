package iam

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"aerie/services/store"
)

// Bootstrap makes the ROOT domain and its account and user admin with the given
// password, unless ROOT is there. Of several servers that start at once one
// does it.
func (s *Service) Bootstrap(ctx context.Context, adminPassword string) (created bool, err error) {
	ctx = store.System(ctx, "bootstrap")
	switch _, err := s.Root(ctx); {
	case err == nil:
		return false, nil
	case !errors.Is(err, gorm.ErrRecordNotFound):
		return false, fmt.Errorf("bootstrap: %w", err)
	}
	hash, err := s.hashPassword(ctx, adminPassword)
	if err != nil {
		return false, err
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error { return s.seed(ctx, hash) })
	if err == nil {
		return true, nil
	}
	if _, other := s.Root(ctx); other == nil { // another server was quicker
		return false, nil
	}
	return false, fmt.Errorf("bootstrap: %w", err)
}

// IsAdminPassword tells whether the first administrator has that password, for
// a server that bootstraps beside others.
func (s *Service) IsAdminPassword(ctx context.Context, password string) (bool, error) {
	ctx = store.System(ctx, "bootstrap")
	root, err := s.Root(ctx)
	if err != nil {
		return false, err
	}
	u, err := s.userByName(ctx, root.ID, "admin")
	if err != nil || u == nil {
		return false, err
	}
	return s.checkPassword(ctx, u.Password, password)
}

func (s *Service) seed(ctx context.Context, hash string) error {
	number, err := s.db.Next(ctx, "domain")
	if err != nil {
		return err
	}
	root := Domain{
		Row: s.newRow(""), Number: number, Name: rootName, Path: "/", FullName: rootName,
		FullKey: ptr(fold(rootName)), State: active,
	}
	if err := s.db.In(ctx).Create(&root).Error; err != nil {
		return err
	}
	// Number 1 stays free for what belongs to the cloud itself: users know their
	// first instances as i-2-….
	if _, err := s.db.Next(ctx, "account"); err != nil {
		return err
	}
	account, err := s.insertAccount(ctx, root, builtin[RoleRootAdmin], CreateAccount{Name: "admin", RoleID: RoleRootAdmin})
	if err != nil {
		return err
	}
	user, err := s.insertUser(ctx, account, NewUser{Username: "admin", FirstName: "Admin", LastName: "User", PasswordHash: hash})
	if err != nil {
		return err
	}
	g := s.db.In(ctx)
	return errors.Join(
		g.Model(&Account{}).Where("id = ?", account.ID).Update("is_default", true).Error,
		g.Model(&User{}).Where("id = ?", user.ID).Update("is_default", true).Error,
	)
}

// SetPassword sets a user's password for the operator at the console, who needs
// no old one.
func (s *Service) SetPassword(ctx context.Context, userID, password string) error {
	_, err := s.UpdateUser(store.System(ctx, "password set by the operator"), UpdateUser{ID: userID, Password: &password})
	return err
}
