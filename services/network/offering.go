package network

import (
	"context"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/label"
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
	Name string `json:"name"`
}

func (o Offering) services() []ServiceView {
	out := []ServiceView{}
	for _, k := range known {
		if o.Has(k.name) {
			out = append(out, ServiceView{k.name, k.capabilities, []ProviderView{{provider}}})
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
}

func (s *Service) offeringViews(ctx context.Context, list []Offering) ([]OfferingView, error) {
	var domainIDs, zoneIDs []string
	for _, o := range list {
		domainIDs, zoneIDs = append(domainIDs, split(o.DomainIDs)...), append(zoneIDs, split(o.ZoneIDs)...)
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
			MaxConnections: o.MaxConnections, Tags: o.Tags, DomainIDs: o.DomainIDs, Domains: named(domains, o.DomainIDs), ZoneIDs: o.ZoneIDs,
			Zones: named(zones, o.ZoneIDs), Services: o.services(), Created: command.Time{Time: o.CreatedAt}, Protocol: "IPv4",
		}
	}
	return out, label.Fill(ctx, s.db, out, label.Want{Notes: true, Details: true}, func(v *OfferingView) string { return v.ID }, func(v *OfferingView, l label.Shown) {
		v.Annotations = l.Noted(v.ID)
		v.Details = l.Details(v.ID, v.Details)
	})
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

// split is a stored list of ids.
func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}

// named is a stored list of ids as a list of names.
func named(names map[string]string, list string) string {
	var out []string
	for _, id := range split(list) {
		out = append(out, names[id])
	}
	return strings.Join(out, ",")
}

func offeringMeta(name, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: "networkoffering", Event: event, Roles: command.Admin, Doc: doc}
}

// CreateOfferingRequest is a new network offering.
type CreateOfferingRequest struct {
	Name           string            `json:"name" required:"true" doc:"name of the offering"`
	DisplayText    string            `json:"displaytext" doc:"description; the name without it"`
	GuestType      string            `json:"guestiptype" required:"true" enum:"Isolated" doc:"Isolated"`
	TrafficType    string            `json:"traffictype" required:"true" enum:"Guest,GUEST" doc:"Guest"`
	Services       []string          `json:"supportedservices" doc:"services of the network: Dhcp, Dns, UserData, SourceNat"`
	Providers      map[string]string `json:"serviceproviderlist" doc:"who gives each service: VirtualRouter"`
	Availability   string            `json:"availability" enum:"Optional,Required" doc:"Required: accounts get a network of it with their first instance"`
	Conserve       *bool             `json:"conservemode" doc:"whether one public address may serve several purposes"`
	EgressAllow    bool              `json:"egressdefaultpolicy" doc:"true lets guests out unless a rule forbids"`
	Persistent     bool              `json:"ispersistent" doc:"true keeps the router though no instance runs"`
	NetworkRate    int               `json:"networkrate" min:"0" doc:"rate in Mbit/s"`
	MaxConnections int               `json:"maxconnections" min:"0" doc:"most connections of a load balancer"`
	Tags           string            `json:"tags" max:"4096" doc:"tags that a physical network must carry"`
	Enable         bool              `json:"enable" doc:"true makes the offering Enabled at once"`
	DomainIDs      []string          `json:"domainid" ref:"domain" doc:"the domains that may use it; all without"`
	ZoneIDs        []string          `json:"zoneid" ref:"zone" doc:"the zones in which it may be used; all without"`
	ForVPC         bool              `json:"forvpc" doc:"not supported yet"`
	SpecifyVLAN    bool              `json:"specifyvlan" doc:"not supported yet"`
	SpecifyRanges  bool              `json:"specifyipranges" doc:"not supported yet"`
}

