package iam

import (
	"context"

	"aerie/services/fault"
	"aerie/services/store"
)

func actor(ctx context.Context) (store.Actor, error) {
	a, ok := store.From(ctx)
	if !ok {
		return a, store.ErrNoActor
	}
	return a, nil
}

// mayGrant refuses a role that is above the actor's own.
func (s *Service) mayGrant(ctx context.Context, roleID string) (defaultRole, error) {
	r, err := s.role(ctx, roleID)
	if err != nil {
		return r, err
	}
	a, err := actor(ctx)
	if err != nil || a.IsSystem() {
		return r, err
	}
	own, err := s.role(ctx, a.RoleID)
	if err != nil {
		return r, err
	}
	if r.level > own.level || own.typ == UserRole {
		return r, fault.New(fault.Forbidden, "error.rank")
	}
	return r, nil
}

// mayManage refuses an account the actor cannot see, as absent, and one whose
// role is above the actor's. Plain users manage no account, not even their own.
func (s *Service) mayManage(ctx context.Context, target Account) error {
	a, err := actor(ctx)
	if err != nil || a.IsSystem() {
		return err
	}
	if !a.Sees(target.Owner()) {
		return fault.Absent("id", target.ID)
	}
	_, err = s.mayGrant(ctx, target.RoleID)
	return err
}

// mayManageUser is mayManage for a user's account; everyone may change itself.
func (s *Service) mayManageUser(ctx context.Context, u User) error {
	a, err := actor(ctx)
	if err != nil || a.IsSystem() || a.UserID == u.ID {
		return err
	}
	account, err := s.AccountByID(ctx, u.AccountID)
	if err != nil {
		return err
	}
	return s.mayManage(ctx, account)
}

// notSelf refuses what nobody may do to itself.
func notSelf(ctx context.Context, userID, accountID string) error {
	a, err := actor(ctx)
	if err != nil || a.IsSystem() {
		return err
	}
	if userID != "" && a.UserID == userID || accountID != "" && a.AccountID == accountID {
		return fault.New(fault.Forbidden, "error.self")
	}
	return nil
}
