package api

import (
	"crypto/subtle"
	"net/http"
	"strconv"
	"time"

	"aerie/services/command"
	"aerie/services/fault"
)

// The cookies of a session.
const (
	sessionCookie = "JSESSIONID"
	keyCookie     = "sessionkey"
	cookiePath    = "/client"
)

// loginBody is login's answer; its types are those that clients decode.
type loginBody struct {
	Username       string `json:"username"`
	UserID         string `json:"userid"`
	DomainID       string `json:"domainid"`
	Timeout        int    `json:"timeout"`
	Account        string `json:"account"`
	FirstName      string `json:"firstname"`
	LastName       string `json:"lastname"`
	Type           string `json:"type"`
	Registered     string `json:"registered"`
	Timezone       string `json:"timezone"`
	TimezoneOffset string `json:"timezoneoffset"`
	Key            string `json:"sessionkey"`
	TwoFactor      string `json:"is2faenabled"`
	Verified       string `json:"is2faverified"`
	Provider       string `json:"providerfor2fa"`
	Issuer         string `json:"issuerfor2fa"`
}

var errLogin = fault.New(fault.Kind{Name: "login", HTTP: 401, API: 531, CS: 4290}, "error.login")

// login signs a user in. It is the one command that insists on POST, so that
// passwords stay out of logs and histories.
func (h *Handler) login(x *exchange) error {
	x.writes = true
	if x.Request().Method != http.MethodPost {
		return x.fail(errMethod)
	}
	s, err := h.Sessions.Login(x.ctx, Login{
		Username: x.params.Get("username"), Password: x.params.Get("password"),
		Domain: x.params.Get("domain"), DomainID: x.params.Get("domainid"),
		Remote: x.RealIP(), Agent: x.Request().UserAgent(),
	})
	return h.begin(x, s, err)
}

// oauthLogin signs in whom an OpenID Connect provider vouches for. Like login it
// insists on POST.
func (h *Handler) oauthLogin(x *exchange) error {
	x.writes = true
	if x.Request().Method != http.MethodPost {
		return x.fail(errMethod)
	}
	s, err := h.Sessions.OAuthLogin(x.ctx, OAuth{
		Email: x.params.Get("email"), Provider: x.params.Get("provider"), Code: x.params.Get("secretcode"),
		Remote: x.RealIP(), Agent: x.Request().UserAgent(),
	})
	return h.begin(x, s, err)
}

// begin answers with a session that has just begun.
func (h *Handler) begin(x *exchange, s Session, err error) error {
	if err != nil {
		return x.fail(loginFault(err))
	}
	if old, err := x.Cookie(sessionCookie); err == nil && old.Value != s.Token {
		_ = h.Sessions.Logout(x.ctx, old.Value) // a new login never goes on with an old session
	}
	x.actor = s.Actor
	// The key of a session that becomes whole is in the cookie, for it is new.
	h.setCookie(x, sessionCookie, s.Token, 0)
	h.setCookie(x, keyCookie, s.Key, 0)
	return x.reply(http.StatusOK, envelope(x.envelope, command.Marshal(bodyOf(s))))
}

// loginFault tells strangers only that it did not work, or that they must wait.
func loginFault(err error) error {
	switch fault.Of(err).Kind.Name {
	case fault.Internal.Name, fault.TooMany.Name, fault.Unavailable.Name:
		return err
	}
	return fault.New(errLogin.Kind, errLogin.Key).Because(err)
}

func bodyOf(s Session) loginBody {
	p := s.Profile
	return loginBody{
		Username: p.Username, UserID: s.Actor.UserID, DomainID: s.Actor.DomainID, Timeout: int(p.Timeout / time.Second),
		Account: p.Account, FirstName: p.FirstName, LastName: p.LastName, Type: strconv.Itoa(int(s.Actor.Rank)), Registered: "false",
		Timezone: p.Timezone, TimezoneOffset: p.TimezoneOffset, Key: s.Key,
		TwoFactor: strconv.FormatBool(p.TwoFactor), Verified: strconv.FormatBool(!s.Unverified),
		Provider: p.TwoFactorProvider, Issuer: p.TwoFactorIssuer,
	}
}

// logout ends the session, whoever's it is.
func (h *Handler) logout(x *exchange) error {
	x.writes = true
	if c, err := x.Cookie(sessionCookie); err == nil {
		if s, err := h.bySession(x); err == nil {
			x.actor = s.Actor
			if err := h.Sessions.Logout(x.ctx, c.Value); err != nil {
				return x.fail(err)
			}
		}
	}
	h.dropCookies(x)
	return x.reply(http.StatusOK, envelope(x.envelope, []byte(`{"description":"success"}`)))
}

// bySession checks the session's cookie and its key. The key may come as a
// parameter, as a cookie or as both; whatever comes must be right.
func (h *Handler) bySession(x *exchange) (Session, error) {
	c, err := x.Cookie(sessionCookie)
	if err != nil || c.Value == "" {
		return Session{}, errRefused
	}
	s, err := h.Sessions.Session(x.ctx, c.Value)
	if err != nil {
		if fault.Of(err).Kind.Name == fault.Internal.Name {
			return Session{}, err
		}
		h.dropCookies(x)
		return Session{}, errRefused
	}
	if !keyed(x, s.Key) {
		// A guess at the key costs the session.
		if err := h.Sessions.Logout(x.ctx, c.Value); err != nil {
			return Session{}, err
		}
		h.dropCookies(x)
		return Session{}, errRefused
	}
	if !x.params.Has(keyCookie) && crossSite(x.Request()) {
		return Session{}, errRefused
	}
	return s, nil
}

func keyed(x *exchange, want string) bool {
	found := false
	for _, given := range keysOf(x) {
		if want == "" || subtle.ConstantTimeCompare([]byte(given), []byte(want)) != 1 {
			return false
		}
		found = true
	}
	return found
}

func keysOf(x *exchange) (out []string) {
	if x.params.Has(keyCookie) {
		out = append(out, x.params.Get(keyCookie))
	}
	if c, err := x.Cookie(keyCookie); err == nil {
		out = append(out, c.Value)
	}
	return out
}

// crossSite tells that a browser sent the request for another site's page.
// Cookies alone are no proof then that the user wants it.
func crossSite(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return false
	}
	return true
}

func (h *Handler) setCookie(x *exchange, name, value string, maxAge int) {
	secure := x.Request().TLS != nil
	if h.Secure != nil {
		secure = h.Secure(x.Request())
	}
	x.SetCookie(&http.Cookie{
		Name: name, Value: value, Path: cookiePath, MaxAge: maxAge,
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteStrictMode,
	})
}

func (h *Handler) dropCookies(x *exchange) {
	h.setCookie(x, sessionCookie, "", -1)
	h.setCookie(x, keyCookie, "", -1)
}
