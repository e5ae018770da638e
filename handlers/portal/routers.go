package portal

import (
	"github.com/a-h/templ"

	"aerie/services/network"
	"aerie/views/components"
)

func routers() area {
	return area{
		entries: []entry{{Group: "nav.infrastructure", Key: "nav.routers", Icon: "router", Path: "/routers", Needs: "listRouters"}},
		routes: func(on routes) {
			on.GET("/routers", func(r *Request) error { return showList(r, routerList(r)) })
			on.onDetail("/routers", routerPage)
		},
		live: map[string]liveRows{"router": rowsOf(routerList)},
	}
}

func routerList(r *Request) listPage[network.RouterView] {
	l := listPage[network.RouterView]{
		ID: "routers", Title: r.T("nav.routers"), Text: r.T("pg.routers.text"), Command: "listRouters", Kind: "router",
		RowID: func(x network.RouterView) string { return x.ID }, Name: func(x network.RouterView) string { return x.Name },
		Columns: []column[network.RouterView]{
			colName(r, func(x network.RouterView) string { return x.ID }, func(x network.RouterView) string { return x.Name }, func(x network.RouterView) string { return r.Path("/routers/", x.ID) }),
			colPill(r, "state", func(x network.RouterView) string { return x.State }),
			colCode(r, "publicip", func(x network.RouterView) string { return x.PublicIP }),
			colLink(r, "network", func(x network.RouterView) string { return x.NetworkName }, func(x network.RouterView) string { return r.Path("/networks/", x.NetworkID) }),
			optional(colCode(r, "guestip", func(x network.RouterView) string { return x.GuestIP })),
			colText(r, "zone", func(x network.RouterView) string { return x.ZoneName }),
			colText(r, "version", func(x network.RouterView) string { return x.Version }),
		},
		Filters: []components.Filter{r.filter("state", r.states("Running", "Starting", "Stopped"))},
		Empty:   r.empty("routers", "router", nil),
	}
	if r.Admin() {
		l.Columns = append(l.Columns, colLink(r, "host", func(x network.RouterView) string { return x.HostName }, func(x network.RouterView) string { return r.Path("/hosts/", x.HostID) }))
	}
	l.Columns = append(l.Columns, ownerCols(r, func(x network.RouterView) (string, string) { return x.Account, x.Domain })...)
	return l
}

func routerPage(r *Request) error {
	x, err := find[network.RouterView](r, "listRouters", r.Param("id"))
	if err != nil {
		return err
	}
	return r.thing(thingPage{
		Title: x.Name, State: x.State, ID: x.ID, Base: r.Path("/routers/", x.ID), Crumbs: crumbs(r.T("nav.routers"), r.Path("/routers")),
		Deeds: []deed{{Command: "restartNetwork", Key: "restart_network", Icon: "rotate-ccw", Path: r.Path("/networks/", x.NetworkID, "/restart"), Open: true}},
		Watch: []string{"router/" + x.ID},
		Tabs: []thingTab{{Key: "overview", Body: func() (templ.Component, error) {
			return halves(boxed(r.T("pg.specification"), routerLines(r, x)),
				boxed(r.T("pg.use"), r.lines("network", components.Link{Label: x.NetworkName, Href: r.Path("/networks/", x.NetworkID)},
					"netmask", components.Code(x.GuestNetmask), "gateway", components.Code(x.Gateway), "networkdomain", x.NetworkDomain,
					"zone", x.ZoneName, "hypervisor", x.Hypervisor, "account", x.Account, "domain", x.DomainPath))), nil
		}}, r.history(x.ID)},
	})
}
