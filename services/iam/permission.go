package iam

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"aerie/services/fault"
	"aerie/services/store"
)

// Permission is one rule of a role, at its place among them.
type Permission struct {
	ID          string `gorm:"primaryKey"`
	CreatedAt   time.Time
	RoleID      string
	Position    int
	Pattern     string
	Allow       bool
	Description string
}

// TableName is the table of rules.
func (Permission) TableName() string { return "role_permissions" }

// Scope lets root administrators alone see rules.
func (Permission) Scope(a store.Actor) clause.Expression {
	if a.IsSystem() || a.Rank == store.Admin {
		return nil
	}
	return clause.Expr{SQL: "1 = 0"}
}

func (p Permission) rule() Rule { return Rule{p.Pattern, p.Allow} }

// Permissions lists the rules of a role that the actor may see, in the order in
// which they are asked.
func (s *Service) Permissions(ctx context.Context, roleID string) ([]Permission, error) {
	if _, err := s.RoleByID(ctx, roleID); err != nil {
		return nil, absentAs(err, "roleid", roleID)
	}
	if builtin[roleID] != nil {
		return s.defaultPermissions(roleID), nil
	}
	return gorm.G[Permission](s.db.In(ctx)).Where("role_id = ?", roleID).Order("position, id").Find(ctx)
}

// AllPermissions lists the rules of every role, role by role, the highest first.
func (s *Service) AllPermissions(ctx context.Context) ([]Permission, error) {
	roles, err := gorm.G[Role](s.db.In(ctx)).Order("level DESC, id").Find(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := gorm.G[Permission](s.db.In(ctx)).Order("role_id, position, id").Find(ctx)
	if err != nil {
		return nil, err
	}
	of := map[string][]Permission{}
	for _, p := range rows {
		of[p.RoleID] = append(of[p.RoleID], p)
	}
	var out []Permission
	for _, r := range roles {
		if builtin[r.ID] != nil {
			of[r.ID] = s.defaultPermissions(r.ID)
		}
		out = append(out, of[r.ID]...)
	}
	return out, nil
}

// defaultPermissions are the rules of a default role. Those of a whole type are
// the commands that are open to it, except for root, which has everything.
func (s *Service) defaultPermissions(roleID string) (out []Permission) {
	p := builtin[roleID]
	rules := p.rules
	if p.typ != AdminRole && len(rules) == len(everything) {
		rules = nil
		for _, c := range s.commands() {
			if c.open(p.typ.Rank()) {
				rules = append(rules, Rule{c.Name, true})
			}
		}
	}
	for i, r := range rules {
		out = append(out, Permission{ID: defaultPermissionID(roleID, r.Pattern), RoleID: roleID, Position: i, Pattern: r.Pattern, Allow: r.Allow})
	}
	return out
}

// defaultPermissionID is the same on every server and in every release.
func defaultPermissionID(roleID, pattern string) string {
	return uuid.NewSHA1(uuid.MustParse(roleID), []byte(pattern)).String()
}

// PermissionByID finds a rule that the actor may see, those of default roles
// among them.
func (s *Service) PermissionByID(ctx context.Context, id string) (Permission, error) {
	p, err := gorm.G[Permission](s.db.In(ctx)).Where("id = ?", id).Take(ctx)
	if !store.IsAbsent(err) {
		return p, err
	}
	if a, err := actor(ctx); err == nil && (a.IsSystem() || a.Rank == store.Admin) {
		for roleID := range builtin {
			for _, p := range s.defaultPermissions(roleID) {
				if p.ID == id {
					return p, nil
				}
			}
		}
	}
	return p, fault.Absent("id", id)
}
