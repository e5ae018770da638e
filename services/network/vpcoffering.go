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
	"aerie/services/job"
	"aerie/services/store"
)

// VPCOffering says what a VPC can do.
type VPCOffering struct {
	store.Row
	Name        string
	DisplayText string
	State       string // "Enabled", "Disabled"
	IsDefault   bool
	Services    string // comma-separated names
	DomainIDs   string `gorm:"column:domain_ids"`
	ZoneIDs     string `gorm:"column:zone_ids"`
	SortKey     int
}

// TableName is the offerings' table.
func (VPCOffering) TableName() string { return "vpc_offerings" }

// Scope hides from tenants the offerings of other domains.
func (VPCOffering) Scope(a store.Actor) clause.Expression {
	if a.IsSystem() || a.Rank == store.Admin {
		return nil
	}
	return infra.ForDomains(a, "domain_ids")
}

// vpcServices are what VPCs can be offered with, in the order of lists.
var vpcServices = []string{
	"SourceNat", "NetworkACL", "PortForwarding", "StaticNat", "Lb", "UserData", "Dhcp", "Dns", "Vpn", "Connectivity", "Gateway",
}

// VPCOfferingView is a VPC offering as commands return it.
type VPCOfferingView struct {
	SortKey     int           `json:"-"` // for pages: the API has no such field
	ID          string        `json:"id"`
	Name        string        `json:"name"`
	DisplayText string        `json:"displaytext"`
	State       string        `json:"state"`
	Default     bool          `json:"isdefault"`
	Services    []ServiceView `json:"service"`
	Created     command.Time  `json:"created"`
	DomainIDs   string        `json:"domainid"`
	Domains     string        `json:"domain"`
	ZoneIDs     string        `json:"zoneid"`
	Zones       string        `json:"zone"`
	Distributed bool          `json:"distributedvpcrouter"`
	Region      bool          `json:"supportsregionLevelvpc"`
	Protocol    string        `json:"internetprotocol"`
	NetworkMode string        `json:"networkmode"`
	RoutingMode string        `json:"routingmode"`
	SpecifyAS   bool          `json:"specifyasnumber"`
	ForNSX      bool          `json:"fornsx"`
}

func (s *Service) vpcOfferingViews(ctx context.Context, list []VPCOffering) ([]VPCOfferingView, error) {
	var domainIDs, zoneIDs []string
	for _, o := range list {
		domainIDs, zoneIDs = append(domainIDs, infra.Listed(o.DomainIDs)...), append(zoneIDs, infra.Listed(o.ZoneIDs)...)
	}
	names, err := store.NamesOf(ctx, s.db, store.Some{Model: &iam.Domain{}, IDs: domainIDs}, store.Some{Model: &infra.Zone{}, IDs: zoneIDs})
	out := make([]VPCOfferingView, len(list))
	for i, o := range list {
		out[i] = VPCOfferingView{
			ID: o.ID, Name: o.Name, DisplayText: o.DisplayText, State: o.State, Default: o.IsDefault, Services: []ServiceView{},
			Created: command.Time{Time: o.CreatedAt}, DomainIDs: o.DomainIDs, Domains: infra.Called(names, o.DomainIDs), ZoneIDs: o.ZoneIDs,
			Zones: infra.Called(names, o.ZoneIDs), Protocol: "IPv4", NetworkMode: "NATTED", SortKey: o.SortKey,
		}
		for _, name := range infra.Listed(o.Services) {
			out[i].Services = append(out[i].Services, ServiceView{Name: name, Providers: []ProviderView{{Name: vpcProvider, Single: true, Services: []string{name}, State: "Enabled"}}})
		}
	}
	return out, err
}

// vpcProvider is who serves VPCs.
const vpcProvider = "VpcVirtualRouter"

