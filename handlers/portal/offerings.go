package portal

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"aerie/services/compute"
	"aerie/services/network"
	"aerie/services/storage"
	"aerie/views/components"
)

func offerings() area {
	return area{
		entries: []entry{
			{Group: "nav.offerings", Key: "nav.compute_offerings", Icon: "cpu", Path: "/offerings/compute", Needs: "listServiceOfferings", Create: "createServiceOffering"},
			{Group: "nav.offerings", Key: "nav.disk_offerings", Icon: "disc-3", Path: "/offerings/disk", Needs: "listDiskOfferings", Create: "createDiskOffering"},
			{Group: "nav.offerings", Key: "nav.network_offerings", Icon: "network", Path: "/offerings/network", Needs: "listNetworkOfferings", Create: "createNetworkOffering"},
			{Group: "nav.offerings", Key: "nav.vpc_offerings", Icon: "waypoints", Path: "/offerings/vpc", Needs: "listVPCOfferings", Create: "createVPCOffering"},
		},
		routes: func(on routes) {
			for kind, h := range map[string]offeringPages{
				"compute": {sizesPage, sizePage, sizeForm, changeSize, "listServiceOfferings", "updateServiceOffering", "deleteServiceOffering", "serviceoffering", sizeOrder},
				"disk":    {disksPage, diskPage, diskForm, changeDisk, "listDiskOfferings", "updateDiskOffering", "deleteDiskOffering", "diskoffering", diskOrder},
				"network": {wiresPage, wirePage, wireForm, changeWire, "listNetworkOfferings", "updateNetworkOffering", "deleteNetworkOffering", "networkoffering", wireOrder},
				"vpc":     {vpcOffersPage, vpcOfferPage, vpcOfferForm, changeVPCOffer, "listVPCOfferings", "updateVPCOffering", "deleteVPCOffering", "vpcoffering", vpcOrder},
			} {
				path := "/offerings/" + kind
				on.GET(path, h.list)
				on.both(path+"/new", h.create)
				on.both(path+"/:id/edit", h.edit)
				on.onDetail(path, h.show)
				on.both(path+"/:id/delete", func(r *Request) error { return endOffering(r, kind, h) })
				on.POST(path+"/:id/state", func(r *Request) error { return offeringState(r, h) })
				on.POST(path+"/:id/move", func(r *Request) error { return moveOffering(r, h) })
			}
		},
	}
}

// offeringPages are the pages of one kind of offering.
type offeringPages struct {
	list, show, create, edit     Handler
	lists, update, deletes, what string
	order                        func(*Request) ([]placed, error)
}

// offeringName is what all kinds of offerings have.
type offeringName struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	State string `json:"state"`
}

func offeringOf(r *Request, lists string) (offeringName, error) {
	found, err := entries[offeringName](r, lists, vals("id", r.Param("id")))
	if err != nil || len(found) == 0 {
		return offeringName{}, r.absent(err)
	}
	return found[0], nil
}

func endOffering(r *Request, kind string, h offeringPages) error {
	o, err := offeringOf(r, h.lists)
	if err != nil {
		return err
	}
	path := r.Path("/offerings/", kind)
	return r.end(ending{Command: h.deletes, Params: vals("id", o.ID), Kind: "offerings", Name: o.Name, List: path, Crumbs: offeringCrumbs(r, kind)})
}

func offeringState(r *Request, h offeringPages) error {
	o, err := offeringOf(r, h.lists)
	if err != nil {
		return err
	}
	state := r.FormValue("state")
	return r.act(action{
		Command: h.update, Params: vals("id", o.ID, "state", state), Kind: h.what, ID: o.ID,
		Text: r.T("pg.saved", "name", o.Name),
	})
}

func offeringCrumbs(r *Request, kind string) components.Crumbs {
	return crumbs(r.T("nav.offerings"), "", r.T("pg."+kind+"_offerings.title"), r.Path("/offerings/", kind))
}

// offeringDeeds are the deeds on any offering.
func offeringDeeds(r *Request, kind, id, update, deletes string) []deed {
	base := r.Path("/offerings/", kind, "/", id)
	return []deed{
		{Command: update, Key: "edit", Icon: "pencil", Path: base + "/edit", Open: true},
		{Command: update, Key: "move_up", Icon: "arrow-up", Path: base + "/move", Fields: []components.Pair{{Name: "to", Value: "up"}}},
		{Command: update, Key: "move_down", Icon: "arrow-down", Path: base + "/move", Fields: []components.Pair{{Name: "to", Value: "down"}}},
		{Command: deletes, Key: "delete", Icon: "trash-2", Path: base + "/delete", Page: true, Danger: true},
	}
}

