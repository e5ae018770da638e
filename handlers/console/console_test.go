package console_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nhooyr.io/websocket"

	"aerie/drivers"
	"aerie/services/compute"
)

func TestConsole(t *testing.T) {
	w := newWorld(t)
	vm := w.instance()
	t.Run("the screen greets", func(t *testing.T) { w.with(t).greets(vm) })
	t.Run("the serial line speaks", func(t *testing.T) { w.with(t).speaks(vm) })
	t.Run("refused", func(t *testing.T) { w.with(t).refused(vm) })
	t.Run("two race for one ticket", func(t *testing.T) { w.with(t).race(vm) })
	t.Run("closes", func(t *testing.T) { w.closes(t) })
	text := w.log.String()
	for _, token := range w.log.tokens {
		if strings.Contains(text, token) {
			t.Errorf("a token is in the log:\n%s", text)
		}
	}
	if !strings.Contains(text, "console closed") {
		t.Errorf("closed consoles are not logged:\n%s", text)
	}
}

// with is the world of a subtest.
func (w *world) with(t *testing.T) *world {
	return &world{TB: t, db: w.db, iam: w.iam, compute: w.compute, server: w.server, log: w.log, admin: w.admin}
}

// reads reads until the text has come.
func reads(t testing.TB, ws *websocket.Conn, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var got strings.Builder
	for !strings.Contains(got.String(), want) {
		kind, b, err := ws.Read(ctx)
		if err != nil || kind != websocket.MessageBinary {
			t.Fatalf("%v message after %q: %v", kind, got.String(), err)
		}
		got.Write(b)
	}
}

// enter opens a console that must open.
func (w *world) enter(token string) *websocket.Conn {
	w.Helper()
	ws, status := w.dial(token, w.server.URL)
	if ws == nil {
		w.Fatalf("answered %d:\n%s", status, w.log)
	}
	return ws
}

func (w *world) greets(vm string) {
	ws := w.enter(w.ticket(w.admin, vm, drivers.ConsoleVNC))
	if ws.Subprotocol() != "binary" {
		w.Errorf("subprotocol %q", ws.Subprotocol())
	}
	reads(w, ws, "RFB 003.008\n")
	ws.Close(websocket.StatusNormalClosure, "")

	// Clients that can set neither subprotocol nor Origin.
	ws, _, err := w.open(nil, "?token="+w.ticket(w.admin, vm, drivers.ConsoleVNC))
	w.check(err)
	reads(w, ws, "RFB 003.008\n")
}

func (w *world) speaks(vm string) {
	ws := w.enter(w.ticket(w.admin, vm, drivers.ConsoleSerial))
	w.check(ws.Write(w.Context(), websocket.MessageBinary, []byte("\r")))
	reads(w, ws, "login:")
}

func (w *world) refused(vm string) {
	ticket := w.ticket(w.admin, vm, drivers.ConsoleVNC)
	if ws, status := w.dial(w.ticket(w.admin, vm, drivers.ConsoleVNC), "https://portal.test"); ws == nil {
		w.Errorf("a page of the public address is answered %d", status)
	}
	for _, origin := range []string{"http://portal.test", "https://evil.test", "null", "https://evil.test/" + w.server.URL, "::"} {
		if _, status := w.dial(ticket, origin); status != http.StatusForbidden {
			w.Errorf("a page of %s is answered %d", origin, status)
		}
	}
	if _, status := w.dial(ticket, w.server.URL); status != http.StatusSwitchingProtocols {
		w.Errorf("a foreign page has spent the ticket: %d", status)
	}
	if _, status := w.dial(ticket, w.server.URL); status != http.StatusUnauthorized {
		w.Errorf("a spent ticket is answered %d", status)
	}
	late := w.ticket(w.admin, vm, drivers.ConsoleVNC)
	w.update(&compute.Ticket{}, "used_at IS NULL AND user_id <> ?", "", map[string]any{"expires_at": w.db.Now().Add(-time.Second)})
	for what, token := range map[string]string{"late": late, "made up": "x" + late[1:], "no": ""} {
		if _, status := w.dial(token, w.server.URL); status != http.StatusUnauthorized {
			w.Errorf("a %s ticket is answered %d", what, status)
		}
	}
}

func (w *world) race(vm string) {
	ticket := w.ticket(w.admin, vm, drivers.ConsoleVNC)
	var won, lost atomic.Int32
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			switch _, status := w.dial(ticket, w.server.URL); status {
			case http.StatusSwitchingProtocols:
				won.Add(1)
			case http.StatusUnauthorized:
				lost.Add(1)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 || lost.Load() != 1 {
		w.Errorf("%d got in, %d were refused", won.Load(), lost.Load())
	}
}

// closes ends consoles in every way that must be seen within five seconds.
func (w *world) closes(t *testing.T) {
	ways := []struct {
		name string
		end  func(w *world, vm, session string)
		code websocket.StatusCode
		why  string
	}{
		{"the instance stops", func(w *world, vm, _ string) {
			w.call("stopVirtualMachine", map[string][]string{"id": {vm}, "forced": {"true"}})
		}, websocket.StatusNormalClosure, "closed"},
		{"the instance is known to be off", func(w *world, vm, _ string) {
			w.update(&compute.VM{}, "id = ?", vm, map[string]any{"state": compute.Stopped})
		}, websocket.StatusGoingAway, "stopped"},
		{"the instance moved", func(w *world, vm, _ string) {
			w.update(&compute.VM{}, "id = ?", vm, map[string]any{"host_id": "another"})
		}, websocket.StatusGoingAway, "moved"},
		{"the user signs out", func(w *world, _, session string) {
			w.check(w.iam.Logout(w.Context(), session))
		}, websocket.StatusPolicyViolation, "signed out"},
	}
	for _, way := range ways {
		vm := w.instance()
		session, token := w.login()
		ws := w.enter(w.ticket(session, vm, drivers.ConsoleVNC))
		reads(t, ws, "RFB")
		t.Run(way.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			way.end(w, vm, token)
			began := time.Now()
			_, _, err := ws.Read(ctx)
			var closed websocket.CloseError
			if !errors.As(err, &closed) || closed.Code != way.code || closed.Reason != way.why {
				t.Errorf("%v, want %v %q", err, way.code, way.why)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("closed after %v", took)
			}
		})
	}
	t.Run("a client that does not answer", w.deaf)
}

// deaf is a client that never reads, so that it never answers the farewell.
func (w *world) deaf(t *testing.T) {
	vm := w.instance()
	session, token := w.login()
	w.enter(w.ticket(session, vm, drivers.ConsoleVNC))
	closed := strings.Count(w.log.String(), "console closed instance="+vm)
	began := time.Now()
	w.check(w.iam.Logout(t.Context(), token))
	for tick := time.NewTicker(20 * time.Millisecond); ; <-tick.C {
		logged := w.log.String()
		if strings.Contains(logged, "instance="+vm) && strings.Contains(logged, "signed out") && closed == 0 {
			break
		}
		if time.Since(began) > 5*time.Second {
			t.Fatalf("not closed after %v", time.Since(began))
		}
	}
}
