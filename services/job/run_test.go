package job_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aerie/services/job"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

// start runs an engine until the returned function is called.
func start(t testing.TB, e *job.Engine) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = e.Run(ctx) }()
	return func() { cancel(); <-done }
}

func await(t testing.TB, ok func() bool) {
	t.Helper()
	for range 4000 {
		if ok() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("it did not happen")
}

func TestTwoServersRunEachJobOnce(t *testing.T) {
	dsn := storetest.DSN(t)
	const jobs = 300
	var ran [jobs]atomic.Int32
	var left atomic.Int32
	left.Store(jobs)
	type numbered struct{ N int }
	server := func(name string) *job.Engine {
		e := job.New(storetest.Connect(t, dsn, nil), job.Options{Name: name, Workers: 8})
		job.Define(e, "k",
			job.Do("a", func(_ context.Context, s *numbered) error { ran[s.N].Add(1); return nil }, nil),
			job.Commit("b", func(context.Context, *numbered) error { left.Add(-1); return nil }, nil))
		return e
	}
	one, two := server("one"), server("two")
	for i := range jobs {
		if _, err := one.Submit(system(t), job.Spec{Kind: "k", State: numbered{i}}); err != nil {
			t.Fatal(err)
		}
	}
	stop1, stop2 := start(t, one), start(t, two)
	await(t, func() bool { return left.Load() <= 0 })
	stop1()
	stop2()
	for i := range ran {
		if n := ran[i].Load(); n != 1 {
			t.Fatalf("job %d ran %d times", i, n)
		}
	}
}

func TestSubmitStartsAtOnce(t *testing.T) {
	db := storetest.Open(t)
	e := job.New(db, job.Options{Poll: time.Hour})
	began := make(chan time.Time, 1)
	job.Define(e, "k", job.Do("a", func(context.Context, *none) error { began <- time.Now(); return nil }, nil))
	defer start(t, e)()
	time.Sleep(20 * time.Millisecond) // it is idle now
	asked := time.Now()
	if _, err := e.Submit(system(t), job.Spec{Kind: "k"}); err != nil {
		t.Fatal(err)
	}
	t.Logf("after %v", (<-began).Sub(asked))
}

func TestAStoppingServerFinishesTheStepAndGivesTheJobBack(t *testing.T) {
	db := storetest.Open(t)
	var second atomic.Int32
	begun, release := make(chan struct{}), make(chan struct{})
	define := func(e *job.Engine) {
		job.Define(e, "k",
			job.Do("a", func(ctx context.Context, _ *none) error {
				close(begun)
				<-release
				return ctx.Err()
			}, nil),
			job.Do("b", func(context.Context, *none) error { second.Add(1); return nil }, nil))
	}
	one, two := job.New(db, job.Options{Lease: time.Hour}), job.New(db, job.Options{Lease: time.Hour})
	define(one)
	define(two)
	row, err := one.Submit(system(t), job.Spec{Kind: "k"})
	if err != nil {
		t.Fatal(err)
	}
	stop := start(t, one)
	<-begun
	var wg sync.WaitGroup
	wg.Go(stop)
	time.Sleep(20 * time.Millisecond)
	close(release)
	wg.Wait()
	got, _ := store.Find[job.Row](system(t), db, row.ID)
	if got.Status != job.Running || got.Step != "b" || got.Worker != "" || got.DueAt > db.Now().UnixMilli() || second.Load() != 0 {
		t.Fatalf("%+v", got)
	}
	defer start(t, two)()
	await(t, func() bool { return second.Load() == 1 })
}

func TestAStepThatOutlivesTheGraceIsCutOffAndNotCounted(t *testing.T) {
	db := storetest.Open(t)
	e := job.New(db, job.Options{Lease: time.Hour, Grace: 30 * time.Millisecond})
	begun := make(chan struct{})
	undone := false
	job.Define(e, "k", job.Do("a",
		func(ctx context.Context, _ *none) error { close(begun); <-ctx.Done(); return ctx.Err() },
		func(context.Context, *none) error { undone = true; return nil })).Attempts(1)
	row, err := e.Submit(system(t), job.Spec{Kind: "k"})
	if err != nil {
		t.Fatal(err)
	}
	stop := start(t, e)
	<-begun
	stop()
	got, _ := store.Find[job.Row](system(t), db, row.ID)
	if got.Status != job.Running || got.Step != "a" || got.Worker != "" || got.Attempts != 0 || undone {
		t.Fatalf("%+v", got)
	}
}

// A database that hangs does not answer that the lease is gone.
func TestARenewalThatHangsEndsTheStep(t *testing.T) {
	db := storetest.Open(t)
	e := job.New(db, job.Options{Lease: 600 * time.Millisecond, Grace: time.Second})
	begun, ended := make(chan struct{}, 8), make(chan error, 8)
	job.Define(e, "k", job.Do("a", func(ctx context.Context, _ *none) error {
		begun <- struct{}{}
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return ctx.Err()
	}, nil))
	row, err := e.Submit(system(t), job.Spec{Kind: "k"})
	if err != nil {
		t.Fatal(err)
	}
	stop := start(t, e)
	<-begun
	err = db.Tx(system(t), func(ctx context.Context) error { // the row is locked, or the one writer busy
		if err := db.In(ctx).Model(&job.Row{}).Where("id = ?", row.ID).Update("trace", "x").Error; err != nil {
			return err
		}
		select {
		case err := <-ended:
			if !errors.Is(err, job.ErrLost) {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Error("the step goes on after its lease")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	stop()
}

func TestALeaseIsRenewedAndALostOneCancelsTheStep(t *testing.T) {
	db := storetest.Open(t)
	e := job.New(db, job.Options{Lease: 400 * time.Millisecond})
	begun, ended := make(chan struct{}, 2), make(chan error, 2)
	job.Define(e, "k", job.Do("a", func(ctx context.Context, _ *none) error {
		begun <- struct{}{}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Second):
		}
		ended <- context.Cause(ctx)
		return ctx.Err()
	}, nil))
	row, err := e.Submit(system(t), job.Spec{Kind: "k"})
	if err != nil {
		t.Fatal(err)
	}
	stop := start(t, e)
	<-begun
	first, _ := store.Find[job.Row](system(t), db, row.ID)
	got := first
	for end := time.Now().Add(20 * time.Second); got.DueAt == first.DueAt; got, _ = store.Find[job.Row](system(t), db, row.ID) {
		if time.Now().After(end) {
			t.Fatal("not renewed")
		}
		time.Sleep(20 * time.Millisecond)
	}
	if got.Epoch != first.Epoch {
		t.Fatalf("taken anew: epoch %d", got.Epoch)
	}
	err = db.Tx(system(t), func(ctx context.Context) error { // another server took it
		return db.In(ctx).Model(&job.Row{}).Where("id = ?", row.ID).Updates(map[string]any{"epoch": 9, "worker": "other", "due_at": int64(1) << 50}).Error
	})
	if err != nil {
		t.Fatal(err)
	}
	if why := <-ended; !errors.Is(why, job.ErrLost) {
		t.Error(why)
	}
	stop()
	got, _ = store.Find[job.Row](system(t), db, row.ID)
	if got.Epoch != 9 || got.Worker != "other" || got.Status != job.Running {
		t.Errorf("%+v", got)
	}
}

// TestADeployIsCheap holds the budget: six steps of which three touch a host.
func TestADeployIsCheap(t *testing.T) {
	db := storetest.Open(t)
	e := job.New(db, job.Options{})
	defineDeploy(e, nil)
	if _, err := e.Submit(system(t), job.Spec{Kind: "vm.deploy", Entity: "vm/1", State: deployState{VM: "1"}}); err != nil {
		t.Fatal(err)
	}
	s, c := db.Statements(), db.Commits()
	if n, err := e.Once(t.Context()); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	s, c = db.Statements()-s, db.Commits()-c
	t.Logf("%d statements, %d commits", s, c)
	if s > 7 || c > 5 { // claim 3 in 1, then 4 checkpoints
		t.Errorf("%d statements, %d commits", s, c)
	}
}

func defineDeploy(e *job.Engine, done *atomic.Int64) {
	ok := func(context.Context, *deployState) error { return nil }
	job.Define(e, "vm.deploy", job.Commit("place", ok, ok), job.Commit("address", ok, ok),
		job.Do("volumes", ok, ok), job.Do("router", ok, ok), job.Do("start", ok, ok),
		job.Commit("used", func(context.Context, *deployState) error {
			if done != nil {
				done.Add(1)
			}
			return nil
		}, nil))
}

// BenchmarkDeploy is the queue's share of a deploy, submit to end, with durable
// commits: 64 clients submit, one server works.
func BenchmarkDeploy(b *testing.B) {
	db := storetest.Open(b)
	var done atomic.Int64
	e := job.New(db, job.Options{})
	defineDeploy(e, &done)
	defer start(b, e)()
	var n atomic.Int64
	ctx := store.System(b.Context(), "bench")
	b.ResetTimer()
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for {
				i := n.Add(1)
				if i > int64(b.N) {
					return
				}
				id := fmt.Sprint(i)
				if _, err := e.Submit(ctx, job.Spec{Kind: "vm.deploy", Entity: "vm/" + id, State: deployState{VM: id}}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	await(b, func() bool { return done.Load() >= int64(b.N) })
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
}

// BenchmarkQueue is the smallest job: one step, one checkpoint.
func BenchmarkQueue(b *testing.B) {
	db := storetest.Open(b)
	var done atomic.Int64
	e := job.New(db, job.Options{})
	job.Define(e, "k", job.Commit("a", func(context.Context, *none) error { done.Add(1); return nil }, nil))
	ctx := store.System(b.Context(), "bench")
	for range b.N {
		if _, err := e.Submit(ctx, job.Spec{Kind: "k"}); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	defer start(b, e)()
	await(b, func() bool { return done.Load() >= int64(b.N) })
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
}
