// Package jobtest proves sagas: it kills, fails and repeats every step and
// every undo, lets another server take over, and asks each time whether the
// world ended whole or empty.
package jobtest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"aerie/services/fault"
	"aerie/services/job"
	"aerie/services/store"
)

// World is where one scenario happens. Building one must be cheap: make the
// database once, outside, and fresh entities for each world.
type World struct {
	DB *store.DB
	// Define gives a server the saga. It is called for every server of the
	// scenario; they share the world.
	Define func(e *job.Engine)
	// Submit asks for the job; it runs in a transaction.
	Submit func(ctx context.Context, e *job.Engine) (*job.Row, error)
	// Whole says what is missing or wrong after the job succeeded, and Empty
	// what is left or wrong after it was undone.
	Whole, Empty func() error
	// Forward: the saga never turns back, so failures end whole, too.
	Forward bool
}

// Harness runs all scenarios of a saga.
func Harness(t *testing.T, build func(t testing.TB) World) {
	t.Helper()
	clean := scenario{name: "clean", want: job.Succeeded}
	var steps, undos []job.Moment
	forward := false
	t.Run(clean.name, func(t *testing.T) {
		w := build(t)
		forward = w.Forward
		steps = distinct(clean.run(t, w), false)
	})
	if t.Failed() || len(steps) == 0 {
		return
	}
	if !forward {
		last := steps[len(steps)-1].Step
		fail := scenario{name: "fail after " + last, want: job.Failed, rules: []rule{{step: last, act: failAfter}}}
		t.Run("undo", func(t *testing.T) { undos = distinct(fail.run(t, build(t)), true) })
	}
	all := scenarios(steps, undos, forward)
	for _, s := range all {
		t.Run(s.name, func(t *testing.T) { s.run(t, build(t)) })
	}
	t.Logf("%d scenarios", len(all)+2)
}

// act is what happens to one try of a step.
type act int

const (
	killBefore act = iota
	killAfter
	failBefore
	failAfter
	passing // a transient failure after the effect
	twice
	overtaken // another server finishes the job before this try ends
	deposed   // the same, and then the try fails
	cancel
)

var words = map[act]string{
	killBefore: "kill before", killAfter: "kill after", failBefore: "fail before", failAfter: "fail after",
	passing: "fail for a while after", twice: "twice", overtaken: "overtaken in", deposed: "overtaken and failed in", cancel: "cancel in",
}

// rule applies an act to a step's first tries; times 0 means to all.
type rule struct {
	step  string // empty: every one
	undo  bool
	act   act
	times int
}

type scenario struct {
	name  string
	rules []rule
	want  job.Status
}

func scenarios(steps, undos []job.Moment, forward bool) []scenario {
	var all []scenario
	add := func(want job.Status, rules ...rule) {
		name := ""
		for _, r := range rules {
			undo := ""
			if r.undo {
				undo = "undo "
			}
			name += fmt.Sprintf("%s %s%s ", words[r.act], undo, r.step)
		}
		all = append(all, scenario{name, rules, want})
	}
	for _, m := range steps {
		for _, a := range []act{killBefore, killAfter, twice, passing} {
			add(job.Succeeded, rule{m.Step, false, a, 1})
		}
		if !m.Database {
			add(job.Succeeded, rule{m.Step, false, overtaken, 1})
			add(job.Succeeded, rule{m.Step, false, deposed, 1})
		}
		if forward {
			add(job.Succeeded, rule{m.Step, false, failBefore, 1})
			add(job.Succeeded, rule{m.Step, false, failAfter, 1})
			continue
		}
		add(job.Failed, rule{m.Step, false, failBefore, 0})
		add(job.Failed, rule{m.Step, false, failAfter, 0})
		add(job.Failed, rule{m.Step, false, cancel, 1})
		add(job.Failed, rule{m.Step, false, failAfter, 0}, rule{"", true, killAfter, 1})
		add(job.Failed, rule{m.Step, false, failBefore, 0}, rule{"", true, twice, 0})
	}
	add(job.Succeeded, rule{"", false, killAfter, 1})
	add(job.Succeeded, rule{"", false, twice, 0})
	last := rule{steps[len(steps)-1].Step, false, failAfter, 0}
	for _, m := range undos {
		acts := []act{killBefore, killAfter, failBefore, failAfter, twice}
		if !m.Database {
			acts = append(acts, overtaken, deposed)
		}
		for _, a := range acts {
			add(job.Failed, last, rule{m.Step, true, a, 1})
		}
	}
	return all
}

// distinct keeps the first of each step, in order.
func distinct(ms []job.Moment, undo bool) []job.Moment {
	seen := map[string]bool{}
	var out []job.Moment
	for _, m := range ms {
		if m.Undo == undo && !seen[m.Step] {
			seen[m.Step] = true
			out = append(out, m)
		}
	}
	return out
}

