package portal

import (
	"strings"

	"github.com/a-h/templ"

	"aerie/locales"
	"aerie/services/compute"
	"aerie/views/components"
)

func affinityGroups() area {
	return area{
		entries: []entry{{Group: "nav.compute", Key: "nav.affinity", Icon: "boxes", Path: "/affinity", Needs: "listAffinityGroups", Create: "createAffinityGroup"}},
		routes: func(on routes) {
			on.GET("/affinity", func(r *Request) error { return showList(r, affinityList(r)) })
			on.both("/affinity/new", newAffinity)
			on.onDetail("/affinity", affinityPage)
			on.both("/affinity/:id/delete", endAffinity)
		},
	}
}

func affinityWay(r *Request) components.Crumbs {
	return crumbs(r.T("nav.affinity"), r.Path("/affinity"))
}

// affinityType is a type of groups in the user's words.
func affinityType(r *Request, kind string) string {
	return locales.Or(r.Ctx(), "pg.o."+strings.ReplaceAll(kind, " ", "_"), kind)
}

func affinityTypes(r *Request) []components.Option {
	var out []components.Option
	for _, t := range compute.AffinityTypes {
		out = append(out, components.Option{Value: t, Label: affinityType(r, t)})
	}
	return out
}

func affinityList(r *Request) listPage[compute.AffinityView] {
	type view = compute.AffinityView
	create := r.creating("createAffinityGroup", "create_affinity", r.Path("/affinity/new"))
	l := listPage[view]{
		ID: "affinity", Title: r.T("nav.affinity"), Text: r.T("pg.affinity.text"), Command: "listAffinityGroups", Buttons: create,
		RowID: func(a view) string { return a.ID }, Name: func(a view) string { return a.Name },
		Columns: []column[view]{
			colName(r, func(a view) string { return a.ID }, func(a view) string { return a.Name }, func(a view) string { return r.Path("/affinity/", a.ID) }),
			colText(r, "type", func(a view) string { return affinityType(r, a.Type) }),
			colCount(r, "instances", func(a view) int { return len(a.VMs) }),
			optional(colText(r, "displaytext", func(a view) string { return a.Description })),
		},
		Filters: []components.Filter{r.filter("type", affinityTypes(r))},
		Actions: func(a view) components.Menu { return r.menu(affinityDeeds(r, a)...) },
		Empty:   r.empty("affinity", "boxes", create),
	}
	if r.Managing() {
		l.Columns = append(l.Columns, ownerCols(r, func(a view) (string, string) { return a.Account, a.Domain })...)
	}
	return l
}

func affinityDeeds(r *Request, a compute.AffinityView) []deed {
	return []deed{{Command: "deleteAffinityGroup", Key: "delete", Icon: "trash-2", Path: r.Path("/affinity/", a.ID, "/delete"), Page: true, Danger: true}}
}

func affinityPage(r *Request) error {
	a, err := find[compute.AffinityView](r, "listAffinityGroups", r.Param("id"))
	if err != nil {
		return err
	}
	return r.thing(thingPage{
		Title: a.Name, Text: a.Description, ID: a.ID, Base: r.Path("/affinity/", a.ID), Crumbs: affinityWay(r), Shown: 2,
		Deeds: append(usedBy("deployVirtualMachine", "deploy", r.Path("/instances/new?affinitygroupids=", a.ID)), affinityDeeds(r, a)...),
		Tabs: []thingTab{{Key: "overview", Body: func() (templ.Component, error) {
			members, err := membersOf(r, "affinitygroupid", a.ID)
			if err != nil {
				return nil, err
			}
			lines := r.lines("type", affinityType(r, a.Type), "account", a.Account, "domain", a.Domain)
			return templ.Join(boxed(r.T("pg.specification"), lines), members), nil
		}}, r.history(a.ID)},
	})
}

func newAffinity(r *Request) error {
	kind := needed(r.in("type", "radio", compute.Apart))
	for _, t := range compute.AffinityTypes {
		kind.Options = append(kind.Options, components.Option{Value: t, Label: affinityType(r, t), Help: r.T("pg.h." + strings.ReplaceAll(t, " ", "_")), Icon: "boxes"})
	}
	f := formPage{
		Title: r.T("pg.a.create_affinity"), Command: "createAffinityGroup", Crumbs: affinityWay(r), Resource: "cloudstack_affinity_group",
		Form: components.Form{
			Fields: []components.Field{needed(r.in("name", "", "")), kind, r.in("description", "", "")},
			Submit: r.T("pg.a.create_affinity"), Cancel: r.Path("/affinity"),
		},
	}
	return r.formOr(f, r.T("pg.created"), always(r.Path("/affinity")))
}

func endAffinity(r *Request) error {
	a, err := find[compute.AffinityView](r, "listAffinityGroups", r.Param("id"))
	if err != nil {
		return err
	}
	return r.end(ending{Command: "deleteAffinityGroup", Params: vals("id", a.ID), Kind: "affinity", Name: a.Name, List: r.Path("/affinity"), Crumbs: affinityWay(r)})
}