func (s *Service) vpcOfferingView(ctx context.Context, id string) (VPCOfferingView, error) {
	o, err := store.Find[VPCOffering](ctx, s.db, id)
	if err != nil {
		return VPCOfferingView{}, err
	}
	views, err := s.vpcOfferingViews(ctx, []VPCOffering{o})
	if err != nil {
		return VPCOfferingView{}, err
	}
	return views[0], nil
}

func vpcOfferingMeta(name, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: "vpcoffering", Event: event, Roles: command.Admin, Doc: doc}
}

// CreateVPCOfferingRequest is a new VPC offering.
type CreateVPCOfferingRequest struct {
	Name         string              `json:"name" required:"true" doc:"name of the offering"`
	DisplayText  string              `json:"displaytext" max:"4096" doc:"description; the name without it"`
	Services     []string            `json:"supportedservices" doc:"services of the VPC"`
	Providers    map[string]string   `json:"serviceproviderlist" doc:"who gives each service: VpcVirtualRouter"`
	Capabilities []map[string]string `json:"servicecapabilitylist" doc:"refused: the services have no capabilities to choose"`
	DomainIDs    []string            `json:"domainid" ref:"domain" doc:"the domains that may use it; all without"`
	ZoneIDs      []string            `json:"zoneid" ref:"zone" doc:"the zones in which it may be used; all without"`
	Enable       bool                `json:"enable" doc:"refused: VPCs cannot be made yet, so the offering waits disabled"`
	Protocol     string              `json:"internetprotocol" enum:"IPv4" doc:"IPv4"`
	NetworkMode  string              `json:"networkmode" enum:"NATTED" doc:"NATTED"`
	RoutingMode  string              `json:"routingmode" doc:"refused: networks are behind NAT"`
	SpecifyAS    bool                `json:"specifyasnumber" doc:"refused: networks are behind NAT"`
	SizeID       string              `json:"serviceofferingid" type:"uuid" doc:"refused: routers are no machines here and have no size"`
	ForNSX       bool                `json:"fornsx" doc:"refused: there is no NSX"`
	NSXLB        bool                `json:"nsxsupportlb" doc:"refused: there is no NSX"`
	Provider     string              `json:"provider" doc:"refused: there are no network controllers"`
}

func (r CreateVPCOfferingRequest) check() error {
	later := offeringLater{RoutingMode: r.RoutingMode, SpecifyAS: r.SpecifyAS, SizeID: r.SizeID, ForNSX: r.ForNSX, NSXLB: r.NSXLB, Provider: r.Provider}
	switch {
	case r.Enable:
		return fault.Param("enable", "error.vpc_not_yet")
	case len(r.Capabilities) > 0:
		c := r.Capabilities[0]
		return fault.Param("servicecapabilitylist", "error.capability", "service", c["service"], "name", c["capabilitytype"], "value", c["capabilityvalue"])
	}
	return later.check()
}

// services are the names of the services asked for, as lists write them.
func (r CreateVPCOfferingRequest) services() ([]string, error) {
	asked := slices.Clone(r.Services)
	for service, by := range r.Providers {
		if !strings.EqualFold(by, vpcProvider) {
			return nil, fault.Param("serviceproviderlist", "error.provider", "value", by, "service", service, "want", vpcProvider)
		}
		asked = append(asked, service)
	}
	if len(asked) == 0 {
		return nil, fault.Param("supportedservices", "error.no_services", "values", strings.Join(vpcServices, ", "))
	}
	var out []string
	for _, name := range vpcServices {
		if slices.ContainsFunc(asked, func(a string) bool { return strings.EqualFold(a, name) }) {
			out = append(out, name)
		}
	}
	for _, a := range asked {
		if !slices.ContainsFunc(out, func(name string) bool { return strings.EqualFold(a, name) }) {
			return nil, fault.Param("supportedservices", "error.service_not_yet", "value", a, "values", strings.Join(vpcServices, ", "))
		}
	}
	return out, nil
}

