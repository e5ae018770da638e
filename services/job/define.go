package job

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Step is one idempotent action and its idempotent undo (nil: nothing to undo).
type Step[S any] struct {
	Name     string
	Do, Undo func(context.Context, *S) error
	// Database marks a step that touches only the database; see Commit.
	Database bool
	// Unsaved leaves out the checkpoint after the step; see Step.NoCheckpoint.
	Unsaved bool
	// Timeout ends one try and Attempts limits the tries of a transient
	// failure; 0 takes the kind's.
	Timeout  time.Duration
	Attempts int
}

// Do is a step that touches the outside world. It may run twice, so it names
// what it makes from ids in the state. Its undo runs also when the step itself
// failed, for it may have half happened; what is not there counts as undone.
func Do[S any](name string, do, undo func(context.Context, *S) error) Step[S] {
	return Step[S]{Name: name, Do: do, Undo: undo}
}

// NoCheckpoint saves a commit: a crash repeats the step together with the next
// one. It suits a step that is quick the second time and leaves the state as it
// is.
func (s Step[S]) NoCheckpoint() Step[S] {
	s.Unsaved = true
	return s
}

// Commit is a step that touches the database and nothing else. Its effect and
// the checkpoint are one transaction; neighbouring ones share it. Because of
// that its closures run inside store.Tx and a lost lease rolls them back.
func Commit[S any](name string, do, undo func(context.Context, *S) error) Step[S] {
	return Step[S]{Name: name, Do: do, Undo: undo, Database: true}
}

// Kind is a saga that an engine knows.
type Kind struct {
	name      string
	steps     []step
	decode    func([]byte) (any, error)
	attempts  int
	timeout   time.Duration
	forward   bool
	retryable bool
}

// step is a Step without its type parameter.
type step struct {
	name     string
	database bool
	unsaved  bool
	timeout  time.Duration
	attempts int
	do, undo func(context.Context, any) error
}

// Define makes a saga known to the engine. It belongs into the wiring, before
// Run. A wrong definition panics.
func Define[S any](e *Engine, kind string, steps ...Step[S]) *Kind {
	k := &Kind{name: kind, attempts: 5, timeout: 10 * time.Minute, decode: decode[S]}
	seen := map[string]bool{}
	for _, s := range steps {
		if s.Name == "" || s.Do == nil || seen[s.Name] {
			panic(fmt.Sprintf("job %s: step %q has no name, no Do or a taken name", kind, s.Name))
		}
		seen[s.Name] = true
		k.steps = append(k.steps, step{s.Name, s.Database, s.Unsaved, s.Timeout, s.Attempts, untyped(s.Do), untyped(s.Undo)})
	}
	if len(steps) == 0 || e.kinds[kind] != nil {
		panic(fmt.Sprintf("job %s: no steps, or defined twice", kind))
	}
	if _, err := json.Marshal(new(S)); err != nil {
		panic(fmt.Sprintf("job %s: its state cannot be stored: %v", kind, err))
	}
	e.kinds[kind] = k
	return k
}

func decode[S any](b []byte) (any, error) {
	s := new(S)
	if len(b) == 0 {
		return s, nil
	}
	return s, json.Unmarshal(b, s)
}

func untyped[S any](fn func(context.Context, *S) error) func(context.Context, any) error {
	if fn == nil {
		return nil
	}
	return func(ctx context.Context, s any) error { return fn(ctx, s.(*S)) }
}

// Attempts limits the tries of a transiently failing step (default 5).
func (k *Kind) Attempts(n int) *Kind { k.attempts = n; return k }

// Timeout ends one try of one step (default 10 minutes).
func (k *Kind) Timeout(d time.Duration) *Kind { k.timeout = d; return k }

// Forward makes the saga never turn back: every failure is retried until it
// works, as a deletion wants it. Such a saga cannot be cancelled.
func (k *Kind) Forward() *Kind { k.forward = true; return k }

// Retryable lets Engine.Retry start a failed job anew from its first state.
func (k *Kind) Retryable() *Kind { k.retryable = true; return k }

func (k *Kind) index(name string) int {
	for i := range k.steps {
		if k.steps[i].name == name {
			return i
		}
	}
	return -1
}
