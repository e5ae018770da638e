package sim

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"aerie/drivers"
)

// Call is one call of a driver's method.
type Call struct {
	Method string // as in package drivers: "StartVM"
	Host   string
	Entity string // the UUID or name that the request is about; empty for lists
	After  bool   // the effect has happened
}

// Rule is a fault that calls meet. Empty fields match everything.
type Rule struct {
	Method string
	Host   string
	Entity string

	Times       int           // how often the rule strikes; always if 0
	Probability float64       // that it strikes; 1 if 0
	Delay       time.Duration // how long the call is held up
	After       bool          // the effect happens, then the fault
	// Error is what the caller gets; nil is Unreachable, or nothing at all
	// when the rule only delays.
	Error error
}

// Hook is called before and after every effect. Its error is the caller's.
type Hook func(context.Context, Call) error

// faults is what calls meet on their way, and what is remembered of them.
type faults struct {
	mu     sync.Mutex
	dice   *rand.Rand
	rules  []*rule
	hooks  map[int]Hook
	serial int
	counts map[string]int
	keep   int
	log    []Call
}

type rule struct {
	Rule
	id   int
	left int
}

// Fail adds a rule; the returned function removes it.
func (c *Center) Fail(r Rule) (remove func()) {
	f := &c.faults
	f.mu.Lock()
	defer f.mu.Unlock()
	f.serial++
	id := f.serial
	f.rules = append(f.rules, &rule{Rule: r, id: id, left: r.Times})
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.rules = slices.DeleteFunc(f.rules, func(r *rule) bool { return r.id == id })
	}
}

// Hook adds a hook; the returned function removes it.
func (c *Center) Hook(h Hook) (remove func()) {
	f := &c.faults
	f.mu.Lock()
	defer f.mu.Unlock()
	f.serial++
	id := f.serial
	if f.hooks == nil {
		f.hooks = map[int]Hook{}
	}
	f.hooks[id] = h
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.hooks, id)
	}
}

// Calls counts the calls of a method, those that failed included; "" counts all.
func (c *Center) Calls(method string) int {
	c.faults.mu.Lock()
	defer c.faults.mu.Unlock()
	if method != "" {
		return c.faults.counts[method]
	}
	sum := 0
	for _, n := range c.faults.counts {
		sum += n
	}
	return sum
}

// History is the last calls, as many as Options.History says.
func (c *Center) History() []Call {
	c.faults.mu.Lock()
	defer c.faults.mu.Unlock()
	return slices.Clone(c.faults.log[max(0, len(c.faults.log)-c.faults.keep):])
}

// count remembers a call.
func (f *faults) count(call Call) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts[call.Method]++
	if f.keep == 0 {
		return
	}
	f.log = append(f.log, call)
	if len(f.log) > 2*f.keep {
		f.log = slices.Clone(f.log[f.keep:])
	}
}

// meet makes a call wait and fail as rules and hooks want it.
func (f *faults) meet(ctx context.Context, call Call) error {
	hooks, struck := f.strike(call)
	for _, r := range struck {
		if err := pause(ctx, call, r.Delay); err != nil {
			return err
		}
		if err := r.fault(call); err != nil {
			return err
		}
	}
	for _, hook := range hooks {
		if err := hook(ctx, call); err != nil {
			return err
		}
	}
	return nil
}

// strike finds the rules that a call meets, up to the first that fails it.
func (f *faults) strike(call Call) ([]Hook, []*rule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var struck []*rule
	for _, r := range f.rules {
		if !r.matches(call) || r.Probability > 0 && f.dice.Float64() >= r.Probability {
			continue
		}
		r.left--
		struck = append(struck, r)
		if r.fault(call) != nil {
			break
		}
	}
	f.rules = slices.DeleteFunc(f.rules, func(r *rule) bool { return r.Times > 0 && r.left <= 0 })
	var hooks []Hook
	for _, id := range slices.Sorted(maps.Keys(f.hooks)) {
		hooks = append(hooks, f.hooks[id])
	}
	return hooks, struck
}

func (r *rule) matches(call Call) bool {
	return r.After == call.After &&
		(r.Method == "" || r.Method == call.Method) &&
		(r.Host == "" || r.Host == call.Host) &&
		(r.Entity == "" || r.Entity == call.Entity)
}

func (r *rule) fault(call Call) error {
	if r.Error != nil || r.Delay > 0 {
		return r.Error
	}
	return drivers.Errorf(drivers.Unreachable, call.op(), "injected fault")
}

func (c Call) op() string {
	if c.Entity == "" {
		return c.Method + " on " + c.Host
	}
	return c.Method + " " + c.Entity + " on " + c.Host
}

// pause waits; the context may end it.
func pause(ctx context.Context, call Call, d time.Duration) error {
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	if err := ctx.Err(); err != nil {
		return drivers.Errorf(drivers.Unreachable, call.op(), "%w", err)
	}
	return nil
}
