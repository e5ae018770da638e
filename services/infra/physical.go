package infra

import (
	"context"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/job"
	"aerie/services/store"
)

// PhysicalView is a physical network as commands return it.
type PhysicalView struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	ZoneID    string     `json:"zoneid"`
	ZoneName  string     `json:"zonename"`
	State     Allocation `json:"state"`
	DomainID  string     `json:"domainid"`
	VLAN      string     `json:"vlan"`
	Isolation string     `json:"isolationmethods"`
	Broadcast string     `json:"broadcastdomainrange"`
	Speed     string     `json:"networkspeed"`
	Tags      string     `json:"tags"`
}

func (s *Service) physicalViews(ctx context.Context, list []PhysicalNetwork) ([]PhysicalView, error) {
	var ids []string
	for _, p := range list {
		ids = append(ids, p.ZoneID)
	}
	zones, err := store.Names[Zone](ctx, s.db, ids)
	if err != nil {
		return nil, err
	}
	return command.ListOf(list, len(list), func(p PhysicalNetwork) PhysicalView {
		return PhysicalView{
			ID: p.ID, Name: p.Name, ZoneID: p.ZoneID, ZoneName: zones[p.ZoneID], State: p.State, DomainID: p.DomainID,
			VLAN: p.VLAN, Isolation: p.Isolation, Broadcast: p.Broadcast, Speed: p.Speed, Tags: p.Tags,
		}
	}).Items, nil
}

func (s *Service) physicalView(ctx context.Context, id string) (PhysicalView, error) {
	p, err := store.Find[PhysicalNetwork](ctx, s.db, id)
	if err != nil {
		return PhysicalView{}, err
	}
	views, err := s.physicalViews(ctx, []PhysicalNetwork{p})
	if err != nil {
		return PhysicalView{}, err
	}
	return views[0], nil
}

func physicalMeta(name, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: "physicalnetwork", Event: event, Roles: command.Admin, Doc: doc}
}

// CreatePhysicalRequest is a new physical network.
type CreatePhysicalRequest struct {
	Name      string   `json:"name" required:"true" doc:"name of the network"`
	ZoneID    string   `json:"zoneid" ref:"zone" required:"true" doc:"the zone"`
	VLAN      string   `json:"vlan" doc:"VLANs that guest networks may take, such as 100-200,300-310"`
	Isolation []string `json:"isolationmethods" doc:"VLAN or VXLAN"`
	Broadcast string   `json:"broadcastdomainrange" enum:"ZONE,POD" doc:"how far a broadcast reaches"`
	Speed     string   `json:"networkspeed" doc:"such as 10G"`
	Tags      []string `json:"tags" doc:"tags that offerings can ask for"`
	DomainID  string   `json:"domainid" ref:"domain" doc:"the domain that has the network to itself"`
}

func (s *Service) createPhysicalCommand() *command.Command {
	m := physicalMeta("createPhysicalNetwork", "PHYSICAL.NETWORK.CREATE", "Adds a physical network to a zone; it is Disabled at first")
	m.Create = true
	return command.Async(m, func(ctx context.Context, r CreatePhysicalRequest) (job.Spec, error) {
		zone, err := find[Zone](ctx, s, "zoneid", r.ZoneID)
		if err != nil {
			return job.Spec{}, err
		}
		for _, method := range r.Isolation {
			if !strings.EqualFold(method, "VLAN") && !strings.EqualFold(method, "VXLAN") {
				return job.Spec{}, fault.Param("isolationmethods", "error.enum", "value", method, "values", "VLAN, VXLAN")
			}
		}
		p := PhysicalNetwork{
			Row: store.Row{ID: s.db.NewID()}, ZoneID: zone.ID, Name: r.Name, State: Disabled, DomainID: r.DomainID, VLAN: r.VLAN,
			Isolation: strings.ToUpper(strings.Join(r.Isolation, ",")), Broadcast: or(r.Broadcast, "ZONE"), Speed: r.Speed, Tags: strings.Join(r.Tags, ","),
		}
		if err := vlans(r.VLAN); err != nil {
			return job.Spec{}, err
		}
		if err := unique[PhysicalNetwork](ctx, s, "name", r.Name, "zone_id = ?", zone.ID); err != nil {
			return job.Spec{}, err
		}
		return done("PhysicalNetwork", p.ID), gorm.G[PhysicalNetwork](s.db.In(ctx)).Create(ctx, &p)
	}, s.physicalView)
}

