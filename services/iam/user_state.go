package iam

import (
	"context"

	"aerie/services/fault"
	"aerie/services/store"
)

// EnableUser lets a user in again.
func (s *Service) EnableUser(ctx context.Context, id string) (User, error) {
	return s.setUserState(ctx, id, Enabled, "USER.ENABLE")
}

// DisableUser keeps a user out and ends its sessions.
func (s *Service) DisableUser(ctx context.Context, id string) (User, error) {
	return s.setUserState(ctx, id, Disabled, "USER.DISABLE")
}

// LockUser keeps a user out and ends its sessions.
func (s *Service) LockUser(ctx context.Context, id string) (User, error) {
	return s.setUserState(ctx, id, Locked, "USER.LOCK")
}

func (s *Service) setUserState(ctx context.Context, id, state, event string) (u User, err error) {
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if u, err = s.manageUser(ctx, id); err != nil {
			return err
		}
		if state != Enabled {
			if err := s.mayExcludeUser(ctx, u); err != nil {
				return err
			}
		}
		if err := s.db.In(ctx).Model(&User{}).Where("id = ?", u.ID).Update("state", state).Error; err != nil {
			return err
		}
		u.State = state
		s.note(ctx, event, u.Username, u.ID, u.Owner())
		if state == Enabled {
			return nil
		}
		return s.revokeWhere(store.System(ctx, "end a user's sessions"), "user_id = ?", u.ID)
	})
	return u, err
}

// manageUser finds a user whose account the actor manages.
func (s *Service) manageUser(ctx context.Context, id string) (User, error) {
	u, err := s.UserByID(ctx, id)
	if err != nil {
		return u, err
	}
	account, err := s.AccountByID(ctx, u.AccountID)
	if err != nil {
		return u, err
	}
	return u, s.mayManage(ctx, account)
}

// mayExcludeUser refuses to shut out oneself and the last enabled user that is
// a root administrator.
func (s *Service) mayExcludeUser(ctx context.Context, u User) error {
	if err := notSelf(ctx, u.ID, ""); err != nil {
		return err
	}
	account, err := s.AccountByID(ctx, u.AccountID)
	if err != nil {
		return err
	}
	others, err := s.enabledUsers(ctx, account, u.ID)
	if err != nil || others > 0 {
		return err
	}
	return s.keepAnAdmin(ctx, account)
}

func (s *Service) enabledUsers(ctx context.Context, a Account, but string) (n int64, err error) {
	if a.RoleID == RoleRootAdmin { // two users of one account must not leave at once
		if err := s.lockAccount(ctx, a); err != nil {
			return 0, err
		}
	}
	err = s.db.In(ctx).Model(&User{}).Where("account_id = ? AND state = ? AND id <> ?", a.ID, Enabled, but).Count(&n).Error
	if a.State != Enabled {
		n = 0
	}
	return n, err
}

// DeleteUser removes a user. Nobody removes itself, nor the default one.
func (s *Service) DeleteUser(ctx context.Context, id string) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		u, err := s.manageUser(ctx, id)
		if err != nil {
			return err
		}
		if u.IsDefault {
			return fault.New(fault.Forbidden, "error.default_account", "name", u.Username)
		}
		if err := s.mayExcludeUser(ctx, u); err != nil {
			return err
		}
		return s.removeUser(ctx, u)
	})
}

// removeUser frees the name and ends keys and sessions: who gets the name next
// gets none of the rights.
func (s *Service) removeUser(ctx context.Context, u User) error {
	if err := s.leaveProjects(ctx, u.AccountID, u.ID); err != nil {
		return err
	}
	err := s.db.In(ctx).Model(&User{}).Where("id = ?", u.ID).Updates(map[string]any{
		"removed_at": s.db.Now(), "login_key": nil, "password": "",
	}).Error
	if err != nil {
		return err
	}
	if err := s.removed(ctx, u.ID); err != nil {
		return err
	}
	if err := s.dropKeys(ctx, u.ID); err != nil {
		return err
	}
	if err := s.dropTwoFactor(store.System(ctx, "the second factor of a removed user"), u); err != nil {
		return err
	}
	s.note(ctx, "USER.DELETE", u.Username, u.ID, u.Owner())
	sys := store.System(ctx, "end a removed user's sessions and what it saved")
	if err := s.db.In(sys).Where("user_id = ?", u.ID).Delete(&SavedView{}).Error; err != nil {
		return err
	}
	return s.revokeWhere(sys, "user_id = ?", u.ID)
}
