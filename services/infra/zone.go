package infra

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/label"
	"aerie/services/store"
)

// ZoneView is a zone as commands return it.
type ZoneView struct {
	ID              string            `json:"id"`
	Name            string            `json:"name"`
	Description     string            `json:"description"`
	DisplayText     string            `json:"displaytext"`
	NetworkType     string            `json:"networktype"`
	AllocationState Allocation        `json:"allocationstate"`
	DNS1            string            `json:"dns1"`
	DNS2            string            `json:"dns2"`
	InternalDNS1    string            `json:"internaldns1" view:"admin"`
	InternalDNS2    string            `json:"internaldns2" view:"admin"`
	GuestCIDR       string            `json:"guestcidraddress" view:"admin"`
	NetworkDomain   string            `json:"domain"`
	DomainID        string            `json:"domainid"`
	DomainName      string            `json:"domainname"`
	LocalStorage    bool              `json:"localstorageenabled"`
	SecurityGroups  bool              `json:"securitygroupsenabled"`
	DHCPProvider    string            `json:"dhcpprovider"`
	Token           string            `json:"zonetoken" view:"admin"`
	Type            string            `json:"type"`
	UserMTU         bool              `json:"allowuserspecifyvrmtu"`
	PrivateMTU      int               `json:"routerprivateinterfacemaxmtu"`
	PublicMTU       int               `json:"routerpublicinterfacemaxmtu"`
	MultiArch       bool              `json:"ismultiarch"`
	Annotations     bool              `json:"hasannotations"`
	Details         map[string]string `json:"resourcedetails"`
	Capacity        []CapacityView    `json:"capacity" view:"admin"`
	Tags            []label.TagView   `json:"tags"`
	Icon            *label.Icon       `json:"icon"`
}

func (z Zone) view(domains map[string]string) ZoneView {
	v := ZoneView{
		ID: z.ID, Name: z.Name, Description: z.Description, DisplayText: z.Description, NetworkType: z.NetworkType,
		AllocationState: z.AllocationState, DNS1: z.DNS1, DNS2: z.DNS2, InternalDNS1: z.InternalDNS1, InternalDNS2: z.InternalDNS2,
		GuestCIDR: z.GuestCIDR, NetworkDomain: z.NetworkDomain, DomainID: z.DomainID, DomainName: domains[z.DomainID],
		LocalStorage: z.LocalStorage, SecurityGroups: z.SecurityGroups, DHCPProvider: "VirtualRouter", Token: z.ID, Type: "Core",
		PrivateMTU: 1500, PublicMTU: 1500,
	}
	if z.Simulated {
		v.Details = map[string]string{"simulated": "true"}
	}
	return v
}

func (s *Service) zoneViews(ctx context.Context, zones []Zone) ([]ZoneView, error) {
	var ids []string
	for _, z := range zones {
		ids = append(ids, z.DomainID)
	}
	domains, err := store.Names[iam.Domain](ctx, s.db, ids)
	if err != nil {
		return nil, err
	}
	out := make([]ZoneView, len(zones))
	for i, z := range zones {
		out[i] = z.view(domains)
	}
	return out, label.Fill(ctx, s.db, out, label.Want{Tags: true, Notes: true, Details: true}, func(v *ZoneView) string { return v.ID }, func(v *ZoneView, l label.Shown) {
		v.Annotations = l.Noted(v.ID)
		v.Tags, v.Details = l.Tags(v.ID), l.Details(v.ID, v.Details)
	})
}

func (s *Service) zoneView(ctx context.Context, id string) (ZoneView, error) {
	z, err := store.Find[Zone](ctx, s.db, id)
	if err != nil {
		return ZoneView{}, err
	}
	views, err := s.zoneViews(ctx, []Zone{z})
	if err != nil {
		return ZoneView{}, err
	}
	return views[0], nil
}

func zoneMeta(name, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: "zone", Event: event, Roles: command.Admin, Doc: doc}
}

