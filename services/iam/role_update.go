package iam

import (
	"context"

	"aerie/services/fault"
	"aerie/services/store"
)

// UpdateRole asks for changes of a role; nil leaves as it is.
type UpdateRole struct {
	ID                      string
	Name, Description, Type *string
	Public                  *bool
}

// UpdateRole changes a role. The type of a role that accounts have stays: it
// says what they see.
func (s *Service) UpdateRole(ctx context.Context, u UpdateRole) (Role, error) {
	return s.changeRole(ctx, u.ID, func(ctx context.Context, r Role) error { return s.setRole(ctx, r, u) })
}

func (s *Service) setRole(ctx context.Context, r Role, u UpdateRole) error {
	set := map[string]any{}
	if u.Name != nil {
		if err := checkName("name", *u.Name, ""); err != nil {
			return err
		}
		set["name"], set["name_key"] = *u.Name, fold(*u.Name)
	}
	if u.Description != nil {
		set["description"] = *u.Description
	}
	if u.Public != nil {
		set["is_public"] = *u.Public
	}
	if u.Type != nil && *u.Type != r.Type {
		typ, ok := roleTypes[*u.Type]
		if !ok {
			return fault.Param("type", "error.role_kind")
		}
		if err := s.unused(ctx, r, "error.role_type_used"); err != nil {
			return err
		}
		set["type"], set["level"] = *u.Type, levels[typ]
	}
	if len(set) == 0 {
		return nil
	}
	name := *or(u.Name, &r.Name)
	return taken(s.db.In(ctx).Model(&Role{}).Where("id = ?", r.ID).Updates(set).Error, "name", name)
}

// unused refuses while accounts have the role, or a directory's newcomers would
// get it.
func (s *Service) unused(ctx context.Context, r Role, key string) error {
	g := s.db.In(store.System(ctx, "who has a role"))
	var accounts, links int64
	if err := g.Model(&Account{}).Where("role_id = ?", r.ID).Count(&accounts).Error; err != nil {
		return err
	}
	if accounts > 0 {
		return fault.New(fault.InUse, key, "role", r.Name, "n", accounts)
	}
	if err := g.Model(&LDAPLink{}).Where("role_id = ?", r.ID).Count(&links).Error; err != nil {
		return err
	}
	if links > 0 {
		return fault.New(fault.InUse, "error.role_linked", "role", r.Name, "n", links)
	}
	return nil
}
