package network

import (
	"context"
	"net/netip"
	"regexp"
	"slices"

	"aerie/services/command"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/infra"
	"aerie/services/store"
)

// CreateRequest is a new network.
type CreateRequest struct {
	command.Owner
	Name        string `json:"name" required:"true" doc:"name of the network"`
	DisplayText string `json:"displaytext" doc:"description; the name without it"`
	ZoneID      string `json:"zoneid" ref:"zone" required:"true" doc:"the zone"`
	OfferingID  string `json:"networkofferingid" ref:"networkoffering" required:"true" doc:"what the network can do"`
	Gateway     string `json:"gateway" doc:"address of the router in the network"`
	Netmask     string `json:"netmask" doc:"netmask of the network, such as 255.255.255.0"`
	Domain      string `json:"networkdomain" doc:"DNS domain of the network"`
	DNS1        string `json:"dns1" doc:"first resolver behind the router"`
	DNS2        string `json:"dns2" doc:"second resolver behind the router"`
	MTU         int    `json:"privatemtu" range:"68..1500" doc:"largest packet inside the network"`
	PublicMTU   int    `json:"publicmtu" range:"68..1500" doc:"largest packet outside the network"`
	Display     *bool  `json:"displaynetwork" doc:"false hides the network from its users"`

	later
}

// later are parameters of createNetwork that Aerie knows but does not serve
// yet. To ignore them would make another network than was asked for.
type later struct {
	VPCID        string `json:"vpcid" type:"uuid" doc:"not supported yet"`
	ACLID        string `json:"aclid" type:"uuid" doc:"not supported yet"`
	VLAN         string `json:"vlan" doc:"not supported yet"`
	StartIP      string `json:"startip" doc:"not supported yet"`
	EndIP        string `json:"endip" doc:"not supported yet"`
	IP6CIDR      string `json:"ip6cidr" doc:"not supported yet"`
	IP6Gateway   string `json:"ip6gateway" doc:"not supported yet"`
	RouterIP     string `json:"routerip" doc:"not supported yet"`
	SourceNATIP  string `json:"sourcenatipaddress" doc:"not supported yet"`
	AssociatedID string `json:"associatednetworkid" type:"uuid" doc:"not supported yet"`
}

func (l later) check() error {
	for _, p := range []struct{ name, value string }{
		{"vpcid", l.VPCID},
		{"aclid", l.ACLID},
		{"vlan", l.VLAN},
		{"startip", l.StartIP},
		{"endip", l.EndIP},
		{"ip6cidr", l.IP6CIDR},
		{"ip6gateway", l.IP6Gateway},
		{"routerip", l.RouterIP},
		{"sourcenatipaddress", l.SourceNATIP},
		{"associatednetworkid", l.AssociatedID},
	} {
		if p.value != "" && p.value != "-1" {
			return fault.Param(p.name, "error.not_yet")
		}
	}
	return nil
}

func (s *Service) createCommand() *command.Command {
	return command.New(meta("createNetwork", "NETWORK.CREATE", "Makes a network; it gets its router with its first instance"), s.create)
}

func (s *Service) create(ctx context.Context, r CreateRequest) (View, error) {
	ctx, err := r.Resolve(ctx)
	if err != nil {
		return View{}, err
	}
	if err := r.check(); err != nil {
		return View{}, err
	}
	w, err := s.wanted(ctx, r)
	if err != nil {
		return View{}, err
	}
	n, err := s.Create(ctx, w)
	if err != nil {
		return View{}, err
	}
	command.About(ctx, event.Resource{Kind: "network", ID: n.ID, Name: n.Name}, n.Owner())
	return s.Show(ctx, n.ID)
}

// wanted looks up what the request names and agrees on the rest.
func (s *Service) wanted(ctx context.Context, r CreateRequest) (w Wanted, err error) {
	actor, _ := store.From(ctx)
	w = Wanted{
		Name: r.Name, DisplayText: r.DisplayText, Owner: actor.Target(), Domain: r.Domain, DNS1: r.DNS1, DNS2: r.DNS2,
		MTU: r.MTU, PublicMTU: r.PublicMTU, Hidden: r.Display != nil && !*r.Display,
	}
	if w.Zone, err = find[infra.Zone](ctx, s, "zoneid", r.ZoneID); err != nil {
		return w, err
	}
	if w.Zone.AllocationState != infra.Enabled && !isAdmin(ctx) {
		return w, fault.Param("zoneid", "error.zone_disabled", "name", w.Zone.Name)
	}
	if w.Offering, err = find[Offering](ctx, s, "networkofferingid", r.OfferingID); err != nil {
		return w, err
	}
	if err := w.Offering.usable(w.Zone); err != nil {
		return w, err
	}
	if err := texts(r.Domain, r.DNS1, r.DNS2); err != nil {
		return w, err
	}
	w.Prefix, w.Gateway, err = prefix(r.Gateway, r.Netmask)
	return w, err
}

// usable refuses an offering of which no network can be made in the zone.
func (o Offering) usable(z infra.Zone) error {
	if o.State != "Enabled" {
		return fault.Param("networkofferingid", "error.network_offering_disabled", "name", o.Name)
	}
	if zones := infra.Listed(o.ZoneIDs); len(zones) > 0 && !slices.Contains(zones, z.ID) {
		return fault.Param("networkofferingid", "error.network_offering_zone", "name", o.Name, "zone", z.Name)
	}
	return nil
}

// domainName is RFC 1123's host name of one label or more.
var domainName = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$`)

// texts checks what routers tell guests.
func texts(domain, dns1, dns2 string) error {
	if domain != "" && (len(domain) > 190 || !domainName.MatchString(domain)) {
		return fault.Param("networkdomain", "error.domain_name", "value", domain)
	}
	for _, p := range []struct{ param, value string }{{"dns1", dns1}, {"dns2", dns2}} {
		if a, err := netip.ParseAddr(p.value); p.value != "" && (err != nil || !a.Is4()) {
			return fault.Param(p.param, "error.ip4", "value", p.value)
		}
	}
	return nil
}

// prefix is the network of a gateway and its netmask; both or none are given.
func prefix(gateway, mask string) (p netip.Prefix, gw netip.Addr, err error) {
	switch {
	case gateway == "" && mask == "":
		return p, gw, nil
	case gateway == "":
		return p, gw, fault.Param("gateway", "error.required", "command", "createnetwork")
	case mask == "":
		return p, gw, fault.Param("netmask", "error.required", "command", "createnetwork")
	}
	gw, err = netip.ParseAddr(gateway)
	if err != nil || !gw.Is4() || gw.IsLoopback() || gw.IsMulticast() || gw.IsUnspecified() || gw.IsLinkLocalUnicast() {
		return p, gw, fault.Param("gateway", "error.ip4", "value", gateway)
	}
	bits, ok := infra.Mask(mask)
	if !ok || bits < 8 || bits > 29 {
		return p, gw, fault.Param("netmask", "error.guest_netmask", "value", mask)
	}
	p = netip.PrefixFrom(gw, bits).Masked()
	first := Number(p.Addr())
	if n := Number(gw); n == first || n == first+1<<(32-bits)-1 {
		return p, gw, fault.Param("gateway", "error.gateway_edge", "value", gateway, "cidr", p.String())
	}
	return p, gw, nil
}
