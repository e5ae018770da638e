package reconcile_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aerie/services/reconcile"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }

func (c *clock) add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.t = c.t.Add(d) }

func runner(t *testing.T, db *store.DB, c *clock, lease time.Duration, run func(context.Context) error) *reconcile.Runner {
	t.Helper()
	o := reconcile.Options{Lease: lease}
	if c != nil {
		o.Now = c.now
	}
	r := reconcile.New(db, o)
	r.Add(reconcile.Loop{Name: "sweep", Every: time.Minute, Run: run})
	return r
}

func row(t *testing.T, db *store.DB, r *reconcile.Runner) reconcile.Row {
	t.Helper()
	rows, err := r.List(store.System(t.Context(), "test"))
	if err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	return rows[0]
}

func TestOneServerAtATime(t *testing.T) {
	db := storetest.Open(t)
	c := &clock{t: db.Now()}
	var other *reconcile.Runner
	one := runner(t, db, c, time.Minute, func(ctx context.Context) error {
		if ran, err := other.Once(t.Context(), "sweep"); ran || err != nil {
			t.Errorf("two at a time: %v", err)
		}
		return nil
	})
	runs := 0
	other = runner(t, db, c, time.Minute, func(context.Context) error { runs++; return nil })
	if ran, err := one.Once(t.Context(), "sweep"); !ran || err != nil {
		t.Fatal(ran, err)
	}
	if ran, err := other.Once(t.Context(), "sweep"); !ran || err != nil || runs != 1 {
		t.Fatal("the lease was not given back", ran, err)
	}
}

func TestADeadServersLoopIsTakenOver(t *testing.T) {
	db := storetest.Open(t)
	c := &clock{t: db.Now()}
	next := runner(t, db, c, time.Minute, func(context.Context) error { return nil })
	slow := runner(t, db, c, time.Minute, func(context.Context) error {
		c.add(2 * time.Minute) // asleep past its lease
		if ran, err := next.Once(t.Context(), "sweep"); !ran || err != nil {
			t.Errorf("not taken over: %v %v", ran, err)
		}
		return nil
	})
	if _, err := slow.Once(t.Context(), "sweep"); !errors.Is(err, reconcile.ErrLost) {
		t.Fatal("a stale server wrote: ", err)
	}
	if r := row(t, db, next); r.Runs != 1 || r.Worker != "" {
		t.Fatalf("%+v", r)
	}
}

func TestALostLeaseCancelsTheRun(t *testing.T) {
	db := storetest.Open(t)
	var next, slow *reconcile.Runner
	c := &clock{t: db.Now()}
	next = runner(t, db, c, 30*time.Millisecond, func(context.Context) error { return nil })
	slow = runner(t, db, c, 30*time.Millisecond, func(ctx context.Context) error {
		for {
			c.add(time.Minute)
			if ran, _ := next.Once(t.Context(), "sweep"); ran {
				break
			}
		}
		<-ctx.Done()
		return ctx.Err()
	})
	if _, err := slow.Once(t.Context(), "sweep"); !errors.Is(err, reconcile.ErrLost) {
		t.Fatal(err)
	}
}

func TestWhatHappenedIsOnRecord(t *testing.T) {
	db := storetest.Open(t)
	c := &clock{t: db.Now()}
	var fail error
	r := runner(t, db, c, time.Minute, func(context.Context) error {
		c.add(time.Second)
		if fail != nil && fail.Error() == "panic" {
			panic("oops")
		}
		return fail
	})
	for _, f := range []struct {
		fail error
		want string
	}{{nil, ""}, {errors.New("no host"), "no host"}, {errors.New("panic"), "oops"}, {nil, ""}} {
		fail = f.fail
		ran, err := r.Once(t.Context(), "sweep")
		if !ran || (err == nil) != (f.fail == nil) {
			t.Fatal(ran, err)
		}
		got := row(t, db, r)
		last := ""
		if got.LastError != nil {
			last = *got.LastError
		}
		if !strings.Contains(last, f.want) || (f.want == "") != (last == "") || got.LastMS != 1000 || got.DueAt != c.now().Add(time.Minute).UnixMilli() {
			t.Errorf("%q: %+v %q", f.want, got, last)
		}
	}
	if got := row(t, db, r); got.Runs != 4 || got.Failures != 2 {
		t.Errorf("%+v", got)
	}
}

