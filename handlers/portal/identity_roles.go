package portal

import (
	"strconv"

	"github.com/a-h/templ"

	"aerie/services/iam/iamcmd"
	"aerie/views/components"
	"aerie/views/pages/pieces"
)

func roles() area {
	return area{
		entries: []entry{{Group: "nav.identity", Key: "nav.roles", Icon: "shield", Path: "/roles", Needs: "listRoles", Create: "createRole"}},
		routes: func(on routes) {
			on.GET("/roles", func(r *Request) error { return showList(r, roleList(r)) })
			on.both("/roles/new", newRole)
			on.both("/roles/import", importRole)
			on.both("/roles/:id/edit", editRole)
			on.both("/roles/:id/delete", endRole)
			on.POST("/roles/:id/state", roleState)
			on.POST("/roles/:id/rules/new", addRule)
			on.POST("/roles/:id/rules/order", orderRules)
			on.POST("/roles/:id/rules/:rule/move", moveRule)
			on.POST("/roles/:id/rules/:rule/turn", turnRule)
			on.POST("/roles/:id/rules/:rule/delete", dropRule)
			on.onDetail("/roles", rolePage)
		},
		live: map[string]liveRows{"role": rowsOf(roleList)},
	}
}

func roleID(v iamcmd.RoleView) string   { return v.ID }
func roleName(v iamcmd.RoleView) string { return v.Name }

func roleList(r *Request) listPage[iamcmd.RoleView] {
	create := r.creating("createRole", "create_role", r.Path("/roles/new"))
	buttons := append(r.deeds(deed{Command: "importRole", Key: "import_role", Icon: "upload", Path: r.Path("/roles/import"), Open: true}), create...)
	return listPage[iamcmd.RoleView]{
		ID: "roles", Title: r.T("nav.roles"), Text: r.T("pg.roles.text"), Command: "listRoles", Buttons: buttons, Kind: "role",
		RowID: roleID, Name: roleName,
		Columns: []column[iamcmd.RoleView]{
			colName(r, roleID, roleName, func(v iamcmd.RoleView) string { return r.Path("/roles/", v.ID) }),
			colPill(r, "state", func(v iamcmd.RoleView) string { return v.State }),
			colText(r, "type", func(v iamcmd.RoleView) string { return r.words(v.Type)[0].Label }),
			colText(r, "description", func(v iamcmd.RoleView) string { return v.Description }),
			colYes(r, "builtin", func(v iamcmd.RoleView) bool { return v.IsDefault }),
			optional(colYes(r, "public", func(v iamcmd.RoleView) bool { return v.IsPublic })),
		},
		Filters: []components.Filter{r.filter("type", r.roleTypes()), r.filter("state", r.states("enabled", "disabled"))},
		Actions: func(v iamcmd.RoleView) components.Menu { return r.menu(roleDeeds(r, v)...) },
		Empty:   r.empty("roles", "shield", create),
	}
}

// roleTypes are the types of roles, as options.
func (r *Request) roleTypes() []components.Option {
	return r.words("Admin", "ResourceAdmin", "DomainAdmin", "User")
}

func roleDeeds(r *Request, v iamcmd.RoleView) []deed {
	base, off := r.Path("/roles/", v.ID), ""
	switch {
	case v.IsDefault:
		off = r.T("pg.why.default_role")
	case v.ID == r.Who.Account.RoleID:
		off = r.T("pg.why.own_role")
	}
	state := func(to string) []components.Pair { return []components.Pair{{Name: "state", Value: to}} }
	out := []deed{
		{Command: "updateRole", Key: "edit", Icon: "pencil", Path: base + "/edit", Open: true, Off: off},
		{Command: "createRole", Key: "copy_role", Icon: "copy", Path: r.Path("/roles/new?roleid=", v.ID), Open: true},
		{Command: "listRolePermissions", Key: "export_rules", Icon: "download", Path: base + "/rules?as=csv", Open: true},
	}
	if v.State == "disabled" {
		out = append(out, deed{Command: "enableRole", Key: "enable", Icon: "circle-play", Path: base + "/state", Fields: state("enabled"), Off: off})
	} else {
		out = append(out, deed{
			Command: "disableRole", Key: "disable", Icon: "power", Path: base + "/state", Fields: state("disabled"), Off: off,
			Ask: r.T("pg.roles.disable_title", "name", v.Name), Text: r.T("pg.roles.disable_text"),
		})
	}
	return append(out, deed{Command: "deleteRole", Key: "delete", Icon: "trash-2", Path: base + "/delete", Page: true, Danger: true, Off: off})
}

func roleWay(r *Request, v iamcmd.RoleView) components.Crumbs {
	return crumbs(r.T("nav.identity"), "", r.T("nav.roles"), r.Path("/roles"), v.Name, r.Path("/roles/", v.ID))
}

