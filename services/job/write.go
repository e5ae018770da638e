package job

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"aerie/services/fault"
)

// failed decides what becomes of a step that returned err: it waits, is tried
// again, or turns the job back.
func (r *run) failed(ctx context.Context, err error) error {
	if errors.Is(err, ErrKilled) {
		return err
	}
	if lost := r.lost(ctx, err); lost != nil {
		return lost
	}
	if errors.Is(context.Cause(ctx), errStopping) {
		return r.giveBack(context.WithoutCancel(ctx))
	}
	var l *later
	if errors.As(err, &l) {
		return r.leave(ctx, l.wait, map[string]any{"attempts": 0})
	}
	s := r.step()
	limit := s.attempts
	def(&limit, r.k.attempts)
	if r.row.Status == Undoing || r.k.forward || r.e.o.IsTransient(err) && r.row.Attempts+1 < limit {
		return r.again(ctx, err)
	}
	r.log.InfoContext(ctx, "job turns back", "step", s.name, "err", err)
	return r.turn(ctx, fmt.Errorf("%s: %w", s.name, err))
}

// lost returns ErrLost when the lease is known to be another's.
func (r *run) lost(ctx context.Context, err error) error {
	if errors.Is(err, ErrLost) || errors.Is(context.Cause(ctx), ErrLost) {
		return ErrLost
	}
	return nil
}

// again tries the step later; from the Stuck-th failure on it calls for help.
func (r *run) again(ctx context.Context, err error) error {
	wait := r.e.pause(r.row.Attempts)
	r.row.Attempts++
	r.log.WarnContext(ctx, "step is tried again", "step", r.step().name, "undo", r.row.Status == Undoing,
		"attempts", r.row.Attempts, "wait", wait, "err", err)
	r.retried()
	return r.e.db.Tx(ctx, func(ctx context.Context) error {
		if err := r.alert(ctx, err); err != nil {
			return err
		}
		return r.leave(ctx, wait, map[string]any{"attempts": r.row.Attempts})
	})
}

// retried marks the last note of a step that failed but is not given up.
func (r *run) retried() {
	for i := range r.history {
		if r.history[i].State == "failed" {
			r.history[i].State = "retry"
		}
	}
}

func (r *run) alert(ctx context.Context, err error) error {
	if r.e.Alert == nil || r.row.Attempts%r.e.o.Stuck != 0 {
		return nil
	}
	if r.row.Status != Undoing && !r.k.forward && r.row.Attempts < r.k.attempts {
		return nil
	}
	return r.e.Alert(ctx, r.row, err)
}

// stuck is for what the saga cannot answer: its row cannot be read by this
// release, or the database failed, perhaps after the commit. Only the time of
// the next try is written; what is stored stays what it is.
func (r *run) stuck(ctx context.Context, err error) error {
	wait := r.e.pause(r.row.Attempts + 3)
	if errors.Is(context.Cause(ctx), errStopping) {
		wait = 0
	}
	ctx = context.WithoutCancel(ctx)
	r.row.Attempts++
	r.log.ErrorContext(ctx, "job is stuck", "step", r.row.Step, "attempts", r.row.Attempts, "wait", wait, "err", err)
	r.over = true
	return r.e.db.Tx(ctx, func(ctx context.Context) error {
		if err := r.alert(ctx, err); err != nil {
			return err
		}
		return r.update(ctx, map[string]any{"attempts": r.row.Attempts, "worker": "", "due_at": r.due(wait)})
	})
}

// turn makes the job walk back from where it stands.
func (r *run) turn(ctx context.Context, err error) error {
	r.blame(err)
	r.row.Status, r.row.Attempts = Undoing, 0
	return r.e.db.Tx(ctx, func(ctx context.Context) error { return r.save(ctx) })
}

// blame keeps why the job failed: a key for the user, the text for the log.
func (r *run) blame(err error) {
	f := fault.Of(err)
	r.err = err
	r.row.ResultCode, r.row.ErrorKind, r.row.ErrorKey, r.row.Error = f.Kind.API, f.Kind.Name, f.Key, err.Error()
	args := make([]any, len(f.Args))
	for i, a := range f.Args {
		args[i] = a
		switch a.(type) {
		case string, bool, int, int64, float64, json.Number:
		default:
			args[i] = fmt.Sprint(a)
		}
	}
	r.row.ErrorArgs = encode(args)
}

// leave gives the job back until later, with its state and history.
func (r *run) leave(ctx context.Context, wait time.Duration, set map[string]any) error {
	r.over = true
	cols, err := r.position()
	if err != nil {
		return err
	}
	maps.Copy(cols, set)
	cols["worker"], cols["due_at"] = "", r.due(wait)
	return r.e.db.Tx(ctx, func(ctx context.Context) error { return r.update(ctx, cols) })
}

// giveBack lets another server go on at once.
func (r *run) giveBack(ctx context.Context) error {
	return r.leave(ctx, 0, map[string]any{"attempts": r.row.Attempts})
}

