package iam

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"aerie/services/fault"
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

type defaultRole struct {
	level int
	typ   RoleType
	may   func(command string) bool // nil: all of its type
}

// builtin are the default roles of the migration, so that permission checks
// ask no database.
var builtin = map[string]defaultRole{
	RoleRootAdmin:     {100, AdminRole, nil},
	RoleSupportAdmin:  {90, AdminRole, supports},
	RoleReadOnlyAdmin: {80, AdminRole, reads},
	RoleResourceAdmin: {70, ResourceAdminRole, nil},
	RoleDomainAdmin:   {60, DomainAdminRole, nil},
	RoleUser:          {40, UserRole, nil},
	RoleSupportUser:   {30, UserRole, supports},
	RoleReadOnlyUser:  {20, UserRole, reads},
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

// role returns the role's level and type.
func (s *Service) role(ctx context.Context, id string) (defaultRole, error) {
	if r, ok := builtin[id]; ok {
		return r, nil
	}
	row, err := gorm.G[Role](s.db.In(ctx)).Where("id = ?", id).Take(ctx)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return defaultRole{}, fault.Absent("roleid", id)
	}
	return defaultRole{level: row.Level, typ: roleTypes[row.Type]}, err
}

// RoleByID finds a role.
func (s *Service) RoleByID(ctx context.Context, id string) (Role, error) {
	return store.Find[Role](ctx, s.db, id)
}
