package portal

import (
	"strings"

	"github.com/a-h/templ"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/iam/iamcmd"
	"aerie/views/components"
	"aerie/views/pages/pieces"
)

func domains() area {
	return area{
		entries: []entry{{Group: "nav.identity", Key: "nav.domains", Icon: "building-2", Path: "/domains", Needs: "createDomain", Create: "createDomain"}},
		routes: func(on routes) {
			on.GET("/domains", managing(func(r *Request) error { return showList(r, domainList(r)) }))
			on.both("/domains/new", newDomain)
			on.both("/domains/:id/edit", editDomain)
			on.both("/domains/:id/limits/edit", domainLimits)
			on.both("/domains/:id/delete", endDomain)
			on.onDetail("/domains", managing(domainPage))
		},
		live: map[string]liveRows{"domain": rowsOf(domainList)},
	}
}

// domainList is the tree: every domain stands below its parent, set in by its
// depth.
func domainList(r *Request) listPage[iamcmd.DomainView] {
	create := r.creating("createDomain", "create_domain", r.Path("/domains/new"))
	name := colText(r, "name", func(d iamcmd.DomainView) string { return d.Name })
	name.Cell = func(d iamcmd.DomainView) templ.Component {
		return pieces.Branch(d.Level, components.Link{Label: d.Name, Href: r.Path("/domains/", d.ID)}, components.CopyID{Value: d.ID, Short: true})
	}
	return listPage[iamcmd.DomainView]{
		ID: "domains", Title: r.T("nav.domains"), Text: r.T("pg.domains.text"), Command: "listDomains", Params: vals("listall", "true"), Buttons: create, Kind: "domain",
		RowID: func(d iamcmd.DomainView) string { return d.ID }, Name: func(d iamcmd.DomainView) string { return d.Name },
		Columns: []column[iamcmd.DomainView]{
			name,
			colText(r, "path", func(d iamcmd.DomainView) string { return d.Path }),
			colText(r, "instances", func(d iamcmd.DomainView) string { return limitText(d.VMTotal, d.VMLimit) }),
			colText(r, "volumes", func(d iamcmd.DomainView) string { return limitText(d.VolumeTotal, d.VolumeLimit) }),
			optional(colText(r, "networkdomain", func(d iamcmd.DomainView) string { return d.NetworkDomain })),
			colTime(r, "created", func(d iamcmd.DomainView) timeOf { return d.Created }),
		},
		Actions: func(d iamcmd.DomainView) components.Menu { return r.menu(domainDeeds(r, d)...) },
		Empty:   r.empty("domains", "building-2", create),
	}
}

func domainDeeds(r *Request, d iamcmd.DomainView) []deed {
	base, root := r.Path("/domains/", d.ID), ""
	if d.ParentID == "" {
		root = r.T("pg.why.root_domain")
	} else if d.ID == r.Who.Domain.ID {
		root = r.T("pg.why.own_domain")
	}
	return []deed{
		{Command: "createDomain", Key: "create_subdomain", Icon: "plus", Path: r.Path("/domains/new?parentdomainid=", d.ID), Open: true},
		{Command: "updateDomain", Key: "edit", Icon: "pencil", Path: base + "/edit", Open: true, Off: root},
		{Command: "updateResourceLimit", Key: "limits", Icon: "gauge", Path: base + "/limits/edit", Open: true, Off: root},
		{Command: "deleteDomain", Key: "delete", Icon: "trash-2", Path: base + "/delete", Open: true, Danger: true, Off: root},
	}
}

func domainWay(r *Request, d iamcmd.DomainView) components.Crumbs {
	return crumbs(r.T("nav.identity"), "", r.T("nav.domains"), r.Path("/domains"), d.Name, r.Path("/domains/", d.ID))
}

func domainOf(r *Request) (iamcmd.DomainView, error) {
	return find[iamcmd.DomainView](r, "listDomains", r.Param("id"))
}

