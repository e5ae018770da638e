package api

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/store"
)

// unknownEnvelope holds the errors of commands that do not exist.
const unknownEnvelope = "errorresponse"

var (
	errStopping = fault.New(fault.Stopping, "error.stopping")
	errRefused  = fault.New(fault.Unauthenticated, "error.unauthenticated")
	errMethod   = fault.New(fault.Method, "error.method")
)

// exchange is one request and its answer.
type exchange struct {
	echo.Context
	h        *Handler
	ctx      context.Context
	sent     url.Values // names as they came, for the signature
	params   url.Values
	command  string
	envelope string
	json     bool
	failed   error

	actor  store.Actor
	writes bool
	start  time.Time
	code   int
	cause  error
}

func (h *Handler) exchange(c echo.Context) *exchange {
	x := &exchange{Context: c, h: h, ctx: c.Request().Context(), start: time.Now(), envelope: unknownEnvelope}
	x.sent, x.failed = readRequest(c)
	x.params = lower(x.sent)
	x.command = x.params.Get("command")
	x.json = strings.EqualFold(x.params.Get("response"), "json")
	if x.command == "login" || x.command == "logout" || x.command == "oauthlogin" || h.Registry.Get(x.command) != nil {
		x.envelope = strings.ToLower(x.command) + "response"
		if known := h.Registry.Get(x.command); known != nil {
			x.envelope = known.Envelope
		}
	}
	return x
}

// fail answers an error: its code is the HTTP status, too.
func (x *exchange) fail(err error) error {
	f := command.Explain(err, x.command, command.RoleOf(x.actor.Rank))
	if fault.Is(err, fault.Unsupported) {
		x.envelope = unknownEnvelope
	}
	x.cause = err
	return x.failure(f)
}

type errorBody struct {
	UUIDs  []string `json:"uuidList"`
	Code   int      `json:"errorcode"`
	CSCode int      `json:"cserrorcode,omitempty"`
	Text   string   `json:"errortext"`
}

func (x *exchange) failure(f command.Failure) error {
	text := f.Text
	x.Response().Header().Set("X-Description", headerText(text))
	return x.reply(f.Code, envelope(x.envelope, command.Marshal(errorBody{UUIDs: []string{}, Code: f.Code, CSCode: f.CSCode, Text: text})))
}

func envelope(name string, body []byte) []byte {
	b := make([]byte, 0, len(name)+len(body)+8)
	b = append(append(append(b, '{'), strconv.Quote(name)...), ':')
	return append(append(b, body...), '}')
}

// headerText keeps a header on one line.
func headerText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// reply writes a document as JSON or, by default, as XML.
func (x *exchange) reply(code int, doc []byte) error {
	x.code = code
	x.Response().Header().Set("Cache-Control", "no-store")
	if x.json {
		return x.Blob(code, "application/json; charset=UTF-8", doc)
	}
	out, err := command.XML(doc)
	if err != nil {
		return fmt.Errorf("answer %s: %w", x.command, err)
	}
	return x.Blob(code, "text/xml; charset=UTF-8", out)
}

// done logs the exchange and turns a panic into an internal error.
func (x *exchange) done() {
	if r := recover(); r != nil {
		x.h.log().ErrorContext(x.ctx, "panic", "command", x.command, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
		if !x.Response().Committed {
			_ = x.fail(fmt.Errorf("panic: %v", r))
		}
	}
	level := slog.LevelDebug
	switch {
	case x.cause != nil && fault.Of(x.cause).Kind.Name == fault.Internal.Name:
		level = slog.LevelError
	case x.cause != nil || x.writes:
		level = slog.LevelInfo
	}
	log := x.h.log()
	if !log.Enabled(x.ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("request", x.requestID()), slog.String("command", clip(x.command)), slog.Int("code", x.code),
		slog.Duration("took", time.Since(x.start)), slog.String("remote", x.RealIP()),
		slog.String("user", x.actor.UserID), slog.String("account", x.actor.AccountID),
	}
	if x.cause != nil {
		attrs = append(attrs, slog.String("err", x.cause.Error()))
	}
	log.LogAttrs(x.ctx, level, "api", attrs...)
}

func (x *exchange) requestID() string {
	if id := x.Response().Header().Get(echo.HeaderXRequestID); id != "" {
		return id
	}
	return clip(x.Request().Header.Get(echo.HeaderXRequestID))
}

// clip keeps what strangers send from filling the log.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most]
	}
	return s
}

// calledLoopback tells whether the request was addressed to this machine by a
// name that cannot be made to mean another.
func calledLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

// loopback tells whether the request comes from this machine itself.
func loopback(r *http.Request) bool {
	host := r.RemoteAddr
	return strings.HasPrefix(host, "127.") || strings.HasPrefix(host, "[::1]:")
}