func (s *Service) createOfferingCommand() *command.Command {
	return command.New(offeringMeta("createNetworkOffering", "NETWORK.OFFERING.CREATE", "Adds a network offering"),
		func(ctx context.Context, r CreateOfferingRequest) (OfferingView, error) {
			services, err := r.services()
			if err != nil {
				return OfferingView{}, err
			}
			o := Offering{
				Row: store.Row{ID: s.db.NewID()}, Name: r.Name, DisplayText: or(r.DisplayText, r.Name), TrafficType: "Guest",
				GuestType: r.GuestType, State: "Disabled", Availability: or(r.Availability, "Optional"), Conserve: r.Conserve == nil || *r.Conserve,
				EgressAllow: r.EgressAllow, Persistent: r.Persistent, NetworkRate: r.NetworkRate, MaxConnections: r.MaxConnections, Tags: r.Tags,
				Services: strings.Join(services, ","), DomainIDs: strings.Join(r.DomainIDs, ","), ZoneIDs: strings.Join(r.ZoneIDs, ","),
			}
			if r.Enable {
				o.State = "Enabled"
			}
			if err := s.offeringRules(ctx, o); err != nil {
				return OfferingView{}, err
			}
			if err := gorm.G[Offering](s.db.In(ctx)).Create(ctx, &o); err != nil {
				return OfferingView{}, err
			}
			return s.offeringView(ctx, o.ID)
		})
}

// services are the names of the services asked for, as lists write them.
func (r CreateOfferingRequest) services() ([]string, error) {
	for param, asked := range map[string]bool{"forvpc": r.ForVPC, "specifyvlan": r.SpecifyVLAN, "specifyipranges": r.SpecifyRanges} {
		if asked {
			return nil, fault.Param(param, "error.not_yet")
		}
	}
	asked := slices.Clone(r.Services)
	for service, by := range r.Providers {
		if !strings.EqualFold(by, provider) {
			return nil, fault.Param("serviceproviderlist", "error.provider", "value", by, "service", service, "want", provider)
		}
		asked = append(asked, service)
	}
	if len(asked) == 0 {
		return nil, fault.Param("supportedservices", "error.no_services", "values", strings.Join(knownNames(), ", "))
	}
	var out []string
	for _, name := range knownNames() {
		if slices.ContainsFunc(asked, func(a string) bool { return strings.EqualFold(a, name) }) {
			out = append(out, name)
		}
	}
	for _, a := range asked {
		if !slices.ContainsFunc(out, func(name string) bool { return strings.EqualFold(a, name) }) {
			return nil, fault.Param("supportedservices", "error.service_not_yet", "value", a, "values", strings.Join(knownNames(), ", "))
		}
	}
	return out, nil
}

// offeringRules: names are told apart, and only one offering is what accounts
// get without asking.
func (s *Service) offeringRules(ctx context.Context, o Offering) error {
	var twins []Offering
	q := s.db.In(ctx).Where("id <> ?", o.ID)
	if err := command.Named(q.Session(&gorm.Session{}), "name", o.Name).Limit(1).Find(&twins).Error; err != nil {
		return err
	}
	if len(twins) > 0 {
		return fault.Param("name", "error.name_taken", "value", o.Name)
	}
	if o.Availability != "Required" {
		return nil
	}
	if err := q.Session(&gorm.Session{}).Where("availability = ?", "Required").Limit(1).Find(&twins).Error; err != nil {
		return err
	}
	if len(twins) > 0 {
		return fault.Param("availability", "error.required_twice", "name", twins[0].Name)
	}
	return nil
}

// UpdateOfferingRequest changes what may change of a network offering.
type UpdateOfferingRequest struct {
	ID             string  `json:"id" ref:"networkoffering" doc:"the offering"`
	Name           string  `json:"name" doc:"name of the offering"`
	DisplayText    string  `json:"displaytext" doc:"description"`
	State          string  `json:"state" enum:"Enabled,Disabled" doc:"whether new networks may be made of it"`
	Availability   string  `json:"availability" enum:"Optional,Required" doc:"Required: accounts get a network of it with their first instance"`
	MaxConnections *int    `json:"maxconnections" min:"0" doc:"most connections of a load balancer"`
	Tags           *string `json:"tags" max:"4096" doc:"tags that a physical network must carry"`
	DomainIDs      string  `json:"domainid" doc:"the domains that may use it, or public"`
	ZoneIDs        string  `json:"zoneid" max:"4096" doc:"the zones in which it may be used, or all"`
}

