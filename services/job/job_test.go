package job_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"aerie/services/fault"
	"aerie/services/job"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

type none struct{}

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }

func (c *clock) add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.t = c.t.Add(d) }

// bench is a database, a clock to hold and one engine.
type bench struct {
	t  *testing.T
	db *store.DB
	c  *clock
	e  *job.Engine
}

func setup(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, db: storetest.Open(t)}
	b.c = &clock{t: b.db.Now()}
	b.e = b.engine()
	return b
}

func (b *bench) engine() *job.Engine {
	return job.New(b.db, job.Options{Lease: time.Minute, Now: b.c.now})
}

var (
	alice = store.Actor{UserID: "ua", RoleID: "r", Owner: store.Owner{AccountID: "a", DomainID: "d1", DomainPath: "/1/"}}
	bob   = store.Actor{UserID: "ub", Owner: store.Owner{AccountID: "b", DomainID: "d1", DomainPath: "/1/"}}
)

func (b *bench) as(a store.Actor) context.Context { return store.With(b.t.Context(), a) }

func (b *bench) submit(s job.Spec) *job.Row {
	b.t.Helper()
	row, err := b.e.Submit(b.as(alice), s)
	if err != nil {
		b.t.Fatal(err)
	}
	return row
}

func (b *bench) once(e *job.Engine) int {
	b.t.Helper()
	n, err := e.Once(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

func (b *bench) get(id string) job.Row {
	b.t.Helper()
	row, err := store.Find[job.Row](system(b.t), b.db, id)
	if err != nil {
		b.t.Fatal(err)
	}
	return row
}

func nothing(context.Context, *none) error { return nil }

func TestAnEntityHasOneLiveJob(t *testing.T) {
	b := setup(t)
	job.Define(b.e, "k", job.Do("a", nothing, nil))
	first := b.submit(job.Spec{Kind: "k", Entity: "vm/1", Command: "startVirtualMachine"})
	_, err := b.e.Submit(b.as(bob), job.Spec{Kind: "k", Entity: "vm/1"})
	if !fault.Is(err, fault.Conflict) || fault.Of(err).Key != "error.busy" {
		t.Fatal("two live jobs on one entity: ", err)
	}
	b.submit(job.Spec{Kind: "k", Entity: "vm/2"})
	b.submit(job.Spec{Kind: "k"})
	b.submit(job.Spec{Kind: "k"}) // those without an entity do not clash
	for b.once(b.e) > 0 {
	}
	if b.get(first.ID).Status != job.Succeeded {
		t.Fatal(b.get(first.ID))
	}
	again := b.submit(job.Spec{Kind: "k", Entity: "vm/1"})
	b.once(b.e)
	if b.get(again.ID).Live != nil {
		t.Fatal("still live")
	}
}

func TestTheJobAndItsCauseAreStoredTogether(t *testing.T) {
	b := setup(t)
	job.Define(b.e, "k", job.Do("a", nothing, nil))
	oops := errors.New("oops")
	err := b.db.Tx(b.as(alice), func(ctx context.Context) error {
		if _, err := b.e.Submit(ctx, job.Spec{Kind: "k"}); err != nil {
			return err
		}
		return oops
	})
	if !errors.Is(err, oops) || b.once(b.e) != 0 {
		t.Fatal("a job without its cause", err)
	}
	if _, err := b.e.Submit(b.as(alice), job.Spec{Kind: "?"}); err == nil {
		t.Fatal("an unknown kind was accepted")
	}
}

func TestTenantsSeeTheirJobsOnly(t *testing.T) {
	b := setup(t)
	job.Define(b.e, "k", job.Do("a", nothing, nil))
	row := b.submit(job.Spec{Kind: "k"})
	if _, err := store.Find[job.Row](b.as(alice), b.db, row.ID); err != nil {
		t.Error(err)
	}
	if _, err := store.Find[job.Row](b.as(bob), b.db, row.ID); !fault.Is(err, fault.NotFound) {
		t.Error("bob sees alice's job: ", err)
	}
	if err := b.e.Cancel(b.as(bob), row.ID); !fault.Is(err, fault.NotFound) {
		t.Error("bob cancels alice's job: ", err)
	}
	if _, err := b.e.Retry(b.as(bob), row.ID); !fault.Is(err, fault.NotFound) {
		t.Error("bob retries alice's job: ", err)
	}
	other := b.submit(job.Spec{Kind: "k", Owner: bob.Owner})
	if _, err := store.Find[job.Row](b.as(bob), b.db, other.ID); err != nil {
		t.Error("a job on bob's thing is bob's: ", err)
	}
}

func TestAStepKnowsItsJob(t *testing.T) {
	b := setup(t)
	var info *job.Info
	var actor store.Actor
	job.Define(b.e, "k", job.Do("a", func(ctx context.Context, _ *none) error {
		info = job.From(ctx)
		actor, _ = store.From(ctx)
		return nil
	}, nil))
	row := b.submit(job.Spec{Kind: "k", Entity: "vm/1", Trace: "t", Owner: bob.Owner})
	b.once(b.e)
	if info == nil || info.ID != row.ID || info.Epoch != 1 || info.Step != "a" || info.Trace != "t" || info.Actor.UserID != "ua" || info.Actor.RoleID != "r" || info.Owner != bob.Owner {
		t.Errorf("%+v", info)
	}
	if !actor.IsSystem() || actor.Why() != "job k" || actor.UserID != "ua" || actor.Target() != bob.Owner {
		t.Errorf("%+v", actor)
	}
	if job.From(t.Context()) != nil {
		t.Error("a job outside of one")
	}
}

func TestATransientFailureIsTriedAgainAndThenUndone(t *testing.T) {
	b := setup(t)
	tries, undone := 0, 0
	job.Define(b.e, "k", job.Do("a",
		func(context.Context, *none) error {
			tries++
			return fault.New(fault.Unavailable, "error.away", "host", "h1")
		},
		func(context.Context, *none) error { undone++; return nil })).Attempts(4)
	row := b.submit(job.Spec{Kind: "k"})
	var waits []time.Duration
	for b.get(row.ID).Status.Live() {
		if b.once(b.e) == 0 {
			wait := time.UnixMilli(b.get(row.ID).DueAt).Sub(b.c.now())
			waits = append(waits, wait)
			b.c.add(wait)
		}
	}
	if tries != 4 || undone != 1 || len(waits) != 3 || waits[2] <= waits[0] {
		t.Errorf("%d tries, %d undone, waits %v", tries, undone, waits)
	}
	got := b.get(row.ID)
	if got.Status != job.Failed || got.ErrorKey != "error.away" || got.ErrorKind != "unavailable" || got.ResultCode != 534 ||
		string(got.ErrorArgs) != `["host","h1"]` || !strings.HasPrefix(got.Error, "a: ") {
		t.Errorf("%+v", got)
	}
	if h := got.History(); len(h) != 1 || h[0].State != "undone" || h[0].Error != "error.away" {
		t.Errorf("%+v", h)
	}
}

func TestAnUndoIsTriedUntilItWorksAndCallsForHelp(t *testing.T) {
	b := setup(t)
	undos, alerts := 0, 0
	job.Define(b.e, "k", job.Do("a",
		func(context.Context, *none) error { return errors.New("no") },
		func(context.Context, *none) error {
			if undos++; undos <= 12 {
				return errors.New("still no")
			}
			return nil
		}))
	b.e.Alert = func(ctx context.Context, r *job.Row, err error) error {
		alerts++
		if !b.db.InTx(ctx) || r.Status != job.Undoing {
			t.Error("alert outside the transaction")
		}
		return nil
	}
	row := b.submit(job.Spec{Kind: "k", Entity: "vm/1"})
	for range 13 {
		if _, err := b.e.Submit(b.as(alice), job.Spec{Kind: "k", Entity: "vm/1"}); !fault.Is(err, fault.Conflict) {
			t.Fatal("the entity is free while it is undone: ", err)
		}
		b.once(b.e)
		b.c.add(2 * time.Minute)
	}
	if got := b.get(row.ID); got.Status != job.Failed || undos != 13 || alerts != 2 || got.ErrorKey != "error.internal" {
		t.Errorf("%s %d undos %d alerts", got.Status, undos, alerts)
	}
}

func TestAPanicIsAFailure(t *testing.T) {
	b := setup(t)
	undone := 0
	boom := func(context.Context, *none) error { panic("boom") }
	undo := func(context.Context, *none) error { undone++; return nil }
	job.Define(b.e, "do", job.Do("a", boom, undo))
	job.Define(b.e, "commit", job.Commit("a", boom, undo))
	one, two := b.submit(job.Spec{Kind: "do"}), b.submit(job.Spec{Kind: "commit"})
	b.once(b.e)
	for _, id := range []string{one.ID, two.ID} {
		got := b.get(id)
		if got.Status != job.Failed || !strings.Contains(got.Error, "boom") || got.ErrorKey != "error.internal" {
			t.Errorf("%+v", got)
		}
		if h := got.History(); len(h) != 1 || h[0].Error != "error.internal" {
			t.Errorf("history %+v", h)
		}
	}
	if undone != 2 {
		t.Error(undone, "undone")
	}
}

func TestAWorkerTakesOnlyWhatItKnows(t *testing.T) {
	b := setup(t)
	job.Define(b.e, "new", job.Do("a", nothing, nil))
	row := b.submit(job.Spec{Kind: "new"})
	old := b.engine()
	job.Define(old, "other", job.Do("a", nothing, nil))
	if b.once(old) != 0 || b.get(row.ID).Epoch != 0 {
		t.Error("claimed an unknown kind")
	}
	// A release without the step leaves the job as it is for one that has it.
	older := b.engine()
	job.Define(older, "new", job.Do("z", nothing, nil))
	if b.once(older) != 1 {
		t.Fatal("not claimed")
	}
	if got := b.get(row.ID); got.Status != job.Running || got.Step != "a" || got.Worker != "" {
		t.Errorf("%+v", got)
	}
	b.c.add(time.Minute)
	if b.once(b.e); b.get(row.ID).Status != job.Succeeded {
		t.Error("lost")
	}
}

func TestAStepMayWait(t *testing.T) {
	b := setup(t)
	type counted struct{ N int }
	undone := false
	job.Define(b.e, "k", job.Do("a", func(_ context.Context, s *counted) error {
		if s.N++; s.N < 20 {
			return job.Later(10*time.Second, "the guest is shutting down")
		}
		return nil
	}, func(context.Context, *counted) error { undone = true; return nil }))
	row := b.submit(job.Spec{Kind: "k"})
	for range 20 {
		if b.once(b.e) != 1 {
			t.Fatal("not due")
		}
		if b.once(b.e) != 0 {
			t.Fatal("due too early")
		}
		b.c.add(10 * time.Second)
	}
	if got := b.get(row.ID); got.Status != job.Succeeded || string(got.State) != `{"N":20}` || undone {
		t.Errorf("%+v", got)
	}
}

func TestAStaleWorkerCannotWrite(t *testing.T) {
	b := setup(t)
	vm := b.db.NewID()
	define := func(e *job.Engine, slow func(context.Context, *none) error) {
		job.Define(e, "k",
			job.Do("slow", slow, nil),
			job.Commit("row", func(ctx context.Context, _ *none) error { return put(ctx, b.db, vm) },
				func(ctx context.Context, _ *none) error { return drop(ctx, b.db, vm) }))
	}
	next := b.engine()
	define(next, func(context.Context, *none) error { return errors.New("no") })
	var row *job.Row
	define(b.e, func(context.Context, *none) error {
		b.c.add(2 * time.Minute) // asleep past its lease: another fails and undoes the job
		b.once(next)
		return nil
	})
	row = b.submit(job.Spec{Kind: "k"})
	b.once(b.e)
	if got := b.get(row.ID); got.Status != job.Failed || got.Epoch != 2 {
		t.Errorf("%s, epoch %d", got.Status, got.Epoch)
	}
	if has(t, b.db, vm) {
		t.Error("the stale worker's row is there")
	}
}

func TestPruneDeletesWhatEndedLongAgo(t *testing.T) {
	b := setup(t)
	job.Define(b.e, "k", job.Do("a", nothing, nil))
	old := b.db.Now().Add(-30 * 24 * time.Hour)
	err := b.db.Tx(system(t), func(ctx context.Context) error {
		var rows []job.Row
		for i := range 1200 {
			r := job.Row{Kind: "k", Entity: fmt.Sprint(i), Status: job.Succeeded, FinishedAt: &old}
			r.ID = fmt.Sprintf("00000000-0000-7000-8000-%012d", i)
			rows = append(rows, r)
		}
		return b.db.In(ctx).CreateInBatches(rows, 100).Error
	})
	if err != nil {
		t.Fatal(err)
	}
	live := b.submit(job.Spec{Kind: "k"})
	b.c.add(10 * time.Millisecond)
	if n, err := b.e.Prune(t.Context(), 24*time.Hour); n != 1200 || err != nil {
		t.Error(n, err)
	}
	b.c.add(48 * time.Hour)
	if n, err := b.e.Prune(t.Context(), 24*time.Hour); n != 0 || err != nil {
		t.Error("a live job was deleted", n, err)
	}
	b.once(b.e)
	b.c.add(48 * time.Hour)
	if n, err := b.e.Prune(t.Context(), 24*time.Hour); n != 1 || err != nil {
		t.Error(n, err, live.ID)
	}
}
