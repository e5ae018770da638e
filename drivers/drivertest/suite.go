package drivertest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"aerie/drivers"
)

// suite is one run over one driver.
type suite struct {
	rig    Rig
	driver drivers.Driver
	top    testing.TB
	image  string // what machines are cloned from, once made
}

func newSuite(t *testing.T, rig Rig) *suite {
	if rig.Patience == 0 {
		rig.Patience = 10 * time.Second
	}
	if rig.BootTime == 0 {
		rig.BootTime = rig.Patience
	}
	if rig.MemoryMiB == 0 {
		rig.MemoryMiB = 128
	}
	if rig.Prompt == "" {
		rig.Prompt = "login:"
	}
	return &suite{rig: rig, driver: rig.Open(t), top: t}
}

// each runs tests of one ability in the order of their names.
func each[C any](t *testing.T, has C, tests map[string]func(*testing.T, C)) {
	for _, name := range slices.Sorted(maps.Keys(tests)) {
		t.Run(name, func(t *testing.T) { tests[name](t, has) })
	}
}

// patience is a context that lives as long as one step may take. It outlives
// the test's own context so that cleanups can use it.
func (s *suite) patience(t testing.TB) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(t.Context()), s.rig.Patience)
}

// try calls a method with as much time as one step may take. A driver that
// does not care gets twice as much and is then given up.
func try[Req, Resp any](t testing.TB, s *suite, method func(context.Context, Req) (Resp, error), req Req) (Resp, error) {
	t.Helper()
	ctx, cancel := s.patience(t)
	defer cancel()
	return call(ctx, t, s, method, req)
}

func call[Req, Resp any](ctx context.Context, t testing.TB, s *suite, method func(context.Context, Req) (Resp, error), req Req) (resp Resp, err error) {
	t.Helper()
	s.within(t, 2*s.rig.Patience, func() { resp, err = method(ctx, req) })
	return resp, err
}

// do calls a method that must succeed within the rig's patience.
func do[Req, Resp any](t testing.TB, s *suite, method func(context.Context, Req) (Resp, error), req Req) Resp {
	t.Helper()
	resp, err := try(t, s, method, req)
	if err != nil {
		t.Fatalf("%T: %v", req, err)
	}
	return resp
}

// refuse calls a method that must fail with an error of the kind.
func refuse[Req, Resp any](t testing.TB, s *suite, kind drivers.Kind, method func(context.Context, Req) (Resp, error), req Req) {
	t.Helper()
	_, err := try(t, s, method, req)
	switch {
	case err == nil:
		t.Errorf("%+v succeeds, want %q", req, kind)
	case drivers.KindOf(err) != kind:
		t.Errorf("%+v is %q (%v), want %q", req, drivers.KindOf(err), err, kind)
	}
}

// cancelled calls a method with a context that has ended: it must not work.
func cancelled[Req, Resp any](t testing.TB, s *suite, method func(context.Context, Req) (Resp, error), req Req) {
	t.Helper()
	ctx, cancel := s.patience(t)
	cancel()
	if _, err := call(ctx, t, s, method, req); drivers.KindOf(err) != drivers.Unreachable {
		t.Errorf("%T after its context ended is %v, want %q", req, err, drivers.Unreachable)
	}
}

// within fails when f takes longer than d.
func (s *suite) within(t testing.TB, d time.Duration, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(d):
		t.Fatalf("not done after %v", d)
	}
}

// until waits for a fact to become true.
func (s *suite) until(t testing.TB, what string, fact func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(s.rig.Patience); time.Now().Before(end); <-tick.C {
		if fact() {
			return
		}
	}
	if !fact() {
		t.Fatalf("after %v still not: %s", s.rig.Patience, what)
	}
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// newMAC makes a locally administered address of an ID.
func newMAC(id string) string {
	n := uuid.MustParse(id)
	return fmt.Sprintf("02:%02x:%02x:%02x:%02x:%02x", n[11], n[12], n[13], n[14], n[15])
}
