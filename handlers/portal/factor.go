package portal

import (
	"encoding/base64"
	"net/http"

	"github.com/labstack/echo/v4"
	"github.com/skip2/go-qrcode"

	"aerie/handlers/session"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/iam/iamcmd"
	"aerie/views/components"
	"aerie/views/layout"
	"aerie/views/pages/profile"
	"aerie/views/pages/signin"
)

// showFactor is the page of a session that owes its second factor.
func showFactor(r *Request) error {
	if !r.Who.Half {
		return r.Redirect(http.StatusSeeOther, session.Next(r.QueryParam("next")))
	}
	return r.factorPage(signin.FactorProps{Next: session.Next(r.QueryParam("next"))}, http.StatusOK)
}

// factorPage asks for a code; who has no factor yet gets a secret first. A new
// one each time is no loss: none was confirmed.
func (r *Request) factorPage(p signin.FactorProps, status int) error {
	if r.Who.User.TwoFactor == "" {
		e, err := r.Portal.IAM.BeginTwoFactor(r.Ctx(), "")
		if err != nil {
			return err
		}
		if p.QR, err = qr(e); err != nil {
			return err
		}
		p.Secret = e.Secret
	}
	r.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	l := layout.Page{Title: r.T("factor.title"), Theme: r.Who.Theme, CSRF: r.Who.CSRF, Path: session.SecondFactor, Version: r.Portal.Version}
	return r.write(status, around(layout.SignIn(l), signin.Factor(p)))
}

// qr is a picture that apps read, as a data: address.
func qr(e iam.Enrolment) (string, error) {
	png, err := qrcode.Encode(e.URI, qrcode.Medium, 220)
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(png), err
}

// giveFactor takes the code, and gives the browser its session's new id.
func giveFactor(r *Request) error {
	next := session.Next(r.FormValue("next"))
	if !r.Who.Half {
		return r.goTo(next)
	}
	_, err := r.Call("validateUserTwoFactorAuthenticationCode", vals("codefor2fa", r.FormValue("codefor2fa")))
	if err == nil {
		r.Portal.Sessions.Renew(r.Context)
		return r.goTo(next)
	}
	if fault.Of(err).Kind == fault.Internal {
		return err
	}
	return r.factorPage(signin.FactorProps{Next: next, Error: r.Words(err)}, http.StatusUnprocessableEntity)
}

// factorProps is what the profile says of the second factor.
func (r *Request) factorProps() (p profile.FactorProps, err error) {
	u := r.Who.User
	p.Offered, p.On, p.Must = r.Portal.IAM.TwoFactorOn(r.Ctx(), u), u.TwoFactor != "", r.Portal.IAM.MustTwoFactor(r.Ctx(), u)
	if p.On {
		p.Left, err = r.Portal.IAM.RecoveryCodesLeft(r.Ctx())
	}
	return p, err
}

// enrol begins a second factor, or goes on with the code that confirms it. The
// secret is in no address and is shown while it is being set up only.
func enrol(r *Request) error {
	if r.FormValue("codefor2fa") == "" {
		return r.showEnrolment(nil)
	}
	_, err := r.Call("validateUserTwoFactorAuthenticationCode", vals("codefor2fa", r.FormValue("codefor2fa")))
	if err != nil {
		if fault.Of(err).Kind == fault.Internal {
			return err
		}
		return r.showEnrolment(err)
	}
	r.Portal.Sessions.Renew(r.Context)
	r.Who.User.TwoFactor = iam.TOTP
	return showCodes(r)
}

func (r *Request) showEnrolment(wrong error) error {
	e, err := r.Portal.IAM.BeginTwoFactor(r.Ctx(), "")
	if err != nil {
		return r.refuse(err)
	}
	picture, err := qr(e)
	if err != nil {
		return err
	}
	p, err := r.factorProps()
	if err != nil {
		return err
	}
	f := formPage{Command: "validateUserTwoFactorAuthenticationCode", Form: components.Form{Action: "/profile/factor", Submit: r.T("factor.submit"), Fields: []components.Field{
		{Name: "codefor2fa", Label: r.T("factor.code"), Required: true, Autocomplete: "one-time-code"},
	}}}
	r.fill(&f, wrong)
	p.Enrol, p.Form = signin.Enrol(picture, e.Secret), f.Form
	return r.showProfile(nil, profile.Props{Factor: p})
}

// showCodes makes recovery codes and shows them this once.
func showCodes(r *Request) error {
	codes, err := one[iamcmd.RecoveryView](r, "createUserTwoFactorRecoveryCodes", nil)
	if err != nil {
		return r.refuse(err)
	}
	p, err := r.factorProps()
	if err != nil {
		return err
	}
	p.Codes = codes.Codes
	return r.showProfile(nil, profile.Props{Factor: p})
}

func endFactor(r *Request) error {
	if _, err := r.Call("setupUserTwoFactorAuthentication", vals("enable", "false")); err != nil {
		return r.refuse(err)
	}
	r.flash(flash{Tone: components.OK, Text: r.T("factor.gone")})
	return r.goTo("/profile")
}
