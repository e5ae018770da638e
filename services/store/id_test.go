package store

import (
	"testing"
	"time"
)

// TestIDsSortAsTheyWereMade: within a millisecond and while a clock is set back
// a little, too; a clock that was wrong by more is followed.
func TestIDsSortAsTheyWereMade(t *testing.T) {
	var c idClock
	now := time.Date(2026, 1, 2, 3, 4, 5, 678_500_000, time.UTC)
	last := c.tick(now)
	if ms, part := last/ticksPerMilli, last%ticksPerMilli; ms != now.UnixMilli() || part != ticksPerMilli/2 {
		t.Errorf("got %d ms and %d", ms, part)
	}
	for range 10_000 {
		if next := c.tick(now.Add(-time.Second)); next <= last {
			t.Fatalf("%d after %d", next, last)
		} else {
			last = next
		}
	}
	if early := c.tick(now.Add(-time.Hour)); early >= last {
		t.Error("ids stay in the future")
	}
}