// written is the state of the saga of commands that are jobs by their contract
// though rows are all they change, which is done when the job is accepted.
type written struct{ ID string }

func (s *Service) defineWritten() {
	job.Define(s.jobs, "network.written", job.Commit("written", func(context.Context, *written) error { return nil }, nil))
}

func (o VPCOffering) written() job.Spec {
	return job.Spec{Kind: "network.written", Object: "VpcOffering", ObjectID: o.ID, State: written{o.ID}}
}

func (s *Service) createVPCOfferingCommand() *command.Command {
	m := vpcOfferingMeta("createVPCOffering", "VPC.OFFERING.CREATE", "Adds a VPC offering, disabled")
	m.Create = true
	return command.Async(m, func(ctx context.Context, r CreateVPCOfferingRequest) (job.Spec, error) {
		if err := r.check(); err != nil {
			return job.Spec{}, err
		}
		services, err := r.services()
		if err != nil {
			return job.Spec{}, err
		}
		o := VPCOffering{
			Row: store.Row{ID: s.db.NewID()}, Name: r.Name, DisplayText: or(r.DisplayText, r.Name), State: "Disabled",
			Services: strings.Join(services, ","), DomainIDs: strings.Join(r.DomainIDs, ","), ZoneIDs: strings.Join(r.ZoneIDs, ","),
		}
		if err := s.freeVPCName(ctx, o); err != nil {
			return job.Spec{}, err
		}
		return o.written(), gorm.G[VPCOffering](s.db.In(ctx)).Create(ctx, &o)
	}, s.vpcOfferingView)
}

func (s *Service) freeVPCName(ctx context.Context, o VPCOffering) error {
	var n int64
	err := command.Named(s.db.In(ctx).Model(&VPCOffering{}).Where("id <> ?", o.ID), "name", o.Name).Count(&n).Error
	if err == nil && n > 0 {
		err = fault.Param("name", "error.name_taken", "value", o.Name)
	}
	return err
}

// UpdateVPCOfferingRequest changes what may change of a VPC offering.
type UpdateVPCOfferingRequest struct {
	ID          string `json:"id" ref:"vpcoffering" required:"true" doc:"the offering"`
	Name        string `json:"name" doc:"name of the offering"`
	DisplayText string `json:"displaytext" max:"4096" doc:"description"`
	State       string `json:"state" enum:"Enabled,Disabled" doc:"Disabled; VPCs cannot be made yet"`
	SortKey     *int   `json:"sortkey" doc:"place in lists: the least comes first"`
	DomainIDs   string `json:"domainid" max:"4096" doc:"the domains that may use it, or public"`
	ZoneIDs     string `json:"zoneid" max:"4096" doc:"the zones in which it may be used, or all"`
}

func (s *Service) updateVPCOfferingCommand() *command.Command {
	return command.Async(vpcOfferingMeta("updateVPCOffering", "VPC.OFFERING.UPDATE", "Changes a VPC offering"), s.updateVPCOffering, s.vpcOfferingView)
}

func (s *Service) updateVPCOffering(ctx context.Context, r UpdateVPCOfferingRequest) (job.Spec, error) {
	o, err := find[VPCOffering](ctx, s, "id", r.ID)
	if err != nil {
		return job.Spec{}, err
	}
	if r.State == "Enabled" && o.State != "Enabled" {
		return job.Spec{}, fault.Param("state", "error.vpc_not_yet")
	}
	set := map[string]any{}
	for column, v := range map[string]string{"name": r.Name, "display_text": r.DisplayText, "state": r.State} {
		if v != "" {
			set[column] = v
		}
	}
	if r.Name != "" {
		o.Name = r.Name
		if err := s.freeVPCName(ctx, o); err != nil {
			return job.Spec{}, err
		}
	}
	if r.SortKey != nil {
		set["sort_key"] = *r.SortKey
	}
	if r.DomainIDs != "" {
		if set["domain_ids"], err = infra.List[iam.Domain](ctx, s.db, "domainid", r.DomainIDs, "public"); err != nil {
			return job.Spec{}, err
		}
	}
	if r.ZoneIDs != "" {
		if set["zone_ids"], err = infra.List[infra.Zone](ctx, s.db, "zoneid", r.ZoneIDs, "all"); err != nil {
			return job.Spec{}, err
		}
	}
	if len(set) > 0 {
		err = s.db.In(ctx).Model(&VPCOffering{}).Where("id = ?", o.ID).Updates(set).Error
	}
	return o.written(), err
}

