package portal

import (
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"aerie/services/compute"
	"aerie/services/network"
	"aerie/views/components"
	"aerie/views/pages/pieces"
)

func networks() area {
	return area{
		entries: []entry{{Group: "nav.network", Key: "nav.networks", Icon: "network", Path: "/networks", Needs: "listNetworks", Create: "createNetwork"}},
		routes: func(on routes) {
			on.GET("/networks", func(r *Request) error { return showList(r, networkList(r)) })
			on.both("/networks/new", newNetwork)
			on.both("/networks/:id/edit", editNetwork)
			on.both("/networks/:id/restart", restartNetwork)
			on.both("/networks/:id/delete", endNetwork)
			on.both("/networks/delete", func(r *Request) error { return r.endMany("deleteNetwork", "networks", r.Path("/networks")) })
			on.onDetail("/networks", networkPage)
		},
		live: map[string]liveRows{"network": rowsOf(networkList)},
	}
}

func networkList(r *Request) listPage[network.View] {
	create := r.creating("createNetwork", "create_network", r.Path("/networks/new"))
	state := colText(r, "state", func(n network.View) string { return string(n.State) })
	state.Cell = func(n network.View) templ.Component {
		return components.JobPill{State: string(n.State), Href: jobHref(n.JobID)}
	}
	l := listPage[network.View]{
		ID: "networks", Title: r.T("nav.networks"), Command: "listNetworks", Buttons: create, Kind: "network",
		RowID: func(n network.View) string { return n.ID }, Name: func(n network.View) string { return n.Name },
		Busy: func(n network.View) bool { return n.JobID != "" },
		Columns: []column[network.View]{
			colName(r, func(n network.View) string { return n.ID }, func(n network.View) string { return n.Name }, func(n network.View) string { return r.Path("/networks/", n.ID) }),
			state,
			colCode(r, "cidr", func(n network.View) string { return n.CIDR }),
			colText(r, "type", func(n network.View) string { return n.Type }),
			colText(r, "offering", func(n network.View) string { return n.OfferingName }),
			colText(r, "zone", func(n network.View) string { return n.ZoneName }),
			optional(colCode(r, "gateway", func(n network.View) string { return n.Gateway })),
			optional(colText(r, "networkdomain", func(n network.View) string { return n.NetworkDomain })),
			colTime(r, "created", func(n network.View) timeOf { return n.Created }),
		},
		Actions: func(n network.View) components.Menu { return r.menu(networkDeeds(r, n)...) },
		Empty:   r.empty("networks", "network", create),
	}
	if r.Managing() {
		l.Columns = append(l.Columns, ownerCols(r, func(n network.View) (string, string) { return n.Account, n.Domain })...)
	}
	if r.May("deleteNetwork") {
		l.Bulk = []components.Bulk{{Label: r.T("pg.a.delete"), Icon: "trash-2", Post: r.Path("/networks/delete"), Style: components.Danger, Ask: true}}
	}
	return l
}

func networkDeeds(r *Request, n network.View) []deed {
	base, busy := r.Path("/networks/", n.ID), ""
	if n.JobID != "" {
		busy = r.T("pg.why.busy")
	}
	restart := busy
	if restart == "" && n.State != network.Implemented {
		restart = r.T("pg.why.no_router")
	}
	return []deed{
		{Command: "updateNetwork", Key: "edit", Icon: "pencil", Path: base + "/edit", Open: true, Off: busy},
		{Command: "restartNetwork", Key: "restart", Icon: "rotate-ccw", Path: base + "/restart", Open: true, Off: restart},
		{Command: "deleteNetwork", Key: "delete", Icon: "trash-2", Path: base + "/delete", Page: true, Danger: true, Off: busy},
	}
}

func networkWay(r *Request, n network.View) components.Crumbs {
	return crumbs(r.T("nav.network"), "", r.T("nav.networks"), r.Path("/networks"), n.Name, r.Path("/networks/", n.ID))
}

func networkPage(r *Request) error {
	n, err := find[network.View](r, "listNetworks", r.Param("id"))
	if err != nil {
		return err
	}
	p := thingPage{
		Title: n.Name, State: string(n.State), Job: n.JobID, ID: n.ID, Base: r.Path("/networks/", n.ID), Crumbs: networkWay(r, n)[:2],
		Deeds: networkDeeds(r, n), Shown: 2, Watch: []string{"network/" + n.ID},
		Tabs: []thingTab{
			{Key: "overview", Body: func() (templ.Component, error) { return networkOverview(r, n) }},
			{Key: "instances", Needs: "listVirtualMachines", Body: func() (templ.Component, error) { return networkInstances(r, n) }},
			{Key: "addresses", Needs: "listPublicIpAddresses", Body: func() (templ.Component, error) { return networkAddresses(r, n) }},
			r.history(n.ID),
		},
	}
	if n.DisplayText != n.Name {
		p.Text = n.DisplayText
	}
	if n.RestartRequired {
		p.Above = components.Notice{Tone: components.Warn, Title: r.T("pg.networks.restart_needed"), Text: r.T("pg.networks.restart_needed_text")}
	}
	return r.thing(p)
}

