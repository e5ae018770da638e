package iam

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/fault"
)

// Link is a tie between a directory and a domain, or an account of it.
type Link struct {
	ID, DomainID, AccountID string
	Type, Name, RoleID      string
}

// LDAPLinks lists the links of all domains, or of one. Only root sees any.
func (s *Service) LDAPLinks(ctx context.Context, domainID string) (out []Link, err error) {
	of, by := gorm.G[LDAPLink](s.db.In(ctx)).Where("1 = 1"), gorm.G[AccountLink](s.db.In(ctx)).Where("1 = 1")
	if domainID != "" {
		of, by = of.Where("domain_id = ?", domainID), by.Where("domain_id = ?", domainID)
	}
	domains, err := of.Order("domain_id").Find(ctx)
	if err != nil {
		return nil, err
	}
	accounts, err := by.Order("domain_id, name").Find(ctx)
	for _, l := range domains {
		out = append(out, Link{ID: l.ID, DomainID: l.DomainID, Type: l.Type, Name: l.Name, RoleID: l.RoleID})
	}
	for _, l := range accounts {
		out = append(out, Link{ID: l.ID, DomainID: l.DomainID, AccountID: l.AccountID, Type: l.Type, Name: l.Name})
	}
	return out, err
}

// UnlinkLDAP takes a link away. Users that came by it stay.
func (s *Service) UnlinkLDAP(ctx context.Context, id string) error {
	if err := onlyRoot(ctx); err != nil {
		return err
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		one := s.db.In(ctx).Where("id = ?", id).Delete(&LDAPLink{})
		if one.Error != nil || one.RowsAffected > 0 {
			return one.Error
		}
		other := s.db.In(ctx).Where("id = ?", id).Delete(&AccountLink{})
		if other.Error == nil && other.RowsAffected == 0 {
			return fault.Absent("id", id)
		}
		return other.Error
	})
}
