package portal

import (
	"strconv"

	"github.com/a-h/templ"

	"aerie/services/command/builtin"
	"aerie/services/iam"
	"aerie/services/project"
	"aerie/views/components"
	"aerie/views/pages/pieces"
)

func projects() area {
	return area{
		entries: []entry{
			{Group: "nav.projects", Key: "nav.projects_list", Icon: "folder", Path: "/projects", Needs: "listProjects", Create: "createProject"},
			{Group: "nav.projects", Key: "nav.invitations", Icon: "share-2", Path: "/invitations", Needs: "listProjectInvitations"},
		},
		routes: func(on routes) {
			on.GET("/projects", func(r *Request) error { return showList(r, projectList(r)) })
			on.both("/projects/new", newProject)
			on.both("/projects/:id/edit", editProject)
			on.both("/projects/:id/delete", endProject)
			on.both("/projects/:id/limits/edit", projectLimits)
			on.both("/projects/:id/members/add", addMember)
			on.both("/projects/:id/members/user", addMemberUser)
			on.POST("/projects/:id/members/role", memberRole)
			on.POST("/projects/:id/members/remove", removeMember)
			on.POST("/projects/:id/invitations/remove", removeInvitation)
			on.both("/projects/:id/roles/new", newProjectRole)
			on.GET("/projects/:id/roles/:role", projectRole)
			on.both("/projects/:id/roles/:role/edit", editProjectRole)
			on.both("/projects/:id/roles/:role/rule", newProjectRule)
			on.POST("/projects/:id/roles/:role/rules", changeProjectRule)
			on.POST("/projects/:id/roles/:role/remove", removeProjectRole)
			on.POST("/projects/:id/state", projectState)
			on.onDetail("/projects", projectPage)
			on.GET("/invitations", func(r *Request) error { return showList(r, invitationList(r)) })
			on.POST("/invitations/answer", answerInvitation)
			on.both("/invitations/join", joinProject)
		},
		live: map[string]liveRows{"project": rowsOf(projectList)},
	}
}

func projectList(r *Request) listPage[project.View] {
	create := r.creating("createProject", "create_project", r.Path("/projects/new"))
	return listPage[project.View]{
		ID: "projects", Title: r.T("nav.projects_list"), Text: r.T("pg.projects.text"), Command: "listProjects", Buttons: create, Kind: "project",
		RowID: func(p project.View) string { return p.ID }, Name: func(p project.View) string { return p.Name },
		Columns: []column[project.View]{
			colName(r, func(p project.View) string { return p.ID }, func(p project.View) string { return p.Name }, func(p project.View) string { return r.Path("/projects/", p.ID) }),
			colPill(r, "state", func(p project.View) string { return string(p.State) }),
			colText(r, "owner", projectOwners),
			colText(r, "instances", func(p project.View) string { return limitText(p.VMTotal, p.VMLimit) }),
			colText(r, "domain", func(p project.View) string { return p.Domain }),
			colText(r, "displaytext", func(p project.View) string { return p.DisplayText }),
			optional(colText(r, "volumes", func(p project.View) string { return limitText(p.VolumeTotal, p.VolumeLimit) })),
			colTime(r, "created", func(p project.View) timeOf { return p.Created }),
		},
		Filters: []components.Filter{r.filter("state", r.states("Active", "Suspended"))},
		Actions: func(p project.View) components.Menu { return r.menu(projectDeeds(r, p)...) },
		Empty:   r.empty("projects", "folder", create),
	}
}

// projectOwners are who manages a project.
func projectOwners(p project.View) (text string) {
	for i, o := range p.Owners {
		if i > 0 {
			text += ", "
		}
		text += o.Account
		if o.User != "" {
			text += " / " + o.User
		}
	}
	return text
}

// runsProject tells whether the reader manages the project.
func (r *Request) runsProject(id string) bool {
	m := r.Who.Project(id)
	return r.Managing() || m != nil && m.Admin
}

func projectDeeds(r *Request, p project.View) []deed {
	base, not, still := r.Path("/projects/", p.ID), "", ""
	if !r.runsProject(p.ID) {
		not = r.T("pg.why.project_admin")
	}
	if still = not; still == "" && p.State != iam.ProjectActive {
		still = r.T("pg.why.project_suspended")
	}
	to := func(state string) []components.Pair { return []components.Pair{{Name: "state", Value: state}} }
	out := []deed{
		{Command: "listProjects", Key: "open_project", Icon: "arrow-right", Path: "/p/" + p.ID + "/dashboard", Open: true},
		{Command: "updateProject", Key: "edit", Icon: "pencil", Path: base + "/edit", Open: true, Off: still},
		{Command: "updateResourceLimit", Key: "limits", Icon: "gauge", Path: base + "/limits/edit", Open: true},
	}
	if p.State == iam.ProjectActive {
		out = append(out, deed{
			Command: "suspendProject", Key: "suspend", Icon: "pause", Path: base + "/state", Fields: to("suspended"), Off: not,
			Ask: r.T("pg.projects.suspend_title", "name", p.Name), Text: r.T("pg.projects.suspend_text"),
		})
	} else {
		out = append(out, deed{Command: "activateProject", Key: "activate", Icon: "circle-play", Path: base + "/state", Fields: to("active"), Off: not})
	}
	return append(out, deed{Command: "deleteProject", Key: "delete", Icon: "trash-2", Path: base + "/delete", Page: true, Danger: true, Off: not})
}

func projectWay(r *Request, p project.View) components.Crumbs {
	return crumbs(r.T("nav.projects_list"), r.Path("/projects"), p.Name, r.Path("/projects/", p.ID))
}