// CreateZoneRequest is a new zone.
type CreateZoneRequest struct {
	Name           string `json:"name" required:"true" doc:"name of the zone"`
	NetworkType    string `json:"networktype" required:"true" enum:"Advanced" doc:"Advanced; Aerie has no Basic zones"`
	DNS1           string `json:"dns1" required:"true" doc:"first resolver of the zone's instances"`
	DNS2           string `json:"dns2" doc:"second resolver of the zone's instances"`
	InternalDNS1   string `json:"internaldns1" required:"true" doc:"first resolver of the zone's hosts"`
	InternalDNS2   string `json:"internaldns2" doc:"second resolver of the zone's hosts"`
	GuestCIDR      string `json:"guestcidraddress" doc:"network that isolated networks take when they name none"`
	NetworkDomain  string `json:"domain" doc:"DNS domain of the zone's networks"`
	DomainID       string `json:"domainid" ref:"domain" doc:"the domain that has the zone to itself"`
	Allocation     string `json:"allocationstate" enum:"Enabled,Disabled" doc:"Disabled hides the zone from users"`
	LocalStorage   bool   `json:"localstorageenabled" doc:"whether instances may use the hosts' own disks"`
	SecurityGroups bool   `json:"securitygroupenabled" doc:"whether the zone has security groups"`
}

func (s *Service) createZoneCommand() *command.Command {
	return command.New(zoneMeta("createZone", "ZONE.CREATE", "Adds a zone"), func(ctx context.Context, r CreateZoneRequest) (ZoneView, error) {
		z := Zone{
			Row: store.Row{ID: s.db.NewID()}, Name: r.Name, NetworkType: r.NetworkType, AllocationState: Allocation(or(r.Allocation, string(Disabled))),
			DNS1: r.DNS1, DNS2: r.DNS2, InternalDNS1: r.InternalDNS1, InternalDNS2: r.InternalDNS2, GuestCIDR: or(r.GuestCIDR, "10.1.1.0/24"),
			NetworkDomain: r.NetworkDomain, DomainID: r.DomainID, LocalStorage: r.LocalStorage, SecurityGroups: r.SecurityGroups,
		}
		if err := z.check(); err != nil {
			return ZoneView{}, err
		}
		if err := unique[Zone](ctx, s, "name", r.Name, ""); err != nil {
			return ZoneView{}, err
		}
		if err := gorm.G[Zone](s.db.In(ctx)).Create(ctx, &z); err != nil {
			return ZoneView{}, err
		}
		return s.zoneView(ctx, z.ID)
	})
}

func (z Zone) check() error {
	if err := ip4s("dns1", z.DNS1, "dns2", z.DNS2, "internaldns1", z.InternalDNS1, "internaldns2", z.InternalDNS2); err != nil {
		return err
	}
	if err := cidr4("guestcidraddress", z.GuestCIDR); err != nil {
		return err
	}
	if z.SecurityGroups {
		return fault.Param("securitygroupenabled", "error.not_yet")
	}
	return dnsName("domain", z.NetworkDomain)
}

// UpdateZoneRequest changes what may change of a zone.
type UpdateZoneRequest struct {
	ID            string  `json:"id" ref:"zone" required:"true" doc:"the zone"`
	Name          string  `json:"name" doc:"name of the zone"`
	DNS1          string  `json:"dns1" doc:"first resolver of the zone's instances"`
	DNS2          *string `json:"dns2" doc:"second resolver of the zone's instances"`
	InternalDNS1  string  `json:"internaldns1" doc:"first resolver of the zone's hosts"`
	InternalDNS2  *string `json:"internaldns2" doc:"second resolver of the zone's hosts"`
	GuestCIDR     string  `json:"guestcidraddress" doc:"network that isolated networks take when they name none"`
	NetworkDomain *string `json:"domain" doc:"DNS domain of the zone's networks"`
	Public        *bool   `json:"ispublic" doc:"true opens a domain's own zone to all"`
	Allocation    string  `json:"allocationstate" enum:"Enabled,Disabled" doc:"Disabled hides the zone from users"`
	LocalStorage  *bool   `json:"localstorageenabled" doc:"whether instances may use the hosts' own disks"`
}