func domainPage(r *Request) error {
	d, err := domainOf(r)
	if err != nil {
		return err
	}
	return r.thing(thingPage{
		Title: d.Name, Text: d.Path, State: d.State, ID: d.ID, Base: r.Path("/domains/", d.ID), Crumbs: domainWay(r, d)[:2], Deeds: domainDeeds(r, d), Shown: 2, Watch: []string{"domain/" + d.ID},
		Tabs: []thingTab{
			{Key: "overview", Body: func() (templ.Component, error) {
				lines := r.lines("path", d.Path, "networkdomain", d.NetworkDomain, "created", d.Created)
				if d.ParentID != "" && d.ID != r.Who.Domain.ID { // what is above the own domain is not shown
					lines = append(r.lines("parent", components.Link{Label: d.ParentName, Href: r.Path("/domains/", d.ParentID)}), lines...)
				}
				return halves(boxed(r.T("pg.specification"), lines), boxed(r.T("pg.t.limits"), pieces.Bars(accountBars(r, iamcmd.AccountView{Limits: d.Limits})...))), nil
			}},
			{Key: "accounts", Needs: "createAccount", Body: tableTab(r, accountList(r), vals("domainid", d.ID, "page", "1", "pagesize", "200"), "createAccount", "create_account", r.Path("/accounts/new?domainid=", d.ID))},
			{Key: "subdomains", Body: func() (templ.Component, error) {
				rows, err := some[iamcmd.DomainView](r, "listDomainChildren", vals("id", d.ID))
				if err != nil {
					return nil, err
				}
				l := domainList(r)
				l.Empty.Actions = nil
				return sheet(r.T("pg.t.subdomains"), bareList(r, l, rows)), nil
			}},
			r.history(d.ID),
		},
	})
}

func newDomain(r *Request) error {
	domains, err := domainOptions(r)
	if err != nil {
		return err
	}
	f := formPage{
		Title: r.T("pg.a.create_domain"), Command: "createDomain", Resource: "cloudstack_domain", Crumbs: crumbs(r.T("nav.identity"), "", r.T("nav.domains"), r.Path("/domains")),
		Form: components.Form{Submit: r.T("pg.a.create_domain"), Cancel: r.Path("/domains"), Fields: []components.Field{
			needed(r.in("name", "", "")), r.pick("parentdomainid", r.Who.Domain.ID, domains, true), r.in("networkdomain", "", ""),
		}},
	}
	return r.formOr(f, r.T("pg.created"), func(out any) string {
		if d, ok := out.(iamcmd.DomainView); ok {
			return r.Path("/domains/", d.ID)
		}
		return r.Path("/domains")
	})
}

func editDomain(r *Request) error {
	d, err := domainOf(r)
	if err != nil {
		return err
	}
	f := formPage{
		Title: r.T("pg.edit", "name", d.Name), Command: "updateDomain", Crumbs: domainWay(r, d), Fixed: r.cleared(vals("id", d.ID), "networkdomain"),
		Form: components.Form{Submit: r.T("pg.a.save"), Cancel: r.Path("/domains/", d.ID), Fields: []components.Field{needed(r.in("name", "", d.Name)), r.in("networkdomain", "", d.NetworkDomain)}},
	}
	return r.formOr(f, r.T("pg.saved", "name", d.Name), always(r.Path("/domains/", d.ID)))
}

func domainLimits(r *Request) error {
	d, err := domainOf(r)
	if err != nil {
		return err
	}
	return r.limitsForm(vals("domainid", d.ID), d.Name, r.Path("/domains/", d.ID), domainWay(r, d))
}

// goes says in a line what would go with a domain.
func (r *Request) goes(g iam.Going) string {
	lines := []string{r.T("pg.holds.domains", "n", len(g.Domains)), r.T("pg.holds.accounts", "n", len(g.Accounts))}
	return r.T("pg.holds.goes", "list", strings.Join(append(lines, r.holdings(g.Holdings)...), ", "))
}

// endDomain is a form, for there is a choice: to take what is in the domain
// along. The name must be typed in any case.
func endDomain(r *Request) error {
	d, err := domainOf(r)
	if err != nil {
		return err
	}
	going, err := r.Portal.IAM.WouldGo(r.Ctx(), d.ID)
	if err != nil {
		return err
	}
	with := r.tick("cleanup", false)
	with.Label, with.Help = r.T("pg.domains.cleanup"), r.goes(going)
	typed := needed(components.Field{Name: "confirm", Label: r.T("ui.type_name", "name", d.Name), Match: d.Name, Autocomplete: "off"})
	f := formPage{
		Title: r.T("pg.domains.delete_title", "name", d.Name), Text: r.T("pg.domains.delete_text", "name", d.Name), Command: "deleteDomain", Crumbs: domainWay(r, d), Fixed: vals("id", d.ID), NoCall: true,
		Form: components.Form{Submit: r.T("pg.a.delete"), Style: components.Danger, Icon: "trash-2", Cancel: r.Path("/domains/", d.ID), Fields: []components.Field{with, typed}},
	}
	if r.posted() && strings.TrimSpace(r.FormValue("confirm")) != d.Name {
		return r.showForm(f, fault.Param("confirm", "confirm.wrong", "name", d.Name))
	}
	return r.formOr(f, "", toJob(r.Path("/domains")))
}
