package job

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Run works until ctx ends. Then it drains: steps in work are finished and
// checkpointed, and the leases are given back at once, so that other servers
// go on without waiting.
func (e *Engine) Run(ctx context.Context) error {
	e.drain(false)
	stop := context.AfterFunc(ctx, func() { e.drain(true) })
	defer stop()
	alive, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	var g errgroup.Group
	g.Go(func() error { e.renewing(alive); return nil })
	var jobs sync.WaitGroup
	slots := make(chan struct{}, e.o.Workers)
	for ctx.Err() == nil {
		e.round(ctx, slots, &jobs)
	}
	e.drain(true)
	e.await(&jobs)
	end()
	return g.Wait()
}

// round takes as many jobs as there are free slots, and waits when there is
// nothing to take.
func (e *Engine) round(ctx context.Context, slots chan struct{}, jobs *sync.WaitGroup) {
	n := e.slots(ctx, slots)
	if n == 0 {
		return
	}
	// A claim is not cut off, for then nobody would know whether it happened.
	rows, more, err := e.claim(context.WithoutCancel(ctx), n)
	for range n - len(rows) {
		<-slots
	}
	for _, row := range rows {
		jobs.Go(func() {
			defer func() { <-slots }()
			e.work(ctx, row)
		})
	}
	if err != nil {
		e.o.Log.ErrorContext(ctx, "jobs are not claimed", "err", err)
	}
	if err != nil || !more {
		e.idle(ctx)
	}
}

// slots waits for a free slot and takes up to a batch of them. When nearly all
// are busy it lingers a moment, so that one claim serves several.
func (e *Engine) slots(ctx context.Context, slots chan struct{}) int {
	select {
	case <-ctx.Done():
		return 0
	case slots <- struct{}{}:
	}
	n := 1
	enough := min(batch, max(e.o.Workers/4, 1))
	linger := time.NewTimer(5 * time.Millisecond)
	defer linger.Stop()
	for n < batch {
		if n >= enough {
			select {
			case slots <- struct{}{}:
				n++
				continue
			default:
				return n
			}
		}
		select {
		case slots <- struct{}{}:
			n++
		case <-linger.C:
			return n
		case <-ctx.Done():
			return n
		}
	}
	return n
}

// idle waits for a poke or the next look.
func (e *Engine) idle(ctx context.Context) {
	e.mu.Lock()
	wait := e.o.Poll*3/4 + time.Duration(e.rand.Int64N(int64(e.o.Poll/2)+1))
	e.mu.Unlock()
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-e.poke:
	case <-t.C:
	}
}

// await waits for the jobs in work; after the grace it cancels their steps,
// which are given back without counting as failed.
func (e *Engine) await(jobs *sync.WaitGroup) {
	grace := time.AfterFunc(e.o.Grace, func() {
		for _, h := range e.holding() {
			h.end(errStopping)
		}
	})
	defer grace.Stop()
	jobs.Wait()
}

func (e *Engine) drain(on bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stopping = on
}

func (e *Engine) draining() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.stopping
}

// Once takes what is due, up to a batch, works it off in the caller's
// goroutine and says how many jobs that were. Tests and tools use it instead
// of Run.
func (e *Engine) Once(ctx context.Context) (int, error) {
	alive, end := context.WithCancel(ctx)
	var g errgroup.Group
	g.Go(func() error { e.renewing(alive); return nil })
	defer func() { end(); _ = g.Wait() }()
	rows, _, err := e.claim(ctx, batch)
	for _, row := range rows {
		e.work(ctx, row)
	}
	return len(rows), err
}
