package state_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"aerie/services/fault"
	"aerie/services/state"
	"aerie/services/state/statetest"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

type (
	vmState string
	vmEvent string
)

const (
	stopped, starting, running, gone vmState = "Stopped", "Starting", "Running", "Expunged"
	start, done, failed, destroy     vmEvent = "start", "done", "failed", "destroy"
	reboot                           vmEvent = "reboot"
)

var machine = state.Machine[vmState, vmEvent]{
	stopped:  {start: starting, destroy: gone},
	starting: {done: running, failed: stopped},
	running:  {reboot: running},
	gone:     {},
}

type vm struct {
	store.Row
	store.Owned
	State vmState
	Host  string
}

func (vm) TableName() string { return "state_test_vms" }

func (v *vm) Ref() (string, string, *vmState) { return "virtualmachine", v.ID, &v.State }

func open(t *testing.T) (*store.DB, context.Context) {
	t.Helper()
	db := storetest.Open(t)
	ctx := store.System(t.Context(), "test")
	err := db.Tx(ctx, func(ctx context.Context) error { return db.In(ctx).AutoMigrate(&vm{}) })
	if err != nil {
		t.Fatal(err)
	}
	return db, ctx
}

func create(t *testing.T, db *store.DB, ctx context.Context, s vmState) *vm {
	t.Helper()
	v := &vm{State: s, Owned: store.Owned{AccountID: "a", DomainID: "d", DomainPath: "/1/"}}
	v.ID = db.NewID()
	if err := db.Tx(ctx, func(ctx context.Context) error { return db.In(ctx).Create(v).Error }); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestMove(t *testing.T) {
	db, ctx := open(t)
	for _, f := range []struct {
		fact         string
		memory, real vmState
		event        vmEvent
		want         vmState
		says         string // empty: it works
	}{
		{"an event leads on", stopped, stopped, start, starting, ""},
		{"an event may lead to the same state", running, running, reboot, running, ""},
		{"an event in a wrong state is refused", running, running, start, running, "state=Running event=start want=Stopped"},
		{"a row that was moved meanwhile is refused", stopped, running, start, running, "state=Running event=start want=Stopped"},
		{"a terminal state has no way out", gone, gone, start, gone, "want=Stopped"},
		{"an unknown event has no right state", stopped, stopped, "fly", stopped, "event=fly want="},
	} {
		t.Run(f.fact, func(t *testing.T) {
			v := create(t, db, ctx, f.real)
			v.State = f.memory
			err := state.Move(ctx, db, v, machine, f.event)
			stored, _ := store.Find[vm](ctx, db, v.ID)
			if stored.State != f.want {
				t.Errorf("stored %s, want %s", stored.State, f.want)
			}
			if f.says == "" {
				if err != nil || v.State != f.want {
					t.Errorf("%v, in memory %s", err, v.State)
				}
				return
			}
			if !fault.Is(err, fault.Conflict) || fault.Of(err).Key != "error.state" || !strings.Contains(err.Error(), f.says) {
				t.Errorf("%v, want %s", err, f.says)
			}
			if v.State != f.memory {
				t.Errorf("a refused move changed the row in memory to %s", v.State)
			}
		})
	}
}

func TestOneOfManyMoves(t *testing.T) {
	db, ctx := open(t)
	v := create(t, db, ctx, stopped)
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			mine := *v
			err := state.Move(ctx, db, &mine, machine, start)
			if err == nil {
				won.Add(1)
			} else if !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Fatalf("%d moved it", won.Load())
	}
}

func TestAMoveTakesOtherColumnsAlong(t *testing.T) {
	db, ctx := open(t)
	v := create(t, db, ctx, starting)
	if err := state.Move(ctx, db, v, machine, done, map[string]any{"host": "h1"}); err != nil {
		t.Fatal(err)
	}
	if got, _ := store.Find[vm](ctx, db, v.ID); got.Host != "h1" || got.State != running {
		t.Fatalf("%+v", got)
	}
}

func TestAForeignRowDoesNotMove(t *testing.T) {
	db, ctx := open(t)
	v := create(t, db, ctx, stopped)
	other := store.With(t.Context(), store.Actor{Owner: store.Owner{AccountID: "b", DomainPath: "/1/"}})
	if err := state.Move(other, db, v, machine, start); !fault.Is(err, fault.Conflict) {
		t.Fatal(err)
	}
	if got, _ := store.Find[vm](ctx, db, v.ID); got.State != stopped {
		t.Fatal("another tenant moved it")
	}
}

func TestWatchersSeeMovesAndMayStopThem(t *testing.T) {
	db, ctx := open(t)
	v := create(t, db, ctx, stopped)
	var saw []state.Change
	var veto error
	state.Watch(db, func(ctx context.Context, c state.Change) error {
		if !db.InTx(ctx) || c.Row.(*vm).State != vmState(c.To) {
			t.Error("not inside the transaction, or before the change")
		}
		saw = append(saw, c)
		return veto
	})
	veto = errors.New("no")
	if err := state.Move(ctx, db, v, machine, start); !errors.Is(err, veto) || v.State != stopped {
		t.Fatal(err, v.State)
	}
	if got, _ := store.Find[vm](ctx, db, v.ID); got.State != stopped {
		t.Fatal("the move was not rolled back")
	}
	veto = nil
	if err := state.Move(ctx, db, v, machine, start); err != nil {
		t.Fatal(err)
	}
	c := saw[1]
	if c.Entity != "virtualmachine" || c.ID != v.ID || c.From != "Stopped" || c.To != "Starting" || c.Event != "start" {
		t.Fatalf("%+v", c)
	}
}

func TestTable(t *testing.T) {
	statetest.Golden(t, machine, filepath.Join("testdata", "vm.golden"), stopped)
}

func TestProblemsAreNamed(t *testing.T) {
	island := state.Machine[vmState, vmEvent]{stopped: {start: running}, gone: {start: stopped}, running: {}}
	hole := state.Machine[vmState, vmEvent]{stopped: {start: running}}
	for _, f := range []struct {
		fact string
		m    state.Machine[vmState, vmEvent]
		want string
	}{
		{"a good machine has none", machine, ""},
		{"an unreachable state", island, "state Expunged cannot be reached"},
		{"an undeclared dead end", hole, "state Running is a dead end; if it is meant, give it an empty row"},
	} {
		if got := strings.Join(statetest.Problems(f.m, stopped), "\n"); got != f.want {
			t.Errorf("%s: %q", f.fact, got)
		}
	}
	if p := statetest.Problems(hole); len(p) != 1 {
		t.Errorf("a start that nothing leads to is found: %v", p)
	}
}

func TestQuestions(t *testing.T) {
	if !machine.Can(stopped, start) || machine.Can(gone, start) || machine.Can("?", start) {
		t.Error("Can")
	}
	if s := machine.Sources(failed); len(s) != 1 || s[0] != starting {
		t.Error("Sources", s)
	}
	if e := machine.Events(stopped); len(e) != 2 || e[0] != destroy {
		t.Error("Events", e)
	}
}
