package signon_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/proof"
	"aerie/services/signon"
)

// idp is an OpenID Connect provider on loopback: discovery, JWKS and the code
// flow with PKCE as the specification has them. What it says can be bent.
type idp struct {
	*httptest.Server
	key, other *rsa.PrivateKey
	codes      map[string]url.Values // code → the request that it was given for
	claims     map[string]any        // of the next token
	bend       func(claims map[string]any)
	issuer     string
	signer     *rsa.PrivateKey
	spent      map[string]bool
}

func newIDP(t *testing.T) *idp {
	p := &idp{codes: map[string]url.Values{}, spent: map[string]bool{}}
	for _, k := range []**rsa.PrivateKey{&p.key, &p.other} {
		made, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		*k = made
	}
	p.signer = p.key
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": p.issuer, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"end_session_endpoint": p.URL + "/end", "id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: "1", Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("/token", p.token)
	p.Server = httptest.NewServer(mux)
	p.issuer = p.URL
	t.Cleanup(p.Close)
	return p
}

// authorize is the user saying yes: it returns the code.
func (p *idp) authorize(to string) (state, code string) {
	u, _ := url.Parse(to)
	code = "code-" + u.Query().Get("state")
	p.codes[code] = u.Query()
	return u.Query().Get("state"), code
}

func (p *idp) token(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	asked := p.codes[r.Form.Get("code")]
	sum := sha256.Sum256([]byte(r.Form.Get("code_verifier")))
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.Form.Get("client_id"), r.Form.Get("client_secret")
	}
	if asked == nil || p.spent[r.Form.Get("code")] || id != "aerie" || secret != "client-secret" ||
		asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) || asked.Get("code_challenge_method") != "S256" {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
		return
	}
	p.spent[r.Form.Get("code")] = true
	claims := map[string]any{
		"iss": p.issuer, "sub": "subject-1", "aud": "aerie", "nonce": asked.Get("nonce"), "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
		"email": "ann@example.org", "email_verified": true, "preferred_username": "ann",
	}
	for k, v := range p.claims {
		claims[k] = v
	}
	if p.bend != nil {
		p.bend(claims)
	}
	signer, _ := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: p.signer, KeyID: "1"}}, nil)
	doc, _ := json.Marshal(claims)
	signed, _ := signer.Sign(doc)
	raw, _ := signed.CompactSerialize()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": raw})
}

type world struct {
	*proof.World
	*idp
	provider signon.Provider
}

func newWorld(t *testing.T, change func(*signon.Provider)) *world {
	w := &world{World: proof.New(t), idp: newIDP(t)}
	_, err := w.World.Config.Set(w.Admin, "oauth2.allowed.internal.sites", "127.0.0.1")
	w.Must(err)
	p := signon.Provider{
		Name: "corp", Description: "Corp", Issuer: w.idp.URL, ClientID: "aerie", RedirectURI: "https://portal.test" + signon.CallbackPath,
		Scopes: "profile email", Enabled: true, Internal: true, AutoImport: true,
	}
	if change != nil {
		change(&p)
	}
	w.provider, err = w.SignOn.Register(w.Admin, p, "client-secret")
	w.Must(err)
	return w
}

// in is one sign-in from the first click to the session.
func (w *world) in(browser string) (iam.Login, error) {
	w.Helper()
	to, err := w.SignOn.Begin(w.Context(), w.provider.ID, "/x", "browser-1")
	w.Must(err)
	state, code := w.authorize(to)
	return w.finish(signon.Answer{State: state, Code: code, Browser: browser})
}

func (w *world) finish(a signon.Answer) (iam.Login, error) {
	v, err := w.SignOn.Identify(w.Context(), a)
	if err != nil {
		return iam.Login{}, err
	}
	return w.SignOn.Enter(w.Context(), v, iam.LoginRequest{RemoteIP: "192.0.2.1"})
}

func TestOIDC(t *testing.T) {
	w := newWorld(t, nil)
	l, err := w.in("browser-1")
	w.Must(err)
	if l.User.Username != "ann" || l.User.Source != iam.OAuth2 || l.User.Email != "ann@example.org" {
		t.Errorf("%+v", l.User)
	}
	if _, err := w.IAM.SessionActor(t.Context(), l.Token); err != nil {
		t.Error(err)
	}
	// The subject is who it is, whatever it is called by now.
	w.claims = map[string]any{"preferred_username": "admin", "email": "admin@example.org"}
	again, err := w.in("browser-1")
	w.Must(err)
	if again.UserID != l.UserID {
		t.Error("another user of the same subject")
	}
	// And another subject of the same name is somebody else.
	w.claims = map[string]any{"sub": "subject-2"}
	if _, err := w.in("browser-1"); !fault.Is(err, fault.Forbidden) {
		t.Error("a second ann:", err)
	}
	_, err = w.IAM.DisableUser(w.Admin, l.UserID)
	w.Must(err)
	w.claims = nil
	if _, err := w.in("browser-1"); fault.Of(err).Key != "error.login" {
		t.Error("a disabled user:", err)
	}
}

