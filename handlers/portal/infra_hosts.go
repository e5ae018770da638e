package portal

import (
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"aerie/services/compute"
	"aerie/services/infra"
	"aerie/views/components"
	"aerie/views/pages/pieces"
)

func hosts() area {
	return area{
		entries: []entry{{Group: "nav.infrastructure", Key: "nav.hosts", Icon: "server-cog", Path: "/hosts", Needs: "listHosts", Create: "addHost"}},
		routes: func(on routes) {
			on.GET("/hosts", func(r *Request) error { return showList(r, hostList(r)) })
			on.both("/hosts/new", newHost)
			on.both("/hosts/:id/edit", editHost)
			on.both("/hosts/:id/delete", endHost)
			on.POST("/hosts/:id/state", hostState)
			on.onDetail("/hosts", hostPage)
		},
		live: map[string]liveRows{"host": rowsOf(hostList)},
	}
}

func hostList(r *Request) listPage[infra.HostView] {
	create := r.creating("addHost", "add_host", r.Path("/hosts/new"))
	return listPage[infra.HostView]{
		ID: "hosts", Title: r.T("nav.hosts"), Command: "listHosts", Buttons: create, Kind: "host",
		RowID: func(h infra.HostView) string { return h.ID }, Name: func(h infra.HostView) string { return h.Name },
		Columns: []column[infra.HostView]{
			colName(r, func(h infra.HostView) string { return h.ID }, func(h infra.HostView) string { return h.Name }, func(h infra.HostView) string { return r.Path("/hosts/", h.ID) }),
			hostStateCol(r),
			phone(colBar(r, "cpu", func(h infra.HostView) int64 { return h.CPUAllocatedMhz }, hostMhz, r.mhz)),
			phone(colBar(r, "memory", func(h infra.HostView) int64 { return h.MemoryAllocated }, hostMemory, r.bytes)),
			optional(colText(r, "load", func(h infra.HostView) string { return decimal(h.CPULoad) })),
			colText(r, "hypervisor", func(h infra.HostView) string { return h.Hypervisor }),
			colText(r, "version", func(h infra.HostView) string { return h.HypervisorVersion }),
			colLink(r, "cluster", func(h infra.HostView) string { return h.ClusterName }, func(h infra.HostView) string { return r.Path("/clusters/", h.ClusterID) }),
			colLink(r, "zone", func(h infra.HostView) string { return h.ZoneName }, func(h infra.HostView) string { return r.Path("/zones/", h.ZoneID) }),
			optional(colCode(r, "ip", func(h infra.HostView) string { return h.IP })),
			optional(colText(r, "hosttags", func(h infra.HostView) string { return h.Tags })),
			optional(colTime(r, "seen", func(h infra.HostView) timeOf { return h.LastPinged })),
		},
		Filters: []components.Filter{
			r.filter("state", r.states("Up", "Down", "Disconnected", "Connecting", "Alert")),
			r.filter("resourcestate", r.states("Enabled", "Disabled", "Maintenance")),
		},
		Actions: func(h infra.HostView) components.Menu { return r.menu(hostDeeds(r, h)...) },
		Empty:   r.empty("hosts", "server-cog", create),
	}
}

// hostStateCol shows that a host is disabled besides how it is.
func hostStateCol(r *Request) column[infra.HostView] {
	c := colText(r, "state", func(h infra.HostView) string { return string(h.State) + " " + h.ResourceState })
	c.Cell = func(h infra.HostView) templ.Component { return hostPills(h) }
	return c
}

func hostPills(h infra.HostView) templ.Component {
	if h.ResourceState == "Enabled" {
		return components.Pill(h.State)
	}
	return templ.Join(components.Pill(h.State), components.Text(" "), components.Pill(h.ResourceState))
}

// hostMhz and hostMemory are what may be given away, with overprovisioning.
func hostMhz(h infra.HostView) int64 {
	n, _ := strconv.ParseInt(h.CPUOver, 10, 64)
	return max(n, int64(h.CPUs)*h.CPUMhz)
}

func hostMemory(h infra.HostView) int64 {
	n, _ := strconv.ParseInt(h.MemoryOver, 10, 64)
	return max(n, h.MemoryTotal)
}

