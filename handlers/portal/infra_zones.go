package portal

import (
	"strconv"

	"github.com/a-h/templ"

	"aerie/services/infra"
	"aerie/services/network"
	"aerie/views/components"
	"aerie/views/pages/pieces"
)

func zones() area {
	return area{
		entries: []entry{
			{Group: "nav.infrastructure", Key: "nav.zones", Icon: "map-pin", Path: "/zones", Needs: "createZone", Create: "createZone"},
			{Group: "nav.infrastructure", Key: "nav.pods", Icon: "box", Path: "/pods", Needs: "listPods"},
			{Group: "nav.infrastructure", Key: "nav.clusters", Icon: "boxes", Path: "/clusters", Needs: "listClusters"},
		},
		routes: func(on routes) {
			on.GET("/zones", rootOnly(func(r *Request) error { return showList(r, zoneList(r)) }))
			on.both("/zones/new", newZone)
			on.both("/zones/:id/edit", editZone)
			on.both("/zones/:id/delete", endZone)
			on.POST("/zones/:id/state", allocation("zone", "updateZone"))
			on.onDetail("/zones", rootOnly(zonePage))

			on.GET("/pods", func(r *Request) error { return showList(r, podList(r)) })
			on.both("/pods/new", newPod)
			on.both("/pods/:id/edit", editPod)
			on.both("/pods/:id/delete", endPod)
			on.POST("/pods/:id/state", allocation("pod", "updatePod"))
			on.onDetail("/pods", podPage)

			on.GET("/clusters", func(r *Request) error { return showList(r, clusterList(r)) })
			on.both("/clusters/new", newCluster)
			on.both("/clusters/:id/edit", editCluster)
			on.both("/clusters/:id/delete", endCluster)
			on.POST("/clusters/:id/state", allocation("cluster", "updateCluster"))
			on.onDetail("/clusters", clusterPage)

			on.both("/zones/:id/physical/new", newPhysical)
			on.both("/physical-networks/:id/edit", editPhysical)
			on.both("/physical-networks/:id/delete", endPhysical)
			on.POST("/physical-networks/:id/state", physicalState)
			on.both("/physical-networks/:id/traffic/new", newTraffic)
			on.both("/physical-networks/:id/traffic/:traffic/delete", endTraffic)
			on.both("/zones/:id/ranges/new", newRange)
			on.both("/zones/:id/ranges/:range/delete", endRange)
		},
	}
}

// rootOnly is for pages whose list command others may call, too.
func rootOnly(h Handler) Handler {
	return func(r *Request) error {
		if !r.Admin() {
			return r.absent(nil)
		}
		return h(r)
	}
}

// allocation opens or closes a zone, pod or cluster for new things.
func allocation(kind, cmd string) Handler {
	return func(r *Request) error {
		state := "Enabled"
		if r.FormValue("state") == "Disabled" {
			state = "Disabled"
		}
		return r.act(action{
			Command: cmd, Params: vals("id", r.Param("id"), "allocationstate", state), Kind: kind, ID: r.Param("id"),
			Text: r.T("pg.state_set", "state", r.states(state)[0].Label), To: r.Path("/", kind, "s/", r.Param("id")),
		})
	}
}

// toggle is the deed that opens or closes a thing.
func toggle(r *Request, cmd, base string, open bool, name string) deed {
	if open {
		return deed{
			Command: cmd, Key: "disable", Icon: "lock", Path: base + "/state", Fields: []components.Pair{{Name: "state", Value: "Disabled"}},
			Ask: r.T("pg.disable_title", "name", name), Text: r.T("pg.disable_text"),
		}
	}
	return deed{Command: cmd, Key: "enable", Icon: "circle-play", Path: base + "/state", Fields: []components.Pair{{Name: "state", Value: "Enabled"}}}
}

// The kinds of capacity, by CloudStack's numbers.
const (
	capMemory    = 0
	capCPU       = 1
	capAddresses = 4
)

// capacityBars are the bars of what is used of everything.
func capacityBars(r *Request, list []infra.CapacityView) templ.Component {
	var bars []components.LimitBar
	for _, c := range list {
		text := r.bytes
		switch c.Type {
		case capCPU:
			text = r.mhz
		case capAddresses:
			text = r.figure
		}
		if c.Total <= 0 {
			continue
		}
		bars = append(bars, components.LimitBar{Label: r.T("pg.capacity." + strconv.Itoa(int(c.Type))), Used: float64(c.Used), Total: float64(c.Total), UsedText: text(c.Used), TotalText: text(c.Total)})
	}
	if len(bars) == 0 {
		return components.Text(r.T("pg.capacity.none"))
	}
	return pieces.Bars(bars...)
}

