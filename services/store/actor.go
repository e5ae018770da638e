package store

import (
	"context"
	"strings"

	"aerie/services/fault"
)

// Rank is an account's type. The numbers are those of CloudStack's API.
type Rank int

// The account types.
const (
	User        Rank = 0
	Admin       Rank = 1 // sees everything
	DomainAdmin Rank = 2 // sees its domain and everything below
)

// Owner is whom a new row belongs to.
type Owner struct {
	AccountID  string
	DomainID   string
	DomainPath string // "/", "/1/", "/1/7/": ids from the root, always ending in a slash
}

// Actor is who a query runs for.
type Actor struct {
	UserID string
	Owner  // the actor's own account
	Rank   Rank
	RoleID string
	// ReadOnly actors look and do not touch, whatever their role.
	ReadOnly bool
	// For is whom the actor creates for when it is not for itself.
	For *Owner
	// system lifts every limit; only System sets it.
	system bool
	why    string
}

// IsSystem tells whether Aerie itself acts.
func (a Actor) IsSystem() bool { return a.system }

// Why says what Aerie acts for.
func (a Actor) Why() string { return a.why }

// Sees tells whether the actor may see a row of that owner.
func (a Actor) Sees(o Owner) bool {
	switch {
	case a.system, a.Rank == Admin:
		return true
	case a.Rank == DomainAdmin:
		return a.DomainPath != "" && strings.HasPrefix(o.DomainPath, a.DomainPath)
	default:
		return a.AccountID != "" && o.AccountID == a.AccountID
	}
}

// SeesDomain tells whether the actor may know of the domain of that path.
func (a Actor) SeesDomain(path string) bool {
	switch {
	case a.system, a.Rank == Admin:
		return true
	case path == "" || a.DomainPath == "":
		return false
	}
	return path == a.DomainPath || a.Rank == DomainAdmin && strings.HasPrefix(path, a.DomainPath)
}

// Target is whom rows created by the actor belong to.
func (a Actor) Target() Owner {
	if a.For != nil {
		return *a.For
	}
	return a.Owner
}

type actorKey struct{}

// With returns a context in which queries run for a.
func With(ctx context.Context, a Actor) context.Context {
	a.system, a.why = false, ""
	return context.WithValue(ctx, actorKey{}, a)
}

// From returns who ctx's queries run for.
func From(ctx context.Context) (Actor, bool) {
	a, ok := ctx.Value(actorKey{}).(Actor)
	return a, ok
}

// System returns a context in which Aerie itself acts, past every tenant's
// fence. Why is for the reader who greps for such places. Owner of what is
// created must be set by hand.
func System(ctx context.Context, why string) context.Context {
	a, _ := From(ctx)
	a.system, a.why = true, why
	return context.WithValue(ctx, actorKey{}, a)
}

// For returns a context in which the actor creates rows for another owner. It
// refuses one that the actor may not see, as if that owner did not exist.
func For(ctx context.Context, o Owner) (context.Context, error) {
	a, ok := From(ctx)
	if !ok || !a.Sees(o) {
		return nil, fault.Absent("account", o.AccountID)
	}
	a.For = &o
	return context.WithValue(ctx, actorKey{}, a), nil
}
