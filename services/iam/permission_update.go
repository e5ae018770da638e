package iam

import (
	"context"
	"slices"

	"aerie/services/fault"
)

// SetPermission makes a rule allow or deny.
func (s *Service) SetPermission(ctx context.Context, roleID, ruleID string, allow bool) (Permission, error) {
	var p Permission
	_, err := s.changeRole(ctx, roleID, func(ctx context.Context, _ Role) (err error) {
		if p, err = s.ruleOf(ctx, roleID, ruleID); err != nil {
			return err
		}
		p.Allow = allow
		return s.db.In(ctx).Model(&Permission{}).Where("id = ?", ruleID).Update("allow", allow).Error
	})
	return p, err
}

// ruleOf finds a rule of that role.
func (s *Service) ruleOf(ctx context.Context, roleID, ruleID string) (Permission, error) {
	p, err := s.PermissionByID(ctx, ruleID)
	if err != nil || p.RoleID != roleID {
		return p, fault.Absent("ruleid", ruleID)
	}
	return p, nil
}

// OrderPermissions puts a role's rules into the order of the ids, which must be
// all of them: who has not seen a new rule does not move it unknowingly.
func (s *Service) OrderPermissions(ctx context.Context, roleID string, ids []string) error {
	_, err := s.changeRole(ctx, roleID, func(ctx context.Context, r Role) error {
		have, err := s.Permissions(ctx, roleID)
		if err != nil {
			return err
		}
		if !sameIDs(have, ids) {
			return fault.Param("ruleorder", "error.rule_order", "role", r.Name, "n", len(have))
		}
		for i, id := range ids {
			at := slices.IndexFunc(have, func(p Permission) bool { return p.ID == id })
			if have[at].Position == i {
				continue
			}
			if err := s.db.In(ctx).Model(&Permission{}).Where("id = ?", id).Update("position", i).Error; err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

func sameIDs(have []Permission, ids []string) bool {
	want := make([]string, len(have))
	for i, p := range have {
		want[i] = p.ID
	}
	ids = slices.Clone(ids)
	slices.Sort(want)
	slices.Sort(ids)
	return slices.Equal(want, ids)
}
