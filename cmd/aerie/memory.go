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
	var seen uint64
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			now, cycles := held()
			if now > heldEnough && cycles == seen { // one that works collects by itself
				debug.FreeOSMemory()
				_, cycles = held()
			}
			seen = cycles
		}
	}
}

// held is the heap's memory, in bytes, that is not known to be in use, and how
// many collections there were.
func held() (bytes, cycles uint64) {
	parts := []metrics.Sample{
		{Name: "/gc/cycles/total:gc-cycles"},
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
	}
	metrics.Read(parts)
	for _, p := range parts[2:] {
		bytes += p.Value.Uint64()
	}
	return bytes - min(bytes, parts[1].Value.Uint64()), parts[0].Value.Uint64()
}
