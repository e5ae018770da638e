// Package console carries an instance's screen and serial line between the
// browser and the hypervisor over a websocket on the portal's own origin.
package console

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"nhooyr.io/websocket"

	"aerie/services/compute"
	"aerie/services/fault"
	"aerie/services/store"
)

// Handler serves console sockets.
type Handler struct {
	Compute *compute.Service
	Log     *slog.Logger
	// Public is where browsers reach the portal when that is not the request's
	// own host; a socket from a page of another origin is refused.
	Public *url.URL
}

// Register adds the socket's route. Clients of a socket follow no way to a
// sign-in page: a refusal is a status.
func (h *Handler) Register(e *echo.Echo) {
	e.GET(compute.ConsoleSocket, func(c echo.Context) error {
		err := h.serve(c)
		if err == nil {
			return nil
		}
		f := fault.Of(err)
		if f.Kind == fault.Internal {
			h.Log.ErrorContext(c.Request().Context(), "console", "error", err)
		}
		return c.String(f.Kind.HTTP, http.StatusText(f.Kind.HTTP)+"\n")
	})
}

const (
	// protocol is what noVNC and our serial page speak.
	protocol = "binary"
	// ticketPrefix begins the subprotocol that carries the ticket: unlike a
	// query it is in no log, history or Referer.
	ticketPrefix = "aerie.ticket."
	// recheck is how often a console asks whether it may stay open, patience how
	// long the answer may take: it must close within 5 s.
	recheck  = 3 * time.Second
	patience = time.Second
	// farewell is how long a client may take to answer that the console closes.
	farewell = time.Second
	buffer   = 64 << 10
)

func (h *Handler) serve(c echo.Context) error {
	r := c.Request()
	if !h.sameOrigin(r) {
		return fault.New(fault.Forbidden, "error.origin")
	}
	t, err := h.Compute.Redeem(r.Context(), ticket(r))
	if err != nil {
		return err
	}
	vm, err := h.Compute.Entitled(r.Context(), t)
	if err != nil {
		return err
	}
	ctx := store.System(r.Context(), "a console's way to its host")
	far, history, err := h.dial(ctx, vm, t)
	if err != nil {
		return err
	}
	defer far.Close()
	ws, err := websocket.Accept(c.Response(), r, &websocket.AcceptOptions{
		Subprotocols:    []string{protocol},
		CompressionMode: websocket.CompressionDisabled, InsecureSkipVerify: true, /* sameOrigin has checked */
	})
	if err != nil {
		return nil // Accept has answered
	}
	if len(history) > 0 {
		// The only text message: a terminal must not answer what it asks for.
		if err := ws.Write(r.Context(), websocket.MessageText, bytes.ToValidUTF8(history, []byte("?"))); err != nil {
			return nil // the client is gone
		}
	}
	h.carry(r.Context(), ws, far, t, vm)
	return nil
}

// ticket finds the token in the subprotocols, or for clients that cannot set
// them in the query.
func ticket(r *http.Request) string {
	for _, line := range r.Header.Values("Sec-WebSocket-Protocol") {
		for p := range strings.SplitSeq(line, ",") {
			if token, ok := strings.CutPrefix(strings.TrimSpace(p), ticketPrefix); ok {
				return token
			}
		}
	}
	return r.URL.Query().Get("token")
}

// sameOrigin refuses sockets that a page of another origin opened (websockets
// know no same-origin policy). Clients that are no browsers send no Origin.
func (h *Handler) sameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil {
		return false
	}
	public := h.Public != nil && u.Scheme == h.Public.Scheme && strings.EqualFold(u.Host, h.Public.Host)
	return public || strings.EqualFold(u.Host, r.Host)
}

func (h *Handler) dial(ctx context.Context, vm compute.VM, t compute.Ticket) (conn net.Conn, history []byte, err error) {
	end, err := h.Compute.Console(ctx, vm, t.Kind)
	if err != nil {
		return nil, nil, err
	}
	d := net.Dialer{Timeout: 5 * time.Second}
	if conn, err = d.DialContext(ctx, end.Network, end.Address); err != nil {
		return nil, nil, fault.New(fault.Unavailable, "error.console").Because(err)
	}
	return conn, end.History, nil
}

// carry copies both ways until one side ends, the instance leaves its host or
// the user's right does.
func (h *Handler) carry(ctx context.Context, ws *websocket.Conn, far net.Conn, t compute.Ticket, vm compute.VM) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer ws.CloseNow()
	// The socket outlives ctx: a cancelled read would tear it down before the
	// browser is told why.
	open, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	near := websocket.NetConn(open, ws, websocket.MessageBinary)
	ws.SetReadLimit(1 << 20) // a client's message: keys, pointer, clipboard; NetConn has lifted it
	began := time.Now()
	var wg sync.WaitGroup
	for _, way := range []struct {
		to   io.Writer
		from io.Reader
	}{{far, near}, {near, far}} {
		wg.Go(func() { cancel(copyAll(way.to, way.from)) })
	}
	wg.Go(func() { cancel(h.guard(ctx, t, vm)) })
	<-ctx.Done()
	far.Close() // from now on nobody sees or types anything
	code, why := reason(context.Cause(ctx))
	slow := time.AfterFunc(farewell, cut)
	_ = ws.Close(code, why) // the client may be gone, or not answer
	slow.Stop()
	cut()
	wg.Wait()
	h.Log.InfoContext(ctx, "console closed", "instance", vm.ID, "user", t.UserID, "kind", t.Kind, "after", time.Since(began), "why", why)
}

// copyAll hides the connections' other methods, so that io uses our buffer.
func copyAll(to io.Writer, from io.Reader) error {
	b := buffers.Get().(*[]byte)
	defer buffers.Put(b)
	_, err := io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, *b)
	if err == nil {
		err = io.EOF
	}
	return err
}

var buffers = sync.Pool{New: func() any { b := make([]byte, buffer); return &b }}

var errMoved = errors.New("the instance was restarted elsewhere")

// guard returns when the console must close.
func (h *Handler) guard(ctx context.Context, t compute.Ticket, vm compute.VM) error {
	tick := time.NewTicker(recheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		now, err := h.entitled(ctx, t)
		if err != nil {
			return err
		}
		if now.HostID != vm.HostID {
			return errMoved
		}
	}
}

// entitled does not wait for a database that hangs: who cannot be asked about
// may not watch.
func (h *Handler) entitled(ctx context.Context, t compute.Ticket) (compute.VM, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return h.Compute.Entitled(ctx, t)
}

// reason is what the browser is told; its status line says it in words.
func reason(err error) (websocket.StatusCode, string) {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed), err == nil:
		return websocket.StatusNormalClosure, "closed"
	case errors.Is(err, errMoved):
		return websocket.StatusGoingAway, "moved"
	case fault.Is(err, fault.Unauthenticated):
		return websocket.StatusPolicyViolation, "signed out"
	case fault.Is(err, fault.NotFound):
		return websocket.StatusPolicyViolation, "gone"
	case fault.Is(err, fault.Conflict):
		return websocket.StatusGoingAway, "stopped"
	}
	return websocket.StatusGoingAway, "lost"
}