func (s *Service) updateOfferingCommand() *command.Command {
	return command.New(offeringMeta("updateNetworkOffering", "NETWORK.OFFERING.EDIT", "Changes a network offering"), s.updateOffering)
}

func (s *Service) updateOffering(ctx context.Context, r UpdateOfferingRequest) (OfferingView, error) {
	if r.ID == "" {
		return OfferingView{}, fault.Param("id", "error.required", "command", "updatenetworkoffering")
	}
	before, err := find[Offering](ctx, s, "id", r.ID)
	if err != nil {
		return OfferingView{}, err
	}
	o := before
	o.Name, o.DisplayText = or(r.Name, o.Name), or(r.DisplayText, o.DisplayText)
	o.Availability = or(r.Availability, o.Availability)
	if err := s.offeringRules(ctx, o); err != nil {
		return OfferingView{}, err
	}
	set := map[string]any{"name": o.Name, "display_text": o.DisplayText, "availability": o.Availability, "state": or(r.State, before.State)}
	if r.MaxConnections != nil {
		set["max_connections"] = *r.MaxConnections
	}
	if r.Tags != nil {
		set["tags"] = *r.Tags
	}
	if r.DomainIDs != "" {
		if set["domain_ids"], err = ids[iam.Domain](ctx, s.db, "domainid", r.DomainIDs, "public"); err != nil {
			return OfferingView{}, err
		}
	}
	if r.ZoneIDs != "" {
		if set["zone_ids"], err = ids[infra.Zone](ctx, s.db, "zoneid", r.ZoneIDs, "all"); err != nil {
			return OfferingView{}, err
		}
	}
	if err := s.db.In(ctx).Model(&Offering{}).Where("id = ?", r.ID).Updates(set).Error; err != nil {
		return OfferingView{}, err
	}
	after, err := s.offeringView(ctx, r.ID)
	command.Changed(ctx, map[string]any{"name": before.Name, "displaytext": before.DisplayText, "state": before.State, "availability": before.Availability},
		map[string]any{"name": after.Name, "displaytext": after.DisplayText, "state": after.State, "availability": after.Availability})
	return after, err
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
		if _, err = gorm.G[Offering](s.db.In(ctx)).Where("id = ?", o.ID).Delete(ctx); err != nil {
			return command.Success{}, err
		}
		return command.OK, label.Drop(ctx, s.db, o.ID)
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
}

func (s *Service) listOfferingsCommand() *command.Command {
	m := offeringMeta("listNetworkOfferings", "", "Lists network offerings")
	m.Roles = command.Everyone
	return command.New(m, func(ctx context.Context, r ListOfferingsRequest) (command.List[OfferingView], error) {
		list, n, err := command.Rows[Offering](r.Search(s.offeringFilter(ctx, r), "name", "display_text"), r.Paging, "name, id")
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

// ids reads a list of ids, or the word that stands for no limit.
func ids[T any](ctx context.Context, db *store.DB, param, list, all string) (string, error) {
	if strings.EqualFold(strings.TrimSpace(list), all) {
		return "", nil
	}
	var out []string
	for id := range strings.SplitSeq(list, ",") {
		id = strings.TrimSpace(id)
		if _, err := store.Find[T](ctx, db, id); err != nil {
			if store.IsAbsent(err) {
				err = fault.Absent(param, id)
			}
			return "", err
		}
		out = append(out, id)
	}
	return strings.Join(out, ","), nil
}
