package iam

import (
	"context"

	"gorm.io/gorm/clause"

	"aerie/services/store"
)

// RoleType is what a role is at most; the values are bits, as in CloudStack's
// command lists (15 is everyone).
type RoleType int

// The role types.
const (
	AdminRole         RoleType = 1
	ResourceAdminRole RoleType = 2
	DomainAdminRole   RoleType = 4
	UserRole          RoleType = 8
	EveryRole                  = AdminRole | ResourceAdminRole | DomainAdminRole | UserRole
)

var roleTypes = map[string]RoleType{
	"Admin": AdminRole, "ResourceAdmin": ResourceAdminRole, "DomainAdmin": DomainAdminRole, "User": UserRole,
}

// String is the type's name in the API.
func (t RoleType) String() string {
	for name, v := range roleTypes {
		if v == t {
			return name
		}
	}
	return ""
}

// Rank is the account type that goes with the role type.
func (t RoleType) Rank() store.Rank {
	switch t {
	case AdminRole:
		return store.Admin
	case ResourceAdminRole, DomainAdminRole:
		return store.DomainAdmin
	default:
		return store.User
	}
}

// The default roles have fixed ids.
const (
	RoleRootAdmin     = "0a000000-0000-7000-8000-000000000001"
	RoleResourceAdmin = "0a000000-0000-7000-8000-000000000002"
	RoleDomainAdmin   = "0a000000-0000-7000-8000-000000000003"
	RoleUser          = "0a000000-0000-7000-8000-000000000004"
	RoleReadOnlyAdmin = "0a000000-0000-7000-8000-000000000005"
	RoleReadOnlyUser  = "0a000000-0000-7000-8000-000000000006"
	RoleSupportAdmin  = "0a000000-0000-7000-8000-000000000007"
	RoleSupportUser   = "0a000000-0000-7000-8000-000000000008"
)

// Role says what its accounts may do. Nobody hands out, or touches an account
// with, a role of a higher Level than its own.
type Role struct {
	store.Row
	Name        string
	NameKey     *string
	Type        string
	Level       int
	Description string
	IsDefault   bool
	IsPublic    bool
	State       string
}

// Scope lets root administrators see all roles, and others the public ones and
// their own.
func (Role) Scope(a store.Actor) clause.Expression {
	if a.IsSystem() || a.Rank == store.Admin {
		return nil
	}
	return clause.And(clause.Or(
		clause.Eq{Column: store.Column("is_public"), Value: true},
		clause.Eq{Column: store.Column("id"), Value: a.RoleID},
	))
}

// RoleByID finds a role that the actor may see.
func (s *Service) RoleByID(ctx context.Context, id string) (Role, error) {
	return store.Find[Role](ctx, s.db, id)
}

// LevelOf is how high the actor's own role stands; roles above it are not for
// it to give.
func (s *Service) LevelOf(ctx context.Context, a store.Actor) (int, error) {
	if a.IsSystem() {
		return topLevel, nil
	}
	p, err := s.power(ctx, a.RoleID)
	if err != nil {
		return 0, err
	}
	return p.level, nil
}

// defaultRoleFor is the role of an account type that names none.
func defaultRoleFor(r store.Rank) string {
	switch r {
	case store.Admin:
		return RoleRootAdmin
	case store.DomainAdmin:
		return RoleDomainAdmin
	default:
		return RoleUser
	}
}
