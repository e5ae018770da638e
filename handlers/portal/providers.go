package portal

import (
	"strconv"

	"github.com/a-h/templ"

	"aerie/services/signon"
	"aerie/views/components"
)

func signOns() area {
	return area{
		entries: []entry{{Group: "nav.identity", Key: "nav.providers", Icon: "link", Path: "/providers", Needs: "registerOauthProvider", Create: "registerOauthProvider"}},
		routes: func(on routes) {
			on.GET("/providers", func(r *Request) error { return showList(r, providerList(r)) })
			on.both("/providers/new", newProvider)
			on.both("/providers/:id/edit", editProvider)
			on.both("/providers/:id/delete", endProvider)
			on.POST("/providers/:id/state", turnProvider)
			on.onDetail("/providers", providerPage)
		},
	}
}

func providerID(v signon.View) string   { return v.ID }
func providerName(v signon.View) string { return v.Name }

// providerState is the state of a provider, in the words of other things' states.
func providerState(v signon.View) string {
	if v.Enabled {
		return "Enabled"
	}
	return "Disabled"
}

func providerList(r *Request) listPage[signon.View] {
	type view = signon.View
	create := r.creating("registerOauthProvider", "register_provider", r.Path("/providers/new"))
	return listPage[view]{
		ID: "providers", Title: r.T("nav.providers"), Text: r.T("pg.providers.text"), Command: "listOauthProvider", Buttons: create,
		RowID: providerID, Name: providerName,
		Columns: []column[view]{
			colName(r, providerID, providerName, func(v view) string { return r.Path("/providers/", v.ID) }),
			colPill(r, "state", providerState),
			colCode(r, "issuer", func(v view) string { return v.Issuer }),
			colText(r, "description", func(v view) string { return v.Description }),
			optional(colYes(r, "linkemail", func(v view) bool { return v.LinkEmail })),
			optional(colYes(r, "autoimport", func(v view) bool { return v.AutoImport })),
		},
		Actions: func(v view) components.Menu { return r.menu(providerDeeds(r, v)...) },
		Empty:   r.empty("providers", "link", create),
	}
}

func providerDeeds(r *Request, v signon.View) []deed {
	base := r.Path("/providers/", v.ID)
	turn := deed{Command: "updateOauthProvider", Key: "enable", Icon: "circle-play", Path: base + "/state", Fields: []components.Pair{{Name: "enabled", Value: strconv.FormatBool(!v.Enabled)}}}
	if v.Enabled {
		turn.Key, turn.Icon = "disable", "power"
		turn.Ask, turn.Text = r.T("pg.providers.disable_title", "name", v.Name), r.T("pg.providers.disable_text")
	}
	return []deed{
		{Command: "updateOauthProvider", Key: "edit", Icon: "pencil", Path: base + "/edit", Open: true},
		turn,
		{Command: "deleteOauthProvider", Key: "delete", Icon: "trash-2", Path: base + "/delete", Page: true, Danger: true},
	}
}

// providerOf is root's alone: others are told of providers by the sign-in page.
func providerOf(r *Request) (v signon.View, err error) {
	if v, err = find[signon.View](r, "listOauthProvider", r.Param("id")); err == nil && !r.May("registerOauthProvider") {
		err = r.absent(nil)
	}
	return v, err
}

func providerWay(r *Request, v signon.View) components.Crumbs {
	return crumbs(r.T("nav.identity"), "", r.T("nav.providers"), r.Path("/providers"), v.Name, r.Path("/providers/", v.ID))
}

func providerPage(r *Request) error {
	v, err := providerOf(r)
	if err != nil {
		return err
	}
	domain := r.T("pg.providers.all_domains")
	if v.DomainID != "" {
		domain = v.DomainID
	}
	return r.thing(thingPage{
		Title: v.Name, Text: v.Description, State: providerState(v), ID: v.ID, Base: r.Path("/providers/", v.ID), Crumbs: providerWay(r, v)[:2], Deeds: providerDeeds(r, v), Shown: 2,
		Tabs: []thingTab{
			{Key: "overview", Body: func() (templ.Component, error) {
				return boxed(r.T("pg.specification"), r.lines("issuer", components.Code(v.Issuer), "clientid", components.Code(v.ClientID), "redirecturi", components.Code(v.RedirectURI),
					"scopes", v.Scopes, "domain", domain, "linkemail", v.LinkEmail, "autoimport", v.AutoImport, "internal_address", v.Internal)), nil
			}},
			r.history(v.ID),
		},
	})
}

// providerFields are what is asked about a provider, whether new or changed.
func (r *Request) providerFields(v signon.View) []components.Field {
	issuer := r.in("issuer", "url", v.Issuer)
	issuer.Placeholder = "https://id.example.org"
	secret := r.in("secretkey", "password", "")
	secret.Autocomplete = "off"
	if v.ID == "" {
		secret.Required = true
	} else {
		secret.Help = r.T("pg.providers.secret_kept")
	}
	return []components.Field{
		needed(r.in("description", "", v.Description)), issuer, needed(r.in("clientid", "", v.ClientID)), secret,
		needed(r.in("redirecturi", "url", v.RedirectURI)), r.in("scopes", "", v.Scopes),
		r.tick("linkemail", v.LinkEmail), r.tick("autoimport", v.AutoImport), r.tick("internal", v.Internal),
	}
}

func newProvider(r *Request) error {
	domains, err := r.choices("listDomains", vals("listall", "true"))
	if err != nil {
		return err
	}
	here := r.Portal.SignOn.Origin(r.Ctx()).JoinPath(signon.CallbackPath).String()
	name := components.Field{Name: "provider", Label: r.T("pg.providers.name"), Help: r.T("pg.providers.name_help"), Required: true}
	fields := append([]components.Field{name}, r.providerFields(signon.View{RedirectURI: here, Scopes: "profile email"})...)
	f := formPage{
		Title: r.T("pg.a.register_provider"), Text: r.T("pg.providers.new_text"), Command: "registerOauthProvider", Crumbs: crumbs(r.T("nav.identity"), "", r.T("nav.providers"), r.Path("/providers")),
		Form: components.Form{Submit: r.T("pg.a.register_provider"), Cancel: r.Path("/providers"), Fields: append(fields, r.pick("domainid", "", domains, false))},
	}
	return r.formOr(f, r.T("pg.created"), always(r.Path("/providers")))
}

func editProvider(r *Request) error {
	v, err := providerOf(r)
	if err != nil {
		return err
	}
	f := formPage{
		Title: r.T("pg.edit", "name", v.Name), Command: "updateOauthProvider", Crumbs: providerWay(r, v), Fixed: r.cleared(vals("id", v.ID), "scopes"),
		Form: components.Form{Submit: r.T("pg.a.save"), Cancel: r.Path("/providers/", v.ID), Fields: r.providerFields(v)},
	}
	return r.formOr(f, r.T("pg.saved", "name", v.Name), always(r.Path("/providers/", v.ID)))
}

func turnProvider(r *Request) error {
	v, err := providerOf(r)
	if err != nil {
		return err
	}
	return r.act(action{Command: "updateOauthProvider", Params: vals("id", v.ID, "enabled", r.FormValue("enabled")), Text: r.T("pg.saved", "name", v.Name), To: r.Path("/providers/", v.ID)})
}

func endProvider(r *Request) error {
	v, err := providerOf(r)
	if err != nil {
		return err
	}
	return r.end(ending{Command: "deleteOauthProvider", Params: vals("id", v.ID), Kind: "providers", Name: v.Name, List: r.Path("/providers"), Crumbs: providerWay(r, v)})
}
