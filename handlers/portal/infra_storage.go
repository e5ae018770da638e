package portal

import (
	"net/url"
	"strconv"

	"github.com/a-h/templ"

	"aerie/services/infra"
	"aerie/services/storage"
	"aerie/views/components"
	"aerie/views/pages/pieces"
)

func pools() area {
	return area{
		entries: []entry{
			{Group: "nav.infrastructure", Key: "nav.primary_storage", Icon: "hard-drive", Path: "/primary-storage", Needs: "listStoragePools", Create: "createStoragePool"},
			{Group: "nav.infrastructure", Key: "nav.secondary_storage", Icon: "archive", Path: "/secondary-storage", Needs: "listImageStores", Create: "addImageStore"},
		},
		routes: func(on routes) {
			on.GET("/primary-storage", func(r *Request) error { return showList(r, poolList(r)) })
			on.both("/primary-storage/new", newPool)
			on.both("/primary-storage/:id/edit", editPool)
			on.both("/primary-storage/:id/delete", endPool)
			on.POST("/primary-storage/:id/state", poolState)
			on.onDetail("/primary-storage", poolPage)

			on.GET("/secondary-storage", func(r *Request) error { return showList(r, storeList(r)) })
			on.both("/secondary-storage/new", newStore)
			on.both("/secondary-storage/:id/edit", editStore)
			on.both("/secondary-storage/:id/delete", endStore)
			on.onDetail("/secondary-storage", storePage)
		},
		live: map[string]liveRows{"storagepool": rowsOf(poolList)},
	}
}

func poolList(r *Request) listPage[infra.PoolView] {
	create := r.creating("createStoragePool", "add_pool", r.Path("/primary-storage/new"))
	return listPage[infra.PoolView]{
		ID: "pools", Title: r.T("nav.primary_storage"), Text: r.T("pg.pools.text"), Command: "listStoragePools", Buttons: create, Kind: "storagepool",
		RowID: func(p infra.PoolView) string { return p.ID }, Name: func(p infra.PoolView) string { return p.Name },
		Columns: []column[infra.PoolView]{
			colName(r, func(p infra.PoolView) string { return p.ID }, func(p infra.PoolView) string { return p.Name }, func(p infra.PoolView) string { return r.Path("/primary-storage/", p.ID) }),
			colPill(r, "state", func(p infra.PoolView) string { return p.State }),
			colBar(r, "used", func(p infra.PoolView) int64 { return p.Used }, func(p infra.PoolView) int64 { return p.Total }, r.bytes),
			colBar(r, "allocated_size", func(p infra.PoolView) int64 { return p.Allocated }, func(p infra.PoolView) int64 { return p.Total }, r.bytes),
			colText(r, "scope", func(p infra.PoolView) string { return r.words(p.Scope)[0].Label }),
			colText(r, "protocol", func(p infra.PoolView) string { return p.Type }),
			colLink(r, "zone", func(p infra.PoolView) string { return p.ZoneName }, func(p infra.PoolView) string { return r.Path("/zones/", p.ZoneID) }),
			optional(colLink(r, "cluster", func(p infra.PoolView) string { return p.ClusterName }, func(p infra.PoolView) string { return r.Path("/clusters/", p.ClusterID) })),
			optional(colCode(r, "path", func(p infra.PoolView) string { return p.Path })),
			optional(colText(r, "storagetags", func(p infra.PoolView) string { return p.Tags })),
		},
		Actions: func(p infra.PoolView) components.Menu { return r.menu(poolDeeds(r, p)...) },
		Empty:   r.empty("pools", "hard-drive", create),
	}
}

func poolDeeds(r *Request, p infra.PoolView) []deed {
	base := r.Path("/primary-storage/", p.ID)
	remove := deed{Command: "deleteStoragePool", Key: "delete", Icon: "trash-2", Path: base + "/delete", Page: true, Danger: true}
	if p.Allocated > 0 {
		remove.Off = r.T("pg.why.pool_used")
	}
	return []deed{{Command: "updateStoragePool", Key: "edit", Icon: "pencil", Path: base + "/edit", Open: true}, toggle(r, "updateStoragePool", base, p.State == "Up", p.Name), remove}
}