func (r *run) due(wait time.Duration) int64 { return r.e.now().Add(wait).UnixMilli() }

// position is what a checkpoint keeps.
func (r *run) position() (map[string]any, error) {
	state, err := json.Marshal(r.state)
	if err != nil {
		return nil, fmt.Errorf("state of step %s: %w", r.row.Step, err)
	}
	r.row.Step, r.row.StepIndex, r.row.Steps = r.step().name, max(r.at, 0), encode(r.history)
	cols := map[string]any{
		"status": r.row.Status, "step": r.row.Step, "step_index": r.row.StepIndex, "steps": string(r.row.Steps),
	}
	if !bytes.Equal(state, r.row.State) {
		r.row.State, cols["state"] = state, string(state)
	}
	if r.err != nil {
		cols["result_code"], cols["error_kind"], cols["error_key"] = r.row.ResultCode, r.row.ErrorKind, r.row.ErrorKey
		cols["error_args"], cols["error"] = string(r.row.ErrorArgs), r.row.Error
	}
	return cols, nil
}

// save is a checkpoint. It renews the lease, or gives the job back when the
// server stops.
func (r *run) save(ctx context.Context) error {
	r.row.Attempts = 0
	cols, err := r.position()
	if err != nil {
		return err
	}
	cols["attempts"], cols["due_at"] = 0, r.due(r.e.o.Lease)
	if r.e.draining() {
		r.over = true
		cols["worker"], cols["due_at"] = "", r.due(0)
	}
	return r.heed(ctx, cols)
}

// end is the last checkpoint.
func (r *run) end(ctx context.Context, s Status) error {
	now := r.e.now()
	cols, err := r.position()
	if err != nil {
		return err
	}
	r.over = true
	r.row.Status, r.row.Live, r.row.FinishedAt, r.row.Worker = s, nil, &now, ""
	if err := r.render(ctx); err != nil {
		return err
	}
	r.row.Attempts = 0
	cols["status"], cols["live"], cols["finished_at"], cols["worker"], cols["attempts"] = s, nil, now, "", 0
	if r.row.Result != nil {
		cols["result"] = string(r.row.Result)
	}
	phase := PhaseSucceeded
	if s == Failed {
		phase = PhaseFailed
	}
	if err := r.heed(ctx, cols); err != nil {
		return err
	}
	r.e.db.AfterCommit(ctx, func() { r.ended(s) })
	return r.e.notify(ctx, r.row, phase)
}

func (r *run) ended(s Status) {
	took := r.row.FinishedAt.Sub(r.row.CreatedAt)
	r.e.metrics.ended(r.k.name, s, took)
	if s == Failed {
		r.log.Warn("job failed", "took", took, "err", r.row.Error)
		return
	}
	r.log.Info("job succeeded", "took", took)
}

// render asks for the stored result. The world is whole by now, so a result
// that cannot be rendered does not fail the job.
func (r *run) render(ctx context.Context) error {
	if r.e.Finish == nil {
		return nil
	}
	result, err := r.e.Finish(ctx, r.row)
	if err == nil {
		r.row.Result = JSON(result)
		return nil
	}
	var f *fault.Error
	if !errors.As(err, &f) && r.row.Attempts < r.k.attempts {
		return err // the database's: run again
	}
	r.log.ErrorContext(ctx, "result is not rendered", "err", err)
	return nil
}

// heed writes a checkpoint unless somebody cancelled the job meanwhile.
func (r *run) heed(ctx context.Context, cols map[string]any) error {
	if r.row.Status == Undoing || r.row.Status == Failed || r.row.Cancelled || r.k.forward {
		return r.update(ctx, cols)
	}
	res := r.e.db.In(ctx).Model(&Row{}).Where("id = ? AND epoch = ? AND cancelled = ?", r.row.ID, r.row.Epoch, false).Updates(cols)
	if res.Error != nil || res.RowsAffected == 1 {
		return res.Error
	}
	if _, err := r.asked(ctx); err != nil {
		return err
	}
	return errCancelled
}

// asked tells whether somebody asked to undo the job; ErrLost when it is not
// this server's any more.
func (r *run) asked(ctx context.Context) (cancel bool, err error) {
	var now []bool
	err = r.e.db.In(ctx).Model(&Row{}).Where("id = ? AND epoch = ?", r.row.ID, r.row.Epoch).Pluck("cancelled", &now).Error
	if err == nil && len(now) == 0 {
		err = ErrLost
	}
	return err == nil && now[0], err
}

// update writes if the epoch is still ours; if not, ErrLost.
func (r *run) update(ctx context.Context, cols map[string]any) error {
	res := r.e.db.In(ctx).Model(&Row{}).Where("id = ? AND epoch = ?", r.row.ID, r.row.Epoch).Updates(cols)
	if res.Error == nil && res.RowsAffected == 0 {
		return ErrLost
	}
	return res.Error
}