// vlans refuses what is no list of runs of VLANs.
func vlans(value string) error {
	if value == "" {
		return nil
	}
	for part := range strings.SplitSeq(value, ",") {
		low, high, isRun := strings.Cut(strings.TrimSpace(part), "-")
		if !isRun {
			high = low
		}
		a, err1 := strconv.Atoi(low)
		b, err2 := strconv.Atoi(high)
		if err1 != nil || err2 != nil || a < 1 || b > 4094 || a > b {
			return fault.Param("vlan", "error.vlan", "value", value)
		}
	}
	return nil
}

// UpdatePhysicalRequest changes what may change of a physical network.
type UpdatePhysicalRequest struct {
	ID    string   `json:"id" ref:"physicalnetwork" required:"true" doc:"the network"`
	State string   `json:"state" enum:"Enabled,Disabled" doc:"whether guest networks may use it"`
	VLAN  *string  `json:"vlan" doc:"VLANs that guest networks may take"`
	Speed string   `json:"networkspeed" doc:"such as 10G"`
	Tags  []string `json:"tags" doc:"tags that offerings can ask for"`
}

func (s *Service) updatePhysicalCommand() *command.Command {
	return command.Async(physicalMeta("updatePhysicalNetwork", "PHYSICAL.NETWORK.UPDATE", "Changes a physical network"),
		func(ctx context.Context, r UpdatePhysicalRequest) (job.Spec, error) {
			p, err := s.physical(ctx, r.ID)
			if err != nil {
				return job.Spec{}, err
			}
			set := map[string]any{}
			filled(set, "state", r.State)
			filled(set, "speed", r.Speed)
			text(set, "vlan", r.VLAN)
			if r.Tags != nil {
				set["tags"] = strings.Join(r.Tags, ",")
			}
			if r.VLAN != nil {
				if err := vlans(*r.VLAN); err != nil {
					return job.Spec{}, err
				}
			}
			return done("PhysicalNetwork", p.ID), change[PhysicalNetwork](ctx, s, p.ID, set)
		}, s.physicalView)
}

// physical finds a physical network and names it in the command's event.
func (s *Service) physical(ctx context.Context, id string) (PhysicalNetwork, error) {
	p, err := find[PhysicalNetwork](ctx, s, "id", id)
	if err == nil {
		command.About(ctx, event.Resource{Kind: "physicalnetwork", ID: p.ID, Name: p.Name}, store.Owner{})
	}
	return p, err
}

// PhysicalRequest names a physical network.
type PhysicalRequest struct {
	ID string `json:"id" ref:"physicalnetwork" required:"true" doc:"the network"`
}

func (s *Service) deletePhysicalCommand() *command.Command {
	m := physicalMeta("deletePhysicalNetwork", "PHYSICAL.NETWORK.DELETE", "Removes a physical network that nothing uses, with its traffic types")
	m.Object = ""
	return command.Async[PhysicalRequest, command.Success](m, func(ctx context.Context, r PhysicalRequest) (job.Spec, error) {
		p, err := s.physical(ctx, r.ID)
		if err != nil {
			return job.Spec{}, err
		}
		for _, holder := range s.Holders {
			left, err := holder(ctx, "physicalnetwork", p.ID)
			if err := refuse(left, err, p.Name); err != nil {
				return job.Spec{}, err
			}
		}
		if _, err := gorm.G[TrafficType](s.db.In(ctx)).Where("physical_network_id = ?", p.ID).Delete(ctx); err != nil {
			return job.Spec{}, err
		}
		return done("PhysicalNetwork", p.ID), remove[PhysicalNetwork](ctx, s, p.ID)
	}, nil)
}

// ListPhysicalRequest asks for physical networks.
type ListPhysicalRequest struct {
	command.Paging
	ID     string `json:"id" ref:"physicalnetwork" doc:"the network"`
	Name   string `json:"name" doc:"name of the network, as a whole"`
	ZoneID string `json:"zoneid" ref:"zone" doc:"the zone"`
}

func (s *Service) listPhysicalCommand() *command.Command {
	return command.New(physicalMeta("listPhysicalNetworks", "", "Lists physical networks"),
		func(ctx context.Context, r ListPhysicalRequest) (command.List[PhysicalView], error) {
			q := command.Equal(command.Equal(s.db.In(ctx).Model(&PhysicalNetwork{}), "id", r.ID), "zone_id", r.ZoneID)
			list, n, err := command.Rows[PhysicalNetwork](r.Search(command.Named(q, "name", r.Name), "name"), r.Paging, "name, id")
			if err != nil {
				return command.List[PhysicalView]{}, err
			}
			views, err := s.physicalViews(ctx, list)
			return command.List[PhysicalView]{Count: n, Items: views}, err
		})
}
