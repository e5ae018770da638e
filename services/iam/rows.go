package iam

import (
	"encoding/json"
	"strings"
	"time"

	"gorm.io/gorm/clause"

	"aerie/services/store"
)

// Domain is a node of the tenants' tree. Path is made of running numbers and
// fences queries; FullName (ROOT/dept/team) is what people see.
type Domain struct {
	store.Row
	Number        int64
	ParentID      string // empty for ROOT
	Name          string
	Path          string
	FullName      string
	FullKey       *string
	Level         int
	NetworkDomain string
	State         string // Active
}

// Scope lets admins see their subtree and users their own domain.
func (Domain) Scope(a store.Actor) clause.Expression {
	switch {
	case a.IsSystem(), a.Rank == store.Admin:
		return nil
	case a.Rank == store.DomainAdmin:
		return below("path", a.DomainPath)
	default:
		return clause.Eq{Column: store.Column("id"), Value: a.DomainID}
	}
}

// below is the clause for a subtree. A path is digits and slashes; any other
// matches nothing.
func below(column, path string) clause.Expression {
	if path == "" || strings.Trim(path, "/0123456789") != "" {
		return clause.Eq{Column: store.Column(column), Value: "-"}
	}
	return clause.Like{Column: store.Column(column), Value: path + "%"}
}

// IsRoot tells whether the domain is the top of the tree.
func (d Domain) IsRoot() bool { return d.ParentID == "" }

// Account owns resources. Number is part of instance names (i-2-17-VM).
type Account struct {
	store.Row
	Number        int64
	Name          string
	NameKey       *string
	DomainID      string
	DomainPath    string
	Type          store.Rank
	RoleID        string
	State         string
	NetworkDomain string
	APIKeyAccess  string // ENABLED, DISABLED, INHERIT
	Details       []byte // JSON object of strings
	IsDefault     bool
	DefaultZoneID *string
	ClosingAt     *time.Time // it is being deleted
	Domain        *Domain    `gorm:"foreignKey:DomainID"`
}

// Scope lets admins see their subtree's accounts and users their own. Projects'
// accounts are seen by nobody: they are shown as projects.
func (Account) Scope(a store.Actor) clause.Expression {
	people := clause.Neq{Column: store.Column("type"), Value: store.ProjectRank}
	switch {
	case a.IsSystem():
		return nil
	case a.Rank == store.Admin:
		return people
	case a.Rank == store.DomainAdmin:
		return clause.And(below("domain_path", a.DomainPath), people)
	default:
		return clause.Eq{Column: store.Column("id"), Value: a.AccountID}
	}
}

// Owner is the account as an owner of rows.
func (a Account) Owner() store.Owner {
	return store.Owner{AccountID: a.ID, DomainID: a.DomainID, DomainPath: a.DomainPath}
}

// DetailMap returns the account's details.
func (a Account) DetailMap() map[string]string {
	m := map[string]string{}
	if json.Unmarshal(a.Details, &m) != nil {
		return nil
	}
	return m
}

// Where a user's password is checked.
const (
	Native = "native"
	LDAP   = "ldap"
	OAuth2 = "oauth2" // by an OpenID Connect provider
	SAML2  = "saml2"
)

// User signs in for an account.
type User struct {
	store.Row
	store.Owned
	Username  string
	LoginKey  *string
	Password  string `json:"-"` // PHC string; empty for directory users
	Source    string
	FirstName string
	LastName  string
	Email     string
	Timezone  string
	Language  string
	Theme     string
	State     string
	// Retired is empty: keys have a table of their own.
	Retired      store.Secret `gorm:"column:secret_key" json:"-"`
	APIKeyAccess string
	IsDefault    bool
	// DirectoryEntry is who of a directory the user is; see person.entry.
	DirectoryEntry string
	// TwoFactor is the kind of second factor that is set up, TwoFactorMust that
	// one has to be.
	TwoFactor     string
	TwoFactorMust bool
	Account       *Account `gorm:"foreignKey:AccountID"`
}

// Scope is that of any owned row; it is said here because a user row is what
// fences are made from.
func (User) Scope(a store.Actor) clause.Expression { return store.OwnedScope(a) }

// fold is the form in which names are compared.
func fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

func ptr[T any](v T) *T { return &v }
