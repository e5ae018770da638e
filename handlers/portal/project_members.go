package portal

import (
	"net/url"

	"github.com/a-h/templ"

	"aerie/services/command"
	"aerie/services/iam"
	"aerie/services/project"
	"aerie/views/components"
)

type listOf[T any] = command.List[T]

// createdID is the id of what a command made.
func createdID(out any) string {
	a, _ := out.(command.Accepted)
	return a.ID
}

// inProject asks a list command about the project of the page.
func inProject[T any](r *Request, name, id string, more ...string) ([]T, error) {
	l, err := one[listOf[T]](r, name, vals(append([]string{"projectid", id, "pagesize", "-1"}, more...)...))
	return l.Items, err
}

func smallButtons(actions []components.Action) (out []components.Button) {
	for _, b := range actions {
		out = append(out, components.Button{Label: b.Label, Icon: b.Icon, Href: b.Href, Small: true})
	}
	return out
}

func projectMembers(r *Request, p project.View) (templ.Component, error) {
	members, err := inProject[project.MemberView](r, "listProjectAccounts", p.ID)
	if err != nil {
		return nil, err
	}
	base := r.Path("/projects/", p.ID, "/members/")
	l := listPage[project.MemberView]{
		ID: "members", Title: r.T("pg.t.members"),
		RowID: memberKey, Name: memberName,
		Columns: []column[project.MemberView]{
			colText(r, "name", memberName),
			colText(r, "place", func(m project.MemberView) string { return r.T("pg.o.project_" + m.Role) }),
			colText(r, "projectrole", func(m project.MemberView) string { return m.RoleName }),
			colCount(r, "users", func(m project.MemberView) int { return len(m.Users) }),
			colTime(r, "joined", func(m project.MemberView) timeOf { return m.Created }),
		},
		Actions: func(m project.MemberView) components.Menu { return r.menu(memberDeeds(r, p, m, base)...) },
	}
	var add []components.Button
	if r.runsProject(p.ID) && p.State == iam.ProjectActive {
		add = smallButtons(r.deeds(
			deed{Command: "addAccountToProject", Key: "add_account", Icon: "plus", Path: base + "add", Open: true},
			deed{Command: "addUserToProject", Key: "add_user", Icon: "plus", Path: base + "user", Open: true}))
	}
	return sheet(r.T("pg.t.members"), bareList(r, l, members), add...), nil
}

func memberKey(m project.MemberView) string { return m.AccountID + m.UserID }

func memberName(m project.MemberView) string {
	if m.Username != "" {
		return m.Account + " / " + m.Username
	}
	return m.Account
}

func memberDeeds(r *Request, p project.View, m project.MemberView, base string) []deed {
	not := ""
	if !r.runsProject(p.ID) {
		not = r.T("pg.why.project_admin")
	}
	leave := not
	if m.AccountID == r.Who.Account.ID && (m.UserID == "" || m.UserID == r.Who.UserID) {
		leave = ""
	}
	who := []components.Pair{{Name: "account", Value: m.Account}, {Name: "userid", Value: m.UserID}}
	other, key := iam.ProjectAdmin, "make_admin"
	if m.Role == iam.ProjectAdmin {
		other, key = iam.ProjectRegular, "make_regular"
	}
	remove := "deleteAccountFromProject"
	if m.UserID != "" {
		remove = "deleteUserFromProject"
	}
	return []deed{
		{Command: "updateProject", Key: key, Icon: "shield", Path: base + "role", Fields: append([]components.Pair{{Name: "roletype", Value: other}}, who...), Off: not},
		{
			Command: remove, Key: "remove_member", Icon: "x", Path: base + "remove", Fields: who, Danger: true, Off: leave,
			Ask: r.T("pg.projects.remove_title", "name", memberName(m), "project", p.Name), Text: r.T("pg.projects.remove_text"),
		},
	}
}

