package portal

import (
	"encoding/base64"
	"strings"

	"github.com/a-h/templ"

	"aerie/services/compute"
	"aerie/views/components"
)

func userData() area {
	return area{
		entries: []entry{{Group: "nav.compute", Key: "nav.userdata", Icon: "file-text", Path: "/userdata", Needs: "listUserData", Create: "registerUserData"}},
		routes: func(on routes) {
			on.GET("/userdata", func(r *Request) error { return showList(r, userDataList(r)) })
			on.both("/userdata/new", newUserData)
			on.onDetail("/userdata", userDataPage)
			on.both("/userdata/:id/delete", endUserData)
		},
	}
}

func userDataList(r *Request) listPage[compute.UserDataView] {
	type view = compute.UserDataView
	create := r.creating("registerUserData", "register_userdata", r.Path("/userdata/new"))
	l := listPage[view]{
		ID: "userdata", Title: r.T("nav.userdata"), Text: r.T("pg.userdata.text"), Command: "listUserData", Buttons: create,
		RowID: func(u view) string { return u.ID }, Name: func(u view) string { return u.Name },
		Columns: []column[view]{
			colName(r, func(u view) string { return u.ID }, func(u view) string { return u.Name }, func(u view) string { return r.Path("/userdata/", u.ID) }),
			colText(r, "variables", func(u view) string { return strings.ReplaceAll(u.Params, ",", ", ") }),
		},
		Actions: func(u view) components.Menu { return r.menu(userDataDeeds(r, u)...) },
		Empty:   r.empty("userdata", "file-text", create),
	}
	if r.Managing() {
		l.Columns = append(l.Columns, ownerCols(r, func(u view) (string, string) { return u.Account, u.Domain })...)
	}
	return l
}

func userDataDeeds(r *Request, u compute.UserDataView) []deed {
	return []deed{{Command: "deleteUserData", Key: "delete", Icon: "trash-2", Path: r.Path("/userdata/", u.ID, "/delete"), Page: true, Danger: true}}
}

func userDataPage(r *Request) error {
	u, err := find[compute.UserDataView](r, "listUserData", r.Param("id"))
	if err != nil {
		return err
	}
	return r.thing(thingPage{
		Title: u.Name, ID: u.ID, Base: r.Path("/userdata/", u.ID), Crumbs: crumbs(r.T("nav.userdata"), r.Path("/userdata")),
		Deeds: append(usedBy("deployVirtualMachine", "deploy", r.Path("/instances/new?userdataid=", u.ID)), userDataDeeds(r, u)...), Shown: 2,
		Tabs: []thingTab{{Key: "overview", Body: func() (templ.Component, error) {
			lines := r.lines("variables", strings.ReplaceAll(u.Params, ",", ", "), "account", u.Account, "domain", u.Domain)
			return templ.Join(boxed(r.T("pg.specification"), lines), boxed(r.T("pg.c.content"), textOf(r, u.Content))), nil
		}}, r.history(u.ID)},
	})
}

// textOf shows what is in base64, when it is text.
func textOf(r *Request, content string) templ.Component {
	raw, err := base64.StdEncoding.DecodeString(content)
	if err != nil || strings.ContainsRune(string(raw), 0) || strings.ToValidUTF8(string(raw), "") != string(raw) {
		return components.Text(r.T("pg.userdata.binary"))
	}
	f := r.in("content", "textarea", string(raw))
	f.ReadOnly, f.Mono, f.Rows = true, true, min(max(strings.Count(string(raw), "\n")+1, 4), 30)
	return f
}

func newUserData(r *Request) error {
	content := needed(r.in(userDataField, "textarea", ""))
	content.Mono, content.Rows, content.Placeholder = true, 14, "#cloud-config"
	f := formPage{
		Title: r.T("pg.a.register_userdata"), Command: "registerUserData", Crumbs: crumbs(r.T("nav.userdata"), r.Path("/userdata")),
		Resource: "cloudstack_user_data", Rename: map[string]string{"userdata": "userdata"},
		Form: components.Form{
			Fields: []components.Field{needed(r.in("name", "", "")), content, r.in("params", "", "")},
			Submit: r.T("pg.a.register_userdata"), Cancel: r.Path("/userdata"),
		},
	}
	if !r.posted() || !r.May(f.Command) {
		return r.formOr(f, "", nil)
	}
	v, err := r.values(f)
	if err != nil {
		return err
	}
	v.Set("userdata", encoded(v.Get(userDataField)))
	v.Del(userDataField)
	if _, err := r.Call(f.Command, v); err != nil {
		return r.showForm(f, err)
	}
	r.flash(flash{Tone: components.OK, Text: r.T("pg.userdata.made")})
	return r.goTo(r.Path("/userdata"))
}

// encoded is what was typed as user data, with the lines of guests.
func encoded(text string) string {
	return base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(text, "\r\n", "\n")))
}

func endUserData(r *Request) error {
	u, err := find[compute.UserDataView](r, "listUserData", r.Param("id"))
	if err != nil {
		return err
	}
	return r.end(ending{Command: "deleteUserData", Params: vals("id", u.ID), Kind: "userdata", Name: u.Name, List: r.Path("/userdata"), Crumbs: crumbs(r.T("nav.userdata"), r.Path("/userdata"))})
}

// linkTemplate says which user data guests of a template get, and whether
// deployments may bring their own.
func linkTemplate(r *Request) error {
	t, err := templateOf(r)
	if err != nil {
		return err
	}
	v := vals()
	if r.Managing() {
		v = vals("account", t.Account, "domainid", t.DomainID)
	}
	library, err := entries[choice](r, "listUserData", v)
	if err != nil {
		return err
	}
	f := formPage{
		Title: r.T("pg.a.link_userdata"), Text: r.T("pg.userdata.link_text"), Command: "linkUserDataToTemplate", Crumbs: templateWay(r, t), Fixed: vals("templateid", t.ID),
		Form: components.Form{
			Fields: []components.Field{
				r.pick("userdataid", t.DataID, optionsOf(library), false),
				r.pick("userdatapolicy", or(t.DataPolicy, compute.AllowOverride), r.words(compute.AllowOverride, compute.AppendData, compute.DenyOverride), true),
			},
			Submit: r.T("pg.a.save"), Cancel: r.Path("/templates/", t.ID),
		},
	}
	return r.formOr(f, r.T("pg.saved", "name", t.Name), always(r.Path("/templates/", t.ID)))
}
