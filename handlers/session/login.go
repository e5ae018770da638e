package session

import (
	"context"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"aerie/services/iam"
	"aerie/services/store"
)

// Credentials are what the login form asks for.
type Credentials struct {
	Username string `form:"username"`
	Password string `form:"password"`
	Domain   string `form:"domain"`
	Next     string `form:"next"`
}

// SignIn checks credentials and gives the browser a session of its own: a
// session it had before ends, so that nobody can plant one. The answer is where
// to go next, always a page of this server.
func (m *Manager) SignIn(c echo.Context, in Credentials) (next string, err error) {
	r := c.Request()
	l, err := m.IAM.Login(r.Context(), iam.LoginRequest{
		Username: in.Username, Password: in.Password, DomainPath: in.Domain,
		RemoteIP: m.ClientIP(r), UserAgent: r.UserAgent(),
	})
	if err != nil {
		return "", err
	}
	return Next(in.Next), m.Adopt(c, l)
}

// Adopt gives the browser a session that has just begun, instead of one it had.
func (m *Manager) Adopt(c echo.Context, l iam.Login) error {
	r := c.Request()
	name := m.cookieName(r)
	if old := cookie(r, name); old != "" {
		if err := m.IAM.Logout(r.Context(), old); err != nil {
			return err
		}
	}
	m.setCookie(c.Response(), r, name, l.Token, 0)
	m.setCookie(c.Response(), r, name+seedSuffix, "", -1)
	st := From(r.Context())
	st.Principal, st.SignedIn, st.token, st.CSRF = l.Principal, true, l.Token, iam.CSRF(l.Token)
	ctx := context.WithValue(store.With(r.Context(), l.Actor), stateKey{}, st)
	c.SetRequest(r.WithContext(ctx))
	return nil
}

// SignOut ends the browser's session.
func (m *Manager) SignOut(c echo.Context) error {
	r := c.Request()
	name := m.cookieName(r)
	m.setCookie(c.Response(), r, name, "", -1)
	// The browser forgets what it has cached of this user.
	c.Response().Header().Set("Clear-Site-Data", `"cache"`)
	return m.IAM.Logout(r.Context(), cookie(r, name))
}

// Next returns where a page asked to go on to, if that is a path of this very
// server, and / otherwise.
func Next(raw string) string {
	if !strings.HasPrefix(raw, "/") || strings.HasPrefix(raw, "//") || len(raw) > 2000 {
		return "/"
	}
	// Browsers take \ for / and drop tabs and newlines.
	if strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }) {
		return "/"
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || strings.HasPrefix(u.Path, "//") || strings.Contains(u.Path, `\`) {
		return "/"
	}
	return raw
}

func escape(s string) string { return url.QueryEscape(s) }