// TestOIDCRefused: what does not fit in every respect lets nobody in.
func TestOIDCRefused(t *testing.T) {
	w := newWorld(t, nil)
	set := func(k string, v any) func(map[string]any) { return func(c map[string]any) { c[k] = v } }
	for what, bend := range map[string]func(map[string]any){
		"another issuer":       set("iss", "https://evil.example"),
		"another audience":     set("aud", "other"),
		"several audiences":    set("aud", []string{"aerie", "other"}),
		"another party":        set("azp", "other"),
		"another nonce":        set("nonce", "x"),
		"no nonce":             func(c map[string]any) { delete(c, "nonce") },
		"expired":              set("exp", time.Now().Add(-time.Hour).Unix()),
		"nobody":               set("sub", ""),
		"somebody without end": set("sub", strings.Repeat("x", 256)),
	} {
		w.bend = bend
		if _, err := w.in("browser-1"); fault.Of(err).Key != "error.signon" {
			t.Errorf("%s: %v", what, err)
		}
	}
	w.bend = nil
	w.signer = w.other
	if _, err := w.in("browser-1"); fault.Of(err).Key != "error.signon" {
		t.Error("another key:", err)
	}
	w.signer = w.key
	if _, err := w.in("browser-2"); fault.Of(err).Key != "error.signon" {
		t.Error("another browser:", err)
	}
	begin := func() (state, code string) {
		to, err := w.SignOn.Begin(t.Context(), w.provider.ID, "/", "browser-1")
		w.Must(err)
		return w.authorize(to)
	}
	state, code := begin()
	answer := signon.Answer{State: state, Code: code, Browser: "browser-1"}
	_, err := w.finish(answer)
	w.Must(err)
	for what, a := range map[string]signon.Answer{
		"the same again":    answer,
		"no state":          {Code: code, Browser: "browser-1"},
		"a state of no one": {State: "x", Code: code, Browser: "browser-1"},
	} {
		if _, err := w.finish(a); fault.Of(err).Key != "error.signon" {
			t.Errorf("%s: %v", what, err)
		}
	}
	state, _ = begin()
	_, other := begin()
	if _, err := w.finish(signon.Answer{State: state, Code: other, Browser: "browser-1"}); err == nil {
		t.Error("the code of another sign-in")
	}
	state, code = begin()
	if _, err := w.finish(signon.Answer{State: state, Code: code, Issuer: "https://evil.example", Browser: "browser-1"}); err == nil {
		t.Error("mixed up")
	}
	state, code = begin()
	w.Clock.Add(11 * time.Minute)
	if _, err := w.finish(signon.Answer{State: state, Code: code, Browser: "browser-1"}); err == nil {
		t.Error("too late")
	}
	w.issuer = "https://evil.example"
	if _, err := w.SignOn.Begin(t.Context(), w.provider.ID, "/", "b"); fault.Of(err).Key != "error.signon_down" {
		t.Error("the discovery of another issuer:", err)
	}
}

// TestEmailBinds: an address counts when the provider has verified it and it was
// configured so, and for one user.
func TestEmailBinds(t *testing.T) {
	for _, fact := range []struct {
		what     string
		link     bool
		verified any
		twice    bool
		want     bool
	}{
		{"verified", true, true, false, true},
		{"verified, as a text", true, "true", false, true},
		{"not verified", true, false, false, false},
		{"unsaid", true, nil, false, false},
		{"not configured", false, true, false, false},
		{"two users", true, true, true, false},
	} {
		w := newWorld(t, func(p *signon.Provider) { p.LinkEmail, p.AutoImport = fact.link, false })
		ann := w.user("ann")
		if fact.twice {
			w.user("amy")
		}
		w.claims = map[string]any{"email": "Ann@Example.org", "email_verified": fact.verified}
		l, err := w.in("browser-1")
		if (err == nil) != fact.want || fact.want && l.UserID != ann.ID {
			t.Errorf("%s: %v", fact.what, err)
		}
		if !fact.want {
			continue
		}
		w.claims = map[string]any{"email": "other@example.org"} // bound by now
		if l, err := w.in("browser-1"); err != nil || l.UserID != ann.ID {
			t.Error("not bound:", err)
		}
	}
}

