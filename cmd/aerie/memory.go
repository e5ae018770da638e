package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// What an idle server may hold, and how often that is looked at: one password
// that is checked takes 19 MiB, and the runtime would keep as much until its next
// collection, which on an idle server is minutes away.
const (
	heldEnough = 24 << 20
	tidyEvery  = 30 * time.Second
)

// tidy gives memory back that nothing needs.
func tidy(ctx context.Context) error {
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			if held() > heldEnough {
				debug.FreeOSMemory()
			}
		}
	}
}

// held is the memory of the heap, in bytes: in use, dead or in reserve.
func held() (sum uint64) {
	parts := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
	}
	metrics.Read(parts)
	for _, p := range parts {
		sum += p.Value.Uint64()
	}
	return sum
}