func (s *Service) updateZoneCommand() *command.Command {
	return command.New(zoneMeta("updateZone", "ZONE.EDIT", "Changes a zone"), func(ctx context.Context, r UpdateZoneRequest) (ZoneView, error) {
		before, err := find[Zone](ctx, s, "id", r.ID)
		if err != nil {
			return ZoneView{}, err
		}
		set := map[string]any{}
		filled(set, "name", r.Name)
		filled(set, "dns1", r.DNS1)
		text(set, "dns2", r.DNS2)
		filled(set, "internal_dns1", r.InternalDNS1)
		text(set, "internal_dns2", r.InternalDNS2)
		filled(set, "guest_cidr", r.GuestCIDR)
		text(set, "network_domain", r.NetworkDomain)
		filled(set, "allocation_state", r.Allocation)
		flag(set, "local_storage", r.LocalStorage)
		if r.Public != nil && *r.Public {
			set["domain_id"] = ""
		}
		if r.Name != "" {
			if err := unique[Zone](ctx, s, "name", r.Name, "id <> ?", r.ID); err != nil {
				return ZoneView{}, err
			}
		}
		if err := change[Zone](ctx, s, r.ID, set); err != nil {
			return ZoneView{}, err
		}
		after, err := store.Find[Zone](ctx, s.db, r.ID)
		if err != nil {
			return ZoneView{}, err
		}
		if err := after.check(); err != nil {
			return ZoneView{}, err
		}
		command.Changed(ctx, before.audit(), after.audit())
		return s.zoneView(ctx, r.ID)
	})
}

func (z Zone) audit() map[string]any {
	return map[string]any{
		"name": z.Name, "allocationstate": z.AllocationState, "dns1": z.DNS1, "dns2": z.DNS2, "internaldns1": z.InternalDNS1,
		"internaldns2": z.InternalDNS2, "guestcidraddress": z.GuestCIDR, "domain": z.NetworkDomain, "domainid": z.DomainID,
	}
}

// ZoneRequest names a zone.
type ZoneRequest struct {
	ID string `json:"id" ref:"zone" required:"true" doc:"the zone"`
}

func (s *Service) deleteZoneCommand() *command.Command {
	m := zoneMeta("deleteZone", "ZONE.DELETE", "Removes a zone that is empty")
	m.Object = ""
	return command.New(m, func(ctx context.Context, r ZoneRequest) (command.Success, error) {
		z, err := find[Zone](ctx, s, "id", r.ID)
		if err != nil {
			return command.Success{}, err
		}
		if err := s.free(ctx, "zone", z.ID, z.Name); err != nil {
			return command.Success{}, err
		}
		return command.OK, remove[Zone](ctx, s, z.ID)
	})
}

// ListZonesRequest asks for zones.
type ListZonesRequest struct {
	command.Paging
	label.ByTags
	label.Show
	ID          string   `json:"id" ref:"zone" doc:"the zone"`
	IDs         []string `json:"ids" ref:"zone" doc:"several zones"`
	Name        string   `json:"name" doc:"name of the zone, as a whole"`
	NetworkType string   `json:"networktype" doc:"Advanced or Basic"`
	DomainID    string   `json:"domainid" ref:"domain" doc:"zones that are the domain's own"`
	Available   bool     `json:"available" doc:"true lists the zones in which instances can be deployed"`
	Capacities  bool     `json:"showcapacities" doc:"true tells how full the zones are; administrators only"`
}

func (s *Service) listZonesCommand() *command.Command {
	m := zoneMeta("listZones", "", "Lists zones")
	m.Roles = command.Everyone
	return command.New(m, func(ctx context.Context, r ListZonesRequest) (command.List[ZoneView], error) {
		q := command.Equal(command.Named(s.db.In(ctx).Model(&Zone{}), "name", r.Name), "id", r.ID)
		q = command.Named(command.Equal(q, "domain_id", r.DomainID), "network_type", r.NetworkType)
		if len(r.IDs) > 0 {
			q = q.Where("id IN ?", r.IDs)
		}
		if r.Available {
			q = q.Where("allocation_state = ?", Enabled)
		}
		q = r.Narrow(ctx, s.db, q)
		zones, n, err := command.Rows[Zone](r.Search(q, "name", "description"), r.Paging, "name, id")
		if err != nil {
			return command.List[ZoneView]{}, err
		}
		views, err := s.zoneViews(ctx, zones)
		if err == nil {
			err = label.Fill(ctx, s.db, views, label.Want{Icons: r.Icon}, func(v *ZoneView) string { return v.ID }, func(v *ZoneView, l label.Shown) { v.Icon = l.Icon(v.ID) })
		}
		if err == nil && r.Capacities && isAdmin(ctx) {
			err = withCapacity(ctx, s, byZone, views, func(v *ZoneView) (string, *[]CapacityView) { return v.ID, &v.Capacity })
		}
		return command.List[ZoneView]{Count: n, Items: views}, err
	})
}

func isAdmin(ctx context.Context) bool {
	actor, _ := store.From(ctx)
	return actor.IsSystem() || actor.Rank == store.Admin
}
