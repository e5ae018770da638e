package job

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"aerie/services/store"
)

// batch is how many due jobs are read, and at most taken, at once.
const batch = 16

type candidate struct {
	ID    string
	Epoch int64
}

// claim takes up to n due jobs. More tells that others are due, too.
func (e *Engine) claim(ctx context.Context, n int) (rows []*Row, more bool, err error) {
	ctx = store.System(ctx, "job claim")
	var due []candidate
	err = e.db.In(ctx).Model(&Row{}).Select("id", "epoch").
		Where("live = ? AND due_at <= ? AND kind IN ?", true, e.now().UnixMilli(), e.known()).
		Order("due_at").Limit(batch).Find(&due).Error
	if err != nil || len(due) == 0 {
		return nil, false, err
	}
	e.mu.Lock()
	e.rand.Shuffle(len(due), func(a, b int) { due[a], due[b] = due[b], due[a] })
	e.mu.Unlock()
	want := due[:min(n, len(due))]
	rows, err = e.get(ctx, want)
	if err != nil && len(want) > 1 {
		rows, err = e.getEach(ctx, want)
	}
	return rows, err == nil && (len(due) == batch || len(rows) < len(due)), err
}

// get takes the jobs in one transaction.
func (e *Engine) get(ctx context.Context, want []candidate) (rows []*Row, err error) {
	err = e.db.Tx(ctx, func(ctx context.Context) error {
		rows, err = e.take(ctx, want)
		return err
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// getEach takes the jobs one by one, so that one whose start cannot be noted
// does not hold up the others.
func (e *Engine) getEach(ctx context.Context, want []candidate) ([]*Row, error) {
	var rows []*Row
	var failed []error
	for i := range want {
		r, err := e.get(ctx, want[i:i+1])
		rows, failed = append(rows, r...), append(failed, err)
	}
	return rows, errors.Join(failed...)
}

// take is the compare-and-swap: only rows still as they were read become ours.
// The whole rows are read after it, so that no older state can be seen.
func (e *Engine) take(ctx context.Context, due []candidate) ([]*Row, error) {
	now := e.now()
	ids, epochs := make([]string, len(due)), map[string]int64{}
	var same []string
	var args []any
	for i, c := range due {
		ids[i], epochs[c.ID] = c.ID, c.Epoch
		same, args = append(same, "id = ? AND epoch = ?"), append(args, c.ID, c.Epoch)
	}
	res := e.db.In(ctx).Model(&Row{}).
		Where("id IN ? AND live = ? AND due_at <= ?", ids, true, now.UnixMilli()).
		Where("("+strings.Join(same, " OR ")+")", args...).
		Updates(map[string]any{
			"epoch": gorm.Expr("epoch + 1"), "worker": e.name, "due_at": now.Add(e.o.Lease).UnixMilli(),
			"status":     gorm.Expr("CASE WHEN status = ? THEN ? ELSE status END", Queued, Running),
			"started_at": gorm.Expr("COALESCE(started_at, ?)", now),
		})
	if res.Error != nil || res.RowsAffected == 0 {
		return nil, res.Error
	}
	var rows []*Row
	if err := e.db.In(ctx).Where("id IN ? AND worker = ?", ids, e.name).Find(&rows).Error; err != nil {
		return nil, err
	}
	mine := rows[:0]
	for _, r := range rows {
		if r.Epoch != epochs[r.ID]+1 {
			continue // held from before, not taken now
		}
		mine = append(mine, r)
		if r.Epoch == 1 {
			if err := e.notify(ctx, r, PhaseStarted); err != nil {
				return nil, err
			}
		}
	}
	return mine, nil
}

func (e *Engine) notify(ctx context.Context, row *Row, p Phase) error {
	if e.Notify == nil {
		return nil
	}
	return e.Notify(ctx, row, p)
}

// hold is a job in work here.
type hold struct {
	epoch int64
	end   context.CancelCauseFunc
}

func (e *Engine) hold(row *Row, end context.CancelCauseFunc) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if old, ok := e.held[row.ID]; ok { // it outlived its lease, and this is the next holder
		old.end(ErrLost)
	}
	e.held[row.ID] = hold{row.Epoch, end}
}

func (e *Engine) letGo(row *Row) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.held[row.ID].epoch == row.Epoch {
		delete(e.held, row.ID)
	}
}

// renewals is how often a lease is renewed in its time. Three that fail, each of
// them hanging until its own end, are over before the lease is.
const renewals = 4

// renewing renews the leases of what is held until ctx ends.
func (e *Engine) renewing(ctx context.Context) {
	t := time.NewTicker(max(e.o.Lease/renewals, time.Millisecond))
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			e.renew(ctx)
		}
	}
}

// renew extends all held leases in one statement, and cancels the steps whose
// lease is another's by now. After three failures in a row the leases are about
// to run out, and another server may take the jobs.
func (e *Engine) renew(ctx context.Context) {
	ctx, cancel := context.WithTimeout(store.System(ctx, "job renew"), max(e.o.Lease/(renewals+2), time.Second))
	defer cancel()
	held := e.holding()
	if len(held) == 0 {
		return
	}
	ours, err := e.extend(ctx, slices.Collect(maps.Keys(held)))
	if err != nil {
		e.o.Log.WarnContext(ctx, "leases are not renewed", "err", err)
		e.missed++
		if e.missed < 3 {
			return
		}
	} else {
		e.missed = 0
	}
	for id, h := range held {
		if ours[id] != h.epoch {
			h.end(ErrLost)
		}
	}
}

func (e *Engine) holding() map[string]hold {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.held)
}

// extend returns the epochs of those leases that were still ours.
func (e *Engine) extend(ctx context.Context, ids []string) (map[string]int64, error) {
	var rows []candidate
	err := e.db.Tx(ctx, func(ctx context.Context) error {
		g := e.db.In(ctx).Model(&Row{}).Where("id IN ? AND worker = ?", ids, e.name).Session(&gorm.Session{})
		if err := g.Update("due_at", e.now().Add(e.o.Lease).UnixMilli()).Error; err != nil {
			return err
		}
		rows = nil
		return g.Select("id", "epoch").Find(&rows).Error
	})
	ours := map[string]int64{}
	for _, r := range rows {
		ours[r.ID] = r.Epoch
	}
	return ours, err
}