// Compute offerings.

func sizeList(r *Request) listPage[compute.OfferingView] {
	path := r.Path("/offerings/compute")
	create := r.creating("createServiceOffering", "create_offering", path+"/new")
	l := listPage[compute.OfferingView]{
		ID: "compute-offerings", Title: r.T("pg.compute_offerings.title"), Text: r.T("pg.compute_offerings.text"), Command: "listServiceOfferings", Buttons: create,
		RowID: func(o compute.OfferingView) string { return o.ID }, Name: func(o compute.OfferingView) string { return o.Name },
		Columns: []column[compute.OfferingView]{
			colName(r, func(o compute.OfferingView) string { return o.ID }, func(o compute.OfferingView) string { return o.Name }, func(o compute.OfferingView) string { return path + "/" + o.ID }),
			colText(r, "cpus", func(o compute.OfferingView) string { return sizeCPUs(r, o) }),
			colText(r, "memory", func(o compute.OfferingView) string { return sizeMemory(r, o) }),
			optional(colText(r, "cpuspeed", func(o compute.OfferingView) string { return r.mhz(int64(o.MHz)) })),
			colText(r, "rootdisk", func(o compute.OfferingView) string { return inGiB(r, o.RootGiB) }),
			colText(r, "network_rate", func(o compute.OfferingView) string { return rate(o.NetworkRate) }),
			colYes(r, "ha", func(o compute.OfferingView) bool { return o.HA }),
			optional(colText(r, "zone", func(o compute.OfferingView) string { return allOr(r, o.Zones) })),
			optional(colText(r, "domain", func(o compute.OfferingView) string { return allOr(r, o.Domains) })),
			optional(colText(r, "displaytext", func(o compute.OfferingView) string { return o.DisplayText })),
			optional(colTime(r, "created", func(o compute.OfferingView) timeOf { return o.Created })),
		},
		Empty: r.empty("compute_offerings", "cpu", create),
	}
	if r.Admin() {
		l.Columns = append(l.Columns, optional(colText(r, "hosttags", func(o compute.OfferingView) string { return o.HostTags })),
			optional(colText(r, "storagetags", func(o compute.OfferingView) string { return o.StorageTags })))
	}
	if r.Managing() {
		l.Columns = append(l.Columns, colPill(r, "state", func(o compute.OfferingView) string { return o.State }))
		l.Filters = []components.Filter{r.filter("state", append(r.states("Active", "Inactive"), components.Option{Value: "all", Label: r.T("pg.o.all")}))}
		l.Actions = func(o compute.OfferingView) components.Menu {
			return r.menu(offeringDeeds(r, "compute", o.ID, "updateServiceOffering", "deleteServiceOffering")...)
		}
	}
	return l
}

func sizesPage(r *Request) error { return showList(r, sizeList(r)) }

func sizeCPUs(r *Request, o compute.OfferingView) string {
	if o.Customized && o.CPUs == 0 {
		return r.T("pg.custom")
	}
	return strconv.Itoa(o.CPUs)
}

func sizeMemory(r *Request, o compute.OfferingView) string {
	if o.Customized && o.MemoryMiB == 0 {
		return r.T("pg.custom")
	}
	return r.bytes(int64(o.MemoryMiB) << 20)
}

// inGiB writes a size in GiB; nothing for none.
func inGiB(r *Request, n int64) string {
	if n <= 0 {
		return ""
	}
	return r.bytes(n << 30)
}

func rate(mbit int) string {
	if mbit <= 0 {
		return ""
	}
	return strconv.Itoa(mbit) + "\u00a0Mbit/s"
}

