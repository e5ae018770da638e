package network

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/store"
)

// provider is who serves networks.
const provider = "VirtualRouter"

// known are the services that exist, in the order of lists, with what they
// say of themselves.
var known = []struct {
	name         string
	capabilities []CapabilityView
}{
	{"Dhcp", []CapabilityView{{Name: "DhcpAccrossMultipleSubnets", Value: "false"}}},
	{"Dns", []CapabilityView{{Name: "AllowDnsSuffixModification", Value: "true"}}},
	{"UserData", nil},
	{"SourceNat", []CapabilityView{{Name: "SupportedSourceNatTypes", Value: "peraccount"}, {Name: "RedundantRouter", Value: "false"}}},
}

func knownNames() (out []string) {
	for _, k := range known {
		out = append(out, k.name)
	}
	return out
}

// ServiceView is a service of a network or an offering.
type ServiceView struct {
	Name         string           `json:"name"`
	Capabilities []CapabilityView `json:"capability,omitempty"`
	Providers    []ProviderView   `json:"provider"`
}

// CapabilityView is what a service can do.
type CapabilityView struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Choose bool   `json:"canchooseservicecapability"`
}

// ProviderView is who gives a service.
type ProviderView struct {
	Name       string   `json:"name"`
	ID         string   `json:"id"`
	PhysicalID string   `json:"physicalnetworkid"`
	ToID       string   `json:"destinationphysicalnetworkid"`
	Single     bool     `json:"canenableindividualservice"`
	Services   []string `json:"servicelist"`
	State      string   `json:"state"`
}

// served is the provider of a service, as offerings show it.
func served(services ...string) []ProviderView {
	return []ProviderView{{Name: provider, Single: true, Services: services, State: "Enabled"}}
}

func (o Offering) services() []ServiceView {
	out := []ServiceView{}
	for _, k := range known {
		if o.Has(k.name) {
			out = append(out, ServiceView{k.name, k.capabilities, served(k.name)})
		}
	}
	return out
}

// Scope hides from tenants the offerings of other domains.
func (Offering) Scope(a store.Actor) clause.Expression {
	if a.IsSystem() || a.Rank == store.Admin {
		return nil
	}
	return infra.ForDomains(a, "domain_ids")
}

// OfferingView is a network offering as commands return it.
type OfferingView struct {
	SortKey        int               `json:"-"` // for pages: the API has no such field
	ID             string            `json:"id"`
	Name           string            `json:"name"`
	DisplayText    string            `json:"displaytext"`
	TrafficType    string            `json:"traffictype"`
	GuestType      string            `json:"guestiptype"`
	State          string            `json:"state"`
	Availability   string            `json:"availability"`
	Default        bool              `json:"isdefault"`
	ForVPC         bool              `json:"forvpc"`
	Conserve       bool              `json:"conservemode"`
	EgressAllow    bool              `json:"egressdefaultpolicy"`
	SpecifyVLAN    bool              `json:"specifyvlan"`
	SpecifyRanges  bool              `json:"specifyipranges"`
	Persistent     bool              `json:"ispersistent"`
	NetworkRate    int               `json:"networkrate"`
	MaxConnections int               `json:"maxconnections,omitempty"`
	Tags           string            `json:"tags"`
	DomainIDs      string            `json:"domainid"`
	Domains        string            `json:"domain"`
	ZoneIDs        string            `json:"zoneid"`
	Zones          string            `json:"zone"`
	Services       []ServiceView     `json:"service"`
	Created        command.Time      `json:"created"`
	Protocol       string            `json:"internetprotocol"`
	InternalLB     bool              `json:"supportsinternallb"`
	PublicAccess   bool              `json:"supportspublicaccess"`
	Stretched      bool              `json:"supportsstrechedl2subnet"`
	Annotations    bool              `json:"hasannotations"`
	Details        map[string]string `json:"details"`
	NetworkMode    string            `json:"networkmode"`
	RoutingMode    string            `json:"routingmode"`
	SizeID         string            `json:"serviceofferingid"`
	ForNSX         bool              `json:"fornsx"`
	ForTungsten    bool              `json:"fortungsten"`
	SpecifyAS      bool              `json:"specifyasnumber"`
}

