package iam

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/fault"
)

// MayDeleteDomain tells early whether DeleteDomain would be refused because of
// who asks or what is asked for.
func (s *Service) MayDeleteDomain(ctx context.Context, id string) (Domain, error) {
	d, err := s.manageDomain(ctx, id)
	if err == nil && d.IsRoot() {
		err = fault.New(fault.Invalid, "error.domain_root")
	}
	return d, err
}

// DeleteDomain removes a domain. With cleanup its accounts and the domains
// below go as well; without it the domain must be empty.
func (s *Service) DeleteDomain(ctx context.Context, id string, cleanup bool) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		d, err := s.MayDeleteDomain(ctx, id)
		if err != nil {
			return err
		}
		list := []Domain{d}
		if cleanup {
			list, err = gorm.G[Domain](s.db.In(ctx)).Where(below("path", d.Path)).Order("level DESC").Find(ctx)
			if err != nil {
				return err
			}
		}
		for _, one := range list {
			if err := s.removeDomain(ctx, one, cleanup); err != nil {
				return err
			}
		}
		return nil
	})
}

// removeDomain marks the domain first, which waits for whoever is adding to it
// and stops who comes after.
func (s *Service) removeDomain(ctx context.Context, d Domain, cleanup bool) error {
	set := s.db.In(ctx).Model(&Domain{}).Where("id = ?", d.ID).
		Updates(map[string]any{"removed_at": s.db.Now(), "full_key": nil, "state": inactive})
	if set.Error != nil || set.RowsAffected == 0 {
		return set.Error
	}
	accounts, err := gorm.G[Account](s.db.In(ctx)).Where("domain_id = ?", d.ID).Order("id").Find(ctx)
	if err != nil {
		return err
	}
	children, err := gorm.G[Domain](s.db.In(ctx)).Where("parent_id = ?", d.ID).Count(ctx, "*")
	if err != nil {
		return err
	}
	if children > 0 || len(accounts) > 0 && !cleanup {
		return fault.New(fault.InUse, "error.domain_used", "name", d.FullName, "domains", children, "accounts", len(accounts))
	}
	projects, err := gorm.G[Project](s.db.In(ctx)).Where("domain_id = ?", d.ID).Count(ctx, "id")
	if err != nil {
		return err
	}
	if projects > 0 {
		return fault.New(fault.InUse, "error.domain_projects", "name", d.FullName, "n", projects)
	}
	for _, a := range accounts {
		if err := s.removeAccount(ctx, a); err != nil {
			return err
		}
	}
	return s.dropDirectories(ctx, d)
}
