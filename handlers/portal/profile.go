package portal

import (
	"net/http"
	"strings"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/iam/iamcmd"
	"aerie/views/components"
	"aerie/views/pages/profile"
)

func ownProfile(r *Request) error { return r.showProfile(nil, profile.Props{}) }

// showProfile shows the user's own page; err is what was wrong with the new
// password.
func (r *Request) showProfile(wrong error, p profile.Props) error {
	u := r.Who.User
	sessions, err := r.Portal.IAM.Sessions(r.Ctx())
	if err != nil {
		return err
	}
	if p.Factor.Enrol == nil && len(p.Factor.Codes) == 0 {
		if p.Factor, err = r.factorProps(); err != nil {
			return err
		}
	}
	p.User, p.Theme, p.Sessions, p.Current, p.MayKeys = u, r.Who.Theme, sessions, r.Who.Session.ID, r.May("registerUserKeys")
	if p.MayKeys {
		if p.Keys, err = some[iamcmd.KeysView](r, "listUserKeys", vals("userid", u.ID)); err != nil {
			return err
		}
	}
	if p.KeyForm.Action == "" {
		f := r.keyForm()
		r.fill(&f, nil)
		p.KeyForm = f.Form
	}
	p.Facts = components.Properties{
		{Label: r.T("param.username"), Value: components.Text(u.Username)},
		{Label: r.T("profile.name"), Value: components.Text(strings.TrimSpace(u.FirstName + " " + u.LastName))},
		{Label: r.T("param.email"), Value: components.Text(u.Email)},
		{Label: r.T("profile.account"), Value: components.Text(r.Who.Account.Name)},
		{Label: r.T("profile.domain"), Value: components.Text(r.Who.Domain.FullName)},
		{Label: r.T("param.timezone"), Value: components.Text(u.Timezone)},
		{Label: r.T("col.id"), Copy: u.ID},
	}
	if u.Source == iam.Native && r.May("updateUser") {
		f := r.passwordForm()
		r.fill(&f, wrong)
		p.Password = f.Form
	}
	status := http.StatusOK
	if wrong != nil {
		status = http.StatusUnprocessableEntity
	}
	return r.Show(Page{Title: r.T("profile.title"), Body: profile.Page(p), Status: status})
}

func (r *Request) passwordForm() formPage {
	return formPage{Command: "updateUser", Fixed: vals("id", r.Who.UserID), Form: components.Form{Action: "/profile/password", Submit: r.T("profile.password_set"), Fields: []components.Field{
		{Name: "currentpassword", Type: "password", Required: true, Autocomplete: "current-password"},
		{Name: "password", Type: "password", Label: r.T("profile.password_new"), Required: true, Autocomplete: "new-password"},
		{Name: "again", Type: "password", Label: r.T("profile.password_again"), Required: true, Autocomplete: "new-password"},
	}}}
}

func changePassword(r *Request) error {
	f := r.passwordForm()
	v, err := r.values(f)
	if err != nil {
		return err
	}
	if v.Get("password") != v.Get("again") {
		return r.showProfile(fault.Param("again", "profile.password_differs"), profile.Props{})
	}
	v.Del("again")
	if _, err := r.Call("updateUser", v); err != nil {
		if fault.Of(err).Kind == fault.Internal {
			return err
		}
		return r.showProfile(err, profile.Props{})
	}
	r.flash(flash{Tone: components.OK, Text: r.T("profile.password_done")})
	return r.goTo("/profile")
}

// keyForm asks for what a further key pair is to be like; all of it may be left
// out.
func (r *Request) keyForm() formPage {
	return formPage{Command: "registerUserKeys", Fixed: vals("id", r.Who.UserID), Form: components.Form{Action: "/profile/keys", Submit: r.T("profile.keys_make"), Fields: []components.Field{
		{Name: "name", Label: r.T("profile.keys_name"), Help: r.T("profile.keys_name_help")},
		{Name: "description", Label: r.T("profile.keys_for")},
		{Name: "enddate", Type: "date", Label: r.T("profile.keys_until")},
		{Name: "cidrs", Label: r.T("profile.keys_from"), Help: r.T("profile.keys_from_help"), Placeholder: "192.0.2.0/24"},
	}}}
}

// makeKeys answers with the page itself: the secret is in no address and is
// shown this once.
func makeKeys(r *Request) error {
	f := r.keyForm()
	v, err := r.values(f)
	if err != nil {
		return err
	}
	keys, err := one[iamcmd.KeysView](r, "registerUserKeys", v)
	if err != nil {
		if fault.Of(err).Kind == fault.Internal {
			return err
		}
		r.fill(&f, err)
		return r.showProfile(nil, profile.Props{KeyForm: f.Form, KeyOpen: true})
	}
	return r.showProfile(nil, profile.Props{APIKey: keys.APIKey, Secret: keys.SecretKey})
}

func endSessions(r *Request) error {
	var err error
	if id := r.FormValue("id"); id != "" {
		err = r.Portal.IAM.EndSession(r.Ctx(), id)
	} else {
		err = r.Portal.IAM.EndSessions(r.Ctx(), r.Who.Session.ID)
	}
	if err != nil {
		return r.refuse(err)
	}
	r.flash(flash{Tone: components.OK, Text: r.T("profile.sessions_ended")})
	return r.goTo("/profile")
}

// endKeys ends one of the user's own key pairs.
func endKeys(r *Request) error {
	if _, err := r.Call("deleteUserKeys", vals("id", r.FormValue("id"))); err != nil {
		return r.refuse(err)
	}
	r.flash(flash{Tone: components.OK, Text: r.T("profile.keys_ended")})
	return r.goTo("/profile")
}
