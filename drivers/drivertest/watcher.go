package drivertest

import (
	"context"
	"sync"
	"testing"
	"time"

	"aerie/drivers"
)

// seen is all events that a watch has collected.
type seen struct {
	mu     sync.Mutex
	events []drivers.VMEvent
	resync bool
	last   int64
	fault  string
}

func (w *seen) add(batch drivers.EventBatch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.resync = w.resync || batch.Resync
	switch {
	case len(batch.Events) > 0 && batch.Last <= w.last:
		w.fault = "the sequence number does not grow"
	case batch.Last < w.last && !batch.Resync:
		w.fault = "the sequence number falls"
	}
	w.last = batch.Last
	w.events = append(w.events, batch.Events...)
}

// has finds an event of the machine among those after the mark.
func (w *seen) has(mark int, fact func(drivers.VMEvent) bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events[mark:] {
		if fact(e) {
			return true
		}
	}
	return false
}

func (w *seen) mark() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.events)
}

// watch follows the host until the test ends.
func (s *suite) watch(t *testing.T, watcher drivers.Watcher) *seen {
	w := &seen{}
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() {
		for ctx.Err() == nil {
			batch, err := watcher.NextEvents(ctx, drivers.NextEvents{After: w.last})
			if err == nil {
				w.add(batch)
			} else if ctx.Err() == nil {
				t.Errorf("watch: %v", err)
				return
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		s.within(t, s.rig.Patience, done.Wait)
		if w.fault != "" {
			t.Error(w.fault)
		}
	})
	return w
}

func (s *suite) watcher(t *testing.T, watcher drivers.Watcher) {
	host, ok := drivers.As[drivers.Hypervisor](s.driver)
	if !ok {
		t.Skip("the driver runs no machines")
	}
	t.Run("begins with a sweep", func(t *testing.T) { s.watchBegins(t, watcher) })
	t.Run("ends with its context", func(t *testing.T) { s.watchEnds(t, watcher) })
	t.Run("tells what happens", func(t *testing.T) { s.watchTells(t, watcher, host) })
	t.Run("two watchers see the same", func(t *testing.T) { s.watchBoth(t, watcher, host) })
	t.Run("asks for a sweep after the unknown", func(t *testing.T) { s.watchResync(t, watcher, host) })
}

// watchBegins: number 0 is answered at once, so that nothing is missed between
// the first sweep and the first event.
func (s *suite) watchBegins(t *testing.T, watcher drivers.Watcher) {
	batch := do(t, s, watcher.NextEvents, drivers.NextEvents{})
	if !batch.Resync || batch.Last == 0 || len(batch.Events) > 0 {
		t.Errorf("%+v, want a resync from a number and no events", batch)
	}
}

// watchEnds waits where nothing happens; tests before it may still be heard of.
func (s *suite) watchEnds(t *testing.T, watcher drivers.Watcher) {
	last := do(t, s, watcher.NextEvents, drivers.NextEvents{}).Last
	cancelled(t, s, watcher.NextEvents, drivers.NextEvents{After: last})
	for range 10 {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		batch, err := call(ctx, t, s, watcher.NextEvents, drivers.NextEvents{After: last})
		cancel()
		if err != nil {
			if drivers.KindOf(err) != drivers.Unreachable {
				t.Errorf("a watch whose context ended is %v, want %q", err, drivers.Unreachable)
			}
			return
		}
		last = batch.Last
	}
	t.Error("something happens all the time")
}

// attached starts a machine as often as it takes until the watch sees it: when
// the watch begins is not ours to know.
func (s *suite) attached(t *testing.T, w *seen, host drivers.Hypervisor) drivers.VMSpec {
	t.Helper()
	spec := s.machine(t)
	do(t, s, host.DefineVM, spec)
	s.until(t, "the watch sees a machine start", func() bool {
		do(t, s, host.StopVM, drivers.StopVM{ID: spec.ID, Force: true})
		do(t, s, host.StartVM, drivers.VMRef{ID: spec.ID})
		return w.has(0, isIn(spec.ID, drivers.PowerOn))
	})
	return spec
}

func isIn(id string, power drivers.Power) func(drivers.VMEvent) bool {
	return func(e drivers.VMEvent) bool { return e.State.ID == id && e.State.Power == power && !e.Gone }
}

func isGone(id string) func(drivers.VMEvent) bool {
	return func(e drivers.VMEvent) bool { return e.State.ID == id && e.Gone }
}

func isDown(id string) func(drivers.VMEvent) bool {
	return func(e drivers.VMEvent) bool {
		return e.State.ID == id && !e.Gone && (e.State.Power == drivers.PowerOff || e.State.Power == drivers.PowerCrashed)
	}
}

// tells checks that an act shows within ten seconds.
func (s *suite) tells(t *testing.T, w *seen, what string, act func(), fact func(drivers.VMEvent) bool) {
	t.Helper()
	mark := w.mark()
	act()
	begin := time.Now()
	s.until(t, "event: "+what, func() bool { return w.has(mark, fact) })
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("event %q came after %v", what, took)
	}
}

func (s *suite) watchTells(t *testing.T, watcher drivers.Watcher, host drivers.Hypervisor) {
	w := s.watch(t, watcher)
	id := s.attached(t, w, host).ID
	behind := func(act func(string) error) func() {
		return func() {
			if err := act(id); err != nil {
				t.Fatal(err)
			}
		}
	}
	start := func() { do(t, s, host.StartVM, drivers.VMRef{ID: id}) }
	stop := func() { do(t, s, host.StopVM, drivers.StopVM{ID: id, Force: true}) }

	s.tells(t, w, "stopped", stop, isDown(id))
	s.tells(t, w, "started", start, isIn(id, drivers.PowerOn))
	if s.rig.Behind.Pause != nil {
		s.tells(t, w, "paused", behind(s.rig.Behind.Pause), isIn(id, drivers.PowerPaused))
		s.tells(t, w, "resumed", start, isIn(id, drivers.PowerOn))
	}
	if s.rig.Behind.Kill != nil {
		s.tells(t, w, "killed", behind(s.rig.Behind.Kill), isDown(id))
	}
	s.tells(t, w, "gone", func() { do(t, s, host.UndefineVM, drivers.VMRef{ID: id}) }, isGone(id))
	s.stamps(t, w)
}

// stamps checks what every event must carry.
func (s *suite) stamps(t *testing.T, w *seen) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e.State.ID == "" || e.State.Power == "" && !e.Gone || e.At.IsZero() {
			t.Errorf("half an event: %+v", e)
		}
	}
}

func (s *suite) watchBoth(t *testing.T, watcher drivers.Watcher, host drivers.Hypervisor) {
	a, b := s.watch(t, watcher), s.watch(t, watcher)
	id := s.attached(t, a, host).ID
	s.attached(t, b, host)
	mark := b.mark()
	s.tells(t, a, "stopped", func() { do(t, s, host.StopVM, drivers.StopVM{ID: id, Force: true}) }, isDown(id))
	s.until(t, "the other watcher sees it, too", func() bool { return b.has(mark, isDown(id)) })
}

// watchResync asks for what came after a number that was never given, as after
// the loss of an agent that had counted further.
func (s *suite) watchResync(t *testing.T, watcher drivers.Watcher, host drivers.Hypervisor) {
	w := s.watch(t, watcher)
	s.attached(t, w, host)
	batch := do(t, s, watcher.NextEvents, drivers.NextEvents{After: 1 << 60})
	if !batch.Resync || batch.Last >= 1<<60 {
		t.Errorf("%+v, want a resync from a number that exists", batch)
	}
}