func memberRole(r *Request) error {
	v := vals("id", r.Param("id"), "swapowner", "false", "roletype", r.FormValue("roletype"), "userid", r.FormValue("userid"))
	if v.Get("userid") == "" {
		v.Set("account", r.FormValue("account"))
	}
	return r.act(action{Command: "updateProject", Params: v, Text: r.T("pg.projects.member_changed"), To: r.Path("/projects/", r.Param("id"), "/members")})
}

func removeMember(r *Request) error {
	x := action{Command: "deleteAccountFromProject", Params: vals("projectid", r.Param("id"), "account", r.FormValue("account")), Text: r.T("pg.projects.member_removed"), To: r.Path("/projects")}
	if user := r.FormValue("userid"); user != "" {
		x.Command, x.Params = "deleteUserFromProject", vals("projectid", r.Param("id"), "userid", user)
	}
	return r.act(x)
}

func addMember(r *Request) error {
	account := r.in("account", "", "")
	account.Help = r.T("pg.h.memberaccount")
	return guestForm(r, "addAccountToProject", "add_account", account)
}

func addMemberUser(r *Request) error {
	return guestForm(r, "addUserToProject", "add_user", needed(r.in("username", "", "")))
}

// guestForm brings somebody into a project, or invites it.
func guestForm(r *Request, cmd, key string, who components.Field) error {
	p, err := find[project.View](r, "listProjects", r.Param("id"))
	if err != nil {
		return err
	}
	roles, err := roleOptions(r, p.ID)
	if err != nil {
		return err
	}
	email := r.in("email", "email", "")
	email.Help = r.T("pg.h.memberemail")
	place := r.pick("roletype", iam.ProjectRegular, []components.Option{
		{Value: iam.ProjectRegular, Label: r.T("pg.o.project_Regular")}, {Value: iam.ProjectAdmin, Label: r.T("pg.o.project_Admin")},
	}, true)
	f := formPage{
		Title: r.T("pg.a." + key), Text: r.T("pg.projects.guest_text", "name", p.Name), Command: cmd, Crumbs: projectWay(r, p), Fixed: vals("projectid", p.ID),
		Form: components.Form{
			Submit: r.T("pg.a." + key), Cancel: r.Path("/projects/", p.ID, "/members"),
			Fields: []components.Field{who, email, place, r.pick("projectroleid", "", roles, false)},
		},
	}
	return r.formOr(f, r.T("pg.projects.guest_added"), always(r.Path("/projects/", p.ID, "/members")))
}

func roleOptions(r *Request, projectID string) (out []components.Option, err error) {
	roles, err := inProject[project.RoleView](r, "listProjectRoles", projectID)
	for _, role := range roles {
		out = append(out, components.Option{Value: role.ID, Label: role.Name})
	}
	return out, err
}

// guestOf is whom an invitation is for.
func guestOf(i project.InvitationView) string {
	if i.Account != "" && i.Email != "" {
		return i.Account + " (" + i.Email + ")"
	}
	return i.Account + i.Email
}

func projectInvitations(r *Request, p project.View) (templ.Component, error) {
	if !r.runsProject(p.ID) {
		return components.Empty{Icon: "share-2", Title: r.T("pg.why.project_admin")}, nil
	}
	list, err := inProject[project.InvitationView](r, "listProjectInvitations", p.ID)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return components.Empty{Icon: "share-2", Title: r.T("pg.invitations.empty")}, nil
	}
	l := listPage[project.InvitationView]{
		ID: "project-invitations", Title: r.T("pg.t.invitations"),
		RowID: func(i project.InvitationView) string { return i.ID }, Name: guestOf,
		Columns: []column[project.InvitationView]{
			colText(r, "guest", guestOf),
			colPill(r, "state", func(i project.InvitationView) string { return i.State }),
			colText(r, "place", func(i project.InvitationView) string { return r.T("pg.o.project_" + i.Role) }),
			colTime(r, "expires", func(i project.InvitationView) timeOf { return i.Expires }),
		},
		Actions: func(i project.InvitationView) components.Menu {
			return r.menu(deed{
				Command: "deleteProjectInvitation", Key: "take_back", Icon: "trash-2", Path: r.Path("/projects/", p.ID, "/invitations/remove"), Danger: true,
				Fields: []components.Pair{{Name: "invitation", Value: i.ID}}, Ask: r.T("pg.invitations.take_back_title", "name", guestOf(i)),
			})
		},
	}
	return sheet(r.T("pg.t.invitations"), bareList(r, l, list)), nil
}