func hostDeeds(r *Request, h infra.HostView) []deed {
	base := r.Path("/hosts/", h.ID)
	state := toggle(r, "updateHost", base, h.ResourceState == "Enabled", h.Name)
	if h.ResourceState != "Enabled" && h.ResourceState != "Disabled" {
		state.Off = r.T("pg.why.maintenance")
	}
	remove := deed{Command: "deleteHost", Key: "delete", Icon: "trash-2", Path: base + "/delete", Page: true, Danger: true}
	if h.MemoryAllocated > 0 || h.CPUAllocatedMhz > 0 {
		remove.Off = r.T("pg.why.host_used")
	}
	return []deed{{Command: "updateHost", Key: "edit", Icon: "pencil", Path: base + "/edit", Open: true}, state, remove}
}

func hostWay(r *Request, h infra.HostView) components.Crumbs {
	return crumbs(r.T("nav.infrastructure"), "", r.T("nav.hosts"), r.Path("/hosts"), h.Name, r.Path("/hosts/", h.ID))
}

func hostPage(r *Request) error {
	h, err := find[infra.HostView](r, "listHosts", r.Param("id"))
	if err != nil {
		return err
	}
	p := thingPage{
		Title: h.Name, State: string(h.State), ID: h.ID, Base: r.Path("/hosts/", h.ID), Crumbs: hostWay(r, h)[:2], Deeds: hostDeeds(r, h), Shown: 2, Watch: []string{"host/" + h.ID},
		Tabs: []thingTab{
			{Key: "overview", Body: func() (templ.Component, error) { return hostOverview(r, h), nil }},
			{Key: "instances", Needs: "listVirtualMachines", Body: func() (templ.Component, error) { return hostInstances(r, h) }},
			{Key: "storage", Needs: "listStoragePools", Body: tableTab(r, poolList(r), vals("hostid", h.ID, "page", "1", "pagesize", "200"), "createStoragePool", "add_pool", r.Path("/primary-storage/new?zoneid=", h.ZoneID))},
			r.history(h.ID),
		},
	}
	switch {
	case h.Details["why"] != "":
		p.Above = components.Notice{Tone: components.Bad, Title: r.T("pg.hosts.trouble"), Text: h.Details["why"]}
	case h.ResourceState != "Enabled":
		p.Above = components.Notice{Tone: components.Warn, Title: r.states(h.ResourceState)[0].Label, Text: r.T("pg.hosts.disabled")}
	}
	return r.thing(p)
}

func hostOverview(r *Request, h infra.HostView) templ.Component {
	bar := func(key string, used, total int64, text func(int64) string) components.LimitBar {
		return components.LimitBar{Label: r.T("pg.c." + key), Used: float64(used), Total: float64(total), UsedText: text(used), TotalText: text(total)}
	}
	load := components.LimitBar{Label: r.T("pg.c.load"), Used: h.CPULoad, Total: float64(h.CPUs), UsedText: decimal(h.CPULoad), TotalText: strconv.Itoa(h.CPUs)}
	return pieces.Stack(
		boxed(r.T("pg.t.capacity"), pieces.Bars(
			bar("cpu_given", h.CPUAllocatedMhz, hostMhz(h), r.mhz), load,
			bar("memory_given", h.MemoryAllocated, hostMemory(h), r.bytes), bar("memory_used", h.MemoryUsed, h.MemoryTotal, r.bytes))),
		halves(
			boxed(r.T("pg.specification"), r.lines("ip", components.Code(h.IP), "hypervisor", strings.TrimSpace(h.Hypervisor+" "+h.HypervisorVersion), "arch", h.Arch,
				"cpus", strconv.Itoa(h.CPUs)+" × "+r.mhz(h.CPUMhz), "sockets", h.CPUSockets, "memory", r.bytes(h.MemoryTotal), "url", components.Code(h.Details["url"]), "hosttags", h.Tags)),
			boxed(r.T("pg.place"), r.lines("zone", components.Link{Label: h.ZoneName, Href: r.Path("/zones/", h.ZoneID)}, "pod", components.Link{Label: h.PodName, Href: r.Path("/pods/", h.PodID)},
				"cluster", components.Link{Label: h.ClusterName, Href: r.Path("/clusters/", h.ClusterID)}, "resourcestate", components.Pill(h.ResourceState), "seen", h.LastPinged, "created", h.Created)),
		))
}

