package sim

import (
	"context"
	"slices"

	"aerie/drivers"
)

// keptEvents is how many events a host remembers.
const keptEvents = 4096

// eventLog is the last events of a host.
type eventLog struct {
	last    int64 // number of the newest; the first one is 2, for 0 is no number
	events  []drivers.VMEvent
	changed chan struct{} // closed at the next event
}

func newEventLog() eventLog { return eventLog{last: 1, changed: make(chan struct{})} }

// tell adds an event; the host's mutex is held.
func (h *Host) tell(e drivers.VMEvent) {
	e.At = h.now()
	l := &h.events
	l.last++
	l.events = append(l.events, e)
	if len(l.events) > 2*keptEvents {
		l.events = slices.Clone(l.events[keptEvents:])
	}
	h.wake()
}

// wake lets all who wait for events look again.
func (h *Host) wake() {
	close(h.events.changed)
	h.events.changed = make(chan struct{})
}

// lose forgets all events, as a restarted agent does.
func (l *eventLog) lose() {
	l.last++
	l.events = nil
}

// after is what happened after a number.
func (l *eventLog) after(n int64) (drivers.EventBatch, bool) {
	batch := drivers.EventBatch{Last: l.last}
	if n == 0 {
		batch.Resync = true
		return batch, true
	}
	first := l.last - int64(len(l.events)) // number before the oldest event kept
	switch {
	case n > l.last || n < first:
		batch.Resync = true
	case n == l.last:
		return batch, false
	default:
		batch.Events = slices.Clone(l.events[n-first:])
	}
	return batch, true
}

// NextEvents blocks until something happened after the given number; to 0 it
// answers at once.
func (h *Host) NextEvents(ctx context.Context, req drivers.NextEvents) (drivers.EventBatch, error) {
	return call(ctx, h, "NextEvents", "", func() (drivers.EventBatch, error) {
		c := Call{Method: "NextEvents", Host: h.id}
		for {
			h.mu.Lock()
			batch, some := h.events.after(req.After)
			changed := h.events.changed
			h.mu.Unlock()
			if some || h.cut.Load() {
				return batch, nil
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return drivers.EventBatch{}, pause(ctx, c, 0)
			}
		}
	})
}
