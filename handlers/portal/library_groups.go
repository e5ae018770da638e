package portal

import (
	"github.com/a-h/templ"

	"aerie/services/compute"
	"aerie/views/components"
)

func instanceGroups() area {
	return area{
		entries: []entry{{Group: "nav.compute", Key: "nav.instance_groups", Icon: "folder", Path: "/instance-groups", Needs: "listInstanceGroups", Create: "createInstanceGroup"}},
		routes: func(on routes) {
			on.GET("/instance-groups", func(r *Request) error { return showList(r, groupList(r)) })
			on.both("/instance-groups/new", newGroup)
			on.onDetail("/instance-groups", groupPage)
			on.both("/instance-groups/:id/edit", renameGroup)
			on.both("/instance-groups/:id/delete", endGroup)
		},
	}
}

func groupWay(r *Request) components.Crumbs {
	return crumbs(r.T("nav.instance_groups"), r.Path("/instance-groups"))
}

func groupList(r *Request) listPage[compute.GroupView] {
	type view = compute.GroupView
	create := r.creating("createInstanceGroup", "create_group", r.Path("/instance-groups/new"))
	l := listPage[view]{
		ID: "instance-groups", Title: r.T("nav.instance_groups"), Text: r.T("pg.instance_groups.text"), Command: "listInstanceGroups", Buttons: create,
		RowID: func(g view) string { return g.ID }, Name: func(g view) string { return g.Name },
		Columns: []column[view]{
			colName(r, func(g view) string { return g.ID }, func(g view) string { return g.Name }, func(g view) string { return r.Path("/instance-groups/", g.ID) }),
			colTime(r, "created", func(g view) timeOf { return g.Created }),
		},
		Actions: func(g view) components.Menu { return r.menu(groupDeeds(r, g)...) },
		Empty:   r.empty("instance_groups", "folder", create),
	}
	if r.Managing() {
		l.Columns = append(l.Columns, ownerCols(r, func(g view) (string, string) { return g.Account, g.Domain })...)
	}
	return l
}

func groupDeeds(r *Request, g compute.GroupView) []deed {
	base := r.Path("/instance-groups/", g.ID)
	return []deed{
		{Command: "updateInstanceGroup", Key: "rename", Icon: "pencil", Path: base + "/edit", Open: true},
		{Command: "deleteInstanceGroup", Key: "delete", Icon: "trash-2", Path: base + "/delete", Page: true, Danger: true},
	}
}

func groupPage(r *Request) error {
	g, err := find[compute.GroupView](r, "listInstanceGroups", r.Param("id"))
	if err != nil {
		return err
	}
	return r.thing(thingPage{
		Title: g.Name, ID: g.ID, Base: r.Path("/instance-groups/", g.ID), Crumbs: groupWay(r), Deeds: groupDeeds(r, g), Shown: 1,
		Tabs: []thingTab{{Key: "instances", Body: func() (templ.Component, error) { return membersOf(r, "groupid", g.ID) }}, r.history(g.ID)},
	})
}

// membersOf are the instances that a filter of their list finds.
func membersOf(r *Request, filter, id string) (templ.Component, error) {
	vms, err := some[compute.View](r, "listVirtualMachines", vals(filter, id, "page", "1", "pagesize", "200"))
	if err != nil {
		return nil, err
	}
	if len(vms) == 0 {
		return components.Empty{Icon: "server", Title: r.T("pg.no_members")}, nil
	}
	l := instanceList(r)
	l.ID, l.Bulk, l.Kind = "members", nil, ""
	return sheet(r.T("pg.t.instances"), bareList(r, l, vms)), nil
}

func newGroup(r *Request) error {
	f := formPage{
		Title: r.T("pg.a.create_group"), Command: "createInstanceGroup", Crumbs: groupWay(r),
		Form: components.Form{Fields: []components.Field{needed(r.in("name", "", ""))}, Submit: r.T("pg.a.create_group"), Cancel: r.Path("/instance-groups")},
	}
	return r.formOr(f, r.T("pg.created"), always(r.Path("/instance-groups")))
}

func renameGroup(r *Request) error {
	g, err := find[compute.GroupView](r, "listInstanceGroups", r.Param("id"))
	if err != nil {
		return err
	}
	f := formPage{
		Title: r.T("pg.edit", "name", g.Name), Command: "updateInstanceGroup", Crumbs: groupWay(r), Fixed: vals("id", g.ID),
		Form: components.Form{Fields: []components.Field{needed(r.in("name", "", g.Name))}, Submit: r.T("pg.a.save"), Cancel: r.Path("/instance-groups/", g.ID)},
	}
	return r.formOr(f, r.T("pg.saved", "name", g.Name), always(r.Path("/instance-groups/", g.ID)))
}

func endGroup(r *Request) error {
	g, err := find[compute.GroupView](r, "listInstanceGroups", r.Param("id"))
	if err != nil {
		return err
	}
	return r.end(ending{Command: "deleteInstanceGroup", Params: vals("id", g.ID), Kind: "instance_groups", Name: g.Name, List: r.Path("/instance-groups"), Crumbs: groupWay(r)})
}
