package iam

import (
	"context"

	"aerie/services/fault"
)

// NewRole is a role to be: of a type and with no rules, or a copy of another.
type NewRole struct {
	Name, Description string
	Type              string // the copied role's without one
	From              string
	Private           bool // only root administrators see it
	Rules             []NewRule
}

// CreateRole makes a role that allows no more than the actor's own.
func (s *Service) CreateRole(ctx context.Context, n NewRole) (Role, error) {
	if err := onlyRoot(ctx); err != nil {
		return Role{}, err
	}
	if err := checkName("name", n.Name, ""); err != nil {
		return Role{}, err
	}
	var r Role
	err := s.db.Tx(ctx, func(ctx context.Context) (err error) {
		n := n
		if err := s.copyRole(ctx, &n); err != nil {
			return err
		}
		r, err = s.insertRole(ctx, n)
		return err
	})
	return r, err
}

// copyRole takes type, description and rules from the role to be copied.
func (s *Service) copyRole(ctx context.Context, n *NewRole) error {
	if n.From == "" {
		return nil
	}
	from, err := s.RoleByID(ctx, n.From)
	if err != nil {
		return absentAs(err, "roleid", n.From)
	}
	if n.Type != "" && n.Type != from.Type {
		return fault.Param("type", "error.role_copy_type", "role", from.Name, "type", from.Type)
	}
	n.Type = from.Type
	if n.Description == "" {
		n.Description = from.Description
	}
	rules, err := s.Permissions(ctx, from.ID)
	for _, p := range rules {
		n.Rules = append(n.Rules, NewRule{p.Pattern, p.Allow, p.Description})
	}
	return err
}

func (s *Service) insertRole(ctx context.Context, n NewRole) (Role, error) {
	typ, ok := roleTypes[n.Type]
	if !ok {
		return Role{}, fault.Param("type", "error.role_kind")
	}
	r := Role{
		Row: s.newRow(""), Name: n.Name, NameKey: ptr(fold(n.Name)), Type: n.Type, Level: levels[typ],
		Description: n.Description, IsPublic: !n.Private, State: Enabled,
	}
	if err := s.db.In(ctx).Create(&r).Error; err != nil {
		return r, taken(err, "name", n.Name)
	}
	if err := s.insertRules(ctx, r.ID, n.Rules); err != nil {
		return r, err
	}
	return r, s.roleChanged(ctx, r.ID)
}
