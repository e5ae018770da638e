package job

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/store"
)

// Submit stores a job in the caller's transaction, so that what the caller
// wrote and the job exist together or not at all. An entity with a live job is
// fault.Conflict error.busy. Work starts as soon as the transaction is committed.
func (e *Engine) Submit(ctx context.Context, s Spec) (*Row, error) { return e.submit(ctx, s, "") }

func (e *Engine) submit(ctx context.Context, s Spec, retryOf string) (*Row, error) {
	k := e.kinds[s.Kind]
	if k == nil {
		return nil, fmt.Errorf("job: kind %q is not defined", s.Kind)
	}
	row, err := e.row(ctx, k, s)
	if err != nil {
		return nil, err
	}
	row.RetryOf = retryOf
	err = e.db.Tx(ctx, func(ctx context.Context) error {
		sys := store.System(ctx, "job submit")
		if err := e.db.In(sys).Create(row).Error; err != nil {
			return e.clash(sys, s, err)
		}
		if err := e.notify(sys, row, PhaseSubmitted); err != nil {
			return err
		}
		e.db.AfterCommit(ctx, e.Poke)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return row, nil
}

func (e *Engine) row(ctx context.Context, k *Kind, s Spec) (*Row, error) {
	actor, _ := store.From(ctx)
	now, live := e.now(), true
	r := &Row{
		Kind: s.Kind, Entity: s.Entity, Live: &live, Status: Queued,
		Step: k.steps[0].name, StepCount: len(k.steps), DueAt: now.Add(s.After).UnixMilli(),
		ActorUserID: actor.UserID, ActorAccountID: actor.AccountID, ActorDomainID: actor.DomainID,
		ActorDomainPath: actor.DomainPath, ActorRank: int(actor.Rank), ActorRoleID: actor.RoleID,
		Command: s.Command, Event: s.Event, Object: s.Object, ObjectID: s.ObjectID, ObjectName: s.ObjectName, Trace: s.Trace,
	}
	r.ID, r.CreatedAt = e.db.NewID(), now
	if actor.IsSystem() {
		r.ActorWhy = actor.Why()
	}
	if s.Entity == "" {
		r.Entity = "job/" + r.ID
	}
	if s.Token != "" {
		r.Token = &s.Token
	}
	r.Owned = store.Owned(s.Owner)
	if s.Owner == (store.Owner{}) {
		r.Owned = store.Owned(actor.Target())
	}
	var err error
	if r.State, err = marshal(s.State); err != nil {
		return nil, fmt.Errorf("job %s: state: %w", s.Kind, err)
	}
	if k.retryable {
		r.Input = r.State
	}
	if len(s.Params) > 0 {
		r.Params, err = marshal(s.Params)
	}
	return r, err
}

func marshal(v any) (JSON, error) {
	if v == nil {
		return nil, nil
	}
	return json.Marshal(v)
}

// clash says what a duplicate key of an insert means.
func (e *Engine) clash(ctx context.Context, s Spec, err error) error {
	if !store.IsDuplicate(err) {
		return fmt.Errorf("submit %s: %w", s.Kind, err)
	}
	if s.Token != "" {
		old, err := e.Replayed(ctx, s.Token)
		if err != nil {
			return err
		}
		if old != nil {
			return fault.New(fault.Conflict, "error.replayed", "job", old.ID)
		}
	}
	busy, _ := e.LiveOn(ctx, s.Entity) // only for the words of the message
	if busy == nil {
		busy = &Row{}
	}
	return fault.New(fault.Conflict, "error.busy", "entity", s.Entity, "command", busy.Command, "job", busy.ID).Because(err)
}

// Replayed returns the job that was submitted with that token, or nil. Who
// accepts a request with a token asks first, and again after error.replayed.
func (e *Engine) Replayed(ctx context.Context, token string) (*Row, error) {
	return e.one(ctx, "token = ?", token)
}

// Ensure submits a job, or returns the one that was submitted with the same
// token. It is how a step, which may run twice, starts another job; the token
// is then the step's own job id and name.
func (e *Engine) Ensure(ctx context.Context, s Spec) (*Row, error) {
	old, err := e.Replayed(ctx, s.Token)
	if err != nil || old != nil {
		return old, err
	}
	row, err := e.Submit(ctx, s)
	if err != nil && fault.Of(err).Key == "error.replayed" {
		return e.Replayed(ctx, s.Token)
	}
	return row, err
}

// LiveOn returns the live job of an entity, or nil.
func (e *Engine) LiveOn(ctx context.Context, entity string) (*Row, error) {
	return e.one(ctx, "entity = ? AND live = ?", entity, true)
}

func (e *Engine) one(ctx context.Context, where string, args ...any) (*Row, error) {
	var rows []Row
	if err := e.db.In(ctx).Where(where, args...).Limit(1).Find(&rows).Error; err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// Cancel asks that the job be undone at its next step boundary. A job that has
// ended, or whose kind only goes forward, is fault.Conflict error.not_cancellable.
func (e *Engine) Cancel(ctx context.Context, id string) error {
	row, err := store.Find[Row](ctx, e.db, id)
	if err != nil {
		return err
	}
	if k := e.kinds[row.Kind]; !row.Status.Live() || k != nil && k.forward {
		return fault.New(fault.Conflict, "error.not_cancellable", "job", id)
	}
	return e.db.Tx(ctx, func(ctx context.Context) error {
		// One that nobody holds waits for its time: wake it.
		res := e.db.In(ctx).Model(&Row{}).Where("id = ? AND live = ?", id, true).Updates(map[string]any{
			"cancelled": true,
			"due_at":    gorm.Expr("CASE WHEN worker = '' THEN ? ELSE due_at END", e.now().UnixMilli()),
		})
		if res.Error == nil && res.RowsAffected == 0 {
			return fault.New(fault.Conflict, "error.not_cancellable", "job", id)
		}
		e.db.AfterCommit(ctx, e.Poke)
		return res.Error
	})
}

// Retry starts a failed job anew as a new job of the actor, from the state the
// first one began with. Its kind must be Retryable; otherwise fault.Conflict
// error.not_retryable. One that a newer job of its entity came after is
// error.retry_late.
func (e *Engine) Retry(ctx context.Context, id string) (*Row, error) {
	old, err := store.Find[Row](ctx, e.db, id)
	if err != nil {
		return nil, err
	}
	if k := e.kinds[old.Kind]; old.Status != Failed || k == nil || !k.retryable {
		return nil, fault.New(fault.Conflict, "error.not_retryable", "job", id)
	}
	s := Spec{
		Kind: old.Kind, Entity: old.Entity, State: old.Input, Owner: old.Owned.Owner(),
		Command: old.Command, Event: old.Event, Object: old.Object, ObjectID: old.ObjectID, ObjectName: old.ObjectName,
	}
	if old.Entity == "job/"+old.ID {
		s.Entity = ""
	}
	if len(old.Params) > 0 {
		if err := json.Unmarshal(old.Params, &s.Params); err != nil {
			return nil, err
		}
	}
	var row *Row
	err = e.db.Tx(ctx, func(ctx context.Context) error {
		if err := e.latest(ctx, old); err != nil {
			return err
		}
		row, err = e.submit(ctx, s, old.ID)
		return err
	})
	return row, err
}

// latest refuses a job that another one came after: what it would start from is
// no more what its entity is.
func (e *Engine) latest(ctx context.Context, old Row) error {
	where, args := "entity = ? AND id > ?", []any{old.Entity, old.ID}
	if old.Entity == "job/"+old.ID { // it has nothing to itself but its retries
		where, args = "id > ? AND retry_of = ?", []any{old.ID, old.ID}
	}
	newer, err := e.one(store.System(ctx, "is a job its entity's latest"), where, args...)
	if err == nil && newer != nil {
		err = fault.New(fault.Conflict, "error.retry_late", "job", newer.ID)
	}
	return err
}

// Prune deletes jobs that ended longer ago than that, a batch at a time, and
// says how many.
func (e *Engine) Prune(ctx context.Context, olderThan time.Duration) (int64, error) {
	ctx = store.System(ctx, "job prune")
	cutoff := e.now().Add(-olderThan)
	var total int64
	for ctx.Err() == nil {
		var ids []string
		// created_at bounds the search by the key: ids begin with their time.
		err := e.db.In(ctx).Unscoped().Model(&Row{}).Where("id < ? AND live IS NULL AND finished_at < ?", floor(cutoff), cutoff).
			Order("id").Limit(500).Pluck("id", &ids).Error
		if err != nil || len(ids) == 0 {
			return total, err
		}
		err = e.db.Tx(ctx, func(ctx context.Context) error {
			return e.db.In(ctx).Unscoped().Where("id IN ?", ids).Delete(&Row{}).Error
		})
		if err != nil {
			return total, err
		}
		total += int64(len(ids))
	}
	return total, ctx.Err()
}

// floor is the smallest UUIDv7 of that time.
func floor(t time.Time) string {
	h := fmt.Sprintf("%012x", t.UnixMilli())
	return h[:8] + "-" + h[8:] + "-7000-8000-000000000000"
}
