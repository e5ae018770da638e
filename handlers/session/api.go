package session

import (
	"context"
	"fmt"
	"time"

	"aerie/handlers/api"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/signon"
	"aerie/services/store"
)

// API gives the query API its keys and sessions; they are the portal's, with
// the same rows.
type API struct {
	IAM *iam.Service
	// SignOn lets in whom providers vouch for; nil: nobody.
	SignOn *signon.Service
}

var (
	_ api.Keys     = API{}
	_ api.Sessions = API{}
)

// KeyOwner finds who signs with a key.
func (a API) KeyOwner(ctx context.Context, key, remote string) (string, store.Actor, error) {
	secret, p, err := a.IAM.KeyOwner(ctx, key, remote)
	return secret, p.Actor, err
}

// Login opens a session.
func (a API) Login(ctx context.Context, l api.Login) (api.Session, error) {
	in, err := a.IAM.Login(ctx, iam.LoginRequest{
		Username: l.Username, Password: l.Password,
		DomainPath: l.Domain, DomainID: l.DomainID, RemoteIP: l.Remote, UserAgent: l.Agent,
	})
	if err != nil {
		return api.Session{}, err
	}
	return a.session(ctx, in.Token, in.Principal), nil
}

// Session finds who holds a token.
func (a API) Session(ctx context.Context, token string) (api.Session, error) {
	p, err := a.IAM.SessionActor(ctx, token)
	if err != nil {
		return api.Session{}, err
	}
	return a.session(ctx, token, p), nil
}

// Logout ends a session.
func (a API) Logout(ctx context.Context, token string) error { return a.IAM.Logout(ctx, token) }

// OAuthLogin signs in whom an OpenID Connect provider vouches for.
func (a API) OAuthLogin(ctx context.Context, o api.OAuth) (api.Session, error) {
	if a.SignOn == nil {
		return api.Session{}, fault.New(fault.Unsupported, "error.command", "command", "oauthlogin")
	}
	in, err := a.SignOn.OAuthLogin(ctx, o.Email, o.Provider, o.Code, iam.LoginRequest{RemoteIP: o.Remote, UserAgent: o.Agent})
	if err != nil {
		return api.Session{}, err
	}
	return a.session(ctx, in.Token, in.Principal), nil
}

// Enter notes which session something is asked in.
func (a API) Enter(ctx context.Context, s api.Session) context.Context {
	return iam.WithSession(ctx, s.ID)
}

// Renewed is what a session holds that gave its second factor meanwhile.
func (a API) Renewed(ctx context.Context) (token, key string) {
	if token = iam.Renewed(ctx); token == "" {
		return "", ""
	}
	return token, iam.SessionKey(token)
}

func (a API) session(ctx context.Context, token string, p iam.Principal) api.Session {
	return api.Session{ID: p.Session.ID, Token: token, Key: iam.SessionKey(token), Actor: p.Actor, Unverified: p.Half, Profile: api.Profile{
		TwoFactor: p.Half || p.User.TwoFactor != "", TwoFactorProvider: p.User.TwoFactor, TwoFactorIssuer: a.IAM.Issuer(ctx),
		Username: p.User.Username, Account: p.Account.Name, FirstName: p.User.FirstName, LastName: p.User.LastName,
		Timezone: p.User.Timezone, TimezoneOffset: offset(a.IAM.DB().Now(), p.User.Timezone), Timeout: a.IAM.Idle(ctx),
	}}
}

// offset is a zone's hours from UTC, as 2.0 or -3.5.
func offset(now time.Time, zone string) string {
	loc, err := time.LoadLocation(zone)
	if err != nil || zone == "" {
		return ""
	}
	_, seconds := now.In(loc).Zone()
	return fmt.Sprintf("%.1f", float64(seconds)/3600)
}
