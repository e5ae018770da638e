package iam

import (
	"context"
	"strings"

	"gorm.io/gorm"

	"aerie/services/fault"
)

// NewRule is a rule to be.
type NewRule struct {
	Pattern     string
	Allow       bool
	Description string
}

// mostRules is how many rules a role may have: more than there are commands.
const mostRules = 2000

// CreatePermission adds a rule behind the role's others.
func (s *Service) CreatePermission(ctx context.Context, roleID string, n NewRule) (Permission, error) {
	var made Permission
	_, err := s.changeRole(ctx, roleID, func(ctx context.Context, _ Role) error {
		have, err := s.Permissions(ctx, roleID)
		if err != nil {
			return err
		}
		if err := checkRules("rule", have, n); err != nil {
			return err
		}
		made = s.permission(roleID, 0, n)
		if len(have) > 0 {
			made.Position = have[len(have)-1].Position + 1
		}
		return s.db.In(ctx).Create(&made).Error
	})
	return made, err
}

func (s *Service) permission(roleID string, at int, n NewRule) Permission {
	return Permission{
		ID: s.db.NewID(), CreatedAt: s.db.Now(), RoleID: roleID, Position: at,
		Pattern: n.Pattern, Allow: n.Allow, Description: n.Description,
	}
}

// insertRules gives a role without rules its rules.
func (s *Service) insertRules(ctx context.Context, roleID string, rules []NewRule) error {
	if err := checkRules("rules", nil, rules...); err != nil || len(rules) == 0 {
		return err
	}
	rows := make([]Permission, len(rules))
	for i, n := range rules {
		rows[i] = s.permission(roleID, i, n)
	}
	return gorm.G[Permission](s.db.In(ctx)).CreateInBatches(ctx, &rows, 100)
}

// checkRules refuses patterns that are none, and a pattern's second rule, which
// would never be asked.
func checkRules(param string, have []Permission, rules ...NewRule) error {
	seen := map[string]bool{}
	for _, p := range have {
		seen[strings.ToLower(p.Pattern)] = true
	}
	if len(have)+len(rules) > mostRules {
		return fault.Param(param, "error.rules_many", "max", mostRules)
	}
	for _, n := range rules {
		if !ValidPattern(n.Pattern) {
			return fault.Param(param, "error.rule_pattern", "rule", n.Pattern)
		}
		key := strings.ToLower(n.Pattern)
		if seen[key] {
			return fault.Param(param, "error.rule_twice", "rule", n.Pattern)
		}
		seen[key] = true
	}
	return nil
}
