package portal

import (
	"net/http"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/views/layout"
	"aerie/views/pages/signin"
)

func (p *Portal) registerReset(g *echo.Group) {
	g.GET("/forgot-password", p.plain(func(r *Request) error {
		return r.stranger("reset.forgot", signin.Forgot(signin.ResetProps{}), http.StatusOK)
	}))
	g.POST("/forgot-password", p.plain(forgot))
	g.GET(iam.ResetPage, p.plain(showReset))
	g.POST(iam.ResetPage, p.plain(resetNow))
}

// stranger is a page for nobody in particular. It is not kept: its address may
// hold a token.
func (r *Request) stranger(title string, body templ.Component, status int) error {
	if !r.Portal.IAM.MayReset(r.Ctx()) {
		return fault.New(fault.Conflict, "error.reset_off")
	}
	r.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	r.Response().Header().Set(echo.HeaderReferrerPolicy, "no-referrer")
	l := layout.Page{Title: r.T(title), Theme: r.Who.Theme, CSRF: r.Who.CSRF, Path: "/login", Version: r.Portal.Version}
	return r.write(status, around(layout.SignIn(l), body))
}

// public calls a command for nobody.
func (r *Request) public(name string, pairs ...string) error {
	_, _, err := r.Portal.Registry.CallPublic(r.Ctx(), name, r.Who.Remote, vals(pairs...))
	return err
}

func forgot(r *Request) error {
	p := signin.ResetProps{Username: r.FormValue("username"), Domain: r.FormValue("domain")}
	err := r.public("forgotPassword", "username", p.Username, "domain", p.Domain)
	if err == nil {
		p.Sent = true
		return r.stranger("reset.forgot", signin.Forgot(p), http.StatusOK)
	}
	if fault.Of(err).Kind == fault.Internal {
		return err
	}
	p.Error = r.Words(err)
	return r.stranger("reset.forgot", signin.Forgot(p), http.StatusUnprocessableEntity)
}

func showReset(r *Request) error {
	p := signin.ResetProps{Username: r.QueryParam("username"), Domain: r.QueryParam("domain"), Token: r.QueryParam("token")}
	return r.stranger("reset.title", signin.Reset(p), http.StatusOK)
}

func resetNow(r *Request) error {
	p := signin.ResetProps{Username: r.FormValue("username"), Domain: r.FormValue("domain"), Token: r.FormValue("token")}
	err := r.public("resetPassword", "username", p.Username, "domain", p.Domain, "token", p.Token, "password", r.FormValue("password"))
	if err == nil {
		return r.signIn(signin.Props{Username: p.Username, Domain: p.Domain, Next: "/", Done: r.T("reset.done")}, http.StatusOK)
	}
	f := fault.Of(err)
	if f.Kind == fault.Internal {
		return err
	}
	p.Error = r.Words(err)
	if one := f.Fields["password"]; one != nil {
		p.Error = r.Words(one)
	}
	return r.stranger("reset.title", signin.Reset(p), http.StatusUnprocessableEntity)
}
