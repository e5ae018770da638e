package job

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"aerie/services/fault"
	"aerie/services/store"
)

// run is one claimed job in work.
type run struct {
	e       *Engine
	k       *Kind
	row     *Row
	at      int // the step to do, or to undo
	state   any
	history []Progress
	log     *slog.Logger
	last    Progress // of the latest try, also when it was rolled back
	err     error    // why it turns back, until that is written
	over    bool     // ended, or given back
}

// work runs a claimed job until it ends, waits or is lost. What goes wrong with
// the job is in its row; what goes wrong with the running of it is logged.
func (e *Engine) work(ctx context.Context, row *Row) {
	ctx, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	e.hold(row, end)
	defer e.letGo(row)
	r := &run{e: e, k: e.kinds[row.Kind], row: row, log: e.o.Log.With(
		slog.Group("job", "id", row.ID, "kind", row.Kind, "entity", row.Entity, "epoch", row.Epoch))}
	// Rows made by steps name the one who asked; the system lifts the fences.
	actor, owner := row.Actor(), row.Owned.Owner()
	actor.For = &owner
	err := r.saga(store.System(store.With(ctx, actor), "job "+row.Kind))
	switch {
	case err == nil || errors.Is(err, ErrKilled):
	case errors.Is(err, ErrLost):
		r.log.WarnContext(ctx, "job was taken over", "step", row.Step)
	default:
		r.log.ErrorContext(ctx, "job is left to its lease", "step", row.Step, "err", err)
	}
}

