package portal

import (
	"strings"

	"github.com/a-h/templ"

	"aerie/services/network"
	"aerie/views/components"
)

func vpcOfferList(r *Request) listPage[network.VPCOfferingView] {
	type view = network.VPCOfferingView
	path := r.Path("/offerings/vpc")
	create := r.creating("createVPCOffering", "create_offering", path+"/new")
	l := listPage[view]{
		ID: "vpc-offerings", Title: r.T("pg.vpc_offerings.title"), Text: r.T("pg.vpc_offerings.text"), Command: "listVPCOfferings", Buttons: create,
		RowID: func(o view) string { return o.ID }, Name: func(o view) string { return o.Name },
		Columns: []column[view]{
			colName(r, func(o view) string { return o.ID }, func(o view) string { return o.Name }, func(o view) string { return path + "/" + o.ID }),
			colPill(r, "state", func(o view) string { return o.State }),
			colText(r, "services", vpcServiceNames),
			optional(colText(r, "zone", func(o view) string { return allOr(r, o.Zones) })),
			optional(colText(r, "domain", func(o view) string { return allOr(r, o.Domains) })),
			optional(colText(r, "displaytext", func(o view) string { return o.DisplayText })),
			optional(colTime(r, "created", func(o view) timeOf { return o.Created })),
		},
		Filters: []components.Filter{r.filter("state", r.states("Enabled", "Disabled"))},
		Empty:   r.empty("vpc_offerings", "waypoints", create),
	}
	if r.Admin() {
		l.Actions = func(o view) components.Menu {
			return r.menu(offeringDeeds(r, "vpc", o.ID, "updateVPCOffering", "deleteVPCOffering")...)
		}
	}
	return l
}

func vpcOffersPage(r *Request) error { return showList(r, vpcOfferList(r)) }

func vpcServiceNames(o network.VPCOfferingView) string {
	var names []string
	for _, s := range o.Services {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}

func vpcOfferPage(r *Request) error {
	o, err := find[network.VPCOfferingView](r, "listVPCOfferings", r.Param("id"))
	if err != nil {
		return err
	}
	return r.thing(thingPage{
		Title: o.Name, Text: o.DisplayText, State: o.State, ID: o.ID, Base: r.Path("/offerings/vpc/", o.ID), Crumbs: offeringCrumbs(r, "vpc"),
		Deeds: offeringDeeds(r, "vpc", o.ID, "updateVPCOffering", "deleteVPCOffering"), Shown: 1,
		Tabs: []thingTab{{Key: "overview", Body: func() (templ.Component, error) {
			return halves(boxed(r.T("pg.specification"), r.lines("zone", allOr(r, o.Zones), "domain", allOr(r, o.Domains), "created", o.Created)),
				boxed(r.T("pg.c.services"), servicesOf(o.Services))), nil
		}}, r.history(o.ID)},
	})
}

// vpcServices are the services that VPCs can be offered with.
var vpcServices = []string{"SourceNat", "NetworkACL", "PortForwarding", "StaticNat", "Lb", "UserData", "Dhcp", "Dns", "Vpn"}

func vpcOfferForm(r *Request) error {
	limits, err := limitedTo(r)
	if err != nil {
		return err
	}
	services := r.in("supportedservices", "checks", "")
	services.Options, services.Values = r.words(vpcServices...), vpcServices
	f := formPage{
		Title: r.T("pg.vpc_offerings.new"), Text: r.T("pg.vpc_offerings.later"), Command: "createVPCOffering", Crumbs: offeringCrumbs(r, "vpc"),
		Form: components.Form{Submit: r.T("pg.a.create_offering"), Cancel: r.Path("/offerings/vpc"), Sections: []components.Section{
			{Title: r.T("pg.s.general"), Fields: []components.Field{needed(r.in("name", "", "")), r.in("displaytext", "", "")}},
			{Title: r.T("pg.c.services"), Fields: []components.Field{services}},
			{Title: r.T("pg.s.placement"), Folded: true, Fields: limits},
		}},
	}
	return r.formOr(f, r.T("pg.offerings.created"), always(r.Path("/offerings/vpc")))
}

func changeVPCOffer(r *Request) error {
	o, err := find[network.VPCOfferingView](r, "listVPCOfferings", r.Param("id"))
	if err != nil {
		return err
	}
	limits, err := limitedNow(r, o.DomainIDs, o.ZoneIDs)
	if err != nil {
		return err
	}
	f := formPage{
		Title: r.T("pg.edit", "name", o.Name), Command: "updateVPCOffering", Crumbs: offeringCrumbs(r, "vpc"),
		Fixed: r.unlimited(vals("id", o.ID)),
		Form: components.Form{Submit: r.T("pg.a.save"), Cancel: r.Path("/offerings/vpc/", o.ID), Fields: append([]components.Field{
			needed(r.in("name", "", o.Name)), r.in("displaytext", "", o.DisplayText),
		}, limits...)},
	}
	return r.formOr(f, r.T("pg.saved", "name", o.Name), always(r.Path("/offerings/vpc/", o.ID)))
}
