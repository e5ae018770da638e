package signon

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
)

// underWay is what is kept of a sign-in until the browser is back.
type underWay struct {
	Provider, Nonce, Verifier, Next string
	Browser                         string // empty when a client of the API brings the answer
}

// patience is how long a provider may keep a browser.
const patience = 10 * time.Minute

// Begin is the provider's page that a browser is sent to. Browser is a secret of
// that browser, by which it is known when it is back.
func (s *Service) Begin(ctx context.Context, providerID, next, browser string) (to string, err error) {
	p, err := s.offered(ctx, providerID)
	if err != nil {
		return "", err
	}
	if u, err := url.Parse(p.RedirectURI); err != nil || u.Path != CallbackPath {
		browser = ""
	}
	found, err := s.discover(ctx, p)
	if err != nil {
		return "", err
	}
	state, err := s.secret()
	if err != nil {
		return "", err
	}
	nonce, err := s.secret()
	if err != nil {
		return "", err
	}
	verifier, err := s.secret()
	if err != nil {
		return "", err
	}
	w := underWay{Provider: p.ID, Nonce: nonce, Verifier: verifier, Next: next}
	if browser != "" {
		w.Browser = digest(browser)
	}
	if err := s.keep(ctx, "oidc", state, w, patience); err != nil {
		return "", err
	}
	conf := p.config(found, "")
	return conf.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)), nil
}

// secret is 32 random bytes, URL-safe: 43 characters, as PKCE wants at least.
func (s *Service) secret() (string, error) {
	b := make([]byte, 32)
	if _, err := io.ReadFull(s.db.Rand(), b); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

func (s *Service) offered(ctx context.Context, id string) (p Provider, err error) {
	sys := store.System(ctx, "the provider that somebody signs in by")
	err = s.db.In(sys).Where("id = ? AND enabled = ?", id, true).Take(&p).Error
	if store.IsAbsent(err) {
		err = fault.New(fault.NotFound, "error.signon_provider")
	}
	return p, err
}

// discover reads the provider's metadata, whose issuer must be the one that was
// registered.
func (s *Service) discover(ctx context.Context, p Provider) (*oidc.Provider, error) {
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, s.client(ctx, p)), p.Issuer)
	if err != nil {
		var refused *fault.Error
		if errors.As(err, &refused) {
			return nil, refused
		}
		return nil, fault.New(fault.Unavailable, "error.signon_down", "name", p.Name).Because(err)
	}
	return found, nil
}

func (p Provider) config(found *oidc.Provider, secret string) oauth2.Config {
	scopes := []string{oidc.ScopeOpenID}
	for _, one := range strings.Fields(p.Scopes) {
		if !slices.Contains(scopes, one) {
			scopes = append(scopes, one)
		}
	}
	return oauth2.Config{ClientID: p.ClientID, ClientSecret: secret, Endpoint: found.Endpoint(), RedirectURL: p.RedirectURI, Scopes: scopes}
}

// Answer is what a browser brings back from a provider.
type Answer struct {
	State, Code, Error string
	Issuer             string // RFC 9207; empty when the provider does not say it
	Browser            string
}

// Vouched is somebody a provider vouches for.
type Vouched struct {
	Provider                  Provider
	Subject, Email, Name      string
	Username, First, Last     string
	EmailVerified             bool
	IDToken, EndSession, Next string
}

// Identify turns an answer into whom the provider vouches for. An answer counts
// once, in the browser that began.
func (s *Service) Identify(ctx context.Context, a Answer) (v Vouched, err error) {
	var w underWay
	if err := s.take(ctx, "oidc", a.State, &w); err != nil {
		return v, err
	}
	if w.Browser != "" && subtle.ConstantTimeCompare([]byte(w.Browser), []byte(digest(a.Browser))) != 1 {
		return v, errAnswer.Because(errors.New("another browser began it"))
	}
	if a.Error != "" || a.Code == "" {
		return v, errAnswer.Because(errors.New("the provider says no: " + a.Error))
	}
	p, err := s.offered(ctx, w.Provider)
	if err != nil {
		return v, err
	}
	if a.Issuer != "" && a.Issuer != p.Issuer {
		return v, errAnswer.Because(errors.New("another issuer answers: " + a.Issuer))
	}
	ctx = oidc.ClientContext(ctx, s.client(ctx, p))
	found, err := s.discover(ctx, p)
	if err != nil {
		return v, err
	}
	secret, err := s.db.Reveal(p.ClientSecret)
	if err != nil {
		return v, err
	}
	conf := p.config(found, secret)
	token, err := conf.Exchange(ctx, a.Code, oauth2.VerifierOption(w.Verifier))
	if err != nil {
		return v, errAnswer.Because(err)
	}
	raw, _ := token.Extra("id_token").(string)
	v, err = s.verify(ctx, p, found, raw, w.Nonce)
	v.Next = w.Next
	return v, err
}

// claims are those of an ID token that Aerie reads.
type claims struct {
	Email         string `json:"email"`
	EmailVerified any    `json:"email_verified"` // some providers write a text
	Username      string `json:"preferred_username"`
	Name          string `json:"name"`
	First         string `json:"given_name"`
	Last          string `json:"family_name"`
	Party         string `json:"azp"`
}

func (s *Service) verify(ctx context.Context, p Provider, found *oidc.Provider, raw, nonce string) (v Vouched, err error) {
	t, err := found.VerifierContext(ctx, &oidc.Config{ClientID: p.ClientID, Now: s.db.Now}).Verify(ctx, raw)
	if err != nil {
		return v, errAnswer.Because(err)
	}
	var c claims
	if err := t.Claims(&c); err != nil {
		return v, errAnswer.Because(err)
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(t.Nonce), []byte(nonce)) != 1:
		return v, errAnswer.Because(errors.New("the token is of another sign-in"))
	case (len(t.Audience) > 1 || c.Party != "") && c.Party != p.ClientID:
		return v, errAnswer.Because(errors.New("the token is for another party"))
	case t.Subject == "" || len(t.Subject) > 255:
		return v, errAnswer.Because(errors.New("the token names nobody"))
	}
	var more struct {
		End string `json:"end_session_endpoint"`
	}
	_ = found.Claims(&more) // optional
	return Vouched{
		Provider: p, Subject: t.Subject, Email: c.Email, EmailVerified: c.EmailVerified == true || c.EmailVerified == "true",
		Name: c.Name, Username: c.Username, First: c.First, Last: c.Last, IDToken: raw, EndSession: more.End,
	}, nil
}

// Enter signs in whom a provider vouches for.
func (s *Service) Enter(ctx context.Context, v Vouched, r iam.LoginRequest) (iam.Login, error) {
	id, err := s.userOf(ctx, v)
	if err != nil {
		return iam.Login{}, err
	}
	return s.IAM.Enter(ctx, id, r)
}

// LogoutURL is where the provider's own session ends, and the browser comes
// back from; empty when the provider has no such page.
func (s *Service) LogoutURL(ctx context.Context, end, idToken, clientID string) string {
	u, err := url.Parse(end)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	q := u.Query()
	q.Set("id_token_hint", idToken)
	q.Set("client_id", clientID)
	q.Set("post_logout_redirect_uri", s.Origin(ctx).JoinPath("/login").String())
	u.RawQuery = q.Encode()
	return u.String()
}