func (r *run) saga(ctx context.Context) error {
	if err := r.load(); err != nil {
		return r.stuck(ctx, err)
	}
	if r.e.draining() {
		return r.giveBack(ctx)
	}
	if err := r.admit(ctx); err != nil {
		return err
	}
	for !r.over {
		step := r.forward
		if r.row.Status == Undoing {
			step = r.backward
		}
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) load() (err error) {
	if r.state, err = r.k.decode(r.row.State); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	if r.at = r.k.index(r.row.Step); r.at < 0 {
		return fmt.Errorf("%s has no step %q in this release", r.k.name, r.row.Step)
	}
	r.history = r.row.History()
	return nil
}

// admit turns a job back that was cancelled while it waited, or whose actor may
// not do this any more. A deletion goes on: what it deletes is marked as such
// since it was accepted, and nothing would take that back.
func (r *run) admit(ctx context.Context) error {
	if r.row.Status == Undoing {
		return nil
	}
	if r.row.Cancelled {
		return r.turn(ctx, cancelled(r.row))
	}
	if len(r.history) > 0 || r.e.Admit == nil || r.k.forward {
		return nil
	}
	if err := r.e.Admit(ctx, r.row); err != nil {
		return r.turn(ctx, err)
	}
	return nil
}

func cancelled(row *Row) error { return fault.New(fault.Conflict, "error.cancelled", "job", row.ID) }

// forward does the next step. Database steps that follow share the commit of
// its checkpoint, and the last checkpoint is the end of the job.
func (r *run) forward(ctx context.Context) error {
	if s := r.step(); !s.database {
		if err := r.try(ctx, s, s.do); err != nil {
			return r.failed(ctx, err)
		}
		r.at++
		if s.unsaved && r.at < len(r.k.steps) && !r.e.draining() {
			return r.look(ctx)
		}
	}
	return r.together(ctx, func(ctx context.Context) error {
		for r.at < len(r.k.steps) && r.k.steps[r.at].database {
			s := r.step()
			if err := r.try(ctx, s, s.do); err != nil {
				return &stepError{err}
			}
			r.at++
		}
		if r.at == len(r.k.steps) {
			return r.end(ctx, Succeeded)
		}
		return r.save(ctx)
	})
}

// look takes the place of a checkpoint that is left out: once the lease that
// came with the claim is over, the job may be another's, or be cancelled.
func (r *run) look(ctx context.Context) error {
	r.row.Attempts = 0
	if r.e.now().UnixMilli() < r.row.DueAt {
		return nil
	}
	cancel, err := r.asked(ctx)
	switch {
	case err != nil && r.lost(ctx, err) == nil:
		return r.stuck(ctx, err)
	case err != nil:
		return ErrLost
	case cancel && !r.k.forward:
		return r.interrupted(ctx)
	}
	return nil
}

// interrupted turns a cancelled job back from where it stands: the step there
// has not happened, those before it have.
func (r *run) interrupted(ctx context.Context) error {
	r.row.Cancelled, r.at = true, max(r.at-1, 0)
	return r.turn(ctx, cancelled(r.row))
}

// backward undoes one step, and in the same commit those database steps before
// it, and passes over those that have nothing to undo.
func (r *run) backward(ctx context.Context) error {
	if s := r.step(); !s.database && s.undo != nil {
		if err := r.try(ctx, s, s.undo); err != nil {
			return r.failed(ctx, err)
		}
		r.at--
	}
	return r.together(ctx, func(ctx context.Context) error {
		for r.at >= 0 && (r.k.steps[r.at].database || r.k.steps[r.at].undo == nil) {
			s := r.step()
			if s.undo != nil {
				if err := r.try(ctx, s, s.undo); err != nil {
					return &stepError{err}
				}
			}
			r.at--
		}
		if r.at < 0 {
			return r.end(ctx, Failed)
		}
		return r.save(ctx)
	})
}

// stepError is what a step in a transaction says, so that the transaction is
// known to be rolled back. What the commit says is not: it may have happened.
type stepError struct{ error }

func (e *stepError) Unwrap() error { return e.error }

// errCancelled rolls a checkpoint back because somebody cancelled the job.
var errCancelled = errors.New("job: cancelled")

// together runs fn in one transaction. The run's own position and state are
// part of it: they are put back when it rolls back or runs again.
func (r *run) together(ctx context.Context, fn func(context.Context) error) error {
	restore, err := r.mark()
	if err != nil {
		return r.failed(ctx, err)
	}
	if errors.Is(context.Cause(ctx), errStopping) { // the step came to its end all the same
		ctx = context.WithoutCancel(ctx)
	}
	first := true
	err = r.e.db.Tx(ctx, func(ctx context.Context) error {
		if !first {
			restore()
		}
		first = false
		return fn(ctx)
	})
	if err == nil {
		return nil
	}
	restore()
	if errors.Is(err, errCancelled) {
		return r.interrupted(ctx)
	}
	var own *stepError
	if errors.As(err, &own) {
		r.keep(r.last)
		return r.failed(ctx, own.error)
	}
	if lost := r.lost(ctx, err); lost != nil {
		return lost
	}
	return r.stuck(ctx, err)
}

// mark notes where the run stands and returns the way back there.
func (r *run) mark() (func(), error) {
	state, err := json.Marshal(r.state)
	if err != nil {
		return nil, fmt.Errorf("state of step %s: %w", r.row.Step, err)
	}
	at, row, history, over, turned := r.at, *r.row, bytes.Clone(encode(r.history)), r.over, r.err
	return func() {
		r.at, *r.row, r.over, r.err = at, row, over, turned
		r.state, _ = r.k.decode(state) // it was just encoded
		r.history = nil
		_ = json.Unmarshal(history, &r.history)
	}, nil
}

func encode(v any) JSON {
	b, err := json.Marshal(v)
	if err != nil { // only for our own plain types
		panic(err)
	}
	return b
}

// try runs one try of a step: deadline, panics, history, metrics.
func (r *run) try(ctx context.Context, s *step, fn func(context.Context, any) error) (err error) {
	undo := r.row.Status == Undoing
	info := &Info{
		ID: r.row.ID, Kind: r.row.Kind, Entity: r.row.Entity, Step: s.name, Epoch: r.row.Epoch,
		Attempt: r.row.Attempts, Undo: undo, Actor: r.row.Actor(), Owner: r.row.Owned.Owner(), Trace: r.row.Trace,
	}
	limit := s.timeout
	def(&limit, r.k.timeout)
	stepCtx, cancel := context.WithTimeout(context.WithValue(ctx, infoKey{}, info), limit)
	defer cancel()
	began := r.e.now()
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("step panicked", "step", s.name, "undo", undo, "panic", p, "stack", string(debug.Stack()))
			err = fault.New(fault.Internal, "error.internal").Because(fmt.Errorf("step %s panicked: %v", s.name, p))
		}
		r.note(s.name, undo, began, err)
	}()
	call := func(ctx context.Context) error { return fn(ctx, r.state) }
	if r.e.o.Around != nil {
		return r.e.o.Around(stepCtx, Moment{r.k.name, s.name, undo, s.database}, call)
	}
	return call(stepCtx)
}

// note keeps what happened to a step.
func (r *run) note(name string, undo bool, began time.Time, err error) {
	ended := r.e.now()
	p := Progress{Name: name, State: "done", Started: began.UnixMilli(), Ended: ended.UnixMilli(), Attempts: r.row.Attempts + 1}
	var l *later
	switch {
	case errors.As(err, &l):
		p.State = "waiting"
	case err != nil && undo:
		p.State, p.Error = "undo-retry", fault.Of(err).Key
	case err != nil:
		p.State, p.Error = "failed", fault.Of(err).Key
	case undo:
		p.State = "undone"
	}
	r.e.metrics.step(r.k.name, name, p.State, ended.Sub(began))
	r.keep(p)
}

// keep puts the progress of a step into the history.
func (r *run) keep(p Progress) {
	r.last = p
	for i := range r.history {
		if r.history[i].Name != p.Name {
			continue
		}
		if p.State == "undone" && p.Error == "" {
			p.Error = r.history[i].Error // why the job turned back stays readable
		}
		r.history[i] = p
		return
	}
	r.history = append(r.history, p)
}

// step is the one the run stands at.
func (r *run) step() *step { return &r.k.steps[min(max(r.at, 0), len(r.k.steps)-1)] }