func projectPage(r *Request) error {
	p, err := find[project.View](r, "listProjects", r.Param("id"))
	if err != nil {
		return err
	}
	return r.thing(thingPage{
		Title: p.Name, Text: p.DisplayText, State: string(p.State), Job: p.JobID, ID: p.ID, Base: r.Path("/projects/", p.ID), Crumbs: projectWay(r, p)[:1],
		Deeds: projectDeeds(r, p), Shown: 2, Watch: []string{"project/" + p.ID},
		Tabs: []thingTab{
			{Key: "overview", Body: func() (templ.Component, error) { return projectOverview(r, p), nil }},
			{Key: "members", Needs: "listProjectAccounts", Body: func() (templ.Component, error) { return projectMembers(r, p) }},
			{Key: "invitations", Needs: "listProjectInvitations", Body: func() (templ.Component, error) { return projectInvitations(r, p) }},
			{Key: "roles", Needs: "listProjectRoles", Body: func() (templ.Component, error) { return projectRoles(r, p) }},
			{Key: "limits", Body: func() (templ.Component, error) {
				return boxed(r.T("pg.t.limits"), pieces.Bars(resourceBars(r, p.Resources)...)), nil
			}},
			projectActivity(r, p),
		},
	})
}

func projectOverview(r *Request, p project.View) templ.Component {
	return pieces.Stack(
		pieces.Tiles(
			components.Figure{Label: r.T("pg.c.instances"), Value: r.figure(p.VMTotal), Note: r.T("pg.c.running") + ": " + strconv.Itoa(p.Running), Href: "/p/" + p.ID + "/instances"},
			components.Figure{Label: r.T("pg.c.volumes"), Value: r.figure(p.VolumeTotal), Href: "/p/" + p.ID + "/volumes"},
			components.Figure{Label: r.T("pg.c.networks"), Value: r.figure(p.NetworkTotal), Href: "/p/" + p.ID + "/networks"}),
		halves(boxed(r.T("pg.specification"), r.lines("owner", projectOwners(p), "domain", p.Domain, "displaytext", p.DisplayText, "created", p.Created)),
			boxed(r.T("pg.t.limits"), pieces.Bars(resourceBars(r, p.Resources)[:6]...))))
}

// projectActivity is what happened to the project and to what it owns.
func projectActivity(r *Request, p project.View) thingTab {
	return thingTab{Key: "events", Needs: "listEvents", Body: func() (templ.Component, error) {
		list, err := one[listOf[builtin.EventView]](r, "listEvents", vals("projectid", p.ID, "page", "1", "pagesize", "100"))
		if err != nil {
			return nil, err
		}
		if len(list.Items) == 0 {
			return components.Empty{Icon: "history", Title: r.T("pg.events.empty")}, nil
		}
		return boxed(r.T("pg.t.events"), timeline(r, latest(list.Items))), nil
	}}
}

func newProject(r *Request) error {
	fields := []components.Field{needed(r.in("name", "", "")), r.in("displaytext", "", "")}
	if r.Managing() {
		domains, err := domainOptions(r)
		if err != nil {
			return err
		}
		account := r.in("account", "", "")
		account.Help = r.T("pg.h.projectaccount")
		fields = append(fields, r.pick("domainid", r.Who.Domain.ID, domains, true), account)
	}
	f := formPage{
		Title: r.T("pg.a.create_project"), Text: r.T("pg.projects.new_text"), Command: "createProject", Resource: "cloudstack_project",
		Crumbs: crumbs(r.T("nav.projects_list"), r.Path("/projects")), Rename: map[string]string{"displaytext": "display_text"},
		Form: components.Form{Submit: r.T("pg.a.create_project"), Cancel: r.Path("/projects"), Fields: fields},
	}
	return r.formOr(f, r.T("pg.projects.created"), func(out any) string { return r.Path("/projects/", createdID(out)) })
}

func editProject(r *Request) error {
	p, err := find[project.View](r, "listProjects", r.Param("id"))
	if err != nil {
		return err
	}
	f := formPage{
		Title: r.T("pg.edit", "name", p.Name), Command: "updateProject", Crumbs: projectWay(r, p), Fixed: vals("id", p.ID),
		Form: components.Form{Submit: r.T("pg.a.save"), Cancel: r.Path("/projects/", p.ID), Fields: []components.Field{
			needed(r.in("name", "", p.Name)), r.in("displaytext", "", p.DisplayText),
		}},
	}
	return r.formOr(f, r.T("pg.saved", "name", p.Name), always(r.Path("/projects/", p.ID)))
}

func projectState(r *Request) error {
	x := action{Command: "suspendProject", Params: vals("id", r.Param("id")), Kind: "project", ID: r.Param("id"), Text: r.T("pg.projects.suspending"), To: r.Path("/projects/", r.Param("id"))}
	if r.FormValue("state") == "active" {
		x.Command, x.Text = "activateProject", r.T("pg.projects.activating")
	}
	return r.act(x)
}

func endProject(r *Request) error {
	p, err := find[project.View](r, "listProjects", r.Param("id"))
	if err != nil {
		return err
	}
	return r.end(ending{
		Command: "deleteProject", Params: vals("id", p.ID, "cleanup", "true"), Kind: "projects", Name: p.Name, Typed: true, List: r.Path("/projects"), Crumbs: projectWay(r, p),
		Impact: []string{
			r.T("pg.projects.impact_things", "instances", p.VMTotal, "volumes", p.VolumeTotal, "networks", p.NetworkTotal, "templates", p.TemplateTotal),
			r.T("pg.projects.impact_members"),
		},
	})
}

func projectLimits(r *Request) error {
	p, err := find[project.View](r, "listProjects", r.Param("id"))
	if err != nil {
		return err
	}
	return r.limitsForm(vals("projectid", p.ID), p.Name, r.Path("/projects/", p.ID, "/limits"), projectWay(r, p))
}
