package portal

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"aerie/handlers/session"
	"aerie/services/fault"
	"aerie/services/signon"
	"aerie/views/layout"
	"aerie/views/pages/signin"
)

func (p *Portal) registerSignIn(g *echo.Group) {
	g.GET("/login", p.plain(showSignIn))
	g.POST("/login", p.plain(signInNow))
	g.POST("/logout", p.plain(signOut))
	g.GET(signon.CallbackPath, p.plain(comeBack))
	g.GET(signon.CallbackPath+"/:id", p.plain(goThere))
	g.POST("/preferences", p.plain(prefer))
	g.GET("/brand/:colour", p.plain(brandColour))
}

func showSignIn(r *Request) error {
	next := session.Next(r.QueryParam("next"))
	if r.Who.SignedIn {
		return r.Redirect(http.StatusSeeOther, next)
	}
	return r.signIn(signin.Props{Next: next, Ended: r.QueryParam("next") != "" && next != "/", Domain: r.QueryParam("domain")}, http.StatusOK)
}

func (r *Request) signIn(p signin.Props, status int) error {
	p.Back, p.MayReset = "/login", r.Portal.IAM.MayReset(r.Ctx())
	if p.Next != "/" {
		p.Back += "?next=" + url.QueryEscape(p.Next)
	}
	r.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	if err := r.providers(&p); err != nil {
		return err
	}
	l := layout.Page{Title: r.T("signin.title"), Theme: r.Who.Theme, CSRF: r.Who.CSRF, Path: p.Back, Version: r.Portal.Version}
	if path := r.domainOf(p.Domain); path != "" {
		r.brand(&l, path)
	}
	return r.write(status, around(layout.SignIn(l), signin.Page(p)))
}

func signInNow(r *Request) error {
	var in session.Credentials
	if err := r.Bind(&in); err != nil {
		return fault.New(fault.Invalid, "error.query").Because(err)
	}
	to, err := r.Portal.Sessions.SignIn(r.Context, in)
	if err == nil {
		return r.goTo(to)
	}
	f := fault.Of(err)
	if f.Kind == fault.Internal {
		return err
	}
	return r.signIn(signin.Props{Username: in.Username, Domain: in.Domain, Next: session.Next(in.Next), Error: r.Words(err)}, http.StatusUnprocessableEntity)
}

func signOut(r *Request) error {
	elsewhere := r.endSession()
	if err := r.Portal.Sessions.SignOut(r.Context); err != nil {
		return err
	}
	if elsewhere != "" {
		return r.signedOut(elsewhere)
	}
	return r.goTo("/login")
}

// prefer keeps a language and a theme, of strangers, too.
func prefer(r *Request) error {
	form, err := r.FormParams()
	if err != nil {
		return fault.New(fault.Invalid, "error.query").Because(err)
	}
	if form.Has("lang") {
		if err := r.Portal.Sessions.SetLanguage(r.Context, form.Get("lang")); err != nil {
			return err
		}
	}
	if form.Has("theme") {
		if err := r.Portal.Sessions.SetTheme(r.Context, form.Get("theme")); err != nil {
			return err
		}
	}
	return r.goTo(session.Next(form.Get("back")))
}