// capacityCol is a column with one kind of capacity.
func capacityCol[T any](r *Request, key string, kind int16, list func(T) []infra.CapacityView, text func(int64) string) column[T] {
	of := func(v T) infra.CapacityView {
		for _, c := range list(v) {
			if c.Type == kind {
				return c
			}
		}
		return infra.CapacityView{}
	}
	return colBar(r, key, func(v T) int64 { return of(v).Used }, func(v T) int64 { return of(v).Total }, text)
}

func zoneList(r *Request) listPage[infra.ZoneView] {
	create := r.creating("createZone", "create_zone", r.Path("/zones/new"))
	capacity := func(z infra.ZoneView) []infra.CapacityView { return z.Capacity }
	return listPage[infra.ZoneView]{
		ID: "zones", Title: r.T("nav.zones"), Text: r.T("pg.zones.text"), Command: "listZones", Params: vals("showcapacities", "true"), Buttons: create,
		RowID: func(z infra.ZoneView) string { return z.ID }, Name: func(z infra.ZoneView) string { return z.Name },
		Columns: []column[infra.ZoneView]{
			colName(r, func(z infra.ZoneView) string { return z.ID }, func(z infra.ZoneView) string { return z.Name }, func(z infra.ZoneView) string { return r.Path("/zones/", z.ID) }),
			colPill(r, "state", func(z infra.ZoneView) string { return string(z.AllocationState) }),
			capacityCol(r, "cpu", capCPU, capacity, r.mhz),
			capacityCol(r, "memory", capMemory, capacity, r.bytes),
			capacityCol(r, "storage_used", 2, capacity, r.bytes),
			capacityCol(r, "addresses", capAddresses, capacity, r.figure),
			optional(colText(r, "networktype", func(z infra.ZoneView) string { return z.NetworkType })),
			optional(colCode(r, "dns", func(z infra.ZoneView) string { return z.DNS1 })),
			optional(colText(r, "domain", func(z infra.ZoneView) string { return allOr(r, z.DomainName) })),
		},
		Actions: func(z infra.ZoneView) components.Menu { return r.menu(zoneDeeds(r, z)...) },
		Empty:   r.empty("zones", "map-pin", create),
	}
}

func zoneDeeds(r *Request, z infra.ZoneView) []deed {
	base := r.Path("/zones/", z.ID)
	return []deed{
		{Command: "updateZone", Key: "edit", Icon: "pencil", Path: base + "/edit", Open: true},
		toggle(r, "updateZone", base, z.AllocationState == infra.Enabled, z.Name),
		{Command: "deleteZone", Key: "delete", Icon: "trash-2", Path: base + "/delete", Page: true, Danger: true},
	}
}

func zoneWay(r *Request, z infra.ZoneView) components.Crumbs {
	return crumbs(r.T("nav.infrastructure"), "", r.T("nav.zones"), r.Path("/zones"), z.Name, r.Path("/zones/", z.ID))
}

func zoneOf(r *Request, id string) (infra.ZoneView, error) {
	l, err := list[infra.ZoneView](r, "listZones", vals("id", id, "showcapacities", "true"))
	if err != nil || len(l.Items) == 0 || !r.Admin() {
		return infra.ZoneView{}, r.absent(err)
	}
	return l.Items[0], nil
}

