package iam

import "context"

// DeleteRole removes a role that nobody has.
func (s *Service) DeleteRole(ctx context.Context, id string) (Role, error) {
	var r Role
	err := s.db.Tx(ctx, func(ctx context.Context) (err error) {
		if r, err = s.manageRole(ctx, id); err != nil {
			return err
		}
		if err := s.unused(ctx, r, "error.role_used"); err != nil {
			return err
		}
		g := s.db.In(ctx)
		if err := g.Model(&Role{}).Where("id = ? AND is_default = ?", id, false).
			Updates(map[string]any{"removed_at": s.db.Now(), "name_key": nil}).Error; err != nil {
			return err
		}
		s.db.AfterCommit(ctx, s.powers.forget)
		return g.Where("role_id = ?", id).Delete(&Permission{}).Error
	})
	return r, err
}
