package iam

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/fault"
)

// CloseAccount begins the deletion of an account: its users are shut out and
// nothing in it is enabled again. What it owns goes by Wipe. One that is closed
// already stays so.
func (s *Service) CloseAccount(ctx context.Context, id string) (Account, error) {
	var a Account
	err := s.db.Tx(ctx, func(ctx context.Context) (err error) {
		if a, err = s.AccountByID(ctx, id); err != nil {
			return err
		}
		if err := s.mayRemoveAccount(ctx, a); err != nil {
			return err
		}
		if err := s.MayWipe(ctx, a.Name, []string{a.ID}); err != nil {
			return err
		}
		if err := s.leaveProjects(ctx, a.ID, ""); err != nil {
			return err
		}
		return s.closeAccounts(ctx, "id = ?", a.ID)
	})
	return a, err
}

// CloseDomain begins the deletion of a domain with all in it: nothing is added
// to it any more, and its accounts are closed.
func (s *Service) CloseDomain(ctx context.Context, id string) (Domain, error) {
	var d Domain
	err := s.db.Tx(ctx, func(ctx context.Context) (err error) {
		if d, err = s.MayDeleteDomain(ctx, id); err != nil {
			return err
		}
		// First of all: who is adding to the domain ends before, or is refused.
		err = s.db.In(ctx).Model(&Domain{}).Where(below("path", d.Path)).Update("state", inactive).Error
		if err != nil {
			return err
		}
		accounts, err := s.accountsBelow(ctx, d)
		if err != nil {
			return err
		}
		for _, a := range accounts {
			if err := s.mayRemoveAccount(ctx, a); err != nil {
				return err
			}
		}
		if err := s.MayWipe(ctx, d.FullName, idsOf(accounts)); err != nil {
			return err
		}
		return s.closeAccounts(ctx, below("domain_path", d.Path))
	})
	return d, err
}

func (s *Service) closeAccounts(ctx context.Context, where any, args ...any) error {
	now := s.db.Now()
	set := s.db.In(ctx).Model(&Account{}).Where(where, args...).Where("closing_at IS NULL").
		Updates(map[string]any{"state": Disabled, "closing_at": now})
	if set.Error != nil {
		return set.Error
	}
	closed, err := gorm.G[Account](s.db.In(ctx)).Where("closing_at IS NOT NULL").Where(where, args...).Find(ctx)
	if err != nil {
		return err
	}
	for _, a := range closed {
		if err := s.stateHooks(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// DeleteAll takes an account's things away, and the account when nothing of
// them is left.
func (s *Service) DeleteAll(ctx context.Context, accountID string) (left []Holding, err error) {
	a, err := s.AccountByID(ctx, accountID)
	if err != nil {
		return nil, err
	}
	if left, err = s.Wipe(ctx, []Account{a}); err != nil || len(left) > 0 {
		return left, err
	}
	return nil, s.DeleteAccount(ctx, a.ID)
}

// DeleteAllIn is DeleteAll for a domain, those below it and all their accounts.
func (s *Service) DeleteAllIn(ctx context.Context, domainID string) (left []Holding, err error) {
	d, err := s.DomainByID(ctx, domainID)
	if err != nil {
		return nil, err
	}
	accounts, err := s.accountsBelow(ctx, d)
	if err != nil {
		return nil, err
	}
	if left, err = s.Wipe(ctx, accounts); err != nil || len(left) > 0 {
		return left, err
	}
	return nil, s.DeleteDomain(ctx, d.ID, true)
}

// refuseClosed keeps an account that is being deleted from coming back.
func refuseClosed(a Account) error {
	if a.ClosingAt != nil {
		return fault.New(fault.Conflict, "error.account_closing", "name", a.Name)
	}
	return nil
}
