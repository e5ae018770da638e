package iam

import "context"

// DeletePermission takes a rule from its role.
func (s *Service) DeletePermission(ctx context.Context, id string) (Permission, error) {
	p, err := s.PermissionByID(ctx, id)
	if err != nil {
		return p, err
	}
	_, err = s.changeRole(ctx, p.RoleID, func(ctx context.Context, _ Role) error {
		return s.db.In(ctx).Where("id = ?", id).Delete(&Permission{}).Error
	})
	return p, err
}