func poolWay(r *Request, p infra.PoolView) components.Crumbs {
	return crumbs(r.T("nav.infrastructure"), "", r.T("nav.primary_storage"), r.Path("/primary-storage"), p.Name, r.Path("/primary-storage/", p.ID))
}

func poolPage(r *Request) error {
	p, err := find[infra.PoolView](r, "listStoragePools", r.Param("id"))
	if err != nil {
		return err
	}
	return r.thing(thingPage{
		Title: p.Name, State: p.State, ID: p.ID, Base: r.Path("/primary-storage/", p.ID), Crumbs: poolWay(r, p)[:2], Deeds: poolDeeds(r, p), Shown: 2, Watch: []string{"storagepool/" + p.ID},
		Tabs: []thingTab{
			{Key: "overview", Body: func() (templ.Component, error) {
				return pieces.Stack(boxed(r.T("pg.t.capacity"), pieces.Bars(
					components.LimitBar{Label: r.T("pg.c.used"), Used: float64(p.Used), Total: float64(p.Total), UsedText: r.bytes(p.Used), TotalText: r.bytes(p.Total)},
					components.LimitBar{Label: r.T("pg.c.allocated_size"), Used: float64(p.Allocated), Total: float64(p.Total), UsedText: r.bytes(p.Allocated), TotalText: r.bytes(p.Total)})),
					halves(boxed(r.T("pg.specification"), r.lines("protocol", p.Type, "scope", r.words(p.Scope)[0].Label, "path", components.Code(p.Path), "ip", components.Code(p.IP), "hypervisor", p.Hypervisor,
						"storagetags", p.Tags, "overprovision", p.Factor)),
						boxed(r.T("pg.place"), r.lines("zone", components.Link{Label: p.ZoneName, Href: r.Path("/zones/", p.ZoneID)}, "pod", linkOr(p.PodName, r.Path("/pods/", p.PodID)),
							"cluster", linkOr(p.ClusterName, r.Path("/clusters/", p.ClusterID)), "created", p.Created)))), nil
			}},
			{Key: "volumes", Needs: "listVolumes", Body: func() (templ.Component, error) { return poolVolumes(r, p) }},
			r.history(p.ID),
		},
	})
}

// linkOr is a link, or nothing without a name.
func linkOr(label, href string) templ.Component {
	if label == "" {
		return components.Text("")
	}
	return components.Link{Label: label, Href: href}
}

func poolVolumes(r *Request, p infra.PoolView) (templ.Component, error) {
	rows, err := some[storage.View](r, "listVolumes", vals("storageid", p.ID, "listall", "true", "page", "1", "pagesize", "200"))
	if err != nil {
		return nil, err
	}
	l := volumeList(r)
	l.Actions, l.Empty = nil, components.Empty{Icon: "hard-drive", Title: r.T("pg.pools.no_volumes")}
	return sheet(r.T("nav.volumes"), bareList(r, l, rows)), nil
}

func newPool(r *Request) error {
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
	hosts, err := r.choices("listHosts", nil)
	if err != nil {
		return err
	}
	fixed := url.Values{}
	if id := r.FormValue("hostid"); r.posted() && id != "" {
		fixed.Set("details[0].hostid", id)
	}
	address := needed(r.in("url", "", ""))
	address.Label, address.Help, address.Placeholder = r.T("pg.f.poolurl"), r.T("pg.h.poolurl"), "SharedMountPoint:///mnt/primary"
	hostID := r.pick("hostid", "", hosts, false)
	f := formPage{
		Title: r.T("pg.a.add_pool"), Command: "createStoragePool", Resource: "cloudstack_storage_pool", Fixed: fixed,
		Crumbs: crumbs(r.T("nav.infrastructure"), "", r.T("nav.primary_storage"), r.Path("/primary-storage")),
		Form: components.Form{Submit: r.T("pg.a.add_pool"), Cancel: r.Path("/primary-storage"), Sections: []components.Section{
			{Title: r.T("pg.s.general"), Fields: []components.Field{needed(r.in("name", "", "")), address, r.pick("scope", "CLUSTER", r.words("CLUSTER", "ZONE", "HOST"), true)}},
			{Title: r.T("pg.place"), Fields: []components.Field{r.pick("zoneid", "", zones, true), r.pick("podid", "", pods, false), r.pick("clusterid", "", clusters, false), hostID}},
			{Title: r.T("pg.s.placement"), Folded: true, Fields: []components.Field{r.in("tags", "", ""), r.pick("hypervisor", "", r.words("KVM", "Simulator"), false)}},
		}},
	}
	return r.formOr(f, r.T("pg.pools.added"), func(out any) string {
		if p, ok := out.(infra.PoolView); ok {
			return r.Path("/primary-storage/", p.ID)
		}
		return r.Path("/primary-storage")
	})
}