func zonePage(r *Request) error {
	z, err := zoneOf(r, r.Param("id"))
	if err != nil {
		return err
	}
	in := vals("zoneid", z.ID, "page", "1", "pagesize", "200")
	return r.thing(thingPage{
		Title: z.Name, Text: z.Description, State: string(z.AllocationState), ID: z.ID, Base: r.Path("/zones/", z.ID), Crumbs: zoneWay(r, z)[:2], Deeds: zoneDeeds(r, z), Shown: 2,
		Tabs: []thingTab{
			{Key: "overview", Body: func() (templ.Component, error) {
				return pieces.Stack(boxed(r.T("pg.t.capacity"), capacityBars(r, z.Capacity)),
					halves(boxed(r.T("pg.specification"), r.lines("networktype", z.NetworkType, "dns1", components.Code(z.DNS1), "dns2", components.Code(z.DNS2),
						"internaldns1", components.Code(z.InternalDNS1), "internaldns2", components.Code(z.InternalDNS2), "guestcidr", components.Code(z.GuestCIDR),
						"networkdomain", z.NetworkDomain, "domain", allOr(r, z.DomainName), "localstorage", z.LocalStorage)))), nil
			}},
			{Key: "pods", Needs: "listPods", Body: tableTab(r, podList(r), in, "createPod", "create_pod", r.Path("/pods/new?zoneid=", z.ID))},
			{Key: "clusters", Needs: "listClusters", Body: tableTab(r, clusterList(r), in, "addCluster", "add_cluster", r.Path("/clusters/new?zoneid=", z.ID))},
			{Key: "hosts", Needs: "listHosts", Body: tableTab(r, hostList(r), in, "addHost", "add_host", r.Path("/hosts/new?zoneid=", z.ID))},
			{Key: "networks", Needs: "listPhysicalNetworks", Body: func() (templ.Component, error) { return zoneNetworks(r, z) }},
			{Key: "ranges", Needs: "listVlanIpRanges", Body: tableTab(r, rangeList(r, z), vals("zoneid", z.ID), "createVlanIpRange", "add_range", r.Path("/zones/", z.ID, "/ranges/new"))},
			{Key: "storage", Needs: "listStoragePools", Body: func() (templ.Component, error) { return zoneStorage(r, z) }},
			r.history(z.ID),
		},
	})
}

// tableTab is a tab with the list of what is in a thing.
func tableTab[T any](r *Request, l listPage[T], in map[string][]string, create, key, path string) func() (templ.Component, error) {
	return func() (templ.Component, error) {
		v := vals()
		for name, values := range l.Params {
			v[name] = values
		}
		for name, values := range in {
			v[name] = values
		}
		rows, err := some[T](r, l.Command, v)
		if err != nil {
			return nil, err
		}
		var buttons []components.Button
		for _, a := range r.creating(create, key, path) {
			buttons = append(buttons, components.Button{Label: a.Label, Icon: a.Icon, Href: a.Href, Small: true})
		}
		l.Empty.Actions = nil
		return sheet(l.Title, bareList(r, l, rows), buttons...), nil
	}
}

func zoneStorage(r *Request, z infra.ZoneView) (templ.Component, error) {
	var parts []templ.Component
	in := vals("zoneid", z.ID, "page", "1", "pagesize", "200")
	primary, err := tableTab(r, poolList(r), in, "createStoragePool", "add_pool", r.Path("/primary-storage/new?zoneid=", z.ID))()
	if err != nil {
		return nil, err
	}
	parts = append(parts, primary)
	if r.May("listImageStores") {
		secondary, err := tableTab(r, storeList(r), in, "addImageStore", "add_store", r.Path("/secondary-storage/new?zoneid=", z.ID))()
		if err != nil {
			return nil, err
		}
		parts = append(parts, secondary)
	}
	return pieces.Stack(parts...), nil
}

func zoneFields(r *Request, z infra.ZoneView) []components.Section {
	return []components.Section{
		{Title: r.T("pg.s.general"), Fields: []components.Field{needed(r.in("name", "", z.Name))}},
		{Title: r.T("pg.s.resolvers"), Fields: []components.Field{needed(r.in("dns1", "", z.DNS1)), r.in("dns2", "", z.DNS2), needed(r.in("internaldns1", "", z.InternalDNS1)), r.in("internaldns2", "", z.InternalDNS2)}},
		{Title: r.T("pg.s.guests"), Fields: []components.Field{r.in("guestcidraddress", "", z.GuestCIDR), r.in("domain", "", z.NetworkDomain), r.tick("localstorageenabled", z.LocalStorage)}},
	}
}

func newZone(r *Request) error {
	domains, err := r.choices("listDomains", vals("listall", "true"))
	if err != nil {
		return err
	}
	sections := zoneFields(r, infra.ZoneView{GuestCIDR: "10.1.1.0/24"})
	own := r.pick("domainid", "", domains, false)
	own.Options[0].Label, own.Label, own.Help = r.T("pg.o.all"), r.T("pg.f.zonedomain"), ""
	sections[2].Fields = append(sections[2].Fields, own)
	f := formPage{
		Title: r.T("pg.a.create_zone"), Text: r.T("pg.zones.new_text"), Command: "createZone", Resource: "cloudstack_zone", Fixed: vals("networktype", "Advanced"),
		Crumbs: crumbs(r.T("nav.infrastructure"), "", r.T("nav.zones"), r.Path("/zones")),
		Form:   components.Form{Submit: r.T("pg.a.create_zone"), Cancel: r.Path("/zones"), Sections: sections},
	}
	return r.formOr(f, r.T("pg.zones.created"), func(out any) string {
		if z, ok := out.(infra.ZoneView); ok {
			return r.Path("/zones/", z.ID, "/pods")
		}
		return r.Path("/zones")
	})
}

