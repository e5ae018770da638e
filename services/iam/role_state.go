package iam

import "context"

// EnableRole lets a role's accounts do again what its rules allow.
func (s *Service) EnableRole(ctx context.Context, id string) (Role, error) {
	return s.setRoleState(ctx, id, Enabled)
}

// DisableRole denies everything to the accounts that have the role; it cannot
// be given until it is enabled.
func (s *Service) DisableRole(ctx context.Context, id string) (Role, error) {
	return s.setRoleState(ctx, id, Disabled)
}

func (s *Service) setRoleState(ctx context.Context, id, state string) (Role, error) {
	return s.changeRole(ctx, id, func(ctx context.Context, r Role) error {
		return s.db.In(ctx).Model(&Role{}).Where("id = ? AND state = ?", id, r.State).Update("state", state).Error
	})
}
