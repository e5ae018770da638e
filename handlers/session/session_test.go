package session_test

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"aerie/handlers/session"
	"aerie/locales"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

type portal struct {
	*testing.T
	*session.Manager
	echo *echo.Echo
}

// newPortal is a portal of four routes.
func newPortal(t *testing.T) *portal {
	t.Helper()
	s := iam.New(storetest.Open(t), iam.Options{Argon: iam.Argon{Memory: 64, Time: 1, Threads: 1}})
	if _, err := s.Bootstrap(t.Context(), "secret"); err != nil {
		t.Fatal(err)
	}
	trusted, err := session.ParseProxies("10.0.0.0/8, 192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	p := &portal{t, &session.Manager{IAM: s, Trusted: trusted, Themes: []string{"dark"}}, echo.New()}
	p.echo.HTTPErrorHandler = func(err error, c echo.Context) {
		var f *fault.Error
		if !errors.As(err, &f) {
			f = fault.Of(err)
		}
		_ = c.String(f.Kind.HTTP, f.Key)
	}
	p.echo.Use(p.Headers, p.Load, p.Protect)
	p.echo.GET("/login", func(c echo.Context) error { return c.String(200, session.From(c.Request().Context()).CSRF) })
	p.echo.POST("/login", func(c echo.Context) error {
		var in session.Credentials
		if err := c.Bind(&in); err != nil {
			return err
		}
		next, err := p.SignIn(c, in)
		if err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, next)
	})
	p.echo.POST("/logout", func(c echo.Context) error { return p.SignOut(c) })
	p.echo.GET("/console", func(c echo.Context) error { return c.NoContent(200) }, session.LooseStyles)
	home := func(c echo.Context) error {
		st := session.From(c.Request().Context())
		a, _ := store.From(c.Request().Context())
		return c.JSON(200, []string{st.User.Username, st.CSRF, locales.Lang(c.Request().Context()), st.Theme, a.UserID, st.Remote})
	}
	p.echo.GET("/", home, p.Require)
	p.echo.POST("/", home, p.Require)
	p.echo.POST("/theme", func(c echo.Context) error { return p.SetTheme(c, c.FormValue("theme")) }, p.Require)
	return p
}

// browser keeps cookies.
type browser struct {
	*portal
	jar    map[string]*http.Cookie
	secure bool
	header http.Header
}

func (p *portal) browser() *browser {
	return &browser{portal: p, jar: map[string]*http.Cookie{}, header: http.Header{}}
}

func (b *browser) do(method, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	r.RemoteAddr = "198.51.100.7:1234"
	if b.secure {
		r.TLS = &tls.ConnectionState{}
	}
	for k, v := range b.header {
		r.Header[k] = v
	}
	if method != http.MethodGet {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range b.jar {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	b.echo.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.jar, c.Name)
		} else {
			b.jar[c.Name] = c
		}
	}
	return w
}

func (b *browser) login(next string) *httptest.ResponseRecorder {
	b.Helper()
	token := b.do("GET", "/login", nil).Body.String()
	w := b.do("POST", "/login", url.Values{"_csrf": {token}, "username": {"admin"}, "password": {"secret"}, "next": {next}})
	if w.Code != http.StatusSeeOther {
		b.Fatal("login:", w.Code, w.Body)
	}
	return w
}

func TestSignInAndOut(t *testing.T) {
	b := newPortal(t).browser()
	if w := b.do("GET", "/?a=1", nil); w.Code != 303 || w.Header().Get("Location") != "/login?next=%2F%3Fa%3D1" {
		t.Error("a stranger gets", w.Code, w.Header())
	}
	if w := b.login("/?a=1"); w.Header().Get("Location") != "/?a=1" {
		t.Error(w.Header())
	}
	c := b.jar["aerie"]
	if c == nil || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.Secure {
		t.Errorf("%+v", c)
	}
	w := b.do("GET", "/", nil)
	if w.Code != 200 || !strings.HasPrefix(w.Body.String(), `["admin",`) || w.Header().Get("Cache-Control") != "no-store" {
		t.Error(w.Code, w.Body, w.Header())
	}
	csrf := iam.CSRF(c.Value)
	if w := b.do("POST", "/logout", url.Values{"_csrf": {csrf}}); w.Code != 200 {
		t.Error(w.Code, w.Body)
	}
	b.jar["aerie"] = c // a stolen copy
	if w := b.do("GET", "/", nil); w.Code != 303 {
		t.Error("after logout:", w.Code)
	}
}

func TestSessionFixation(t *testing.T) {
	b := newPortal(t).browser()
	b.jar["aerie"] = &http.Cookie{Name: "aerie", Value: "planted"}
	b.login("")
	first := b.jar["aerie"].Value
	if first == "planted" {
		t.Fatal("the planted session was taken")
	}
	b.jar["aerie"] = &http.Cookie{Name: "aerie", Value: first}
	w := b.do("POST", "/login", url.Values{"_csrf": {iam.CSRF(first)}, "username": {"admin"}, "password": {"secret"}})
	if w.Code != 303 || b.jar["aerie"].Value == first {
		t.Error("the session is not renewed", w.Code, w.Body)
	}
	if _, err := b.IAM.SessionActor(t.Context(), first); err == nil {
		t.Error("the old session lives")
	}
}

