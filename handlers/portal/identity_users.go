package portal

import (
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"aerie/services/iam/iamcmd"
	"aerie/views/components"
	"aerie/views/pages/pieces"
)

func users() area {
	return area{
		entries: []entry{{Group: "nav.identity", Key: "nav.users", Icon: "user", Path: "/users", Needs: "createUser", Create: "createUser"}},
		routes: func(on routes) {
			on.GET("/users", managing(func(r *Request) error { return showList(r, userList(r)) }))
			on.both("/users/new", newUser)
			on.both("/users/:id/edit", managing(editUser))
			on.both("/users/:id/keys", managing(userKeys))
			on.both("/users/:id/delete", endUser)
			on.POST("/users/:id/state", managing(userState))
			on.POST("/users/:id/view-as", managing(viewAs))
			on.onDetail("/users", managing(userPage))
		},
		live: map[string]liveRows{"user": rowsOf(userList)},
	}
}

func userList(r *Request) listPage[iamcmd.UserView] {
	create := r.creating("createUser", "create_user", r.Path("/users/new"))
	return listPage[iamcmd.UserView]{
		ID: "users", Title: r.T("nav.users"), Command: "listUsers", Buttons: create, Kind: "user",
		RowID: func(u iamcmd.UserView) string { return u.ID }, Name: func(u iamcmd.UserView) string { return u.Username },
		Columns: []column[iamcmd.UserView]{
			colName(r, func(u iamcmd.UserView) string { return u.ID }, func(u iamcmd.UserView) string { return u.Username }, func(u iamcmd.UserView) string { return r.Path("/users/", u.ID) }),
			colPill(r, "state", func(u iamcmd.UserView) string { return u.State }),
			colText(r, "fullname", func(u iamcmd.UserView) string { return strings.TrimSpace(u.FirstName + " " + u.LastName) }),
			colText(r, "email", func(u iamcmd.UserView) string { return u.Email }),
			colLink(r, "account", func(u iamcmd.UserView) string { return u.Account }, func(u iamcmd.UserView) string { return r.Path("/accounts/", u.AccountID) }),
			colText(r, "domain", func(u iamcmd.UserView) string { return u.Domain }),
			colText(r, "role", func(u iamcmd.UserView) string { return u.RoleName }),
			optional(colText(r, "source", func(u iamcmd.UserView) string { return u.UserSource })),
			optional(colYes(r, "twofactor", func(u iamcmd.UserView) bool { return u.TwoFactor })),
			optional(colTime(r, "created", func(u iamcmd.UserView) timeOf { return u.Created })),
		},
		Filters: []components.Filter{r.filter("state", r.states("enabled", "disabled", "locked"))},
		Actions: func(u iamcmd.UserView) components.Menu { return r.menu(userDeeds(r, u)...) },
		Empty:   r.empty("users", "user", create),
	}
}

func userDeeds(r *Request, u iamcmd.UserView) []deed {
	base, own := r.Path("/users/", u.ID), ""
	switch {
	case u.ID == r.Who.User.ID:
		own = r.T("pg.why.own_user")
	case u.IsDefault:
		own = r.T("pg.why.default_user")
	}
	state := func(to string) []components.Pair { return []components.Pair{{Name: "state", Value: to}} }
	out := []deed{
		{Command: "updateUser", Key: "edit", Icon: "pencil", Path: base + "/edit", Open: true},
		{Command: "registerUserKeys", Key: "keys", Icon: "key-round", Path: base + "/keys", Page: true},
	}
	if u.State == "enabled" {
		out = append(out, deed{
			Command: "disableUser", Key: "disable", Icon: "power", Path: base + "/state", Fields: state("disabled"), Off: own,
			Ask: r.T("pg.users.disable_title", "name", u.Username), Text: r.T("pg.users.disable_text"),
		})
	} else {
		out = append(out, deed{Command: "enableUser", Key: "enable", Icon: "circle-play", Path: base + "/state", Fields: state("enabled")})
	}
	if r.Who.Viewer == nil {
		out = append(out, deed{
			Command: "listUsers", Key: "view_as", Icon: "eye", Path: base + "/view-as", Off: own,
			Ask: r.T("pg.users.view_title", "name", u.Username), Text: r.T("pg.users.view_text"),
		})
	}
	return append(out, deed{Command: "deleteUser", Key: "delete", Icon: "trash-2", Path: base + "/delete", Page: true, Danger: true, Off: own})
}

func userWay(r *Request, u iamcmd.UserView) components.Crumbs {
	return crumbs(r.T("nav.identity"), "", r.T("nav.users"), r.Path("/users"), u.Username, r.Path("/users/", u.ID))
}

func userPage(r *Request) error {
	u, err := find[iamcmd.UserView](r, "listUsers", r.Param("id"))
	if err != nil {
		return err
	}
	return r.thing(thingPage{
		Title: u.Username, Text: strings.TrimSpace(u.FirstName + " " + u.LastName), State: u.State, ID: u.ID, Base: r.Path("/users/", u.ID), Crumbs: userWay(r, u)[:2],
		Deeds: userDeeds(r, u), Shown: 2, Watch: []string{"user/" + u.ID},
		Tabs: []thingTab{{Key: "overview", Body: func() (templ.Component, error) {
			return halves(
				boxed(r.T("pg.specification"), r.lines("email", u.Email, "timezone", u.Timezone, "account", components.Link{Label: u.Account, Href: r.Path("/accounts/", u.AccountID)},
					"domain", components.Link{Label: u.Domain, Href: r.Path("/domains/", u.DomainID)}, "role", u.RoleName, "source", u.UserSource, "created", u.Created)),
				boxed(r.T("pg.s.access"), r.lines("apikey", keyOrNone(u.APIKey), "keyaccess", r.words(u.APIKeyAccess)[0].Label, "twofactor", u.TwoFactor)),
			), nil
		}}, r.history(u.ID)},
	})
}