func TestRunFollowsTimerAndPokeAndEndsWithItsContext(t *testing.T) {
	db := storetest.Open(t)
	var fast, slow atomic.Int32
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	var rs []*reconcile.Runner
	for range 2 {
		r := reconcile.New(db, reconcile.Options{})
		r.Add(
			reconcile.Loop{Name: "fast", Every: 20 * time.Millisecond, Run: func(context.Context) error { fast.Add(1); return nil }},
			reconcile.Loop{Name: "slow", Every: time.Hour, Run: func(context.Context) error { slow.Add(1); return nil }})
		rs = append(rs, r)
		wg.Go(func() { _ = r.Run(ctx) })
	}
	await(t, func() bool { return fast.Load() > 3 && slow.Load() == 1 })
	rs[1].Poke("slow")
	rs[1].Poke("unknown")
	await(t, func() bool { return slow.Load() == 2 })
	cancel()
	wg.Wait()
	time.Sleep(50 * time.Millisecond)
	if slow.Load() != 2 {
		t.Error("the slow loop ran without being due")
	}
}

func TestAPokeWaitsForTheServerThatRunsIt(t *testing.T) {
	db := storetest.Open(t)
	begun, release := make(chan struct{}), make(chan struct{})
	var second atomic.Bool
	a := runner(t, db, nil, 300*time.Millisecond, func(context.Context) error { close(begun); <-release; return nil })
	b := runner(t, db, nil, 300*time.Millisecond, func(context.Context) error { second.Store(true); return nil })
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = a.Once(t.Context(), "sweep") })
	<-begun
	ctx, cancel := context.WithCancel(t.Context())
	wg.Go(func() { _ = b.Run(ctx) })
	b.Poke("sweep")
	time.Sleep(400 * time.Millisecond) // past the lease, which is renewed
	if second.Load() {
		t.Error("ran beside the holder")
	}
	close(release)
	await(t, second.Load)
	cancel()
	wg.Wait()
}

func TestAShortenedPeriodCountsAtOnce(t *testing.T) {
	db := storetest.Open(t)
	c := &clock{t: db.Now()}
	var n atomic.Int32
	run := func(context.Context) error { n.Add(1); return nil }
	old := reconcile.New(db, reconcile.Options{Now: c.now})
	old.Add(reconcile.Loop{Name: "sweep", Every: 24 * time.Hour, Run: run})
	if _, err := old.Once(t.Context(), "sweep"); err != nil {
		t.Fatal(err)
	}
	r := runner(t, db, c, time.Minute, run)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = r.Run(ctx) }()
	await(t, func() bool { return n.Load() == 2 })
	cancel()
	<-done
}

func await(t *testing.T, ok func() bool) {
	t.Helper()
	for range 1000 {
		if ok() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("it did not happen")
}

// A database that hangs does not answer that the lease is gone.
func TestARenewalThatHangsEndsTheWork(t *testing.T) {
	db := storetest.Open(t)
	begun, ended := make(chan struct{}), make(chan error, 1)
	r := runner(t, db, nil, 600*time.Millisecond, func(ctx context.Context) error {
		close(begun)
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return ctx.Err()
	})
	ctx, cancel := context.WithCancel(store.System(t.Context(), "test"))
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = r.Once(ctx, "sweep") })
	<-begun
	release := make(chan struct{})
	wg.Go(func() {
		if err := db.Tx(ctx, func(ctx context.Context) error { // the row is locked, or the one writer busy
			err := db.In(ctx).Model(&reconcile.Row{}).Where("name = ?", "sweep").Update("runs", 7).Error
			<-release
			return err
		}); err != nil {
			t.Error(err)
		}
	})
	select {
	case err := <-ended:
		if !errors.Is(err, reconcile.ErrLost) {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the work goes on after its lease")
		cancel()
	}
	close(release)
	wg.Wait()
}

// TestAPeriodFollowsItsSetting: a loop comes as often as is said, and sooner at
// once when that is said.
func TestAPeriodFollowsItsSetting(t *testing.T) {
	db := storetest.Open(t)
	c := &clock{t: db.Now()}
	runs, period := 0, 24*time.Hour
	r := reconcile.New(db, reconcile.Options{Now: c.now})
	r.Add(reconcile.Loop{
		Name: "purge", Every: time.Minute, Period: func(context.Context) time.Duration { return period },
		Run: func(context.Context) error { runs++; return nil },
	})
	due := func() time.Duration { return time.UnixMilli(row(t, db, r).DueAt).Sub(c.now()).Round(time.Second) }
	if ran, err := r.Once(t.Context(), "purge"); !ran || err != nil || due() != period {
		t.Fatal(ran, err, due())
	}
	period = time.Hour
	if ran, err := r.Once(t.Context(), "purge"); !ran || err != nil || due() != period {
		t.Error("the setting was shortened:", ran, err, due())
	}
	period = 0
	if ran, err := r.Once(t.Context(), "purge"); !ran || err != nil || due() != time.Minute {
		t.Error("no setting:", ran, err, due())
	}
	if runs != 3 {
		t.Error(runs, "runs")
	}
}
