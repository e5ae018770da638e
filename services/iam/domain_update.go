package iam

import (
	"context"
	"strings"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/store"
)

// UpdateDomain asks for changes; nil leaves as it is.
type UpdateDomain struct {
	ID            string
	Name          *string
	NetworkDomain *string
}

// UpdateDomain renames a domain or sets its network domain. Nobody but root
// renames its own domain, and nobody renames ROOT.
func (s *Service) UpdateDomain(ctx context.Context, r UpdateDomain) (Domain, error) {
	if r.Name != nil {
		if err := checkName("name", *r.Name, "/"); err != nil {
			return Domain{}, err
		}
	}
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		d, err := s.manageDomain(ctx, r.ID)
		if err != nil {
			return err
		}
		if r.NetworkDomain != nil {
			err := s.db.In(ctx).Model(&Domain{}).Where("id = ?", d.ID).Update("network_domain", *r.NetworkDomain).Error
			if err != nil {
				return err
			}
		}
		if r.Name == nil || *r.Name == d.Name {
			return nil
		}
		if d.IsRoot() {
			return fault.New(fault.Invalid, "error.domain_root")
		}
		return s.renameDomain(ctx, d, *r.Name)
	})
	if err != nil {
		return Domain{}, err
	}
	d, err := s.DomainByID(ctx, r.ID)
	return d, absentAs(err, "id", r.ID)
}

// manageDomain finds a domain that the actor may change.
func (s *Service) manageDomain(ctx context.Context, id string) (Domain, error) {
	d, err := s.DomainByID(ctx, id)
	if err != nil {
		return d, absentAs(err, "id", id)
	}
	a, err := actor(ctx)
	if err != nil || a.IsSystem() || a.Rank == store.Admin {
		return d, err
	}
	if a.Rank == store.User || d.Path == a.DomainPath {
		return d, fault.New(fault.Forbidden, "error.rank")
	}
	return d, nil
}

// renameDomain renames it in the full names of all below as well.
func (s *Service) renameDomain(ctx context.Context, d Domain, name string) error {
	old := d.FullName
	renamed := strings.TrimSuffix(old, d.Name) + name
	all, err := gorm.G[Domain](s.db.In(ctx)).Where(below("path", d.Path)).Order("level").Find(ctx)
	if err != nil {
		return err
	}
	for _, one := range all {
		full := renamed + strings.TrimPrefix(one.FullName, old)
		if len([]rune(full)) > longestFullName {
			return fault.Param("name", "error.domain_deep")
		}
		set := map[string]any{"full_name": full, "full_key": fold(full)}
		if one.ID == d.ID {
			set["name"] = name
		}
		if err := s.db.In(ctx).Model(&Domain{}).Where("id = ?", one.ID).Updates(set).Error; err != nil {
			return taken(err, "name", name)
		}
	}
	return nil
}
