package network

import (
	"context"
	"slices"
	"strings"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/infra"
	"aerie/services/store"
)

// CreateOfferingRequest is a new network offering.
type CreateOfferingRequest struct {
	Name           string              `json:"name" required:"true" doc:"name of the offering"`
	DisplayText    string              `json:"displaytext" doc:"description; the name without it"`
	GuestType      string              `json:"guestiptype" required:"true" enum:"Isolated" doc:"Isolated"`
	TrafficType    string              `json:"traffictype" required:"true" enum:"Guest,GUEST" doc:"Guest"`
	Services       []string            `json:"supportedservices" doc:"services of the network: Dhcp, Dns, UserData, SourceNat"`
	Providers      map[string]string   `json:"serviceproviderlist" doc:"who gives each service: VirtualRouter"`
	Availability   string              `json:"availability" enum:"Optional,Required" doc:"Required: accounts get a network of it with their first instance"`
	Conserve       *bool               `json:"conservemode" doc:"whether one public address may serve several purposes"`
	EgressAllow    bool                `json:"egressdefaultpolicy" doc:"true lets guests out unless a rule forbids"`
	Persistent     bool                `json:"ispersistent" doc:"true keeps the router though no instance runs"`
	NetworkRate    int                 `json:"networkrate" min:"0" doc:"rate in Mbit/s"`
	MaxConnections int                 `json:"maxconnections" min:"0" doc:"most connections of a load balancer"`
	Tags           string              `json:"tags" max:"4096" doc:"tags that a physical network must carry"`
	Enable         bool                `json:"enable" doc:"true makes the offering Enabled at once"`
	DomainIDs      []string            `json:"domainid" ref:"domain" doc:"the domains that may use it; all without"`
	ZoneIDs        []string            `json:"zoneid" ref:"zone" doc:"the zones in which it may be used; all without"`
	Capabilities   []map[string]string `json:"servicecapabilitylist" doc:"a service, a capability and its value: those that the services have"`
	Details        map[string]string   `json:"details" doc:"free details of the offering"`
	Protocol       string              `json:"internetprotocol" enum:"IPv4" doc:"IPv4"`
	NetworkMode    string              `json:"networkmode" enum:"NATTED" doc:"NATTED"`

	offeringLater
}

// offeringLater are parameters of network offerings for what is not there.
type offeringLater struct {
	ForVPC        bool   `json:"forvpc" doc:"not supported yet"`
	SpecifyVLAN   bool   `json:"specifyvlan" doc:"not supported yet"`
	SpecifyRanges bool   `json:"specifyipranges" doc:"not supported yet"`
	KeepAlive     bool   `json:"keepaliveenabled" doc:"refused: there are no load balancers yet"`
	RoutingMode   string `json:"routingmode" doc:"refused: networks are behind NAT"`
	SpecifyAS     bool   `json:"specifyasnumber" doc:"refused: networks are behind NAT"`
	SizeID        string `json:"serviceofferingid" type:"uuid" doc:"refused: routers are no machines here and have no size"`
	ForNSX        bool   `json:"fornsx" doc:"refused: there is no NSX"`
	NSXLB         bool   `json:"nsxsupportlb" doc:"refused: there is no NSX"`
	NSXInternalLB bool   `json:"nsxsupportsinternallb" doc:"refused: there is no NSX"`
	ForTungsten   bool   `json:"fortungsten" doc:"refused: there is no Tungsten Fabric"`
	Provider      string `json:"provider" doc:"refused: there are no network controllers"`
}

func (l offeringLater) check() error {
	for _, p := range []struct {
		name, key string
		asked     bool
	}{
		{"forvpc", "error.not_yet", l.ForVPC},
		{"specifyvlan", "error.not_yet", l.SpecifyVLAN},
		{"specifyipranges", "error.not_yet", l.SpecifyRanges},
		{"keepaliveenabled", "error.not_yet", l.KeepAlive},
		{"routingmode", "error.no_routing", l.RoutingMode != ""},
		{"specifyasnumber", "error.no_routing", l.SpecifyAS},
		{"serviceofferingid", "error.no_router_size", l.SizeID != ""},
		{"fornsx", "error.no_controller", l.ForNSX},
		{"nsxsupportlb", "error.no_controller", l.NSXLB},
		{"nsxsupportsinternallb", "error.no_controller", l.NSXInternalLB},
		{"fortungsten", "error.no_controller", l.ForTungsten},
		{"provider", "error.no_controller", l.Provider != ""},
	} {
		if p.asked {
			return fault.Param(p.name, p.key)
		}
	}
	return nil
}

func (s *Service) createOfferingCommand() *command.Command {
	return command.New(offeringMeta("createNetworkOffering", "NETWORK.OFFERING.CREATE", "Adds a network offering"),
		func(ctx context.Context, r CreateOfferingRequest) (OfferingView, error) {
			services, err := r.services()
			if err != nil {
				return OfferingView{}, err
			}
			if err := hasCapabilities(services, r.Capabilities); err != nil {
				return OfferingView{}, err
			}
			details, err := infra.KeepDetails("details", r.Details)
			if err != nil {
				return OfferingView{}, err
			}
			o := Offering{
				Row: store.Row{ID: s.db.NewID()}, Name: r.Name, DisplayText: or(r.DisplayText, r.Name), TrafficType: "Guest",
				GuestType: r.GuestType, State: "Disabled", Availability: or(r.Availability, "Optional"), Conserve: r.Conserve == nil || *r.Conserve,
				EgressAllow: r.EgressAllow, Persistent: r.Persistent, NetworkRate: r.NetworkRate, MaxConnections: r.MaxConnections, Tags: infra.CleanTags(r.Tags), Details: details,
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
	if err := r.offeringLater.check(); err != nil {
		return nil, err
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

// hasCapabilities refuses a capability that the services do not have: theirs
// are fixed.
func hasCapabilities(services []string, asked []map[string]string) error {
	for _, a := range asked {
		service, name, value := a["service"], a["capabilitytype"], a["capabilityvalue"]
		ok := false
		for _, k := range known {
			if !strings.EqualFold(k.name, service) || !slices.Contains(services, k.name) {
				continue
			}
			ok = slices.ContainsFunc(k.capabilities, func(c CapabilityView) bool {
				return strings.EqualFold(c.Name, name) && strings.EqualFold(c.Value, value)
			})
		}
		if !ok {
			return fault.Param("servicecapabilitylist", "error.capability", "service", service, "name", name, "value", value)
		}
	}
	return nil
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
