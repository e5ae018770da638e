package portal

import (
	"github.com/a-h/templ"

	"aerie/services/infra"
	"aerie/views/components"
	"aerie/views/pages/pieces"
)

func clusterList(r *Request) listPage[infra.ClusterView] {
	create := r.creating("addCluster", "add_cluster", r.Path("/clusters/new"))
	capacity := func(c infra.ClusterView) []infra.CapacityView { return c.Capacity }
	return listPage[infra.ClusterView]{
		ID: "clusters", Title: r.T("nav.clusters"), Text: r.T("pg.clusters.text"), Command: "listClusters", Params: vals("showcapacities", "true"), Buttons: create,
		RowID: func(c infra.ClusterView) string { return c.ID }, Name: func(c infra.ClusterView) string { return c.Name },
		Columns: []column[infra.ClusterView]{
			colName(r, func(c infra.ClusterView) string { return c.ID }, func(c infra.ClusterView) string { return c.Name }, func(c infra.ClusterView) string { return r.Path("/clusters/", c.ID) }),
			colPill(r, "state", func(c infra.ClusterView) string { return string(c.AllocationState) }),
			colText(r, "hypervisor", func(c infra.ClusterView) string { return c.Hypervisor }),
			colLink(r, "pod", func(c infra.ClusterView) string { return c.PodName }, func(c infra.ClusterView) string { return r.Path("/pods/", c.PodID) }),
			colLink(r, "zone", func(c infra.ClusterView) string { return c.ZoneName }, func(c infra.ClusterView) string { return r.Path("/zones/", c.ZoneID) }),
			capacityCol(r, "cpu", capCPU, capacity, r.mhz),
			capacityCol(r, "memory", capMemory, capacity, r.bytes),
			optional(colText(r, "arch", func(c infra.ClusterView) string { return c.Arch })),
		},
		Actions: func(c infra.ClusterView) components.Menu { return r.menu(clusterDeeds(r, c)...) },
		Empty:   r.empty("clusters", "boxes", create),
	}
}

func clusterDeeds(r *Request, c infra.ClusterView) []deed {
	base := r.Path("/clusters/", c.ID)
	return []deed{
		{Command: "updateCluster", Key: "edit", Icon: "pencil", Path: base + "/edit", Open: true},
		toggle(r, "updateCluster", base, c.AllocationState == infra.Enabled, c.Name),
		{Command: "deleteCluster", Key: "delete", Icon: "trash-2", Path: base + "/delete", Page: true, Danger: true},
	}
}

func clusterWay(r *Request, c infra.ClusterView) components.Crumbs {
	return crumbs(r.T("nav.infrastructure"), "", r.T("nav.clusters"), r.Path("/clusters"), c.Name, r.Path("/clusters/", c.ID))
}

func clusterOf(r *Request) (infra.ClusterView, error) {
	l, err := list[infra.ClusterView](r, "listClusters", vals("id", r.Param("id"), "showcapacities", "true"))
	if err != nil || len(l.Items) == 0 {
		return infra.ClusterView{}, r.absent(err)
	}
	return l.Items[0], nil
}

func clusterPage(r *Request) error {
	c, err := clusterOf(r)
	if err != nil {
		return err
	}
	in := vals("clusterid", c.ID, "page", "1", "pagesize", "200")
	return r.thing(thingPage{
		Title: c.Name, State: string(c.AllocationState), ID: c.ID, Base: r.Path("/clusters/", c.ID), Crumbs: clusterWay(r, c)[:2], Deeds: clusterDeeds(r, c), Shown: 2,
		Tabs: []thingTab{
			{Key: "overview", Body: func() (templ.Component, error) {
				return pieces.Stack(boxed(r.T("pg.t.capacity"), capacityBars(r, c.Capacity)),
					halves(boxed(r.T("pg.specification"), r.lines("hypervisor", c.Hypervisor, "arch", c.Arch,
						"zone", components.Link{Label: c.ZoneName, Href: r.Path("/zones/", c.ZoneID)}, "pod", components.Link{Label: c.PodName, Href: r.Path("/pods/", c.PodID)},
						"cpufactor", c.CPUFactor, "memoryfactor", c.MemoryFactor)))), nil
			}},
			{Key: "hosts", Needs: "listHosts", Body: tableTab(r, hostList(r), in, "addHost", "add_host", r.Path("/hosts/new?zoneid=", c.ZoneID, "&podid=", c.PodID, "&clusterid=", c.ID))},
			{Key: "storage", Needs: "listStoragePools", Body: tableTab(r, poolList(r), in, "createStoragePool", "add_pool", r.Path("/primary-storage/new?zoneid=", c.ZoneID, "&podid=", c.PodID, "&clusterid=", c.ID))},
			r.history(c.ID),
		},
	})
}

// podOptions and clusterOptions are choices, grouped by where they are.
func podOptions(r *Request) ([]components.Option, error) {
	pods, err := some[infra.PodView](r, "listPods", nil)
	var out []components.Option
	for _, p := range pods {
		out = append(out, components.Option{Value: p.ID, Label: p.Name, Group: p.ZoneName})
	}
	return out, err
}

func clusterOptions(r *Request) ([]components.Option, error) {
	clusters, err := some[infra.ClusterView](r, "listClusters", nil)
	var out []components.Option
	for _, c := range clusters {
		out = append(out, components.Option{Value: c.ID, Label: c.Name, Group: c.ZoneName + " / " + c.PodName})
	}
	return out, err
}

func newCluster(r *Request) error {
	zones, err := r.choices("listZones", nil)
	if err != nil {
		return err
	}
	pods, err := podOptions(r)
	if err != nil {
		return err
	}
	f := formPage{
		Title: r.T("pg.a.add_cluster"), Command: "addCluster", Resource: "cloudstack_cluster", Fixed: vals("clustertype", "CloudManaged"),
		Crumbs: crumbs(r.T("nav.infrastructure"), "", r.T("nav.clusters"), r.Path("/clusters")),
		Form: components.Form{Submit: r.T("pg.a.add_cluster"), Cancel: r.Path("/clusters"), Fields: []components.Field{
			needed(r.in("clustername", "", "")), r.pick("zoneid", "", zones, true), r.pick("podid", "", pods, true),
			r.pick("hypervisor", "KVM", r.words("KVM", "Simulator"), true), r.pick("arch", "x86_64", r.words("x86_64", "aarch64"), true),
		}},
	}
	return r.formOr(f, r.T("pg.created"), always(r.Path("/clusters")))
}

func editCluster(r *Request) error {
	c, err := clusterOf(r)
	if err != nil {
		return err
	}
	f := formPage{
		Title: r.T("pg.edit", "name", c.Name), Command: "updateCluster", Crumbs: clusterWay(r, c), Fixed: vals("id", c.ID),
		Form: components.Form{Submit: r.T("pg.a.save"), Cancel: r.Path("/clusters/", c.ID), Fields: []components.Field{
			needed(r.in("clustername", "", c.Name)), r.pick("arch", c.Arch, r.words("x86_64", "aarch64"), true),
		}},
	}
	return r.formOr(f, r.T("pg.saved", "name", c.Name), always(r.Path("/clusters/", c.ID)))
}

func endCluster(r *Request) error {
	c, err := clusterOf(r)
	if err != nil {
		return err
	}
	return r.end(ending{Command: "deleteCluster", Params: vals("id", c.ID), Kind: "clusters", Name: c.Name, List: r.Path("/clusters"), Crumbs: clusterWay(r, c)})
}
