//go:build libvirt_dlopen

package libvirt

import (
	"sync"
	"time"

	"aerie/drivers"
)

const ringSize = 1024

// ring keeps the latest events. Its numbers begin at the time of its making, so
// that a number from before a restart is too old instead of in the future.
type ring struct {
	mu     sync.Mutex
	size   int
	last   int64 // number of the latest event
	lost   int64 // events up to this number are gone
	events []drivers.VMEvent
	wake   chan struct{} // closed at the next change
}

func newRing(size int) *ring {
	now := time.Now().UnixMicro()
	return &ring{size: size, last: now, lost: now, wake: make(chan struct{})}
}

func (r *ring) push(e drivers.VMEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	r.events = append(r.events, e)
	if over := len(r.events) - r.size; over > 0 {
		r.events = append(r.events[:0], r.events[over:]...)
		r.lost += int64(over)
	}
	r.changed()
}

// gap says that nobody knows what happened just now: every reader must resync.
func (r *ring) gap() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	r.lost, r.events = r.last, nil
	r.changed()
}

func (r *ring) changed() {
	close(r.wake)
	r.wake = make(chan struct{})
}

func (r *ring) now() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

// after returns what happened after number n, and what to wait for when that is
// nothing.
func (r *ring) after(n int64) (drivers.EventBatch, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	batch := drivers.EventBatch{Last: r.last}
	switch {
	case n == r.last:
		return batch, r.wake
	case n < r.lost || n > r.last:
		batch.Resync = true
	default:
		batch.Events = append(batch.Events, r.events[n-r.lost:]...)
	}
	return batch, nil
}