func (s *Service) offeringViews(ctx context.Context, list []Offering) ([]OfferingView, error) {
	var domainIDs, zoneIDs []string
	for _, o := range list {
		domainIDs, zoneIDs = append(domainIDs, infra.Listed(o.DomainIDs)...), append(zoneIDs, infra.Listed(o.ZoneIDs)...)
	}
	domains, err := store.Names[iam.Domain](ctx, s.db, domainIDs)
	if err != nil {
		return nil, err
	}
	zones, err := store.Names[infra.Zone](ctx, s.db, zoneIDs)
	if err != nil {
		return nil, err
	}
	out := make([]OfferingView, len(list))
	for i, o := range list {
		out[i] = OfferingView{
			ID: o.ID, Name: o.Name, DisplayText: o.DisplayText, TrafficType: o.TrafficType, GuestType: o.GuestType, State: o.State,
			Availability: o.Availability, Default: o.IsDefault, ForVPC: o.ForVPC, Conserve: o.Conserve, EgressAllow: o.EgressAllow,
			SpecifyVLAN: o.SpecifyVLAN, SpecifyRanges: o.SpecifyRanges, Persistent: o.Persistent, NetworkRate: o.NetworkRate,
			MaxConnections: o.MaxConnections, Tags: o.Tags, DomainIDs: o.DomainIDs, Domains: infra.Called(domains, o.DomainIDs), ZoneIDs: o.ZoneIDs,
			Zones: infra.Called(zones, o.ZoneIDs), Services: o.services(), Created: command.Time{Time: o.CreatedAt}, Protocol: "IPv4",
			SortKey: o.SortKey, Details: infra.Details(o.Details), NetworkMode: "NATTED",
		}
	}
	return out, nil
}

func (s *Service) offeringView(ctx context.Context, id string) (OfferingView, error) {
	o, err := store.Find[Offering](ctx, s.db, id)
	if err != nil {
		return OfferingView{}, err
	}
	views, err := s.offeringViews(ctx, []Offering{o})
	if err != nil {
		return OfferingView{}, err
	}
	return views[0], nil
}

func offeringMeta(name, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: "networkoffering", Event: event, Roles: command.Admin, Doc: doc}
}

// OfferingRequest names a network offering.
type OfferingRequest struct {
	ID string `json:"id" ref:"networkoffering" required:"true" doc:"the offering"`
}

func (s *Service) deleteOfferingCommand() *command.Command {
	m := offeringMeta("deleteNetworkOffering", "NETWORK.OFFERING.DELETE", "Removes a network offering that no network uses")
	m.Object = ""
	return command.New(m, func(ctx context.Context, r OfferingRequest) (command.Success, error) {
		o, err := find[Offering](ctx, s, "id", r.ID)
		if err != nil {
			return command.Success{}, err
		}
		if o.IsDefault {
			return command.Success{}, fault.Param("id", "error.offering_default", "name", o.Name)
		}
		n, err := gorm.G[Network](s.db.In(ctx)).Where("offering_id = ?", o.ID).Count(ctx, "id")
		if err != nil {
			return command.Success{}, err
		}
		if n > 0 {
			return command.Success{}, fault.Param("id", "error.holds.networks", "name", o.Name, "n", n)
		}
		_, err = gorm.G[Offering](s.db.In(ctx)).Where("id = ?", o.ID).Delete(ctx)
		return command.OK, err
	})
}

