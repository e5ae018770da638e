package portal

import (
	"net/http"
	"net/url"

	"aerie/handlers/session"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/signon"
	"aerie/services/store"
	"aerie/views/components"
	"aerie/views/pages/signin"
)

// What a session that a provider began keeps for its end.
const (
	keptEnd    = "oidc_end"
	keptClient = "oidc_client"
	keptHint   = "oidc_hint" // sealed
)

// providers fills the sign-in page with those that are offered.
func (r *Request) providers(p *signin.Props) error {
	if r.Portal.SignOn == nil {
		return nil
	}
	list, err := r.Portal.SignOn.Offered(r.Ctx())
	for _, one := range list {
		name := one.Description
		if name == "" {
			name = one.Name
		}
		p.Providers = append(p.Providers, components.Pair{Name: name, Value: signon.CallbackPath + "/" + one.ID + "?next=" + url.QueryEscape(p.Next)})
	}
	return err
}

// goThere sends the browser to a provider.
func goThere(r *Request) error {
	to, err := r.Portal.SignOn.Begin(r.Ctx(), r.Param("id"), session.Next(r.QueryParam("next")), r.Who.CSRF)
	if err != nil {
		return r.notIn(err)
	}
	r.Response().Header().Set("Cache-Control", "no-store")
	return r.Redirect(http.StatusSeeOther, to)
}

// comeBack takes what a provider says. The token of this very browser's forms,
// which nobody else knows, tells that it has begun it.
func comeBack(r *Request) error {
	v, err := r.Portal.SignOn.Identify(r.Ctx(), signon.Answer{
		State: r.QueryParam("state"), Code: r.QueryParam("code"), Error: r.QueryParam("error"), Issuer: r.QueryParam("iss"), Browser: r.Who.CSRF,
	})
	if err != nil {
		return r.notIn(err)
	}
	l, err := r.Portal.SignOn.Enter(r.Ctx(), v, iam.LoginRequest{RemoteIP: r.Who.Remote, UserAgent: r.Request().UserAgent()})
	if err != nil {
		return r.notIn(err)
	}
	if err := r.Portal.Sessions.Adopt(r.Context, l); err != nil {
		return err
	}
	if err := r.keepEnd(l.Token, v); err != nil {
		return err
	}
	return r.Redirect(http.StatusSeeOther, session.Next(v.Next))
}

// keepEnd remembers where the provider's own session ends.
func (r *Request) keepEnd(token string, v signon.Vouched) error {
	if v.EndSession == "" {
		return nil
	}
	hint, err := r.Portal.DB.Seal(v.IDToken)
	if err != nil {
		return err
	}
	return r.Portal.IAM.SaveValues(r.Ctx(), token, map[string]string{keptEnd: v.EndSession, keptClient: v.Provider.ClientID, keptHint: string(hint)})
}

// endSession is the provider's page that ends its session, or empty.
func (r *Request) endSession() string {
	kept := r.Who.Session.Values()
	if r.Portal.SignOn == nil || kept[keptEnd] == "" {
		return ""
	}
	hint, err := r.Portal.DB.Reveal(store.Secret(kept[keptHint]))
	if err != nil {
		return ""
	}
	return r.Portal.SignOn.LogoutURL(r.Ctx(), kept[keptEnd], hint, kept[keptClient])
}

// signedOut goes on to the provider by itself. It is no redirect: the policy of
// our forms lets none lead elsewhere.
func (r *Request) signedOut(to string) error {
	r.Response().Header().Set("Refresh", "0; url="+to)
	return r.signIn(signin.Props{Next: "/", Done: r.T("signin.out"), Elsewhere: to}, http.StatusOK)
}

// notIn shows the sign-in page with what was wrong.
func (r *Request) notIn(err error) error {
	if fault.Of(err).Kind == fault.Internal {
		return err
	}
	return r.signIn(signin.Props{Next: "/", Error: r.Words(err)}, http.StatusUnprocessableEntity)
}
