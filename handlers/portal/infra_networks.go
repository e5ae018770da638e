package portal

import (
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"aerie/services/infra"
	"aerie/services/network"
	"aerie/views/components"
	"aerie/views/pages/pieces"
)

// zoneNetworks shows the physical networks of a zone, each with its traffic.
// A zone has a handful of them; each is asked for its traffic.
func zoneNetworks(r *Request, z infra.ZoneView) (templ.Component, error) {
	list, err := some[infra.PhysicalView](r, "listPhysicalNetworks", vals("zoneid", z.ID))
	if err != nil {
		return nil, err
	}
	var parts []templ.Component
	for _, p := range list {
		one, err := physicalCard(r, p)
		if err != nil {
			return nil, err
		}
		parts = append(parts, one)
	}
	add := r.creating("createPhysicalNetwork", "add_physical", r.Path("/zones/", z.ID, "/physical/new"))
	if len(list) == 0 {
		return r.empty("physical", "waypoints", add), nil
	}
	for _, a := range add {
		a.Style, a.Icon = components.Plain, "plus"
		parts = append(parts, pieces.Row(a))
	}
	return pieces.Stack(parts...), nil
}

func physicalCard(r *Request, p infra.PhysicalView) (templ.Component, error) {
	traffic, err := some[infra.TrafficView](r, "listTrafficTypes", vals("physicalnetworkid", p.ID))
	if err != nil {
		return nil, err
	}
	base := r.Path("/physical-networks/", p.ID)
	l := listPage[infra.TrafficView]{
		ID: "traffic-" + p.ID, Title: r.T("pg.traffic.title"), RowID: func(t infra.TrafficView) string { return t.ID }, Name: func(t infra.TrafficView) string { return t.Type },
		Columns: []column[infra.TrafficView]{
			colText(r, "traffictype", func(t infra.TrafficView) string { return r.T("pg.o.traffic_" + strings.ToLower(t.Type)) }),
			colCode(r, "kvmlabel", func(t infra.TrafficView) string { return t.KVM }),
			colCode(r, "vlan", func(t infra.TrafficView) string { return t.VLAN }),
		},
		Actions: func(t infra.TrafficView) components.Menu {
			return r.menu(deed{Command: "deleteTrafficType", Key: "delete", Icon: "trash-2", Path: base + "/traffic/" + t.ID + "/delete", Page: true, Danger: true})
		},
		Empty: r.empty("traffic", "waypoints", nil),
	}
	state := toggle(r, "updatePhysicalNetwork", base, p.State == infra.Enabled, p.Name)
	actions := r.deeds(state,
		deed{Command: "updatePhysicalNetwork", Key: "edit", Icon: "pencil", Path: base + "/edit", Open: true},
		deed{Command: "addTrafficType", Key: "add_traffic", Icon: "plus", Path: base + "/traffic/new", Open: true},
		deed{Command: "deletePhysicalNetwork", Key: "delete", Icon: "trash-2", Path: base + "/delete", Page: true, Danger: true})
	row := make([]templ.Component, 0, len(actions))
	for _, a := range actions {
		a.Small = true
		row = append(row, a)
	}
	return boxed(p.Name, pieces.Stack(
		r.lines("state", components.Pill(p.State), "vlan", components.Code(p.VLAN), "isolation", p.Isolation, "tags", p.Tags),
		bareList(r, l, traffic), pieces.Row(row...))), nil
}

func physicalOf(r *Request) (infra.PhysicalView, error) {
	return find[infra.PhysicalView](r, "listPhysicalNetworks", r.Param("id"))
}

func physicalWay(r *Request, p infra.PhysicalView) components.Crumbs {
	return crumbs(r.T("nav.zones"), r.Path("/zones"), p.ZoneName, r.Path("/zones/", p.ZoneID), r.T("pg.t.networks"), r.Path("/zones/", p.ZoneID, "/networks"))
}

func newPhysical(r *Request) error {
	z, err := zoneOf(r, r.Param("id"))
	if err != nil {
		return err
	}
	to := r.Path("/zones/", z.ID, "/networks")
	f := formPage{
		Title: r.T("pg.a.add_physical"), Command: "createPhysicalNetwork", Resource: "cloudstack_physical_network", Fixed: vals("zoneid", z.ID), Crumbs: zoneWay(r, z),
		Form: components.Form{Submit: r.T("pg.a.add_physical"), Cancel: to, Fields: []components.Field{
			needed(r.in("name", "", "")), r.in("vlan", "", ""), r.pick("isolationmethods", "VLAN", r.words("VLAN"), true), r.in("tags", "", ""),
		}},
	}
	return r.formOr(f, "", toJob(to))
}

