package portal

import (
	"slices"
	"strings"

	"github.com/a-h/templ"

	"aerie/services/iam"
	"aerie/services/project"
	"aerie/views/components"
)

func projectRoles(r *Request, p project.View) (templ.Component, error) {
	roles, err := inProject[project.RoleView](r, "listProjectRoles", p.ID)
	if err != nil {
		return nil, err
	}
	base := r.Path("/projects/", p.ID, "/roles/")
	var add []components.Action
	if r.runsProject(p.ID) && p.State == iam.ProjectActive {
		add = r.creating("createProjectRole", "create_project_role", base+"new")
	}
	if len(roles) == 0 {
		return r.empty("projectroles", "shield", add), nil
	}
	l := listPage[project.RoleView]{
		ID: "project-roles", Title: r.T("pg.t.roles"),
		RowID: func(x project.RoleView) string { return x.ID }, Name: func(x project.RoleView) string { return x.Name },
		Columns: []column[project.RoleView]{
			colName(r, func(x project.RoleView) string { return x.ID }, func(x project.RoleView) string { return x.Name }, func(x project.RoleView) string { return base + x.ID }),
			colText(r, "description", func(x project.RoleView) string { return x.Description }),
		},
	}
	return sheet(r.T("pg.t.roles"), bareList(r, l, roles), smallButtons(add)...), nil
}

// roleAt is the project and the role that the address names.
func roleAt(r *Request) (p project.View, role project.RoleView, err error) {
	if p, err = find[project.View](r, "listProjects", r.Param("id")); err != nil {
		return p, role, err
	}
	roles, err := inProject[project.RoleView](r, "listProjectRoles", p.ID, "projectroleid", r.Param("role"))
	if err != nil || len(roles) == 0 {
		return p, role, r.absent(err)
	}
	return p, roles[0], nil
}

func projectRole(r *Request) error {
	p, role, err := roleAt(r)
	if err != nil {
		return err
	}
	rules, err := one[listOf[project.RuleView]](r, "listProjectRolePermissions", vals("projectid", p.ID, "projectroleid", role.ID))
	if err != nil {
		return err
	}
	base, not := r.Path("/projects/", p.ID, "/roles/", role.ID), ""
	if !r.runsProject(p.ID) {
		not = r.T("pg.why.project_admin")
	}
	l := listPage[project.RuleView]{
		ID: "project-rules", Title: r.T("pg.projectroles.rules"),
		RowID: func(x project.RuleView) string { return x.ID }, Name: func(x project.RuleView) string { return x.Rule },
		Columns: []column[project.RuleView]{
			colCode(r, "rule", func(x project.RuleView) string { return x.Rule }),
			colText(r, "permission", func(x project.RuleView) string { return r.T("pg.o." + x.Permission) }),
			colText(r, "description", func(x project.RuleView) string { return x.Description }),
		},
		Actions: func(x project.RuleView) components.Menu {
			return r.menu(projectRuleDeeds(r, base, x, rules.Items, not)...)
		},
	}
	body := templ.Component(components.Empty{Icon: "shield", Title: r.T("pg.projectroles.no_rules"), Text: r.T("pg.projectroles.no_rules_text")})
	if len(rules.Items) > 0 {
		body = sheet(r.T("pg.projectroles.rules"), bareList(r, l, rules.Items))
	}
	return r.thing(thingPage{
		Title: role.Name, Text: role.Description, ID: role.ID, Base: base, Crumbs: append(projectWay(r, p), components.Crumb{Label: r.T("pg.t.roles"), Href: r.Path("/projects/", p.ID, "/roles")}),
		Deeds: []deed{
			{Command: "createProjectRolePermission", Key: "create_rule", Icon: "plus", Path: base + "/rule", Open: true, Main: true, Off: not},
			{Command: "updateProjectRole", Key: "edit", Icon: "pencil", Path: base + "/edit", Open: true, Off: not},
			{Command: "deleteProjectRole", Key: "delete", Icon: "trash-2", Path: base + "/remove", Danger: true, Off: not, Ask: r.T("pg.projectroles.delete_title", "name", role.Name)},
		}, Shown: 2,
		Tabs: []thingTab{{Key: "overview", Body: func() (templ.Component, error) { return body, nil }}},
	})
}