// play is a scenario in progress.
type play struct {
	scenario
	t     testing.TB
	w     World
	id    string
	mu    sync.Mutex
	clock time.Time
	tries map[job.Moment]int
	seen  []job.Moment
	n     int // servers so far
	// killed tells that the last server died with the lease.
	killed bool
	// ended is the row as the overtaking server left it.
	ended *job.Row
}

const lease = time.Minute

func (s scenario) run(t testing.TB, w World) []job.Moment {
	t.Helper()
	p := &play{scenario: s, t: t, w: w, clock: w.DB.Now(), tries: map[job.Moment]int{}}
	ctx := store.System(t.Context(), "jobtest")
	a := p.server()
	err := w.DB.Tx(ctx, func(ctx context.Context) error {
		row, err := w.Submit(ctx, a)
		if err == nil {
			p.id = row.ID
		}
		return err
	})
	if err != nil {
		t.Fatal("submit: ", err)
	}
	p.finish(ctx, a)
	p.check(ctx)
	return p.seen
}

// finish lets one server after the other work until the job has ended.
func (p *play) finish(ctx context.Context, e *job.Engine) {
	for range 300 {
		if _, err := e.Once(ctx); err != nil {
			p.t.Fatal(err)
		}
		row := p.row(ctx)
		if !row.Status.Live() {
			return
		}
		e = p.server()
		if p.killed {
			p.killed = false
			_, _ = e.Once(ctx)
			if now := p.row(ctx); now.Epoch != row.Epoch {
				p.t.Fatal("a lease that is alive was taken")
			}
		}
		p.advance(2 * lease)
	}
	p.t.Fatalf("the job does not end: %+v", p.row(ctx))
}

func (p *play) check(ctx context.Context) {
	p.t.Helper()
	row := p.row(ctx)
	if row.Status != p.want || row.Live != nil || row.Worker != "" {
		p.t.Errorf("status %s live %v worker %q, want %s: %s", row.Status, row.Live, row.Worker, p.want, row.Error)
	}
	if e := p.ended; e != nil && (row.Epoch != e.Epoch || row.Status != e.Status || row.Step != e.Step ||
		row.DueAt != e.DueAt || row.Error != e.Error || string(row.Steps) != string(e.Steps)) {
		p.t.Errorf("a stale server wrote:\n%+v\nafter\n%+v", row, *e)
	}
	ask, word := p.w.Whole, "whole"
	if row.Status == job.Failed {
		ask, word = p.w.Empty, "empty"
	}
	if err := ask(); err != nil {
		p.t.Errorf("the world is not %s: %v", word, err)
	}
}

func (p *play) row(ctx context.Context) job.Row {
	p.t.Helper()
	row, err := store.Find[job.Row](ctx, p.w.DB, p.id)
	if err != nil {
		p.t.Fatal(err)
	}
	return row
}

func (p *play) server() *job.Engine {
	p.n++
	e := job.New(p.w.DB, job.Options{
		Name: fmt.Sprintf("server%d", p.n), Lease: lease, Now: p.now, Around: p.around,
	})
	p.w.Define(e)
	return e
}

func (p *play) now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.clock
}

func (p *play) advance(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clock = p.clock.Add(d)
}

func (p *play) around(ctx context.Context, m job.Moment, try func(context.Context) error) error {
	if info := job.From(ctx); info == nil || info.ID != p.id {
		return try(ctx)
	}
	p.seen = append(p.seen, m)
	p.tries[m]++
	for _, r := range p.rules {
		if (r.step == "" || r.step == m.Step) && r.undo == m.Undo && (r.times == 0 || p.tries[m] <= r.times) {
			return p.perform(ctx, r.act, m, try)
		}
	}
	return try(ctx)
}

func (p *play) perform(ctx context.Context, a act, m job.Moment, try func(context.Context) error) error {
	broken := fault.New(fault.Internal, "error.internal").Because(fmt.Errorf("%s %s", words[a], m.Step))
	switch a {
	case killBefore:
		p.killed = true
		return job.ErrKilled
	case failBefore:
		return broken
	case cancel:
		e := p.server()
		if err := e.Cancel(ctx, p.id); err != nil {
			return err
		}
		return try(ctx)
	default: // something after the step
	}
	if err := try(ctx); err != nil {
		return err
	}
	switch a {
	case killAfter:
		p.killed = true
		return job.ErrKilled
	case failAfter:
		return broken
	case passing:
		return fault.New(fault.Unavailable, "error.host_busy")
	case twice:
		return try(ctx)
	case overtaken, deposed:
		p.advance(2 * lease)
		p.finish(ctx, p.server())
		row := p.row(ctx)
		p.ended = &row
		if a == deposed {
			return broken
		}
	default: // something before the step
	}
	return nil
}