func editZone(r *Request) error {
	z, err := zoneOf(r, r.Param("id"))
	if err != nil {
		return err
	}
	f := formPage{
		Title: r.T("pg.edit", "name", z.Name), Command: "updateZone", Crumbs: zoneWay(r, z), Fixed: r.cleared(vals("id", z.ID), "dns2", "internaldns2", "domain"),
		Form: components.Form{Submit: r.T("pg.a.save"), Cancel: r.Path("/zones/", z.ID), Sections: zoneFields(r, z)},
	}
	return r.formOr(f, r.T("pg.saved", "name", z.Name), always(r.Path("/zones/", z.ID)))
}

func endZone(r *Request) error {
	z, err := zoneOf(r, r.Param("id"))
	if err != nil {
		return err
	}
	return r.end(ending{Command: "deleteZone", Params: vals("id", z.ID), Kind: "zones", Name: z.Name, Typed: true, List: r.Path("/zones"), Crumbs: zoneWay(r, z)})
}

// Pods.

func podList(r *Request) listPage[infra.PodView] {
	create := r.creating("createPod", "create_pod", r.Path("/pods/new"))
	capacity := func(p infra.PodView) []infra.CapacityView { return p.Capacity }
	return listPage[infra.PodView]{
		ID: "pods", Title: r.T("nav.pods"), Text: r.T("pg.pods.text"), Command: "listPods", Params: vals("showcapacities", "true"), Buttons: create,
		RowID: func(p infra.PodView) string { return p.ID }, Name: func(p infra.PodView) string { return p.Name },
		Columns: []column[infra.PodView]{
			colName(r, func(p infra.PodView) string { return p.ID }, func(p infra.PodView) string { return p.Name }, func(p infra.PodView) string { return r.Path("/pods/", p.ID) }),
			colPill(r, "state", func(p infra.PodView) string { return string(p.AllocationState) }),
			colLink(r, "zone", func(p infra.PodView) string { return p.ZoneName }, func(p infra.PodView) string { return r.Path("/zones/", p.ZoneID) }),
			capacityCol(r, "cpu", capCPU, capacity, r.mhz),
			capacityCol(r, "memory", capMemory, capacity, r.bytes),
			optional(colCode(r, "gateway", func(p infra.PodView) string { return p.Gateway })),
			optional(colCode(r, "reserved", podRange)),
		},
		Actions: func(p infra.PodView) components.Menu { return r.menu(podDeeds(r, p)...) },
		Empty:   r.empty("pods", "box", create),
	}
}

func podRange(p infra.PodView) string {
	if len(p.StartIP) == 0 || len(p.EndIP) == 0 || p.StartIP[0] == "" {
		return ""
	}
	return p.StartIP[0] + " – " + p.EndIP[0]
}

func podDeeds(r *Request, p infra.PodView) []deed {
	base := r.Path("/pods/", p.ID)
	return []deed{
		{Command: "updatePod", Key: "edit", Icon: "pencil", Path: base + "/edit", Open: true},
		toggle(r, "updatePod", base, p.AllocationState == infra.Enabled, p.Name),
		{Command: "deletePod", Key: "delete", Icon: "trash-2", Path: base + "/delete", Page: true, Danger: true},
	}
}

func podWay(r *Request, p infra.PodView) components.Crumbs {
	return crumbs(r.T("nav.infrastructure"), "", r.T("nav.pods"), r.Path("/pods"), p.Name, r.Path("/pods/", p.ID))
}

func podOf(r *Request) (infra.PodView, error) {
	l, err := list[infra.PodView](r, "listPods", vals("id", r.Param("id"), "showcapacities", "true"))
	if err != nil || len(l.Items) == 0 {
		return infra.PodView{}, r.absent(err)
	}
	return l.Items[0], nil
}