func removeInvitation(r *Request) error {
	return r.act(action{
		Command: "deleteProjectInvitation", Params: vals("id", r.FormValue("invitation")), Text: r.T("pg.invitations.taken_back"),
		To: r.Path("/projects/", r.Param("id"), "/invitations"),
	})
}

// invitationList is what the reader is invited to.
func invitationList(r *Request) listPage[project.InvitationView] {
	pending := func(i project.InvitationView) string {
		if i.State != project.Pending {
			return r.T("pg.why.answered")
		}
		return ""
	}
	answer := func(i project.InvitationView, yes string) []components.Pair {
		return []components.Pair{{Name: "projectid", Value: i.ProjectID}, {Name: "accept", Value: yes}}
	}
	return listPage[project.InvitationView]{
		ID: "invitations", Title: r.T("nav.invitations"), Text: r.T("pg.invitations.text"), Command: "listProjectInvitations", Params: url.Values{"listall": {"false"}},
		Load: func(v url.Values) (listOf[project.InvitationView], error) {
			return one[listOf[project.InvitationView]](r, "listProjectInvitations", v)
		},
		RowID: func(i project.InvitationView) string { return i.ID }, Name: func(i project.InvitationView) string { return i.Project },
		Buttons: r.deeds(deed{Command: "updateProjectInvitation", Key: "enter_token", Icon: "key-round", Path: r.Path("/invitations/join"), Open: true}),
		Columns: []column[project.InvitationView]{
			colText(r, "project", func(i project.InvitationView) string { return i.Project }),
			colPill(r, "state", func(i project.InvitationView) string { return i.State }),
			colText(r, "place", func(i project.InvitationView) string { return r.T("pg.o.project_" + i.Role) }),
			colTime(r, "expires", func(i project.InvitationView) timeOf { return i.Expires }),
		},
		Actions: func(i project.InvitationView) components.Menu {
			return r.menu(
				deed{Command: "updateProjectInvitation", Key: "accept", Icon: "check", Path: r.Path("/invitations/answer"), Fields: answer(i, "true"), Off: pending(i)},
				deed{Command: "updateProjectInvitation", Key: "decline", Icon: "x", Path: r.Path("/invitations/answer"), Fields: answer(i, "false"), Off: pending(i), Ask: r.T("pg.invitations.decline_title", "name", i.Project)})
		},
		Empty: r.empty("invitations", "share-2", nil),
	}
}

func answerInvitation(r *Request) error {
	return r.act(action{
		Command: "updateProjectInvitation", Params: vals("projectid", r.FormValue("projectid"), "accept", r.FormValue("accept")),
		Text: r.T("pg.invitations.answered"), To: r.Path("/invitations"),
	})
}

// joinProject is where the link of an invitation leads to.
func joinProject(r *Request) error {
	id, token := needed(r.in("projectid", "", "")), needed(r.in("token", "", ""))
	id.Mono, token.Mono, token.Autocomplete = true, true, "off"
	f := formPage{
		Title: r.T("pg.invitations.join"), Text: r.T("pg.invitations.join_text"), Command: "updateProjectInvitation", Crumbs: crumbs(r.T("nav.invitations"), r.Path("/invitations")), NoCall: true,
		Form: components.Form{Submit: r.T("pg.a.answer"), Cancel: r.Path("/invitations"), Fields: []components.Field{
			id, token, r.pick("accept", "true", []components.Option{{Value: "true", Label: r.T("pg.a.accept")}, {Value: "false", Label: r.T("pg.a.decline")}}, true),
		}},
	}
	return r.formOr(f, r.T("pg.invitations.answered"), always(r.Path("/projects")))
}