func keyOrNone(key string) templ.Component {
	if key == "" {
		return components.Text("")
	}
	return components.CopyID{Value: key, Short: true}
}

func newUser(r *Request) error {
	domains, err := domainOptions(r)
	if err != nil {
		return err
	}
	all, err := some[iamcmd.AccountView](r, "listAccounts", vals("listall", "true", "details", "min"))
	if err != nil {
		return err
	}
	account := needed(r.in("account", "combobox", ""))
	for _, a := range all {
		account.Options = append(account.Options, components.Option{Value: a.Name, Label: a.DomainPath})
	}
	f := formPage{
		Title: r.T("pg.a.create_user"), Command: "createUser", Resource: "cloudstack_user", Crumbs: crumbs(r.T("nav.identity"), "", r.T("nav.users"), r.Path("/users")),
		Form: components.Form{Submit: r.T("pg.a.create_user"), Cancel: r.Path("/users"), Sections: []components.Section{
			{Title: r.T("pg.s.account"), Fields: []components.Field{r.pick("domainid", r.Who.Domain.ID, domains, true), account}},
			{Title: r.T("pg.s.user"), Fields: userFields(r)},
		}},
	}
	return r.formOr(f, r.T("pg.users.created"), func(out any) string {
		if u, ok := out.(iamcmd.UserView); ok {
			return r.Path("/users/", u.ID)
		}
		return r.Path("/users")
	})
}

func editUser(r *Request) error {
	u, err := find[iamcmd.UserView](r, "listUsers", r.Param("id"))
	if err != nil {
		return err
	}
	password := r.in("password", "password", "")
	password.Label, password.Help, password.Autocomplete = r.T("pg.f.newpassword"), r.T("pg.h.newpassword"), "new-password"
	fields := []components.Field{
		needed(r.in("username", "", u.Username)), needed(r.in("firstname", "", u.FirstName)), needed(r.in("lastname", "", u.LastName)),
		needed(r.in("email", "email", u.Email)), r.in("timezone", "", u.Timezone),
	}
	if u.UserSource == "native" {
		fields = append(fields, password)
	}
	if u.ID == r.Who.User.ID && u.UserSource == "native" {
		current := r.in("currentpassword", "password", "")
		current.Autocomplete = "current-password"
		fields = append(fields, current)
	}
	if r.Admin() {
		fields = append(fields, r.pick("apikeyaccess", u.APIKeyAccess, r.words("enabled", "disabled", "inherit"), true))
	}
	f := formPage{
		Title: r.T("pg.edit", "name", u.Username), Command: "updateUser", Crumbs: userWay(r, u), Fixed: vals("id", u.ID),
		Form: components.Form{Submit: r.T("pg.a.save"), Cancel: r.Path("/users/", u.ID), Fields: fields},
	}
	return r.formOr(f, r.T("pg.saved", "name", u.Username), always(r.Path("/users/", u.ID)))
}

// userKeys asks first, for the keys until now end. The secret is in the answer
// and is not shown again.
func userKeys(r *Request) error {
	u, err := find[iamcmd.UserView](r, "listUsers", r.Param("id"))
	if err != nil {
		return err
	}
	title, back := r.T("pg.users.keys_title", "name", u.Username), r.Path("/users/", u.ID)
	if !r.posted() {
		text := r.T("pg.users.keys_text")
		if u.APIKey != "" {
			text = r.T("pg.users.keys_replace")
		}
		return r.ask(components.Action{
			Label: r.T("pg.a.make_keys"), Post: r.Request().URL.Path, Full: true, Style: components.Primary,
			Confirm: components.Confirm{Level: components.Ask, Title: title, Text: text},
		}, back, false, userWay(r, u))
	}
	keys, err := one[iamcmd.KeysView](r, "registerUserKeys", vals("id", u.ID))
	if err != nil {
		return r.refuse(err)
	}
	r.Response().Header().Set("Cache-Control", "no-store")
	body := templ.Join(
		components.Heading{Title: title},
		components.Notice{Tone: components.Warn, Title: r.T("pg.secret.once"), Text: r.T("pg.users.keys_once")},
		boxed(r.T("pg.users.keys"), pieces.Stack(pieces.Secret("apikey", r.T("pg.f.apikey"), keys.APIKey, 1), pieces.Secret("secretkey", r.T("pg.f.secretkey"), keys.SecretKey, 1),
			components.Button{Label: r.T("pg.done"), Href: back, Style: components.Primary})),
	)
	return r.Show(Page{Title: title, Crumbs: userWay(r, u), Body: body, Status: http.StatusOK})
}

func userState(r *Request) error {
	u, err := find[iamcmd.UserView](r, "listUsers", r.Param("id"))
	if err != nil {
		return err
	}
	cmd := "disableUser"
	if r.FormValue("state") == "enabled" {
		cmd = "enableUser"
	}
	return r.act(action{Command: cmd, Params: vals("id", u.ID), Kind: "user", ID: u.ID, Text: r.T("pg.saved", "name", u.Username), To: r.Path("/users/", u.ID)})
}

func endUser(r *Request) error {
	u, err := find[iamcmd.UserView](r, "listUsers", r.Param("id"))
	if err != nil {
		return err
	}
	return r.end(ending{Command: "deleteUser", Params: vals("id", u.ID), Kind: "users", Name: u.Username, List: r.Path("/users"), Crumbs: userWay(r, u)})
}