func podPage(r *Request) error {
	p, err := podOf(r)
	if err != nil {
		return err
	}
	in := vals("podid", p.ID, "page", "1", "pagesize", "200")
	return r.thing(thingPage{
		Title: p.Name, State: string(p.AllocationState), ID: p.ID, Base: r.Path("/pods/", p.ID), Crumbs: podWay(r, p)[:2], Deeds: podDeeds(r, p), Shown: 2,
		Tabs: []thingTab{
			{Key: "overview", Body: func() (templ.Component, error) {
				return pieces.Stack(boxed(r.T("pg.t.capacity"), capacityBars(r, p.Capacity)),
					halves(boxed(r.T("pg.specification"), r.lines("zone", components.Link{Label: p.ZoneName, Href: r.Path("/zones/", p.ZoneID)},
						"gateway", components.Code(p.Gateway), "netmask", components.Code(p.Netmask), "reserved", components.Code(podRange(p)))))), nil
			}},
			{Key: "clusters", Needs: "listClusters", Body: tableTab(r, clusterList(r), in, "addCluster", "add_cluster", r.Path("/clusters/new?zoneid=", p.ZoneID, "&podid=", p.ID))},
			{Key: "hosts", Needs: "listHosts", Body: tableTab(r, hostList(r), in, "addHost", "add_host", r.Path("/hosts/new?zoneid=", p.ZoneID, "&podid=", p.ID))},
			r.history(p.ID),
		},
	})
}

func podFields(r *Request, p infra.PodView) []components.Field {
	return []components.Field{r.in("gateway", "", p.Gateway), r.in("netmask", "", p.Netmask), r.in("startip", "", first(p.StartIP)), r.in("endip", "", first(p.EndIP))}
}

func newPod(r *Request) error {
	zones, err := r.choices("listZones", nil)
	if err != nil {
		return err
	}
	f := formPage{
		Title: r.T("pg.a.create_pod"), Command: "createPod", Resource: "cloudstack_pod", Crumbs: crumbs(r.T("nav.infrastructure"), "", r.T("nav.pods"), r.Path("/pods")),
		Form: components.Form{Submit: r.T("pg.a.create_pod"), Cancel: r.Path("/pods"), Sections: []components.Section{
			{Title: r.T("pg.s.general"), Fields: []components.Field{needed(r.in("name", "", "")), r.pick("zoneid", "", zones, true)}},
			{Title: r.T("pg.s.management"), Help: r.T("pg.pods.range_help"), Fields: podFields(r, infra.PodView{})},
		}},
	}
	return r.formOr(f, r.T("pg.created"), always(r.Path("/pods")))
}

func editPod(r *Request) error {
	p, err := podOf(r)
	if err != nil {
		return err
	}
	f := formPage{
		Title: r.T("pg.edit", "name", p.Name), Command: "updatePod", Crumbs: podWay(r, p), Fixed: vals("id", p.ID),
		Form: components.Form{Submit: r.T("pg.a.save"), Cancel: r.Path("/pods/", p.ID), Fields: append([]components.Field{needed(r.in("name", "", p.Name))}, podFields(r, p)...)},
	}
	return r.formOr(f, r.T("pg.saved", "name", p.Name), always(r.Path("/pods/", p.ID)))
}

func endPod(r *Request) error {
	p, err := podOf(r)
	if err != nil {
		return err
	}
	return r.end(ending{Command: "deletePod", Params: vals("id", p.ID), Kind: "pods", Name: p.Name, List: r.Path("/pods"), Crumbs: podWay(r, p)})
}

// rangeList are the public addresses of a zone.
func rangeList(r *Request, z infra.ZoneView) listPage[network.RangeView] {
	return listPage[network.RangeView]{
		ID: "ranges", Title: r.T("pg.t.ranges"), Command: "listVlanIpRanges",
		RowID: func(x network.RangeView) string { return x.ID }, Name: rangeName,
		Columns: []column[network.RangeView]{
			colCode(r, "range", rangeName),
			colCode(r, "gateway", func(x network.RangeView) string { return x.Gateway }),
			colCode(r, "netmask", func(x network.RangeView) string { return x.Netmask }),
			colCode(r, "vlan", func(x network.RangeView) string { return x.VLAN }),
		},
		Actions: func(x network.RangeView) components.Menu {
			return r.menu(deed{Command: "deleteVlanIpRange", Key: "delete", Icon: "trash-2", Path: r.Path("/zones/", z.ID, "/ranges/", x.ID, "/delete"), Page: true, Danger: true})
		},
		Empty: r.empty("ranges", "globe", nil),
	}
}

func rangeName(x network.RangeView) string { return x.StartIP + " – " + x.EndIP }
