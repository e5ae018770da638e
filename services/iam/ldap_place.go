package iam

import (
	"context"

	"aerie/services/fault"
	"aerie/services/store"
)

// synced is the user of a person in a domain whose accounts are linked: in the
// account of its one group, moved there if need be. Who is in none or in several
// is refused, and disabled.
func (s *Service) synced(ctx context.Context, d Domain, u *User, who known) (User, error) {
	if u != nil {
		if err := s.bindEntry(ctx, *u, who.person); err != nil {
			return User{}, err
		}
	}
	if len(who.in) != 1 {
		why := errRefused("in none of the groups that accounts are linked to")
		if len(who.in) > 1 {
			why = "in several of the groups that accounts are linked to"
		}
		if u != nil {
			if err := s.putOut(ctx, *u); err != nil {
				return User{}, err
			}
		}
		return User{}, why
	}
	if u == nil {
		return s.joinAccount(ctx, d, who.in[0].AccountID, who.person)
	}
	if u.AccountID != who.in[0].AccountID {
		if err := s.moveUser(ctx, *u, who.in[0].AccountID); err != nil {
			return User{}, err
		}
	}
	return *u, s.refresh(ctx, *u, who.person)
}

// putOut disables a user and ends its sessions.
func (s *Service) putOut(ctx context.Context, u User) error {
	ctx = store.System(ctx, "a user whom its directory puts out")
	return s.db.Tx(ctx, func(ctx context.Context) error {
		set := s.db.In(ctx).Model(&User{}).Where("id = ? AND state = ?", u.ID, Enabled).Update("state", Disabled)
		if set.Error != nil || set.RowsAffected == 0 {
			return set.Error
		}
		s.note(ctx, "USER.DISABLE", u.Username, u.ID, u.Owner())
		return s.revokeWhere(ctx, "user_id = ?", u.ID)
	})
}

// joinAccount makes a person a user of an account.
func (s *Service) joinAccount(ctx context.Context, d Domain, accountID string, who person) (User, error) {
	a, err := s.AccountByID(ctx, accountID)
	if err != nil {
		return User{}, err
	}
	u, err := s.CreateUser(ctx, CreateUser{Account: AccountRef{ID: a.ID}, User: who.user()})
	if err == nil || !fault.Is(err, fault.Invalid) {
		return u, err
	}
	if other, lookup := s.userByName(ctx, d.ID, who.Username); lookup == nil && other != nil && other.Source == LDAP {
		return *other, s.bindEntry(ctx, *other, who)
	}
	return User{}, errRefused("cannot import: " + err.Error())
}

// user is the person as a user to be.
func (p person) user() NewUser {
	return NewUser{
		Username: p.Username, FirstName: clip(p.FirstName, 255), LastName: clip(p.LastName, 255), Email: clip(p.Email, 255),
		Source: LDAP, DirectoryEntry: p.entry(),
	}
}

// moveUser makes a user one of another account of its domain: what it owns stays
// with the account, and its sessions and keys, which act for it, end.
func (s *Service) moveUser(ctx context.Context, u User, accountID string) error {
	ctx = store.System(ctx, "a user whose directory says another account")
	return s.db.Tx(ctx, func(ctx context.Context) error {
		to, err := s.AccountByID(ctx, accountID)
		if err != nil {
			return err
		}
		if err := s.lockAccount(ctx, to); err != nil {
			return err
		}
		if err := s.leaveProjects(ctx, u.AccountID, u.ID); err != nil {
			return err
		}
		set := s.db.In(ctx).Model(&User{}).Where("id = ? AND account_id = ?", u.ID, u.AccountID).
			Updates(map[string]any{"account_id": to.ID, "domain_id": to.DomainID, "domain_path": to.DomainPath})
		if set.Error != nil || set.RowsAffected == 0 {
			return set.Error
		}
		if err := s.dropKeys(ctx, u.ID); err != nil {
			return err
		}
		s.note(ctx, "USER.MOVE", u.Username, u.ID, to.Owner())
		return s.revokeWhere(ctx, "user_id = ?", u.ID)
	})
}