func networkOverview(r *Request, n network.View) (templ.Component, error) {
	cards := []templ.Component{
		boxed(r.T("pg.specification"), r.lines("cidr", components.Code(n.CIDR), "gateway", components.Code(n.Gateway), "netmask", components.Code(n.Netmask),
			"networkdomain", n.NetworkDomain, "dns", strings.Trim(n.DNS1+" "+n.DNS2, " "), "mtu", mtu(n.MTU), "type", n.Type,
			"offering", components.Link{Label: n.OfferingName, Href: r.Path("/offerings/network/", n.OfferingID)}, "egress", n.EgressAllow, "persistent", n.Persistent,
			"zone", n.ZoneName, "account", n.Account, "domain", n.DomainPath, "created", n.Created)),
	}
	if r.May("listRouters") {
		routers, err := some[network.RouterView](r, "listRouters", vals("networkid", n.ID, "listall", "true"))
		if err != nil {
			return nil, err
		}
		var body templ.Component = components.Empty{Icon: "router", Title: r.T("pg.networks.no_router"), Text: r.T("pg.networks.no_router_text")}
		if len(routers) > 0 {
			body = routerLines(r, routers[0])
		}
		cards = append(cards, boxed(r.T("pg.networks.router"), body))
	}
	cards = append(cards, boxed(r.T("pg.c.services"), servicesOf(n.Services)))
	return halves(cards...), nil
}