func TestHostPrefixOverTLS(t *testing.T) {
	b := newPortal(t).browser()
	b.secure = true
	b.login("")
	if c := b.jar["__Host-aerie"]; c == nil || !c.Secure {
		t.Error(b.jar)
	}
	if w := b.do("GET", "/", nil); w.Code != 200 || w.Header().Get("Strict-Transport-Security") == "" {
		t.Error(w.Code)
	}
	b.jar = map[string]*http.Cookie{"aerie": {Name: "aerie", Value: b.jar["__Host-aerie"].Value}}
	if w := b.do("GET", "/", nil); w.Code != 303 {
		t.Error("a cookie that a neighbour could plant is taken:", w.Code)
	}
}

func TestCSRF(t *testing.T) {
	b := newPortal(t).browser()
	if w := b.do("POST", "/login", url.Values{"username": {"admin"}, "password": {"secret"}}); w.Code != 403 {
		t.Error("a login from elsewhere:", w.Code)
	}
	b.login("")
	mine := iam.CSRF(b.jar["aerie"].Value)
	other := newPortal(t).browser()
	other.login("")
	for what, f := range map[string]struct {
		form   url.Values
		header http.Header
		want   int
	}{
		"none":          {nil, nil, 403},
		"empty":         {url.Values{"_csrf": {""}}, nil, 403},
		"another's":     {url.Values{"_csrf": {iam.CSRF(other.jar["aerie"].Value)}}, nil, 403},
		"in the form":   {url.Values{"_csrf": {mine}}, nil, 200},
		"in the header": {nil, http.Header{"X-Csrf-Token": {mine}}, 200},
		"cross site":    {url.Values{"_csrf": {mine}}, http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
		"same site":     {url.Values{"_csrf": {mine}}, http.Header{"Sec-Fetch-Site": {"same-site"}}, 403},
		"other origin":  {url.Values{"_csrf": {mine}}, http.Header{"Origin": {"https://evil.example"}}, 403},
		"same origin":   {url.Values{"_csrf": {mine}}, http.Header{"Sec-Fetch-Site": {"same-origin"}}, 200},
		"api's key":     {url.Values{"_csrf": {iam.SessionKey(b.jar["aerie"].Value)}}, nil, 403},
	} {
		b.header = f.header
		if w := b.do("POST", "/", f.form); w.Code != f.want {
			t.Errorf("%s: %d, want %d", what, w.Code, f.want)
		}
	}
	b.header = nil
	if w := b.do("POST", "/?_csrf="+mine, nil); w.Code != 403 {
		t.Error("a token in the address, which logs keep:", w.Code)
	}
}

func TestNext(t *testing.T) {
	for in, want := range map[string]string{
		"": "/", "/": "/", "/vms?id=1#x": "/vms?id=1#x", "vms": "/",
		"//evil.example": "/", "/\\evil.example": "/", "\\\\evil.example": "/", "https://evil.example/": "/", "javascript:alert(1)": "/",
		"/\t/evil.example": "/", "/\n/evil": "/", " /vms": "/", "/%5c%5cevil.example": "/", "/%2f/evil.example": "/", "///evil.example": "/",
		"/a/../..//evil": "/a/../..//evil", "/vms\x00": "/",
	} {
		if got := session.Next(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzNext(f *testing.F) {
	for _, s := range []string{"/", "//x", "/\\x", "/%2fx", "/a?b=//c"} {
		f.Add(s)
	}
	base, _ := url.Parse("https://aerie.example/login")
	f.Fuzz(func(t *testing.T, in string) {
		to, err := base.Parse(session.Next(in))
		if err != nil || to.Host != "aerie.example" || to.Scheme != "https" {
			t.Errorf("%q goes to %v %v", in, to, err)
		}
	})
}

func TestHeaders(t *testing.T) {
	b := newPortal(t).browser()
	for _, path := range []string{"/", "/login", "/none"} {
		h := b.do("GET", path, nil).Header()
		csp := h.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self';", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("%s lacks %s", path, part)
			}
		}
		if strings.Contains(csp, "unsafe") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cross-Origin-Opener-Policy") != "same-origin" || h.Get("Referrer-Policy") == "" {
			t.Error(path, h)
		}
	}
	if csp := b.do("GET", "/console", nil).Header().Get("Content-Security-Policy"); !strings.Contains(csp, "style-src 'self' 'unsafe-inline'") || strings.Contains(csp, "script-src 'self' 'unsafe") {
		t.Error(csp)
	}
}

func TestClientIP(t *testing.T) {
	p := newPortal(t)
	for _, f := range []struct{ peer, forwarded, want string }{
		{"198.51.100.7:1", "", "198.51.100.7"},
		{"198.51.100.7:1", "1.2.3.4", "198.51.100.7"}, // a stranger's word
		{"10.0.0.1:1", "1.2.3.4", "1.2.3.4"},
		{"10.0.0.1:1", "6.6.6.6, 1.2.3.4, 10.9.9.9", "1.2.3.4"}, // the first was made up
		{"10.0.0.1:1", "6.6.6.6, nonsense", "10.0.0.1"},
		{"10.0.0.1:1", "", "10.0.0.1"},
		{"[::ffff:10.0.0.1]:1", "2001:db8::1", "2001:db8::1"},
		{"192.0.2.1:1", "1.2.3.4", "1.2.3.4"},
		{"192.0.2.2:1", "1.2.3.4", "192.0.2.2"},
		{"@", "1.2.3.4", ""},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = f.peer
		if f.forwarded != "" {
			r.Header.Set("X-Forwarded-For", f.forwarded)
		}
		r.Header.Set("X-Forwarded-Proto", "https")
		if got := p.ClientIP(r); got != f.want {
			t.Errorf("%s via %q: %q, want %q", f.peer, f.forwarded, got, f.want)
		}
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "198.51.100.7:1"
	r.Header.Set("X-Forwarded-Proto", "https")
	if p.Secure(r) {
		t.Error("a stranger says https")
	}
}

// TestPublicURL: behind a proxy that calls the server by another name, pages of
// the public address are the portal's own.
func TestPublicURL(t *testing.T) {
	p := newPortal(t)
	p.Public = &url.URL{Scheme: "https", Host: "cloud.example.org"}
	for _, f := range []struct {
		what, peer, host, proto string
		want                    bool
	}{
		{"a proxy that says so", "10.0.0.1:1", "upstream:8080", "https", true},
		{"a proxy that says nothing", "10.0.0.1:1", "upstream:8080", "", true},
		{"a proxy that was called in the clear", "10.0.0.1:1", "cloud.example.org", "http", false},
		{"a proxy that nobody trusts", "198.51.100.7:1", "cloud.example.org", "", true},
		{"this machine itself", "127.0.0.1:1", "127.0.0.1:8080", "", false},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr, r.Host = f.peer, f.host
		r.Header.Set("X-Forwarded-Proto", f.proto)
		if got := p.Secure(r); got != f.want {
			t.Errorf("%s: secure %v", f.what, got)
		}
	}
	q := newPortal(t)
	q.Public = p.Public
	q.echo = echo.New()
	q.echo.Use(q.Load, q.Protect)
	q.echo.GET("/login", func(c echo.Context) error { return c.String(200, session.From(c.Request().Context()).CSRF) })
	q.echo.POST("/login", func(c echo.Context) error { return c.NoContent(204) })
	b := q.browser()
	token := b.do("GET", "/login", nil).Body.String()
	for origin, want := range map[string]int{"https://cloud.example.org": 204, "http://example.com": 204, "https://evil.example": 403, "http://cloud.example.org": 403} {
		b.header = http.Header{"Origin": {origin}}
		w := b.do("POST", "/login", url.Values{"_csrf": {token}})
		if (w.Code == 204) != (want == 204) {
			t.Errorf("a page of %s is answered %d", origin, w.Code)
		}
	}
}

func TestPreferences(t *testing.T) {
	b := newPortal(t).browser()
	b.header = http.Header{"Accept-Language": {"de-AT,de;q=0.9"}}
	b.login("")
	mine := iam.CSRF(b.jar["aerie"].Value)
	if w := b.do("GET", "/", nil); !strings.Contains(w.Body.String(), `"de"`) {
		t.Error("the browser's language:", w.Body)
	}
	for theme, want := range map[string]string{"dark": `"dark"`, "../evil": `"",`} {
		b.do("POST", "/theme", url.Values{"_csrf": {mine}, "theme": {theme}})
		if w := b.do("GET", "/", nil); !strings.Contains(w.Body.String(), want) {
			t.Error(theme, w.Body)
		}
	}
}

func TestGorillaSession(t *testing.T) {
	p := newPortal(t)
	b := p.browser()
	b.login("")
	p.echo.GET("/flash", func(c echo.Context) error {
		s, err := p.Get(c.Request(), "")
		if err != nil {
			return err
		}
		was, _ := s.Values["flash"].(string)
		s.Values["flash"] = "saved"
		if err := s.Save(c.Request(), c.Response()); err != nil {
			return err
		}
		return c.String(200, was)
	})
	if w := b.do("GET", "/flash", nil); w.Body.String() != "" || w.Code != 200 {
		t.Error(w.Code, w.Body)
	}
	if w := b.do("GET", "/flash", nil); w.Body.String() != "saved" {
		t.Error(w.Code, w.Body)
	}
}

func TestFragmentsOfStrangers(t *testing.T) {
	b := newPortal(t).browser()
	b.header = http.Header{"Hx-Request": {"true"}}
	if w := b.do("GET", "/", nil); w.Code != 401 || w.Header().Get("HX-Redirect") != "/login" {
		t.Error(w.Code, w.Header())
	}
}

func TestOneQueryPerRequest(t *testing.T) {
	b := newPortal(t).browser()
	b.login("")
	before := b.IAM.DB().Statements()
	b.do("GET", "/", nil)
	if n := b.IAM.DB().Statements() - before; n != 1 {
		t.Error(n, "statements for who asks")
	}
}
