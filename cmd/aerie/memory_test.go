package main

import (
	"runtime/debug"
	"testing"
)

// TestHeldTellsOfWhatIsDead: memory that nothing needs counts until it is given
// back.
func TestHeldTellsOfWhatIsDead(t *testing.T) {
	debug.FreeOSMemory()
	before, _ := held()
	dead := make([]byte, 2*heldEnough)
	dead[0] = 1
	if got, _ := held(); got < before+heldEnough {
		t.Fatalf("%d bytes held, %d before", got, before)
	}
	debug.FreeOSMemory()
	if got, _ := held(); got > before+heldEnough {
		t.Errorf("%d bytes held after they were given back, %d before", got, before)
	}
}