func mtu(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// nicOn is an instance's card in a network.
type nicOn struct {
	vm  compute.View
	nic compute.NICView
}

func networkInstances(r *Request, n network.View) (templ.Component, error) {
	vms, err := some[compute.View](r, "listVirtualMachines", vals("networkid", n.ID, "listall", "true", "page", "1", "pagesize", "200"))
	if err != nil {
		return nil, err
	}
	var rows []nicOn
	for _, vm := range vms {
		for _, nic := range vm.NICs {
			if nic.NetworkID == n.ID {
				rows = append(rows, nicOn{vm, nic})
			}
		}
	}
	l := listPage[nicOn]{
		ID: "nics", Title: r.T("pg.t.instances"), RowID: func(x nicOn) string { return x.nic.ID }, Name: func(x nicOn) string { return x.vm.Name },
		Columns: []column[nicOn]{
			colLink(r, "instance", func(x nicOn) string { return or(x.vm.DisplayName, x.vm.Name) }, func(x nicOn) string { return r.Path("/instances/", x.vm.ID) }),
			colPill(r, "state", func(x nicOn) string { return string(x.vm.State) }),
			colCode(r, "ip", func(x nicOn) string { return x.nic.IP }),
			colCode(r, "mac", func(x nicOn) string { return x.nic.MAC }),
			colYes(r, "default", func(x nicOn) bool { return x.nic.IsDefault }),
		},
		Empty: components.Empty{Icon: "server", Title: r.T("pg.networks.no_instances"), Text: r.T("pg.networks.no_instances_text")},
	}
	return sheet(r.T("pg.t.instances"), bareList(r, l, rows)), nil
}

func networkAddresses(r *Request, n network.View) (templ.Component, error) {
	rows, err := some[network.AddressView](r, "listPublicIpAddresses", vals("associatednetworkid", n.ID, "listall", "true", "page", "1", "pagesize", "200"))
	if err != nil {
		return nil, err
	}
	l := listPage[network.AddressView]{
		ID: "addresses", Title: r.T("pg.t.addresses"), RowID: func(a network.AddressView) string { return a.ID }, Name: func(a network.AddressView) string { return a.IP },
		Columns: []column[network.AddressView]{
			colCode(r, "ip", func(a network.AddressView) string { return a.IP }),
			colPill(r, "state", func(a network.AddressView) string { return a.State }),
			colText(r, "purpose", func(a network.AddressView) string {
				if a.SourceNAT {
					return r.T("pg.o.sourcenat")
				}
				return ""
			}),
			colTime(r, "allocated", func(a network.AddressView) timeOf { return a.Allocated }),
		},
		Empty: components.Empty{Icon: "globe", Title: r.T("pg.networks.no_addresses")},
	}
	return sheet(r.T("pg.t.addresses"), bareList(r, l, rows)), nil
}

func newNetwork(r *Request) error {
	zones, err := r.choices("listZones", vals("available", "true"))
	if err != nil {
		return err
	}
	offers, err := r.choices("listNetworkOfferings", vals("state", "Enabled"))
	if err != nil {
		return err
	}
	f := formPage{
		Title: r.T("pg.a.create_network"), Command: "createNetwork", Crumbs: crumbs(r.T("nav.network"), "", r.T("nav.networks"), r.Path("/networks")),
		Resource: "cloudstack_network", Rename: map[string]string{"displaytext": "display_text", "networkofferingid": "network_offering", "zoneid": "zone", "networkdomain": "network_domain"},
		Form: components.Form{Submit: r.T("pg.a.create_network"), Cancel: r.Path("/networks"), Sections: []components.Section{
			{Title: r.T("pg.s.general"), Fields: []components.Field{
				needed(r.in("name", "", "")), r.in("displaytext", "", ""),
				r.pick("zoneid", "", zones, true), r.pick("networkofferingid", "", offers, true),
			}},
			{Title: r.T("pg.s.addresses"), Help: r.T("pg.networks.cidr_help"), Folded: true, Fields: []components.Field{
				r.in("gateway", "", ""), r.in("netmask", "", ""), r.in("networkdomain", "", ""), r.in("dns1", "", ""), r.in("dns2", "", ""), r.number("privatemtu", "", ""),
			}},
		}},
	}
	if len(offers) == 0 {
		f.Aside = components.Notice{Tone: components.Warn, Text: r.T("pg.networks.no_offering")}
	}
	return r.formOr(f, r.T("pg.networks.created"), func(out any) string {
		if n, ok := out.(network.View); ok {
			return r.Path("/networks/", n.ID)
		}
		return r.Path("/networks")
	})
}

func editNetwork(r *Request) error {
	n, err := find[network.View](r, "listNetworks", r.Param("id"))
	if err != nil {
		return err
	}
	offers, err := r.choices("listNetworkOfferings", vals("state", "Enabled", "networkid", n.ID))
	if err != nil {
		return err
	}
	f := formPage{
		Title: r.T("pg.edit", "name", n.Name), Command: "updateNetwork", Crumbs: networkWay(r, n), Fixed: r.cleared(vals("id", n.ID), "displaytext", "dns1", "dns2"),
		Form: components.Form{Submit: r.T("pg.a.save"), Cancel: r.Path("/networks/", n.ID), Fields: []components.Field{
			needed(r.in("name", "", n.Name)), r.in("displaytext", "", n.DisplayText), r.in("networkdomain", "", n.NetworkDomain),
			r.in("dns1", "", n.DNS1), r.in("dns2", "", n.DNS2), r.number("privatemtu", mtu(n.MTU), ""),
		}},
	}
	if len(offers) > 0 {
		pick := r.pick("networkofferingid", "", offers, false)
		pick.Options[0].Label = r.T("pg.keep", "name", n.OfferingName)
		f.Form.Fields = append(f.Form.Fields, pick)
	}
	return r.formOr(f, "", toJob(r.Path("/networks/", n.ID)))
}

// restartNetwork asks how: with cleanup the router is made anew.
func restartNetwork(r *Request) error {
	n, err := find[network.View](r, "listNetworks", r.Param("id"))
	if err != nil {
		return err
	}
	f := formPage{
		Title: r.T("pg.networks.restart_title", "name", n.Name), Text: r.T("pg.networks.restart_text"), Command: "restartNetwork", Crumbs: networkWay(r, n), Fixed: vals("id", n.ID),
		Form: components.Form{Submit: r.T("pg.a.restart"), Icon: "rotate-ccw", Cancel: r.Path("/networks/", n.ID), Fields: []components.Field{r.tick("cleanup", false)}},
	}
	return r.formOr(f, "", toJob(r.Path("/networks/", n.ID)))
}

func endNetwork(r *Request) error {
	n, err := find[network.View](r, "listNetworks", r.Param("id"))
	if err != nil {
		return err
	}
	return r.end(ending{
		Command: "deleteNetwork", Params: vals("id", n.ID), Kind: "networks", Name: n.Name, List: r.Path("/networks"), Crumbs: networkWay(r, n),
		Impact: []string{r.T("pg.networks.impact", "cidr", n.CIDR)},
	})
}

func routerLines(r *Request, x network.RouterView) templ.Component {
	lines := r.lines("name", x.Name, "state", components.Pill(x.State), "publicip", components.Code(x.PublicIP), "guestip", components.Code(x.GuestIP))
	if r.Admin() {
		lines = append(lines, r.lines("host", components.Link{Label: x.HostName, Href: r.Path("/hosts/", x.HostID)})...)
	}
	return pieces.Stack(append(lines, r.lines("version", x.Version, "created", x.Created)...))
}
