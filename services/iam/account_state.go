package iam

import (
	"context"

	"aerie/services/fault"
	"aerie/services/store"
)

// EnableAccount lets an account's users in again.
func (s *Service) EnableAccount(ctx context.Context, r AccountRef) (Account, error) {
	return s.setAccountState(ctx, r, Enabled, "ACCOUNT.ENABLE")
}

// LockAccount keeps its users out; what runs goes on running.
func (s *Service) LockAccount(ctx context.Context, r AccountRef) (Account, error) {
	return s.setAccountState(ctx, r, Locked, "ACCOUNT.LOCK")
}

// DisableAccount keeps its users out and ends their sessions. What runs in it is
// stopped by whoever runs it.
func (s *Service) DisableAccount(ctx context.Context, r AccountRef) (Account, error) {
	return s.setAccountState(ctx, r, Disabled, "ACCOUNT.DISABLE")
}

func (s *Service) setAccountState(ctx context.Context, r AccountRef, state, event string) (a Account, err error) {
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if a, err = s.FindAccount(ctx, r); err != nil {
			return err
		}
		if err := s.mayManage(ctx, a); err != nil {
			return err
		}
		if err := refuseClosed(a); err != nil {
			return err
		}
		if state != Enabled {
			if err := s.mayExclude(ctx, a); err != nil {
				return err
			}
		}
		if state == Locked && a.State == Disabled {
			return fault.New(fault.Conflict, "error.account_disabled", "name", a.Name)
		}
		if err := s.db.In(ctx).Model(&Account{}).Where("id = ?", a.ID).Update("state", state).Error; err != nil {
			return err
		}
		a.State = state
		if err := s.stateHooks(ctx, a); err != nil {
			return err
		}
		s.note(ctx, event, a.Name, "", a.Owner())
		return nil
	})
	return a, err
}

// mayExclude refuses to shut out oneself and the last admin.
func (s *Service) mayExclude(ctx context.Context, a Account) error {
	if err := notSelf(ctx, "", a.ID); err != nil {
		return err
	}
	return s.keepAnAdmin(ctx, a)
}

func (s *Service) stateHooks(ctx context.Context, a Account) error {
	if a.State == Enabled {
		return nil
	}
	sys := store.System(ctx, "end the sessions of an account")
	users := s.db.In(sys).Model(&User{}).Where("account_id = ?", a.ID).Select("id")
	return s.revokeWhere(sys, "user_id IN (?)", users)
}