func roleOf(r *Request) (iamcmd.RoleView, error) {
	return find[iamcmd.RoleView](r, "listRoles", r.Param("id"))
}

func rolePage(r *Request) error {
	v, err := roleOf(r)
	if err != nil {
		return err
	}
	if r.Param("tab") == "rules" && r.QueryParam("as") == "csv" {
		return exportRules(r, v)
	}
	return r.thing(thingPage{
		Title: v.Name, Text: v.Description, State: v.State, ID: v.ID, Base: r.Path("/roles/", v.ID), Crumbs: roleWay(r, v)[:2], Deeds: roleDeeds(r, v), Shown: 2,
		Tabs: []thingTab{
			{Key: "overview", Body: func() (templ.Component, error) { return roleOverview(r, v) }},
			{Key: "rules", Needs: "listRolePermissions", Body: func() (templ.Component, error) { return ruleEditor(r, v) }},
			{Key: "simulate", Body: func() (templ.Component, error) { return simulated(r, v) }},
			{Key: "compare", Body: func() (templ.Component, error) { return compared(r, v) }},
			r.history(v.ID),
		},
	})
}

func roleOverview(r *Request, v iamcmd.RoleView) (templ.Component, error) {
	has, err := r.Portal.IAM.Simulate(r.Ctx(), v.ID)
	if err != nil {
		return nil, err
	}
	allowed := 0
	for _, x := range has {
		if x.Allowed {
			allowed++
		}
	}
	return pieces.Stack(
		pieces.Tiles(components.Figure{Label: r.T("pg.roles.allowed"), Value: strconv.Itoa(allowed), Note: r.T("pg.roles.of", "n", len(has)), Href: r.Path("/roles/", v.ID, "/simulate")}),
		boxed(r.T("pg.specification"), r.lines("type", r.words(v.Type)[0].Label, "description", v.Description, "builtin", v.IsDefault, "public", v.IsPublic))), nil
}

// roleFields are the fields that a role is made and changed with.
func (r *Request) roleFields(v iamcmd.RoleView) []components.Field {
	public := r.tick("ispublic", v.IsPublic)
	public.Label = r.T("pg.roles.public")
	return []components.Field{
		needed(r.in("name", "", v.Name)), r.in("description", "", v.Description),
		r.pick("type", v.Type, r.roleTypes(), false), public,
	}
}

func newRole(r *Request) error {
	from, err := r.choices("listRoles", nil)
	if err != nil {
		return err
	}
	fields := append(r.roleFields(iamcmd.RoleView{IsPublic: true}), r.pick("roleid", "", from, false))
	fields[4].Label, fields[4].Help = r.T("pg.roles.copied"), r.T("pg.roles.copied_help")
	f := formPage{
		Title: r.T("pg.a.create_role"), Text: r.T("pg.roles.new_text"), Command: "createRole", Resource: "cloudstack_role", Crumbs: crumbs(r.T("nav.identity"), "", r.T("nav.roles"), r.Path("/roles")),
		Rename: map[string]string{"ispublic": "is_public"},
		Form:   components.Form{Submit: r.T("pg.a.create_role"), Cancel: r.Path("/roles"), Fields: fields},
	}
	return r.formOr(f, r.T("pg.created"), toRole(r))
}

// toRole is the new role's page, at its rules.
func toRole(r *Request) func(any) string {
	return func(out any) string {
		if v, ok := out.(iamcmd.RoleView); ok {
			return r.Path("/roles/", v.ID, "/rules")
		}
		return r.Path("/roles")
	}
}

func editRole(r *Request) error {
	v, err := roleOf(r)
	if err != nil {
		return err
	}
	f := formPage{
		Title: r.T("pg.edit", "name", v.Name), Command: "updateRole", Crumbs: roleWay(r, v), Fixed: r.cleared(vals("id", v.ID), "description"),
		Form: components.Form{Submit: r.T("pg.a.save"), Cancel: r.Path("/roles/", v.ID), Fields: r.roleFields(v)},
	}
	return r.formOr(f, r.T("pg.saved", "name", v.Name), always(r.Path("/roles/", v.ID)))
}

func roleState(r *Request) error {
	v, err := roleOf(r)
	if err != nil {
		return err
	}
	x := action{Command: "disableRole", Params: vals("id", v.ID), Kind: "role", ID: v.ID, Text: r.T("pg.saved", "name", v.Name), To: r.Path("/roles/", v.ID)}
	if r.FormValue("state") == "enabled" {
		x.Command = "enableRole"
	}
	return r.act(x)
}

func endRole(r *Request) error {
	v, err := roleOf(r)
	if err != nil {
		return err
	}
	return r.end(ending{Command: "deleteRole", Params: vals("id", v.ID), Kind: "roles", Name: v.Name, List: r.Path("/roles"), Crumbs: roleWay(r, v)})
}
