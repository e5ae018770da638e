package sim_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"aerie/drivers"
	"aerie/drivers/sim"
)

func TestRules(t *testing.T) {
	cause := errors.New("the cause")
	for name, test := range map[string]struct {
		rule sim.Rule
		want drivers.Kind
		on   bool // the machine runs after the fault
	}{
		"unreachable by default":  {sim.Rule{Method: "StartVM"}, drivers.Unreachable, false},
		"the answer is lost":      {sim.Rule{Method: "StartVM", After: true}, drivers.Unreachable, true},
		"an error of one's own":   {sim.Rule{Error: drivers.Errorf(drivers.NoSpace, "start", "%w", cause)}, drivers.NoSpace, false},
		"by host and entity":      {sim.Rule{Host: "h1", Entity: id(1)}, drivers.Unreachable, false},
		"of another host":         {sim.Rule{Host: "h2"}, "", true},
		"of another machine":      {sim.Rule{Entity: id(2)}, "", true},
		"of another method":       {sim.Rule{Method: "StopVM"}, "", true},
		"a delay is no error":     {sim.Rule{Delay: time.Millisecond}, "", true},
		"an unlikely one":         {sim.Rule{Probability: 1e-12}, "", true},
		"a certain one, but late": {sim.Rule{Probability: 1, After: true}, drivers.Unreachable, true},
	} {
		t.Run(name, func(t *testing.T) {
			center := open(t, sim.Options{})
			h := center.Host("h1")
			ref := define(t, h, spec(1, localPool))
			remove := center.Fail(test.rule)
			_, err := h.StartVM(t.Context(), ref)
			if test.want == "" && err != nil || test.want != "" && (err == nil || drivers.KindOf(err) != test.want) {
				t.Errorf("start: %v, want %q", err, test.want)
			}
			remove()
			if on := power(t, h, ref) == drivers.PowerOn; on != test.on {
				t.Errorf("it runs: %v, want %v", on, test.on)
			}
			must(t, h.StartVM, ref)
		})
	}
}

func TestRuleStrikesItsTimes(t *testing.T) {
	center := open(t, sim.Options{})
	h := center.Host("h1")
	center.Fail(sim.Rule{Method: "ListVMs", Times: 2})
	for range 2 {
		fails(t, drivers.Unreachable, h.ListVMs, drivers.ListVMs{})
	}
	must(t, h.ListVMs, drivers.ListVMs{})
	if n := center.Calls("ListVMs"); n != 3 {
		t.Errorf("%d calls", n)
	}
}

func TestDiceAreSeeded(t *testing.T) {
	roll := func(seed uint64) (pattern string) {
		center := open(t, sim.Options{Seed: seed})
		center.Fail(sim.Rule{Method: "ListVMs", Probability: 0.5})
		for range 64 {
			if _, err := center.Host("h1").ListVMs(t.Context(), drivers.ListVMs{}); err != nil {
				pattern += "x"
			} else {
				pattern += "."
			}
		}
		return pattern
	}
	if one, again, other := roll(7), roll(7), roll(8); one != again || one == other {
		t.Errorf("the same seed rolls %s and %s, another %s", one, again, other)
	}
}

func TestHookSeesBothSides(t *testing.T) {
	center := open(t, sim.Options{History: 2})
	h := center.Host("h1")
	ref := define(t, h, spec(1, localPool))
	var seen []sim.Call
	boom := errors.New("the server died")
	remove := center.Hook(func(_ context.Context, c sim.Call) error {
		seen = append(seen, c)
		if c.After {
			return boom
		}
		return nil
	})
	if _, err := h.StartVM(t.Context(), ref); !errors.Is(err, boom) {
		t.Errorf("start: %v", err)
	}
	remove()
	before, after := sim.Call{Method: "StartVM", Host: "h1", Entity: ref.ID}, sim.Call{Method: "StartVM", Host: "h1", Entity: ref.ID, After: true}
	if len(seen) != 2 || seen[0] != before || seen[1] != after {
		t.Errorf("the hook saw %+v", seen)
	}
	if power(t, h, ref) != drivers.PowerOn {
		t.Error("the effect did not happen")
	}
	if log := center.History(); len(log) != 2 || log[0].Method != "StartVM" || log[1].Method != "ListVMs" {
		t.Errorf("the history is %+v", log)
	}
}

func TestLifelikeTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, sim.Lifelike()).Host("h1")
		ref := define(t, h, spec(1, localPool))
		took := func(act func()) time.Duration {
			begin := time.Now()
			act()
			return time.Since(begin)
		}
		start := took(func() { must(t, h.StartVM, ref) })
		stop := took(func() { must(t, h.StopVM, drivers.StopVM{ID: ref.ID, Grace: time.Minute}) })
		if start != 500*time.Millisecond || stop != 2*time.Second {
			t.Errorf("start took %v, stop %v: a guest obeys when it has booted", start, stop)
		}
	})
}

func TestDeafGuestIsForcedAfterItsGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		center := open(t, sim.Options{})
		h := center.Host("h1")
		ref := start(t, h, spec(1, localPool))
		if err := center.Deafen("h1", ref.ID, true); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		state := must(t, h.StopVM, drivers.StopVM{ID: ref.ID, Grace: 42 * time.Second})
		if took := time.Since(begin); took != 42*time.Second || state.Why != "destroyed" {
			t.Errorf("after %v it is %+v", took, state)
		}
	})
}
