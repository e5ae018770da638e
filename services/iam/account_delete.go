package iam

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/store"
)

// DeleteAccount removes an account and its users, unless it still owns
// something (OnDeleteAccount).
func (s *Service) DeleteAccount(ctx context.Context, id string) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		a, err := s.AccountByID(ctx, id)
		if err != nil {
			return err
		}
		return s.removeAccount(ctx, a)
	})
}

// MayDeleteAccount tells early whether DeleteAccount would be refused because
// of who asks.
func (s *Service) MayDeleteAccount(ctx context.Context, id string) (Account, error) {
	a, err := s.AccountByID(ctx, id)
	if err != nil {
		return a, err
	}
	return a, s.mayRemoveAccount(ctx, a)
}

func (s *Service) mayRemoveAccount(ctx context.Context, a Account) error {
	if err := s.mayManage(ctx, a); err != nil {
		return err
	}
	if a.IsDefault {
		return fault.New(fault.Forbidden, "error.default_account", "name", a.Name)
	}
	if err := notSelf(ctx, "", a.ID); err != nil {
		return err
	}
	if !s.db.InTx(ctx) {
		return nil
	}
	return s.keepAnAdmin(ctx, a)
}

func (s *Service) removeAccount(ctx context.Context, a Account) error {
	if err := s.mayRemoveAccount(ctx, a); err != nil {
		return err
	}
	set := s.db.In(ctx).Model(&Account{}).Where("id = ?", a.ID).
		Updates(map[string]any{"removed_at": s.db.Now(), "name_key": nil})
	if set.Error != nil || set.RowsAffected == 0 {
		return set.Error
	}
	// Who adds something holds the counters until it is there; after that an
	// account on its way out takes nothing more.
	sys := store.System(ctx, "counters of an account that goes")
	if err := s.db.In(sys).Model(&quota{}).Where("owner = ?", a.ID).Update("used", gorm.Expr("used")).Error; err != nil {
		return err
	}
	if err := s.Left(ctx, a); err != nil {
		return err
	}
	for _, hook := range s.OnDeleteAccount {
		if err := hook(ctx, a); err != nil {
			return err
		}
	}
	if err := s.leaveProjects(ctx, a.ID, ""); err != nil {
		return err
	}
	if err := s.removed(ctx, a.ID); err != nil {
		return err
	}
	if err := s.dropAccountLink(ctx, a); err != nil {
		return err
	}
	users, err := gorm.G[User](s.db.In(ctx)).Where("account_id = ?", a.ID).Find(ctx)
	if err != nil {
		return err
	}
	for _, u := range users {
		if err := s.removeUser(ctx, u); err != nil {
			return err
		}
	}
	s.note(ctx, "ACCOUNT.DELETE", a.Name, "", a.Owner())
	return s.dropQuotas(store.System(ctx, "counters of a removed account"), a)
}

// removed tells who keeps something beside domains, accounts and users.
func (s *Service) removed(ctx context.Context, ids ...string) error {
	for _, hook := range s.OnRemove {
		if err := hook(ctx, ids...); err != nil {
			return err
		}
	}
	return nil
}

// dropQuotas removes an account's counters and takes what they still hold from
// the domains above.
func (s *Service) dropQuotas(ctx context.Context, a Account) error {
	rows, err := gorm.G[quota](s.db.In(ctx)).Where("owner = ? AND used <> 0", a.ID).Find(ctx)
	if err != nil {
		return err
	}
	for _, q := range rows {
		for _, path := range countedDomains(a.DomainPath) {
			if err := s.addUsed(ctx, path, q.Kind, -q.Used); err != nil {
				return err
			}
		}
	}
	if err := s.db.In(ctx).Where("owner = ?", a.ID).Delete(&tagLimit{}).Error; err != nil {
		return err
	}
	return s.db.In(ctx).Where("owner = ?", a.ID).Delete(&quota{}).Error
}