func projectRuleDeeds(r *Request, base string, x project.RuleView, all []project.RuleView, not string) []deed {
	var ids []string
	for _, rule := range all {
		ids = append(ids, rule.ID)
	}
	at := slices.Index(ids, x.ID)
	up, first := slices.Clone(ids), not
	if at > 0 {
		up[at-1], up[at] = up[at], up[at-1]
	} else if first == "" {
		first = r.T("pg.why.first_rule")
	}
	other, key := "deny", "deny"
	if x.Permission == "deny" {
		other, key = "allow", "allow"
	}
	set := func(pairs ...string) []components.Pair {
		var out []components.Pair
		for i := 0; i+1 < len(pairs); i += 2 {
			out = append(out, components.Pair{Name: pairs[i], Value: pairs[i+1]})
		}
		return out
	}
	return []deed{
		{Command: "updateProjectRolePermission", Key: "rule_up", Icon: "arrow-up", Path: base + "/rules", Fields: set("order", strings.Join(up, ",")), Off: first},
		{Command: "updateProjectRolePermission", Key: key, Icon: "refresh-cw", Path: base + "/rules", Fields: set("rule", x.ID, "permission", other), Off: not},
		{Command: "deleteProjectRolePermission", Key: "delete", Icon: "trash-2", Path: base + "/rules", Fields: set("rule", x.ID), Danger: true, Off: not, Ask: r.T("pg.projectroles.delete_rule_title", "name", x.Rule)},
	}
}

func changeProjectRule(r *Request) error {
	of := vals("projectid", r.Param("id"), "projectroleid", r.Param("role"), "ruleorder", r.FormValue("order"), "permission", r.FormValue("permission"))
	x := action{Command: "updateProjectRolePermission", Params: of, Text: r.T("pg.projectroles.changed"), To: r.Path("/projects/", r.Param("id"), "/roles/", r.Param("role"))}
	if rule := r.FormValue("rule"); rule != "" {
		of.Set("projectrolepermissionid", rule)
		if of.Get("permission") == "" {
			x.Command, x.Params = "deleteProjectRolePermission", vals("projectid", r.Param("id"), "id", rule)
		}
	}
	return r.act(x)
}

func removeProjectRole(r *Request) error {
	return r.act(action{
		Command: "deleteProjectRole", Params: vals("projectid", r.Param("id"), "id", r.Param("role")), Text: r.T("pg.projectroles.deleted"),
		To: r.Path("/projects/", r.Param("id"), "/roles"),
	})
}

func newProjectRole(r *Request) error {
	p, err := find[project.View](r, "listProjects", r.Param("id"))
	if err != nil {
		return err
	}
	f := formPage{
		Title: r.T("pg.a.create_project_role"), Text: r.T("pg.projectroles.new_text"), Command: "createProjectRole", Crumbs: projectWay(r, p), Fixed: vals("projectid", p.ID),
		Form: components.Form{
			Submit: r.T("pg.a.create_project_role"), Cancel: r.Path("/projects/", p.ID, "/roles"),
			Fields: []components.Field{needed(r.in("name", "", "")), r.in("description", "", "")},
		},
	}
	return r.formOr(f, r.T("pg.projectroles.created"), func(out any) string {
		role, _ := out.(project.RoleView)
		return r.Path("/projects/", p.ID, "/roles/", role.ID)
	})
}

func editProjectRole(r *Request) error {
	p, role, err := roleAt(r)
	if err != nil {
		return err
	}
	f := formPage{
		Title: r.T("pg.edit", "name", role.Name), Command: "updateProjectRole", Crumbs: projectWay(r, p),
		Fixed: r.cleared(vals("projectid", p.ID, "id", role.ID), "description"),
		Form: components.Form{
			Submit: r.T("pg.a.save"), Cancel: r.Path("/projects/", p.ID, "/roles/", role.ID),
			Fields: []components.Field{needed(r.in("name", "", role.Name)), r.in("description", "", role.Description)},
		},
	}
	return r.formOr(f, r.T("pg.saved", "name", role.Name), always(r.Path("/projects/", p.ID, "/roles/", role.ID)))
}

func newProjectRule(r *Request) error {
	p, role, err := roleAt(r)
	if err != nil {
		return err
	}
	rule := needed(r.in("rule", "", ""))
	rule.Mono = true
	f := formPage{
		Title: r.T("pg.a.create_rule"), Text: r.T("pg.projectroles.rule_text"), Command: "createProjectRolePermission", Crumbs: projectWay(r, p),
		Fixed: vals("projectid", p.ID, "projectroleid", role.ID),
		Form: components.Form{
			Submit: r.T("pg.a.create_rule"), Cancel: r.Path("/projects/", p.ID, "/roles/", role.ID),
			Fields: []components.Field{rule, r.pick("permission", "allow", r.words("allow", "deny"), true), r.in("description", "", "")},
		},
	}
	return r.formOr(f, r.T("pg.projectroles.changed"), always(r.Path("/projects/", p.ID, "/roles/", role.ID)))
}
