package iam

import (
	"context"

	"aerie/services/fault"
	"aerie/services/store"
)

// changeRole changes a custom role that the actor manages. What comes out of it
// must not allow more than the actor's own role; otherwise nothing happens.
func (s *Service) changeRole(ctx context.Context, id string, change func(context.Context, Role) error) (Role, error) {
	var r Role
	err := s.db.Tx(ctx, func(ctx context.Context) (err error) {
		if r, err = s.manageRole(ctx, id); err != nil {
			return err
		}
		if err := change(ctx, r); err != nil {
			return err
		}
		return s.roleChanged(ctx, id)
	})
	if err != nil {
		return r, err
	}
	return s.RoleByID(ctx, id)
}

// manageRole holds a role that the actor may change: a custom one, not its own,
// of which it has all itself.
func (s *Service) manageRole(ctx context.Context, id string) (Role, error) {
	if err := onlyRoot(ctx); err != nil {
		return Role{}, err
	}
	r, err := store.Hold[Role](ctx, s.db, id)
	if err != nil {
		return r, err
	}
	a, err := actor(ctx)
	switch {
	case err != nil:
		return r, err
	case r.IsDefault:
		return r, fault.New(fault.Forbidden, "error.role_default", "role", r.Name)
	case !a.IsSystem() && a.RoleID == id:
		return r, fault.New(fault.Forbidden, "error.role_own")
	}
	_, err = s.reach(ctx, id)
	return r, err
}

// roleChanged looks at what a role has become, and lets this server know of it.
func (s *Service) roleChanged(ctx context.Context, id string) error {
	s.db.AfterCommit(ctx, s.powers.forget)
	_, err := s.reach(ctx, id)
	return err
}

// holdRole keeps a custom role from being deleted or disabled until the
// transaction that gives it to someone ends.
func (s *Service) holdRole(ctx context.Context, p *power) error {
	if builtin[p.id] != nil {
		return nil
	}
	sys := store.System(ctx, "a role that is being given stays")
	set := s.db.In(sys).Model(&Role{}).Where("id = ? AND state = ?", p.id, Enabled).Update("state", Enabled)
	if set.Error == nil && set.RowsAffected == 0 {
		return fault.Param("roleid", "error.role_not_given", "role", p.name)
	}
	return set.Error
}
