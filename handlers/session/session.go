// Package session knows which browser belongs to whom: cookies, CSRF tokens,
// language and theme, the headers of every page and the client's address behind
// proxies. The sessions themselves live in the database, in services/iam.
package session

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/gorilla/sessions"
	"github.com/labstack/echo/v4"

	"aerie/locales"
	"aerie/services/iam"
	"aerie/services/store"
	"aerie/views/components"
)

// Manager is what the portal's routes are wired with.
type Manager struct {
	IAM *iam.Service
	// Trusted are the proxies whose X-Forwarded-… headers count.
	Trusted []netip.Prefix
	// Public is the address that browsers use, when a proxy has another than the
	// server itself; nil otherwise.
	Public *url.URL
	// LoginURL is where Require sends strangers; empty: /login.
	LoginURL string
	// Themes are the themes there are; a cookie cannot name others.
	Themes []string
	Log    *slog.Logger
}

// State is what a page knows of who looks at it.
type State struct {
	iam.Principal
	SignedIn bool
	CSRF     string // every form has it, or the header X-CSRF-Token
	Language string
	Theme    string // empty: as the system has it
	Remote   string
	token    string
}

type stateKey struct{}

// From returns the state of the request that ctx belongs to.
func From(ctx context.Context) State {
	s, _ := ctx.Value(stateKey{}).(State)
	return s
}

const (
	languageCookie = "lang"
	themeCookie    = "theme"
)

// Load finds out who asks and puts actor, language and theme into the request's
// context. Strangers pass; see Require.
func (m *Manager) Load(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		st, err := m.state(c)
		if err != nil {
			return err
		}
		ctx := context.WithValue(c.Request().Context(), stateKey{}, st)
		ctx = components.WithCSRF(locales.With(ctx, st.Language), st.CSRF)
		if st.SignedIn {
			ctx = iam.WithSession(store.With(ctx, st.Actor), st.Session.ID)
			if zone, err := time.LoadLocation(st.User.Timezone); err == nil {
				ctx = locales.WithZone(ctx, zone)
			}
			c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
		}
		c.SetRequest(c.Request().WithContext(ctx))
		return next(c)
	}
}

func (m *Manager) state(c echo.Context) (State, error) {
	r := c.Request()
	sess, err := m.Get(r, "")
	if err != nil {
		return State{}, err
	}
	st := State{Remote: m.ClientIP(r), Theme: m.theme(cookie(r, themeCookie)), Language: cookie(r, languageCookie)}
	if p, ok := sess.Values[principalKey{}].(iam.Principal); ok {
		st.Principal, st.SignedIn, st.token = p, true, sess.ID
		st.CSRF = iam.CSRF(sess.ID)
		if p.User.Language != "" {
			st.Language = p.User.Language
		}
		if theme := m.theme(p.User.Theme); theme != "" {
			st.Theme = theme
		}
	} else {
		seed, err := m.seed(c)
		if err != nil {
			return State{}, err
		}
		st.CSRF = iam.CSRF(seed)
	}
	st.Language = locales.Match(r.Header.Get("Accept-Language"), st.Language)
	return st, nil
}

func (m *Manager) theme(name string) string {
	if slices.Contains(m.Themes, name) {
		return name
	}
	return ""
}

// SecondFactor is the one page of a session that owes its second factor.
const SecondFactor = "/second-factor"

// Renew gives the browser the new token of a session that became another.
func (m *Manager) Renew(c echo.Context) {
	if token := iam.Renewed(c.Request().Context()); token != "" {
		m.setCookie(c.Response(), c.Request(), m.cookieName(c.Request()), token, 0)
	}
}

// Require sends strangers to the login page and back afterwards. A fragment's
// request gets 401 and the whole page goes.
func (m *Manager) Require(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		to := m.loginURL()
		if st := From(c.Request().Context()); st.SignedIn && (!st.Half || c.Request().URL.Path == SecondFactor) {
			return next(c)
		} else if st.SignedIn {
			to = SecondFactor
		}
		if c.Request().Method == http.MethodGet && c.Request().Header.Get("HX-Request") == "" {
			return c.Redirect(http.StatusSeeOther, to+"?next="+escape(c.Request().URL.RequestURI()))
		}
		c.Response().Header().Set("HX-Redirect", to)
		return c.NoContent(http.StatusUnauthorized)
	}
}

func (m *Manager) loginURL() string {
	if m.LoginURL != "" {
		return m.LoginURL
	}
	return "/login"
}

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

var _ sessions.Store = (*Manager)(nil)
