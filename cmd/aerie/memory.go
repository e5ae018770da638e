package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// What an idle server may hold, by how much more than after it was last tidied,
// and how often that is looked at: one password that is checked takes 19 MiB,
// and the runtime would keep as much until its next collection, which on an idle
// server is minutes away.
const (
	heldEnough = 24 << 20
	heldMore   = 8 << 20
	tidyEvery  = 30 * time.Second
)

// tidy gives memory back that nothing needs.
func tidy(ctx context.Context) error {
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	var needed, seen uint64
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			now, cycles := held()
			if cycles == seen && now > max(heldEnough, needed+heldMore) { // one that works collects by itself
				debug.FreeOSMemory()
				needed, cycles = held()
			}
			seen = cycles
		}
	}
}

// held is the memory of the heap, in bytes, in use, dead or in reserve, and how
// many collections there were.
func held() (bytes, cycles uint64) {
	parts := []metrics.Sample{
		{Name: "/gc/cycles/total:gc-cycles"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
	}
	metrics.Read(parts)
	for _, p := range parts[1:] {
		bytes += p.Value.Uint64()
	}
	return bytes, parts[0].Value.Uint64()
}
