package store

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/google/uuid"
)

// idClock tells the time of ids: no two of a server have the same, so that they
// sort as they were made, within a millisecond, too.
type idClock struct {
	sync.Mutex
	last int64 // in ticks
}

// A tick is 1/4096 ms, what the 12 bits behind the milliseconds can tell
// (RFC 9562 §6.2, method 3).
const ticksPerMilli = 1 << 12

// backwards is how far a clock may be set back before ids follow it.
const backwards = 10_000 * ticksPerMilli

func (c *idClock) tick(now time.Time) int64 {
	t := now.UnixMilli()*ticksPerMilli + int64(now.Nanosecond()%1e6)*ticksPerMilli/1e6
	c.Lock()
	defer c.Unlock()
	if t <= c.last && t > c.last-backwards {
		t = c.last + 1
	}
	c.last = t
	return t
}

// NewID makes a UUIDv7 (RFC 9562 §5.7) from the injected clock and randomness:
// 48 bits of milliseconds, 12 of their fractions, the rest random.
func (db *DB) NewID() string {
	var u uuid.UUID
	if _, err := io.ReadFull(db.rand, u[8:]); err != nil {
		panic(fmt.Sprintf("no randomness: %v", err)) // crypto/rand does not fail
	}
	t := db.ids.tick(db.now())
	ms := t / ticksPerMilli
	for i := range 6 {
		u[i] = byte(ms >> (40 - 8*i))
	}
	u[6] = 0x70 | byte(t%ticksPerMilli>>8)
	u[7] = byte(t)
	u[8] = u[8]&0x3f | 0x80
	return u.String()
}
