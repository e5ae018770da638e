// Package state holds state machines as tables that buttons, API errors, docs
// and the database's conditional updates all read.
package state

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"aerie/services/fault"
	"aerie/services/store"
)

// Machine says which event leads from which state to which. A state with an
// empty row of its own is terminal.
type Machine[S, E ~string] map[S]map[E]S

// Can tells whether the event may happen in that state.
func (m Machine[S, E]) Can(from S, event E) bool {
	_, ok := m[from][event]
	return ok
}

// Next is where the event leads from that state.
func (m Machine[S, E]) Next(from S, event E) (S, bool) {
	to, ok := m[from][event]
	return to, ok
}

// Sources are the states in which the event may happen, sorted.
func (m Machine[S, E]) Sources(event E) []S {
	var from []S
	for s, row := range m {
		if _, ok := row[event]; ok {
			from = append(from, s)
		}
	}
	slices.Sort(from)
	return from
}

// Events are what may happen in that state, sorted.
func (m Machine[S, E]) Events(from S) []E { return slices.Sorted(maps.Keys(m[from])) }

// States are all states of the machine, sorted.
func (m Machine[S, E]) States() []S {
	all := map[S]bool{}
	for from, row := range m {
		all[from] = true
		for _, to := range row {
			all[to] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// Stateful is a gorm row with a state column. Ref names the entity as the user
// knows it ("virtualmachine"), the row's id and where the row keeps its state.
type Stateful[S ~string] interface {
	Ref() (entity, id string, state *S)
}

// Change is one move that happened.
type Change struct {
	Entity, ID, From, To, Event string
	// Row is the pointer that was given to Move.
	Row any
}

// watchers are kept by database and not in one variable, so that several
// servers can live in one test program.
var watchers sync.Map // *store.DB → []func(context.Context, Change) error

// Watch has fn called after every Move on db, inside its transaction: an error
// rolls the move back. It belongs into the wiring, before the first Move.
func Watch(db *store.DB, fn func(context.Context, Change) error) {
	old, _ := watchers.LoadOrStore(db, []func(context.Context, Change) error{})
	watchers.Store(db, append(slices.Clone(old.([]func(context.Context, Change) error)), fn))
}

// Move takes the row to where the event leads: one conditional update in the
// caller's transaction, so that of two who try only one succeeds. With set,
// other columns change in the same statement (the row in memory does not get
// those). A state in which the event may not happen, or a row that was moved
// meanwhile, is fault.Conflict. Only after success the row in memory changes.
func Move[R any, S, E ~string, P interface {
	*R
	Stateful[S]
}](ctx context.Context, db *store.DB, row P, m Machine[S, E], event E, set ...map[string]any) error {
	entity, id, at := row.Ref()
	from := *at
	to, ok := m.Next(from, event)
	if !ok {
		return refuse(m, entity, id, from, event)
	}
	change := map[string]any{}
	for _, s := range set {
		maps.Copy(change, s)
	}
	change["state"] = string(to)
	err := db.Tx(ctx, func(ctx context.Context) error {
		res := db.In(ctx).Model(new(R)).Where("id = ? AND state = ?", id, string(from)).Updates(change)
		if res.Error != nil {
			return fmt.Errorf("%s %s %s: %w", event, entity, id, res.Error)
		}
		if res.RowsAffected == 0 {
			return refuse(m, entity, id, current[R, S](ctx, db, id), event)
		}
		return tell(ctx, db, at, to, Change{entity, id, string(from), string(to), string(event), row})
	})
	if err == nil {
		*at = to
	}
	return err
}

// tell calls the watchers while the row in memory shows the new state.
func tell[S ~string](ctx context.Context, db *store.DB, at *S, to S, c Change) error {
	fns, ok := watchers.Load(db)
	if !ok {
		return nil
	}
	*at = to
	for _, fn := range fns.([]func(context.Context, Change) error) {
		if err := fn(ctx, c); err != nil {
			*at = S(c.From)
			return err
		}
	}
	*at = S(c.From) // Move sets it for good when the transaction stands
	return nil
}

// current reads the state for the message; a row that is gone has none.
func current[R any, S ~string](ctx context.Context, db *store.DB, id string) S {
	var now []string
	if err := db.In(ctx).Model(new(R)).Where("id = ?", id).Limit(1).Pluck("state", &now).Error; err != nil || len(now) == 0 {
		return ""
	}
	return S(now[0])
}

func refuse[S, E ~string](m Machine[S, E], entity, id string, from S, event E) error {
	var want []string
	for _, s := range m.Sources(event) {
		want = append(want, string(s))
	}
	return fault.New(fault.Conflict, "error.state", "entity", entity, "id", id,
		"state", string(from), "event", string(event), "want", strings.Join(want, ", "))
}