// VPCOfferingRequest names a VPC offering.
type VPCOfferingRequest struct {
	ID string `json:"id" ref:"vpcoffering" required:"true" doc:"the offering"`
}

func (s *Service) deleteVPCOfferingCommand() *command.Command {
	m := vpcOfferingMeta("deleteVPCOffering", "VPC.OFFERING.DELETE", "Removes a VPC offering")
	m.Object = ""
	return command.Async[VPCOfferingRequest, command.Success](m, func(ctx context.Context, r VPCOfferingRequest) (job.Spec, error) {
		o, err := find[VPCOffering](ctx, s, "id", r.ID)
		if err != nil {
			return job.Spec{}, err
		}
		if o.IsDefault {
			return job.Spec{}, fault.Param("id", "error.offering_default", "name", o.Name)
		}
		_, err = gorm.G[VPCOffering](s.db.In(ctx)).Where("id = ?", o.ID).Delete(ctx)
		return o.written(), err
	}, nil)
}

// ListVPCOfferingsRequest asks for VPC offerings.
type ListVPCOfferingsRequest struct {
	command.Paging
	ID          string   `json:"id" ref:"vpcoffering" doc:"the offering"`
	Name        string   `json:"name" doc:"name of the offering, as a whole"`
	DisplayText string   `json:"displaytext" doc:"description, as a whole"`
	State       string   `json:"state" doc:"Enabled or Disabled"`
	IsDefault   *bool    `json:"isdefault" doc:"whether Aerie brought it"`
	Services    []string `json:"supportedservices" doc:"services that it must have"`
	ZoneID      string   `json:"zoneid" ref:"zone" doc:"those that can be used in the zone"`
	DomainID    string   `json:"domainid" ref:"domain" doc:"those of the domain"`
}

func (s *Service) listVPCOfferingsCommand() *command.Command {
	m := vpcOfferingMeta("listVPCOfferings", "", "Lists VPC offerings")
	m.Roles = command.Everyone
	return command.New(m, func(ctx context.Context, r ListVPCOfferingsRequest) (out command.List[VPCOfferingView], err error) {
		q := command.Equal(s.db.In(ctx).Model(&VPCOffering{}), "id", r.ID)
		if !isAdmin(ctx) && r.ID == "" {
			r.State = "Enabled"
		}
		for column, v := range map[string]string{"name": r.Name, "display_text": r.DisplayText, "state": r.State} {
			q = command.Named(q, column, v)
		}
		if r.IsDefault != nil {
			q = q.Where("is_default = ?", *r.IsDefault)
		}
		for _, service := range r.Services {
			q = q.Where("services LIKE ? ESCAPE '!'", store.Contains(service))
		}
		for column, id := range map[string]string{"zone_ids": r.ZoneID, "domain_ids": r.DomainID} {
			if id != "" && id != "-1" {
				q = q.Where("("+column+" = '' OR "+column+" LIKE ?)", "%"+id+"%")
			}
		}
		list, n, err := command.Rows[VPCOffering](r.Search(q, "name", "display_text"), r.Paging, "sort_key, name, id")
		if err != nil {
			return out, err
		}
		views, err := s.vpcOfferingViews(ctx, list)
		return command.List[VPCOfferingView]{Count: n, Items: views}, err
	})
}