func hostInstances(r *Request, h infra.HostView) (templ.Component, error) {
	rows, err := some[compute.View](r, "listVirtualMachines", vals("hostid", h.ID, "listall", "true", "page", "1", "pagesize", "200"))
	if err != nil {
		return nil, err
	}
	l := listPage[compute.View]{
		ID: "host-instances", Title: r.T("pg.t.instances"), RowID: func(v compute.View) string { return v.ID }, Name: func(v compute.View) string { return v.Name },
		Columns: []column[compute.View]{
			colName(r, func(v compute.View) string { return v.ID }, func(v compute.View) string { return or(v.DisplayName, v.Name) }, func(v compute.View) string { return r.Path("/instances/", v.ID) }),
			colPill(r, "state", func(v compute.View) string { return string(v.State) }),
			colCode(r, "internal", func(v compute.View) string { return v.InstanceName }),
			colCount(r, "cpus", func(v compute.View) int { return v.CPUs }),
			colBytes(r, "memory", func(v compute.View) int64 { return int64(v.MemoryMiB) << 20 }),
			colText(r, "account", func(v compute.View) string { return v.Account }),
		},
		Empty: components.Empty{Icon: "server", Title: r.T("pg.hosts.no_instances")},
	}
	return sheet(r.T("pg.t.instances"), bareList(r, l, rows)), nil
}

func newHost(r *Request) error {
	zones, err := r.choices("listZones", nil)
	if err != nil {
		return err
	}
	pods, err := podOptions(r)
	if err != nil {
		return err
	}
	clusters, err := clusterOptions(r)
	if err != nil {
		return err
	}
	url := needed(r.in("url", "", ""))
	url.Label, url.Help, url.Placeholder = r.T("pg.f.hosturl"), r.T("pg.h.hosturl"), "qemu+ssh://root@kvm-01/system"
	password := r.in("password", "password", "")
	password.Autocomplete = "off"
	f := formPage{
		Title: r.T("pg.a.add_host"), Text: r.T("pg.hosts.new_text"), Command: "addHost", Resource: "cloudstack_host", Crumbs: crumbs(r.T("nav.infrastructure"), "", r.T("nav.hosts"), r.Path("/hosts")),
		Form: components.Form{Submit: r.T("pg.a.add_host"), Cancel: r.Path("/hosts"), Sections: []components.Section{
			{Title: r.T("pg.place"), Fields: []components.Field{r.pick("zoneid", "", zones, true), r.pick("podid", "", pods, true), r.pick("clusterid", "", clusters, true)}},
			{Title: r.T("pg.s.access"), Fields: []components.Field{url, r.pick("hypervisor", "KVM", r.words("KVM", "Simulator"), true), r.in("username", "", ""), password}},
			{Title: r.T("pg.s.placement"), Folded: true, Fields: []components.Field{r.in("hosttags", "", ""), r.pick("allocationstate", "Enabled", r.states("Enabled", "Disabled"), true)}},
		}},
	}
	f.Form.Sections[1].Fields[2].Help = ""
	return r.formOr(f, r.T("pg.hosts.added"), func(out any) string {
		if h, ok := out.(infra.HostView); ok {
			return r.Path("/hosts/", h.ID)
		}
		return r.Path("/hosts")
	})
}

func editHost(r *Request) error {
	h, err := find[infra.HostView](r, "listHosts", r.Param("id"))
	if err != nil {
		return err
	}
	url := r.in("url", "", h.Details["url"])
	url.Label, url.Help = r.T("pg.f.hosturl"), r.T("pg.h.hosturl")
	f := formPage{
		Title: r.T("pg.edit", "name", h.Name), Command: "updateHost", Crumbs: hostWay(r, h), Fixed: r.cleared(vals("id", h.ID), "hosttags"),
		Form: components.Form{Submit: r.T("pg.a.save"), Cancel: r.Path("/hosts/", h.ID), Fields: []components.Field{needed(r.in("name", "", h.Name)), url, r.in("hosttags", "", h.Tags)}},
	}
	return r.formOr(f, r.T("pg.saved", "name", h.Name), always(r.Path("/hosts/", h.ID)))
}

func hostState(r *Request) error {
	h, err := find[infra.HostView](r, "listHosts", r.Param("id"))
	if err != nil {
		return err
	}
	state := "Enable"
	if r.FormValue("state") == "Disabled" {
		state = "Disable"
	}
	return r.act(action{
		Command: "updateHost", Params: vals("id", h.ID, "allocationstate", state), Kind: "host", ID: h.ID,
		Text: r.T("pg.saved", "name", h.Name), To: r.Path("/hosts/", h.ID),
	})
}

func endHost(r *Request) error {
	h, err := find[infra.HostView](r, "listHosts", r.Param("id"))
	if err != nil {
		return err
	}
	return r.end(ending{Command: "deleteHost", Params: vals("id", h.ID, "forced", "true"), Kind: "hosts", Name: h.Name, List: r.Path("/hosts"), Crumbs: hostWay(r, h)})
}