// TestRemovedUsersMayComeAgain: who was removed is bound to nobody any more.
func TestRemovedUsersMayComeAgain(t *testing.T) {
	w := newWorld(t, func(p *signon.Provider) { p.AutoImport = true })
	first, err := w.in("browser-1")
	w.Must(err)
	u, err := w.IAM.UserByID(w.Sys(), first.UserID)
	w.Must(err)
	w.Call(w.Admin, "deleteAccount", "id", u.AccountID)
	w.Finish()
	again, err := w.in("browser-1")
	if err != nil || again.UserID == first.UserID {
		t.Errorf("%s again, %v", again.UserID, err)
	}
}

func (w *world) user(name string) iam.User {
	_, u, err := w.IAM.CreateAccount(w.Admin, iam.CreateAccount{RoleID: iam.RoleUser, User: iam.NewUser{Username: name, Password: "Secret-1", Email: "ann@example.org"}})
	w.Must(err)
	return u
}

func TestInternalProviders(t *testing.T) {
	w := newWorld(t, func(p *signon.Provider) { p.Internal = false })
	if _, err := w.SignOn.Begin(t.Context(), w.provider.ID, "/", "b"); fault.Of(err).Fields["issuer"] == nil {
		t.Error("reached an internal address:", err)
	}
}

func TestProviderCommands(t *testing.T) {
	w := newWorld(t, nil)
	ann := w.Account("dept", "ann", iam.RoleUser)
	params := []string{"provider", "second", "description", "Second", "clientid", "c", "secretkey", "s3cret", "redirecturi", "https://portal.test/sign-in/oidc", "details[0].issuer", "https://id.example.org"}
	w.JSON(w.Admin, "registerOauthProvider", params...)
	if _, err := w.Try(ann, "registerOauthProvider", params...); err == nil {
		t.Error("a user registers a provider")
	}
	for what, change := range map[string][]string{
		"redirecturi": {"redirecturi", "javascript:alert(1)"}, "details": {"details[0].x", "y"}, "provider": {"provider", "SECOND"}, "issuer": {"issuer", "ftp://x", "details[0].issuer", "ftp://x"},
	} {
		all := append(append([]string{}, params...), change...)
		if what != "provider" {
			all = append(all, "provider", what)
		}
		if _, err := w.Try(w.Admin, "registerOauthProvider", all...); fault.Of(err).Fields[what] == nil {
			t.Error(what, err)
		}
	}
	list := w.JSON(w.Admin, "listOauthProvider")
	if strings.Contains(list, "s3cret") || !strings.Contains(list, "https://id.example.org") {
		t.Error(list)
	}
	id := w.ID(&signon.Provider{}, "name = ?", "second")
	if _, err := w.Try(w.Admin, "updateOauthProvider", "id", id, "issuer", "https://other.example.org"); fault.Of(err).Fields["secretkey"] == nil {
		t.Error("the secret goes to another issuer:", err)
	}
	w.JSON(w.Admin, "updateOauthProvider", "id", id, "enabled", "false")
	c, out, err := w.Registry.CallPublic(context.Background(), "listOauthProvider", "", url.Values{})
	w.Must(err)
	if body := string(c.JSON(command.User, out)); strings.Contains(body, "second") || !strings.Contains(body, "corp") || strings.Contains(body, "linkemail") {
		t.Error("strangers see", body)
	}
	w.JSON(w.Admin, "deleteOauthProvider", "id", id)
	if n := w.Count(&signon.Provider{}, "id = ?", id); n != 0 {
		t.Error("it is still there")
	}
	// The API's way: verify, then sign in with the same, once.
	to, err := w.SignOn.Begin(t.Context(), w.provider.ID, "/", "")
	w.Must(err)
	state, code := w.authorize(to)
	c, out, err = w.Registry.CallPublic(context.Background(), "verifyOAuthCodeAndGetUser", "", url.Values{"provider": {"corp"}, "secretcode": {state + ":" + code}})
	w.Must(err)
	if body := string(c.JSON(command.User, out)); !strings.Contains(body, "ann@example.org") {
		t.Error(body)
	}
	r := iam.LoginRequest{RemoteIP: "192.0.2.1"}
	if _, err := w.SignOn.OAuthLogin(t.Context(), "ann@example.org", "corp", state+":"+code, r); err != nil {
		t.Error(err)
	}
	if _, err := w.SignOn.OAuthLogin(t.Context(), "ann@example.org", "corp", state+":"+code, r); err == nil {
		t.Error("twice")
	}
}