func sizePage(r *Request) error {
	o, err := find[compute.OfferingView](r, "listServiceOfferings", r.Param("id"))
	if err != nil {
		return err
	}
	return r.thing(thingPage{
		Title: o.Name, Text: o.DisplayText, State: r.forAdmin(o.State), ID: o.ID, Base: r.Path("/offerings/compute/", o.ID), Crumbs: offeringCrumbs(r, "compute"),
		Deeds: append(usedBy("deployVirtualMachine", "deploy", r.Path("/instances/new?serviceofferingid=", o.ID)),
			offeringDeeds(r, "compute", o.ID, "updateServiceOffering", "deleteServiceOffering")...), Shown: 2,
		Tabs: []thingTab{{Key: "overview", Body: func() (templ.Component, error) {
			lines := r.lines("cpus", sizeCPUs(r, o), "cpuspeed", r.mhz(int64(o.MHz)), "memory", sizeMemory(r, o), "rootdisk", inGiB(r, o.RootGiB),
				"network_rate", rate(o.NetworkRate), "ha", o.HA, "cpucap", o.LimitCPU, "dynamic", o.Dynamic, "lease", leaseText(r, o.LeaseDays, o.LeaseAction),
				"zone", allOr(r, o.Zones), "domain", allOr(r, o.Domains), "created", o.Created)
			if r.Admin() {
				lines = append(lines, r.lines("hosttags", o.HostTags, "storagetags", o.StorageTags, "planner", o.Planner)...)
			}
			cards := []templ.Component{boxed(r.T("pg.specification"), lines)}
			if root := or(o.DiskName, ""); root != "" {
				cards = append(cards, boxed(r.T("pg.s.limits"), r.lines("rootoffering", components.Link{Label: root, Href: r.Path("/offerings/disk/", o.DiskID)})))
			} else {
				cards = append(cards, boxed(r.T("pg.s.limits"), limitLines(r, o.LimitsView)))
			}
			return halves(cards...), nil
		}}, r.history(o.ID)},
	})
}

// usedBy is the deed that makes something of an offering or a template.
func usedBy(cmd, key, path string) []deed {
	return []deed{{Command: cmd, Key: key, Icon: "plus", Path: path, Open: true, Main: true}}
}

// Disk offerings.

func diskList(r *Request) listPage[storage.OfferingView] {
	path := r.Path("/offerings/disk")
	create := r.creating("createDiskOffering", "create_offering", path+"/new")
	l := listPage[storage.OfferingView]{
		ID: "disk-offerings", Title: r.T("pg.disk_offerings.title"), Text: r.T("pg.disk_offerings.text"), Command: "listDiskOfferings", Buttons: create,
		RowID: func(o storage.OfferingView) string { return o.ID }, Name: func(o storage.OfferingView) string { return o.Name },
		Columns: []column[storage.OfferingView]{
			colName(r, func(o storage.OfferingView) string { return o.ID }, func(o storage.OfferingView) string { return o.Name }, func(o storage.OfferingView) string { return path + "/" + o.ID }),
			colText(r, "size", func(o storage.OfferingView) string { return diskSize(r, o) }),
			colText(r, "storagetype", func(o storage.OfferingView) string { return r.T("pg.o." + o.StorageType) }),
			optional(colText(r, "provisioning", func(o storage.OfferingView) string { return o.Provisioning })),
			colText(r, "zone", func(o storage.OfferingView) string { return allOr(r, o.Zones) }),
			colText(r, "domain", func(o storage.OfferingView) string { return allOr(r, o.Domains) }),
			optional(colText(r, "displaytext", func(o storage.OfferingView) string { return o.DisplayText })),
			optional(colTime(r, "created", func(o storage.OfferingView) timeOf { return o.Created })),
		},
		Empty: r.empty("disk_offerings", "disc-3", create),
	}
	if r.Admin() {
		l.Columns = append(l.Columns, optional(colText(r, "storagetags", func(o storage.OfferingView) string { return o.Tags })))
	}
	if r.Managing() {
		l.Columns = append(l.Columns, colPill(r, "state", func(o storage.OfferingView) string { return o.State }))
		l.Filters = []components.Filter{r.filter("state", append(r.states("Active", "Inactive"), components.Option{Value: "all", Label: r.T("pg.o.all")}))}
		l.Actions = func(o storage.OfferingView) components.Menu {
			return r.menu(offeringDeeds(r, "disk", o.ID, "updateDiskOffering", "deleteDiskOffering")...)
		}
	}
	return l
}

func disksPage(r *Request) error { return showList(r, diskList(r)) }

func diskSize(r *Request, o storage.OfferingView) string {
	if o.Customized {
		return r.T("pg.custom")
	}
	return inGiB(r, o.SizeGiB)
}