func editPool(r *Request) error {
	p, err := find[infra.PoolView](r, "listStoragePools", r.Param("id"))
	if err != nil {
		return err
	}
	f := formPage{
		Title: r.T("pg.edit", "name", p.Name), Command: "updateStoragePool", Crumbs: poolWay(r, p), Fixed: r.cleared(vals("id", p.ID), "tags"),
		Form: components.Form{Submit: r.T("pg.a.save"), Cancel: r.Path("/primary-storage/", p.ID), Fields: []components.Field{needed(r.in("name", "", p.Name)), r.in("tags", "", p.Tags)}},
	}
	return r.formOr(f, r.T("pg.saved", "name", p.Name), always(r.Path("/primary-storage/", p.ID)))
}

func poolState(r *Request) error {
	p, err := find[infra.PoolView](r, "listStoragePools", r.Param("id"))
	if err != nil {
		return err
	}
	enabled := "true"
	if r.FormValue("state") == "Disabled" {
		enabled = "false"
	}
	return r.act(action{Command: "updateStoragePool", Params: vals("id", p.ID, "enabled", enabled), Kind: "storagepool", ID: p.ID, Text: r.T("pg.saved", "name", p.Name), To: r.Path("/primary-storage/", p.ID)})
}

func endPool(r *Request) error {
	p, err := find[infra.PoolView](r, "listStoragePools", r.Param("id"))
	if err != nil {
		return err
	}
	return r.end(ending{Command: "deleteStoragePool", Params: vals("id", p.ID), Kind: "pools", Name: p.Name, List: r.Path("/primary-storage"), Crumbs: poolWay(r, p)})
}

// Secondary storage.

func storeList(r *Request) listPage[infra.ImageStoreView] {
	create := r.creating("addImageStore", "add_store", r.Path("/secondary-storage/new"))
	return listPage[infra.ImageStoreView]{
		ID: "stores", Title: r.T("nav.secondary_storage"), Text: r.T("pg.stores.text"), Command: "listImageStores", Buttons: create,
		RowID: func(s infra.ImageStoreView) string { return s.ID }, Name: func(s infra.ImageStoreView) string { return s.Name },
		Columns: []column[infra.ImageStoreView]{
			colName(r, func(s infra.ImageStoreView) string { return s.ID }, func(s infra.ImageStoreView) string { return s.Name }, func(s infra.ImageStoreView) string { return r.Path("/secondary-storage/", s.ID) }),
			colBar(r, "used", func(s infra.ImageStoreView) int64 { return s.Used }, func(s infra.ImageStoreView) int64 { return s.Total }, r.bytes),
			colText(r, "provider", func(s infra.ImageStoreView) string { return s.Provider }),
			colCode(r, "url", func(s infra.ImageStoreView) string { return s.URL }),
			colLink(r, "zone", func(s infra.ImageStoreView) string { return s.ZoneName }, func(s infra.ImageStoreView) string { return r.Path("/zones/", s.ZoneID) }),
			yesColumn(r),
		},
		Actions: func(s infra.ImageStoreView) components.Menu { return r.menu(storeDeeds(r, s)...) },
		Empty:   r.empty("stores", "archive", create),
	}
}

func yesColumn(r *Request) column[infra.ImageStoreView] {
	return optional(colYes(r, "readonly", func(s infra.ImageStoreView) bool { return s.ReadOnly }))
}

