package store

import (
	"context"
	"reflect"
	"slices"
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
	// ProjectRank is that of a project's account. It has no users; only the
	// system sees it among accounts.
	ProjectRank Rank = 5
)

// Owner is whom a new row belongs to.
type Owner struct {
	AccountID  string
	DomainID   string
	DomainPath string // "/", "/1/", "/1/7/": ids from the root, always ending in a slash
}

// Project is a project that an actor is a member of, as the owner of rows: a
// project and its account have the same id.
type Project struct {
	Owner
	Admin     bool   // it manages the project
	RoleID    string // the project's role that restricts it; empty for none
	Suspended bool
	// Barred is why the command at hand may not touch what is the project's, as a
	// message key; empty when it may.
	Barred string
}

// Actor is who a query runs for.
type Actor struct {
	UserID string
	Owner  // the actor's own account
	Rank   Rank
	RoleID string
	// ReadOnly actors look and do not touch, whatever their role.
	ReadOnly bool
	// Half actors owe their second factor and may only give it.
	Half bool
	// Projects are those that a plain user is a member of.
	Projects []Project
	// Key is the API key that the actor signs with, if it may less than its user.
	Key *Key
	// For is whom the actor creates for when it is not for itself.
	For *Owner
	// system lifts every limit; only System sets it.
	system bool
	why    string
}

// Key is an API key with limits of its own.
type Key struct {
	ID    string
	Rules []KeyRule // none: only the term and the addresses are limited
}

// KeyRule allows or denies the commands of a pattern to who signs with a key.
type KeyRule struct {
	Pattern string
	Allow   bool
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
		return a.AccountID != "" && (o.AccountID == a.AccountID || slices.Contains(a.Usable(), o.AccountID))
	}
}

// Same tells whether both may do the same.
func (a Actor) Same(b Actor) bool { return reflect.DeepEqual(a, b) }

// Usable are the ids of the projects whose rows the actor may touch now.
func (a Actor) Usable() (ids []string) {
	for _, p := range a.Projects {
		if p.Barred == "" {
			ids = append(ids, p.AccountID)
		}
	}
	return ids
}

// Project is the actor's membership of the project with that id, or nil.
func (a Actor) Project(id string) *Project {
	for i := range a.Projects {
		if a.Projects[i].AccountID == id {
			return &a.Projects[i]
		}
	}
	return nil
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

// Within returns a context in which the actor's projects are these, as a
// command narrows them. It leaves alone what the system does.
func Within(ctx context.Context, projects []Project) context.Context {
	a, _ := From(ctx)
	a.Projects = projects
	return context.WithValue(ctx, actorKey{}, a)
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