// allOr writes to whom something is limited.
func allOr(r *Request, names string) string {
	if names == "" {
		return r.T("pg.o.all")
	}
	return strings.ReplaceAll(names, ",", ", ")
}

func diskPage(r *Request) error {
	o, err := find[storage.OfferingView](r, "listDiskOfferings", r.Param("id"))
	if err != nil {
		return err
	}
	return r.thing(thingPage{
		Title: o.Name, Text: o.DisplayText, State: r.forAdmin(o.State), ID: o.ID, Base: r.Path("/offerings/disk/", o.ID), Crumbs: offeringCrumbs(r, "disk"),
		Deeds: append(usedBy("createVolume", "create_volume", r.Path("/volumes/new?diskofferingid=", o.ID)),
			offeringDeeds(r, "disk", o.ID, "updateDiskOffering", "deleteDiskOffering")...), Shown: 2,
		Tabs: []thingTab{{Key: "overview", Body: func() (templ.Component, error) {
			lines := r.lines("size", diskSize(r, o), "storagetype", r.T("pg.o."+o.StorageType), "provisioning", o.Provisioning,
				"zone", allOr(r, o.Zones), "domain", allOr(r, o.Domains), "created", o.Created)
			if r.Admin() {
				lines = append(lines, r.lines("storagetags", o.Tags, "display", o.Display)...)
			}
			return halves(boxed(r.T("pg.specification"), lines), boxed(r.T("pg.s.limits"), limitLines(r, o.LimitsView))), nil
		}}, r.history(o.ID)},
	})
}

// Network offerings.

func wireList(r *Request) listPage[network.OfferingView] {
	path := r.Path("/offerings/network")
	create := r.creating("createNetworkOffering", "create_offering", path+"/new")
	l := listPage[network.OfferingView]{
		ID: "network-offerings", Title: r.T("pg.network_offerings.title"), Text: r.T("pg.network_offerings.text"), Command: "listNetworkOfferings", Buttons: create,
		RowID: func(o network.OfferingView) string { return o.ID }, Name: func(o network.OfferingView) string { return o.Name },
		Columns: []column[network.OfferingView]{
			colName(r, func(o network.OfferingView) string { return o.ID }, func(o network.OfferingView) string { return o.Name }, func(o network.OfferingView) string { return path + "/" + o.ID }),
			colPill(r, "state", func(o network.OfferingView) string { return o.State }),
			colText(r, "guesttype", func(o network.OfferingView) string { return o.GuestType }),
			colText(r, "services", serviceNames),
			colText(r, "network_rate", func(o network.OfferingView) string { return rate(o.NetworkRate) }),
			colText(r, "availability", func(o network.OfferingView) string { return r.T("pg.o." + strings.ToLower(o.Availability)) }),
			optional(colText(r, "zone", func(o network.OfferingView) string { return allOr(r, o.Zones) })),
			optional(colText(r, "domain", func(o network.OfferingView) string { return allOr(r, o.Domains) })),
			optional(colText(r, "displaytext", func(o network.OfferingView) string { return o.DisplayText })),
			optional(colTime(r, "created", func(o network.OfferingView) timeOf { return o.Created })),
		},
		Filters: []components.Filter{r.filter("state", r.states("Enabled", "Disabled"))},
		Empty:   r.empty("network_offerings", "network", create),
	}
	if r.Admin() {
		l.Actions = func(o network.OfferingView) components.Menu {
			return r.menu(offeringDeeds(r, "network", o.ID, "updateNetworkOffering", "deleteNetworkOffering")...)
		}
	}
	return l
}

func wiresPage(r *Request) error { return showList(r, wireList(r)) }

