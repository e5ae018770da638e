// Package api serves CloudStack's query API: it reads the request, finds out
// who asks by signature or session, calls the command and writes JSON or XML.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"aerie/services/command"
	"aerie/services/store"
)

// Keys finds who holds an API key and uses it from an address. An unknown key, and one whose owner is shut
// out, is an error.
type Keys interface {
	KeyOwner(ctx context.Context, apiKey, remote string) (secret string, actor store.Actor, err error)
}

// Sessions signs users in. Unknown and ended tokens are errors.
type Sessions interface {
	Login(ctx context.Context, l Login) (Session, error)
	Session(ctx context.Context, token string) (Session, error)
	Logout(ctx context.Context, token string) error
	// OAuthLogin signs in whom a provider vouches for.
	OAuthLogin(ctx context.Context, o OAuth) (Session, error)
	// Enter is the context of what is asked in a session; Renewed tells the new
	// token and key of one that became another meanwhile.
	Enter(ctx context.Context, s Session) context.Context
	Renewed(ctx context.Context) (token, key string)
}

// Login is what the login command was given.
type Login struct {
	Username, Password string
	Domain             string // path; empty for ROOT
	DomainID           string // wins over Domain
	Remote, Agent      string
}

// OAuth is what the oauthlogin command was given.
type OAuth struct{ Email, Provider, Code, Remote, Agent string }

// Session is a user that is signed in.
type Session struct {
	ID    string
	Token string // the cookie's value
	Key   string // the sessionkey
	Actor store.Actor
	// Unverified users still owe their second factor.
	Unverified bool
	Profile    Profile
}

// Profile is what login answers about the user.
type Profile struct {
	Username, Account, FirstName, LastName string
	Timezone, TimezoneOffset               string
	Timeout                                time.Duration
	TwoFactor                              bool // is set up
	TwoFactorProvider, TwoFactorIssuer     string
}

// Handler serves the API. Registry, Keys and Sessions are needed.
type Handler struct {
	Registry *command.Registry
	Keys     Keys
	Sessions Sessions
	Log      *slog.Logger
	// Now is the clock for expires; nil: the real one.
	Now func() time.Time
	// Strict is the setting that wants every signature to expire within 15 minutes.
	Strict func(context.Context) bool
	// Stopping tells that this server shuts down.
	Stopping func() bool
	// Limit refuses callers that ask too often.
	Limit func(context.Context, store.Actor) error
	// Secure tells whether the browser's connection is encrypted; nil: by the
	// connection to this server.
	Secure func(*http.Request) bool
}

// Paths are where the API is. Neither redirects to the other: a POST would
// become a GET.
var Paths = []string{"/client/api", "/client/api/"}

// Register adds the API's routes.
func (h *Handler) Register(e *echo.Echo) {
	for _, path := range Paths {
		e.GET(path, h.Serve)
		e.POST(path, h.Serve)
	}
}

// Serve answers one request.
func (h *Handler) Serve(c echo.Context) error {
	x := h.exchange(c)
	defer x.done()
	if x.failed != nil {
		return x.fail(x.failed)
	}
	if h.Stopping != nil && h.Stopping() {
		return x.fail(errStopping)
	}
	switch x.command {
	case "login":
		return h.login(x)
	case "oauthlogin":
		return h.oauthLogin(x)
	case "logout":
		return h.logout(x)
	}
	if c := h.Registry.Get(x.command); c != nil && c.Public && !x.claims() {
		return h.public(x)
	}
	actor, err := h.authenticate(x)
	if err != nil {
		return x.fail(err)
	}
	return h.call(x, actor)
}

// claims tells whether a request says who asks.
func (x *exchange) claims() bool {
	c, err := x.Cookie(sessionCookie)
	return x.params.Has("signature") || x.params.Has("apikey") || err == nil && c.Value != ""
}

// public runs a command that needs nobody signed in.
func (h *Handler) public(x *exchange) error {
	c, out, err := h.Registry.CallPublic(x.ctx, x.command, x.RealIP(), x.params)
	if err != nil {
		return x.fail(err)
	}
	return x.reply(http.StatusOK, c.JSON(command.User, out))
}

// call runs the command for whom the request turned out to be of.
func (h *Handler) call(x *exchange, actor store.Actor) error {
	x.actor = actor
	ctx := command.WithRemote(store.With(x.ctx, actor), x.RealIP())
	if h.Limit != nil {
		if err := h.Limit(ctx, actor); err != nil {
			return x.fail(err)
		}
	}
	c, out, err := h.Registry.Call(ctx, x.command, x.params)
	if err != nil {
		if c == nil {
			x.envelope = unknownEnvelope
		}
		return x.fail(err)
	}
	x.writes = c.Async || c.Event != ""
	if token, key := h.Sessions.Renewed(x.ctx); token != "" {
		h.setCookie(x, sessionCookie, token, 0)
		h.setCookie(x, keyCookie, key, 0)
	}
	return x.reply(http.StatusOK, c.JSON(command.RoleOf(actor.Rank), out))
}

func (h *Handler) now() time.Time {
	if h.Now != nil {
		return h.Now()
	}
	return time.Now()
}

func (h *Handler) log() *slog.Logger {
	if h.Log != nil {
		return h.Log
	}
	return slog.New(slog.DiscardHandler)
}
