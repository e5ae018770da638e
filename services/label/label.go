// Package label keeps what people put on resources: tags, details, comments and
// icons. All are keyed by the resource's id and owned like the resource itself.
// Packages with resources register their kinds; views of theirs read by Of.
package label

import (
	"context"
	"slices"
	"strings"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/job"
	"aerie/services/store"
)

// Ability is what a kind of resource can carry.
type Ability uint8

// The abilities. Comments need only a kind's Entity.
const (
	Tags Ability = 1 << iota
	Details
	Icons
)

// Kind is a kind of resource that carries labels.
type Kind struct {
	// Name is CloudStack's resource type, such as UserVm; Entity is what
	// annotations call it, such as VM: empty for kinds without comments.
	Name, Entity string
	Can          Ability
	// Find finds the row in the caller's scope.
	Find func(ctx context.Context, id string) (Found, error)
	// Model and Column are where names of resources are, for lists.
	Model  any
	Column string
	// Own is for kinds whose details are a part of their own row.
	Own *OwnDetails
	// Options are the details that mean something for the kind, with the values
	// that each may have; none for any.
	Options map[string][]string
}

// Found is a resource that the caller may see. A zero Owner is an operator's
// resource, which only root administrators label.
type Found struct {
	ID, Name string
	Owner    store.Owner
}

// OwnDetails reads and writes details that are a part of the resource's row.
// Write runs in the transaction of Read.
type OwnDetails struct {
	Read  func(ctx context.Context, id string) (map[string]string, error)
	Write func(ctx context.Context, id string, details map[string]string) error
}

// Service has the verbs.
type Service struct {
	db    *store.DB
	kinds []Kind
}

// New makes the service and defines its jobs.
func New(db *store.DB, people *iam.Service, jobs *job.Engine) *Service {
	s := &Service{db: db}
	people.OnRemove = append(people.OnRemove, func(ctx context.Context, ids ...string) error { return Drop(ctx, db, ids...) })
	people.OnDeleteAccount = append(people.OnDeleteAccount, s.dropOwned)
	s.defineWritten(jobs)
	return s
}

// Kind registers a kind of resource; a name that is taken panics.
func (s *Service) Kind(k Kind) {
	if slices.ContainsFunc(s.kinds, func(o Kind) bool { return strings.EqualFold(o.Name, k.Name) }) {
		panic("label: kind registered twice: " + k.Name)
	}
	s.kinds = append(s.kinds, k)
}

// Owned is a Find for rows that belong to an account.
func Owned[T interface{ Owner() store.Owner }](db *store.DB, name func(T) string) func(context.Context, string) (Found, error) {
	return func(ctx context.Context, id string) (Found, error) {
		row, err := store.Find[T](ctx, db, id)
		return Found{ID: id, Name: name(row), Owner: row.Owner()}, err
	}
}

// Operators is a Find for rows that are the operator's.
func Operators[T any](db *store.DB, name func(T) string) func(context.Context, string) (Found, error) {
	return func(ctx context.Context, id string) (Found, error) {
		row, err := store.Find[T](ctx, db, id)
		return Found{ID: id, Name: name(row)}, err
	}
}

// Names are the names of the kinds with all of those abilities; of those with
// comments for 0.
func (s *Service) Names(can Ability) (names []string) {
	for _, k := range s.kinds {
		switch {
		case can == 0 && k.Entity != "":
			names = append(names, k.Entity)
		case can != 0 && k.Can&can == can:
			names = append(names, k.Name)
		}
	}
	slices.Sort(names)
	return names
}

// kind finds a kind that can carry what is asked for. The name may be in any
// case.
func (s *Service) kind(param, name string, can Ability) (Kind, error) {
	for _, k := range s.kinds {
		if can == 0 && k.Entity != "" && strings.EqualFold(k.Entity, name) || can != 0 && k.Can&can == can && strings.EqualFold(k.Name, name) {
			return k, nil
		}
	}
	return Kind{}, fault.Param(param, "error.choice", "value", name, "choices", strings.Join(s.Names(can), ", "))
}

// find finds a resource that the actor may label and who owns its labels. What
// the actor sees but does not own answers like what is not there.
func (s *Service) find(ctx context.Context, k Kind, param, id string) (Found, error) {
	f, err := k.Find(ctx, id)
	if store.IsAbsent(err) {
		return f, fault.Absent(param, id)
	}
	if err != nil {
		return f, err
	}
	actor, _ := store.From(ctx)
	switch root := actor.IsSystem() || actor.Rank == store.Admin; {
	case f.Owner == (store.Owner{}) && !root, f.Owner != (store.Owner{}) && !actor.Sees(f.Owner):
		return f, fault.Absent(param, id)
	case f.Owner == (store.Owner{}):
		f.Owner = actor.Owner
	}
	return f, nil
}

// all finds every one of the resources, each once, or fails for the first that
// is not there.
func (s *Service) all(ctx context.Context, k Kind, ids []string) ([]Found, error) {
	var out []Found
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		f, err := s.find(ctx, k, "resourceids", id)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

// about names the first resource for the event.
func about(ctx context.Context, k Kind, list ...Found) {
	if len(list) > 0 {
		command.About(ctx, resource(k, list[0]), list[0].Owner)
	}
}
