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

// mayGrant refuses a role that the actor must not give: it allows more than the
// actor's own, is hidden from it, or is disabled.
func (s *Service) mayGrant(ctx context.Context, roleID string) (*power, error) {
	p, err := s.reach(ctx, roleID)
	if err != nil {
		return p, err
	}
	a, err := actor(ctx)
	switch {
	case err != nil:
		return p, err
	case !p.public && !a.IsSystem() && a.Rank != store.Admin && a.RoleID != roleID:
		return p, fault.Absent("roleid", roleID)
	case p.disabled:
		return p, fault.Param("roleid", "error.role_not_given", "role", p.name)
	}
	return p, nil
}

// reach finds a role and refuses one that is more than the actor's own.
func (s *Service) reach(ctx context.Context, roleID string) (*power, error) {
	p, err := s.power(ctx, roleID)
	if err != nil {
		return nil, err
	}
	a, err := actor(ctx)
	if err != nil || a.IsSystem() {
		return p, err
	}
	own, err := s.power(ctx, a.RoleID)
	if err != nil {
		return nil, err
	}
	return p, s.within(p, own)
}

// mayManage refuses an account the actor cannot see, as absent, and one whose
// role may more than the actor's. Plain users manage no account, not even their own.
func (s *Service) mayManage(ctx context.Context, target Account) error {
	a, err := actor(ctx)
	if err != nil || a.IsSystem() {
		return err
	}
	if !a.Sees(target.Owner()) {
		return fault.Absent("id", target.ID)
	}
	_, err = s.reach(ctx, target.RoleID)
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