func storeDeeds(r *Request, s infra.ImageStoreView) []deed {
	base := r.Path("/secondary-storage/", s.ID)
	return []deed{
		{Command: "updateImageStore", Key: "edit", Icon: "pencil", Path: base + "/edit", Open: true},
		{Command: "deleteImageStore", Key: "delete", Icon: "trash-2", Path: base + "/delete", Page: true, Danger: true},
	}
}

func storeWay(r *Request, s infra.ImageStoreView) components.Crumbs {
	return crumbs(r.T("nav.infrastructure"), "", r.T("nav.secondary_storage"), r.Path("/secondary-storage"), s.Name, r.Path("/secondary-storage/", s.ID))
}

func storePage(r *Request) error {
	s, err := find[infra.ImageStoreView](r, "listImageStores", r.Param("id"))
	if err != nil {
		return err
	}
	return r.thing(thingPage{
		Title: s.Name, ID: s.ID, Base: r.Path("/secondary-storage/", s.ID), Crumbs: storeWay(r, s)[:2], Deeds: storeDeeds(r, s),
		Tabs: []thingTab{{Key: "overview", Body: func() (templ.Component, error) {
			return pieces.Stack(boxed(r.T("pg.t.capacity"), pieces.Bars(components.LimitBar{Label: r.T("pg.c.used"), Used: float64(s.Used), Total: float64(s.Total), UsedText: r.bytes(s.Used), TotalText: r.bytes(s.Total)})),
				halves(boxed(r.T("pg.specification"), r.lines("provider", s.Provider, "protocol", s.Protocol, "url", components.Code(s.URL), "zone", linkOr(s.ZoneName, r.Path("/zones/", s.ZoneID)), "readonly", s.ReadOnly)))), nil
		}}, r.history(s.ID)},
	})
}

func newStore(r *Request) error {
	zones, err := r.choices("listZones", nil)
	if err != nil {
		return err
	}
	address := needed(r.in("url", "", ""))
	address.Label, address.Help, address.Placeholder = r.T("pg.f.storeurl"), r.T("pg.h.storeurl"), "file:///mnt/secondary"
	f := formPage{
		Title: r.T("pg.a.add_store"), Command: "addImageStore", Resource: "cloudstack_secondary_storage", Crumbs: crumbs(r.T("nav.infrastructure"), "", r.T("nav.secondary_storage"), r.Path("/secondary-storage")),
		Form: components.Form{Submit: r.T("pg.a.add_store"), Cancel: r.Path("/secondary-storage"), Fields: []components.Field{
			needed(r.in("name", "", "")), r.pick("provider", "Local", r.words("Local", "NFS"), true), address, r.pick("zoneid", "", zones, true),
		}},
	}
	return r.formOr(f, r.T("pg.created"), always(r.Path("/secondary-storage")))
}

func editStore(r *Request) error {
	s, err := find[infra.ImageStoreView](r, "listImageStores", r.Param("id"))
	if err != nil {
		return err
	}
	base := r.Path("/secondary-storage/", s.ID)
	closed := r.pick("readonly", strconv.FormatBool(s.ReadOnly), []components.Option{{Value: "false", Label: r.T("pg.no")}, {Value: "true", Label: r.T("pg.yes")}}, true)
	f := formPage{
		Title: r.T("pg.edit", "name", s.Name), Command: "updateImageStore", Crumbs: storeWay(r, s), Fixed: vals("id", s.ID),
		Form: components.Form{Submit: r.T("pg.a.save"), Cancel: base, Fields: []components.Field{needed(r.in("name", "", s.Name)), closed}},
	}
	return r.formOr(f, r.T("pg.saved", "name", s.Name), always(base))
}

func endStore(r *Request) error {
	s, err := find[infra.ImageStoreView](r, "listImageStores", r.Param("id"))
	if err != nil {
		return err
	}
	return r.end(ending{Command: "deleteImageStore", Params: vals("id", s.ID), Kind: "stores", Name: s.Name, List: r.Path("/secondary-storage"), Crumbs: storeWay(r, s)})
}