func editPhysical(r *Request) error {
	p, err := physicalOf(r)
	if err != nil {
		return err
	}
	to := r.Path("/zones/", p.ZoneID, "/networks")
	f := formPage{
		Title: r.T("pg.edit", "name", p.Name), Command: "updatePhysicalNetwork", Fixed: r.cleared(vals("id", p.ID), "vlan"), Crumbs: physicalWay(r, p),
		Form: components.Form{Submit: r.T("pg.a.save"), Cancel: to, Fields: []components.Field{r.in("vlan", "", p.VLAN), r.in("tags", "", p.Tags)}},
	}
	return r.formOr(f, "", toJob(to))
}

func physicalState(r *Request) error {
	p, err := physicalOf(r)
	if err != nil {
		return err
	}
	return r.act(action{
		Command: "updatePhysicalNetwork", Params: vals("id", p.ID, "state", r.FormValue("state")), Text: r.T("pg.saved", "name", p.Name),
		To: r.Path("/zones/", p.ZoneID, "/networks"),
	})
}

func endPhysical(r *Request) error {
	p, err := physicalOf(r)
	if err != nil {
		return err
	}
	return r.end(ending{Command: "deletePhysicalNetwork", Params: vals("id", p.ID), Kind: "physical", Name: p.Name, List: r.Path("/zones/", p.ZoneID, "/networks"), Crumbs: physicalWay(r, p)})
}

func newTraffic(r *Request) error {
	p, err := physicalOf(r)
	if err != nil {
		return err
	}
	to := r.Path("/zones/", p.ZoneID, "/networks")
	var kinds []components.Option
	for _, k := range []string{"Guest", "Public", "Management", "Storage"} {
		kinds = append(kinds, components.Option{Value: k, Label: r.T("pg.o.traffic_" + strings.ToLower(k))})
	}
	f := formPage{
		Title: r.T("pg.a.add_traffic"), Command: "addTrafficType", Resource: "cloudstack_traffic_type", Fixed: vals("physicalnetworkid", p.ID), Crumbs: physicalWay(r, p),
		Form: components.Form{Submit: r.T("pg.a.add_traffic"), Cancel: to, Fields: []components.Field{r.pick("traffictype", "Guest", kinds, true), r.in("kvmnetworklabel", "", "cloudbr0"), r.in("vlan", "", "")}},
	}
	f.Form.Fields[2].Help = ""
	return r.formOr(f, "", toJob(to))
}

func endTraffic(r *Request) error {
	p, err := physicalOf(r)
	if err != nil {
		return err
	}
	traffic, err := some[infra.TrafficView](r, "listTrafficTypes", vals("physicalnetworkid", p.ID))
	if err != nil {
		return err
	}
	for _, t := range traffic {
		if t.ID == r.Param("traffic") {
			return r.end(ending{
				Command: "deleteTrafficType", Params: vals("id", t.ID), Kind: "traffic", Name: r.T("pg.o.traffic_" + strings.ToLower(t.Type)),
				List: r.Path("/zones/", p.ZoneID, "/networks"), Crumbs: physicalWay(r, p),
			})
		}
	}
	return r.absent(nil)
}

func newRange(r *Request) error {
	z, err := zoneOf(r, r.Param("id"))
	if err != nil {
		return err
	}
	to := r.Path("/zones/", z.ID, "/ranges")
	vlan := r.in("vlan", "", "")
	vlan.Help = r.T("pg.h.range_vlan")
	f := formPage{
		Title: r.T("pg.a.add_range"), Command: "createVlanIpRange", Resource: "cloudstack_vlan_ip_range", Fixed: vals("zoneid", z.ID, "forvirtualnetwork", "true"), Crumbs: zoneWay(r, z),
		Form: components.Form{Submit: r.T("pg.a.add_range"), Cancel: to, Fields: []components.Field{
			needed(r.in("gateway", "", "")), needed(r.in("netmask", "", "")), needed(r.in("startip", "", "")), r.in("endip", "", ""), vlan,
		}},
	}
	for i := range f.Form.Fields[:4] {
		f.Form.Fields[i].Help = ""
	}
	return r.formOr(f, r.T("pg.created"), always(to))
}

func endRange(r *Request) error {
	z, err := zoneOf(r, r.Param("id"))
	if err != nil {
		return err
	}
	x, err := find[network.RangeView](r, "listVlanIpRanges", r.Param("range"))
	if err != nil {
		return err
	}
	return r.end(ending{Command: "deleteVlanIpRange", Params: vals("id", x.ID), Kind: "ranges", Name: rangeName(x), List: r.Path("/zones/", z.ID, "/ranges"), Crumbs: zoneWay(r, z)})
}

func decimal(n float64) string { return strconv.FormatFloat(n, 'f', 2, 64) }