func serviceNames(o network.OfferingView) string {
	var names []string
	for _, s := range o.Services {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}

func wirePage(r *Request) error {
	o, err := find[network.OfferingView](r, "listNetworkOfferings", r.Param("id"))
	if err != nil {
		return err
	}
	var list []deed
	if o.State == "Enabled" {
		list = usedBy("createNetwork", "create_network", r.Path("/networks/new?networkofferingid=", o.ID))
	}
	return r.thing(thingPage{
		Title: o.Name, Text: o.DisplayText, State: o.State, ID: o.ID, Base: r.Path("/offerings/network/", o.ID), Crumbs: offeringCrumbs(r, "network"),
		Deeds: append(list, offeringDeeds(r, "network", o.ID, "updateNetworkOffering", "deleteNetworkOffering")...), Shown: 2,
		Tabs: []thingTab{{Key: "overview", Body: func() (templ.Component, error) {
			return halves(
				boxed(r.T("pg.specification"), r.lines("guesttype", o.GuestType, "traffictype", o.TrafficType, "availability", r.T("pg.o."+strings.ToLower(o.Availability)),
					"network_rate", rate(o.NetworkRate), "persistent", o.Persistent, "egress", o.EgressAllow, "conserve", o.Conserve,
					"zone", allOr(r, o.Zones), "domain", allOr(r, o.Domains), "created", o.Created)),
				boxed(r.T("pg.c.services"), servicesOf(o.Services)),
			), nil
		}}, r.history(o.ID)},
	})
}

// servicesOf lists services with who gives them.
func servicesOf(list []network.ServiceView) templ.Component {
	var out components.Properties
	for _, s := range list {
		var by []string
		for _, p := range s.Providers {
			by = append(by, p.Name)
		}
		out = append(out, components.Property{Label: s.Name, Value: components.Text(strings.Join(by, ", "))})
	}
	if len(out) == 0 {
		return components.Text("")
	}
	return out
}

// guestServices are the services that a network offering can have.
var guestServices = []string{"Dhcp", "Dns", "UserData", "SourceNat"}

func wireForm(r *Request) error {
	limits, err := limitedTo(r)
	if err != nil {
		return err
	}
	services := r.in("supportedservices", "checks", "")
	services.Options, services.Values = r.words(guestServices...), guestServices
	fixed := url.Values{"guestiptype": {"Isolated"}, "traffictype": {"Guest"}}
	if r.posted() {
		for i, s := range r.sent()["supportedservices"] {
			key := "serviceproviderlist[" + strconv.Itoa(i) + "]"
			fixed.Set(key+".service", s)
			fixed.Set(key+".provider", "VirtualRouter")
		}
	}
	f := formPage{
		Title: r.T("pg.network_offerings.new"), Command: "createNetworkOffering", Crumbs: offeringCrumbs(r, "network"), Fixed: fixed,
		Resource: "cloudstack_network_offering", Rename: map[string]string{"displaytext": "display_text", "guestiptype": "guest_ip_type", "traffictype": "traffic_type"},
		Form: components.Form{Submit: r.T("pg.a.create_offering"), Cancel: r.Path("/offerings/network"), Sections: []components.Section{
			{Title: r.T("pg.s.general"), Fields: []components.Field{needed(r.in("name", "", "")), r.in("displaytext", "", ""), r.tick("enable", true)}},
			{Title: r.T("pg.c.services"), Fields: []components.Field{services}},
			{Title: r.T("pg.s.behaviour"), Folded: true, Fields: []components.Field{
				r.pick("availability", "Optional", r.words("Optional", "Required"), true), r.tick("egressdefaultpolicy", true),
				r.tick("ispersistent", false), r.number("networkrate", "", "Mbit/s"),
			}},
			{Title: r.T("pg.s.placement"), Folded: true, Fields: append([]components.Field{r.in("tags", "", "")}, limits...)},
		}},
	}
	return r.formOr(f, r.T("pg.offerings.created"), always(r.Path("/offerings/network")))
}

func changeWire(r *Request) error {
	o, err := find[network.OfferingView](r, "listNetworkOfferings", r.Param("id"))
	if err != nil {
		return err
	}
	limits, err := limitedNow(r, o.DomainIDs, o.ZoneIDs)
	if err != nil {
		return err
	}
	f := formPage{
		Title: r.T("pg.edit", "name", o.Name), Command: "updateNetworkOffering", Crumbs: offeringCrumbs(r, "network"),
		Fixed: r.unlimited(r.cleared(vals("id", o.ID), "tags")),
		Form: components.Form{Submit: r.T("pg.a.save"), Cancel: r.Path("/offerings/network/", o.ID), Fields: append([]components.Field{
			needed(r.in("name", "", o.Name)), r.in("displaytext", "", o.DisplayText), r.pick("state", o.State, r.states("Enabled", "Disabled"), true),
			r.pick("availability", o.Availability, r.words("Optional", "Required"), true), r.in("tags", "", o.Tags),
		}, limits...)},
	}
	return r.formOr(f, r.T("pg.saved", "name", o.Name), always(r.Path("/offerings/network/", o.ID)))
}