// ListOfferingsRequest asks for network offerings.
type ListOfferingsRequest struct {
	command.Paging
	ID            string   `json:"id" ref:"networkoffering" doc:"the offering"`
	Name          string   `json:"name" doc:"name of the offering, as a whole"`
	DisplayText   string   `json:"displaytext" doc:"description, as a whole"`
	State         string   `json:"state" doc:"Enabled or Disabled"`
	GuestType     string   `json:"guestiptype" doc:"Isolated, Shared or L2"`
	TrafficType   string   `json:"traffictype" doc:"Guest"`
	Availability  string   `json:"availability" doc:"Optional or Required"`
	IsDefault     *bool    `json:"isdefault" doc:"whether Aerie brought it"`
	ForVPC        *bool    `json:"forvpc" doc:"whether it is for tiers of a VPC"`
	SpecifyVLAN   *bool    `json:"specifyvlan" doc:"whether networks of it name their VLAN"`
	SpecifyRanges *bool    `json:"specifyipranges" doc:"whether networks of it name their addresses"`
	Tagged        *bool    `json:"istagged" doc:"whether it has tags"`
	SourceNAT     *bool    `json:"sourcenatsupported" doc:"whether it has source NAT"`
	Services      []string `json:"supportedservices" doc:"services that it must have"`
	Tags          string   `json:"tags" max:"4096" doc:"the tags"`
	ZoneID        string   `json:"zoneid" ref:"zone" doc:"those that can be used in the zone"`
	DomainID      string   `json:"domainid" ref:"domain" doc:"those of the domain"`
	NetworkID     string   `json:"networkid" ref:"network" doc:"those that the network can change to"`
	RoutingMode   string   `json:"routingmode" doc:"Static or Dynamic routing, which there is not"`
}

func (s *Service) listOfferingsCommand() *command.Command {
	m := offeringMeta("listNetworkOfferings", "", "Lists network offerings")
	m.Roles = command.Everyone
	return command.New(m, func(ctx context.Context, r ListOfferingsRequest) (command.List[OfferingView], error) {
		list, n, err := command.Rows[Offering](r.Search(s.offeringFilter(ctx, r), "name", "display_text"), r.Paging, "sort_key, name, id")
		if err != nil {
			return command.List[OfferingView]{}, err
		}
		views, err := s.offeringViews(ctx, list)
		return command.List[OfferingView]{Count: n, Items: views}, err
	})
}

func (s *Service) offeringFilter(ctx context.Context, r ListOfferingsRequest) *gorm.DB {
	q := command.Equal(s.db.In(ctx).Model(&Offering{}), "id", r.ID)
	if !isAdmin(ctx) && r.ID == "" {
		r.State = "Enabled"
	}
	for column, v := range map[string]string{
		"name": r.Name, "display_text": r.DisplayText, "state": r.State, "guest_type": r.GuestType,
		"traffic_type": r.TrafficType, "availability": r.Availability, "tags": r.Tags,
	} {
		q = command.Named(q, column, v)
	}
	for column, v := range map[string]*bool{"is_default": r.IsDefault, "for_vpc": r.ForVPC, "specify_vlan": r.SpecifyVLAN, "specify_ranges": r.SpecifyRanges} {
		if v != nil {
			q = q.Where(column+" = ?", *v)
		}
	}
	if r.RoutingMode != "" {
		q = q.Where("1 = 0")
	}
	for _, service := range r.Services {
		q = q.Where("services LIKE ? ESCAPE '!'", store.Contains(service))
	}
	if r.SourceNAT != nil {
		q = q.Where(map[bool]string{true: "services LIKE ?", false: "services NOT LIKE ?"}[*r.SourceNAT], "%SourceNat%")
	}
	if r.Tagged != nil {
		q = q.Where(map[bool]string{true: "tags <> ?", false: "tags = ?"}[*r.Tagged], "")
	}
	for column, id := range map[string]string{"zone_ids": r.ZoneID, "domain_ids": r.DomainID} {
		if id != "" && id != "-1" {
			q = q.Where("("+column+" = '' OR "+column+" LIKE ?)", "%"+id+"%")
		}
	}
	if r.NetworkID != "" {
		q = q.Where("state = ? AND guest_type IN (?)", "Enabled", s.db.In(ctx).Model(&Network{}).Where("id = ?", r.NetworkID).Select("guest_type"))
	}
	return q
}
