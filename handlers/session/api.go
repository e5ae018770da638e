package session

import (
	"context"
	"fmt"
	"time"

	"aerie/handlers/api"
	"aerie/services/iam"
	"aerie/services/store"
)

// API gives the query API its keys and sessions; they are the portal's, with
// the same rows.
type API struct{ IAM *iam.Service }

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

func (a API) session(ctx context.Context, token string, p iam.Principal) api.Session {
	return api.Session{Token: token, Key: iam.SessionKey(token), Actor: p.Actor, Profile: api.Profile{
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
