package iam

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/fault"
)

// ImportRole is a role from elsewhere, with its rules in order. Forced replaces
// a role of that name; nil leaves what the replaced one has.
type ImportRole struct {
	Name        string
	Description *string
	Type        string
	Public      *bool
	Rules       []NewRule
	Forced      bool
}

// ImportRole makes a role with rules, or replaces one.
func (s *Service) ImportRole(ctx context.Context, in ImportRole) (Role, error) {
	if err := onlyRoot(ctx); err != nil {
		return Role{}, err
	}
	if err := checkName("name", in.Name, ""); err != nil {
		return Role{}, err
	}
	var r Role
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		there, err := gorm.G[Role](s.db.In(ctx)).Where("name_key = ?", fold(in.Name)).Limit(1).Find(ctx)
		switch {
		case err != nil:
			return err
		case len(there) == 0 || *there[0].NameKey != fold(in.Name): // MariaDB takes é for e
			r, err = s.insertRole(ctx, NewRole{
				Name: in.Name, Description: *or(in.Description, ptr("")), Type: in.Type,
				Private: in.Public != nil && !*in.Public, Rules: in.Rules,
			})
			return err
		case !in.Forced:
			return fault.Param("name", "error.name_taken", "value", in.Name)
		}
		r, err = s.changeRole(ctx, there[0].ID, func(ctx context.Context, r Role) error { return s.replaceRole(ctx, r, in) })
		return err
	})
	return r, err
}

func (s *Service) replaceRole(ctx context.Context, r Role, in ImportRole) error {
	u := UpdateRole{ID: r.ID, Name: &in.Name, Description: in.Description, Public: in.Public}
	if in.Type != "" {
		u.Type = &in.Type
	}
	if err := s.setRole(ctx, r, u); err != nil {
		return err
	}
	if err := s.db.In(ctx).Where("role_id = ?", r.ID).Delete(&Permission{}).Error; err != nil {
		return err
	}
	return s.insertRules(ctx, r.ID, in.Rules)
}
