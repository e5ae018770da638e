package session

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"

	"github.com/gorilla/sessions"
	"github.com/labstack/echo/v4"

	"aerie/services/fault"
	"aerie/services/iam"
)

// The cookie holds a random token and nothing else. __Host- binds it to this
// very host, which browsers do only over TLS.
const (
	plainName  = "aerie"
	secureName = "__Host-aerie"
	seedSuffix = "-form"
)

// principalKey is where a session's values keep who it belongs to.
type principalKey struct{}

func (m *Manager) cookieName(r *http.Request) string {
	if m.Secure(r) {
		return secureName
	}
	return plainName
}

// Get returns the request's session, which is read once; it is new when nobody
// is signed in. The name is for gorilla's sake: there is one.
func (m *Manager) Get(r *http.Request, _ string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(m, plainName)
}

// New reads the session from its cookie and the database.
func (m *Manager) New(r *http.Request, name string) (*sessions.Session, error) {
	s := sessions.NewSession(m, name)
	s.Options = &sessions.Options{Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: m.Secure(r)}
	s.IsNew = true
	token := cookie(r, m.cookieName(r))
	if token == "" {
		return s, nil
	}
	p, err := m.IAM.SessionActor(r.Context(), token)
	if fault.Is(err, fault.Unauthenticated) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	s.ID, s.IsNew = token, false
	s.Values[principalKey{}] = p
	for k, v := range p.Session.Values() {
		s.Values[k] = v
	}
	return s, nil
}

// Save keeps the session's texts in the database and sends the cookie. A
// negative MaxAge ends the session.
func (m *Manager) Save(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	if s.ID == "" {
		return fault.New(fault.Unauthenticated, "error.session")
	}
	if s.Options.MaxAge < 0 {
		m.setCookie(w, r, m.cookieName(r), "", -1)
		return m.IAM.Logout(r.Context(), s.ID)
	}
	values := map[string]string{}
	for k, v := range s.Values {
		if name, ok := k.(string); ok {
			values[name], _ = v.(string) // other values are not kept
		}
	}
	if err := m.IAM.SaveValues(r.Context(), s.ID, values); err != nil {
		return err
	}
	m.setCookie(w, r, m.cookieName(r), s.ID, 0)
	return nil
}

func (m *Manager) setCookie(w http.ResponseWriter, r *http.Request, name, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: m.Secure(r), SameSite: http.SameSiteLaxMode,
	})
}

// seed is what a stranger's CSRF token is made of: a cookie of its own, so that
// nobody signs a visitor in as somebody else.
func (m *Manager) seed(c echo.Context) (string, error) {
	r, name := c.Request(), m.cookieName(c.Request())+seedSuffix
	if have := cookie(r, name); len(have) == 32 {
		return have, nil
	}
	b := make([]byte, 24)
	if _, err := rand.Read(b); err != nil {
		return "", err
	}
	seed := base64.RawURLEncoding.EncodeToString(b)
	m.setCookie(c.Response(), r, name, seed, 0)
	return seed, nil
}

// SetLanguage and SetTheme keep a choice: in a cookie, and with the user when
// there is one.
func (m *Manager) SetLanguage(c echo.Context, tag string) error {
	return m.prefer(c, languageCookie, tag, iam.UpdateUser{Language: &tag})
}

// SetTheme keeps the choice of a theme; an unknown one means the system's.
func (m *Manager) SetTheme(c echo.Context, name string) error {
	name = m.theme(name)
	return m.prefer(c, themeCookie, name, iam.UpdateUser{Theme: &name})
}

func (m *Manager) prefer(c echo.Context, name, value string, change iam.UpdateUser) error {
	if len(value) > 16 {
		return fault.Param(name, "error.name_long", "max", 16)
	}
	c.SetCookie(&http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: 365 * 24 * 3600,
		HttpOnly: true, Secure: m.Secure(c.Request()), SameSite: http.SameSiteLaxMode,
	})
	st := From(c.Request().Context())
	if !st.SignedIn {
		return nil
	}
	change.ID = st.UserID
	_, err := m.IAM.UpdateUser(c.Request().Context(), change)
	return err
}
