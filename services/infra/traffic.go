package infra

import (
	"context"
	"regexp"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/job"
	"aerie/services/store"
)

// TrafficView is a traffic type as commands return it.
type TrafficView struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Type       string `json:"traffictype"`
	PhysicalID string `json:"physicalnetworkid"`
	State      string `json:"state"`
	KVM        string `json:"kvmnetworklabel"`
	Vmware     string `json:"vmwarenetworklabel"`
	Xen        string `json:"xennetworklabel"`
	VLAN       string `json:"vlan"`
}

func (t TrafficType) view() TrafficView {
	return TrafficView{
		ID: t.ID, Name: t.Type, Type: t.Type, PhysicalID: t.PhysicalNetworkID, State: string(Enabled), KVM: t.KVMLabel,
		Vmware: t.VmwareLabel, Xen: t.XenLabel, VLAN: t.VLAN,
	}
}

func (s *Service) trafficView(ctx context.Context, id string) (TrafficView, error) {
	t, err := store.Find[TrafficType](ctx, s.db, id)
	return t.view(), err
}

func trafficMeta(name, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: "traffictype", Event: event, Roles: command.Admin, Doc: doc}
}

// AddTrafficRequest puts a kind of traffic on a physical network.
type AddTrafficRequest struct {
	PhysicalID string `json:"physicalnetworkid" ref:"physicalnetwork" required:"true" doc:"the physical network"`
	Type       string `json:"traffictype" required:"true" enum:"Guest,Public,Management,Storage" doc:"the kind of traffic"`
	KVM        string `json:"kvmnetworklabel" doc:"bridge that carries it on KVM hosts"`
	Vmware     string `json:"vmwarenetworklabel" doc:"switch that carries it on VMware hosts"`
	Xen        string `json:"xennetworklabel" doc:"network that carries it on XCP-ng hosts"`
	VLAN       string `json:"vlan" doc:"VLAN of the traffic"`
	Isolation  string `json:"isolationmethod" enum:"VLAN,VXLAN" doc:"accepted for compatibility"`
}

// bridgeName is what Linux takes as the name of an interface.
var bridgeName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,14}$`)

func kvmLabel(value string) error {
	if value != "" && !bridgeName.MatchString(value) {
		return fault.Param("kvmnetworklabel", "error.bridge", "value", value)
	}
	return nil
}

func (s *Service) addTrafficCommand() *command.Command {
	m := trafficMeta("addTrafficType", "TRAFFIC.TYPE.CREATE", "Puts a kind of traffic on a physical network")
	m.Create = true
	return command.Async(m, func(ctx context.Context, r AddTrafficRequest) (job.Spec, error) {
		p, err := find[PhysicalNetwork](ctx, s, "physicalnetworkid", r.PhysicalID)
		if err != nil {
			return job.Spec{}, err
		}
		if err := kvmLabel(r.KVM); err != nil {
			return job.Spec{}, err
		}
		if err := s.trafficOnce(ctx, p, r.Type); err != nil {
			return job.Spec{}, err
		}
		t := TrafficType{
			Row: store.Row{ID: s.db.NewID()}, PhysicalNetworkID: p.ID, Type: r.Type, KVMLabel: r.KVM, VmwareLabel: r.Vmware,
			XenLabel: r.Xen, VLAN: r.VLAN,
		}
		command.About(ctx, event.Resource{Kind: "traffictype", ID: t.ID, Name: t.Type}, store.Owner{})
		return done("TrafficType", t.ID), gorm.G[TrafficType](s.db.In(ctx)).Create(ctx, &t)
	}, s.trafficView)
}

// trafficOnce refuses a kind of traffic twice: guest traffic on one physical
// network, other traffic in a zone.
func (s *Service) trafficOnce(ctx context.Context, p PhysicalNetwork, kind string) error {
	g := s.db.In(ctx)
	q := g.Model(&TrafficType{}).Where("type = ?", kind)
	if kind == "Guest" {
		q = q.Where("physical_network_id = ?", p.ID)
	} else {
		q = q.Where("physical_network_id IN (?)", g.Model(&PhysicalNetwork{}).Where("zone_id = ?", p.ZoneID).Select("id"))
	}
	var n int64
	if err := q.Count(&n).Error; err != nil {
		return err
	}
	if n > 0 {
		return fault.Param("traffictype", "error.traffic_twice", "value", kind)
	}
	return nil
}

// UpdateTrafficRequest changes who carries a kind of traffic.
type UpdateTrafficRequest struct {
	ID     string  `json:"id" ref:"traffictype" required:"true" doc:"the traffic type"`
	KVM    *string `json:"kvmnetworklabel" doc:"bridge that carries it on KVM hosts"`
	Vmware *string `json:"vmwarenetworklabel" doc:"switch that carries it on VMware hosts"`
	Xen    *string `json:"xennetworklabel" doc:"network that carries it on XCP-ng hosts"`
}

func (s *Service) updateTrafficCommand() *command.Command {
	return command.Async(trafficMeta("updateTrafficType", "TRAFFIC.TYPE.UPDATE", "Changes who carries a kind of traffic"),
		func(ctx context.Context, r UpdateTrafficRequest) (job.Spec, error) {
			t, err := s.traffic(ctx, r.ID)
			if err != nil {
				return job.Spec{}, err
			}
			set := map[string]any{}
			text(set, "kvm_label", r.KVM)
			text(set, "vmware_label", r.Vmware)
			text(set, "xen_label", r.Xen)
			if r.KVM != nil {
				if err := kvmLabel(*r.KVM); err != nil {
					return job.Spec{}, err
				}
			}
			return done("TrafficType", t.ID), change[TrafficType](ctx, s, t.ID, set)
		}, s.trafficView)
}

func (s *Service) traffic(ctx context.Context, id string) (TrafficType, error) {
	t, err := find[TrafficType](ctx, s, "id", id)
	if err == nil {
		command.About(ctx, event.Resource{Kind: "traffictype", ID: t.ID, Name: t.Type}, store.Owner{})
	}
	return t, err
}

// TrafficRequest names a traffic type.
type TrafficRequest struct {
	ID string `json:"id" ref:"traffictype" required:"true" doc:"the traffic type"`
}

func (s *Service) deleteTrafficCommand() *command.Command {
	m := trafficMeta("deleteTrafficType", "TRAFFIC.TYPE.DELETE", "Takes a kind of traffic off a physical network")
	m.Object = ""
	return command.Async[TrafficRequest, command.Success](m, func(ctx context.Context, r TrafficRequest) (job.Spec, error) {
		t, err := s.traffic(ctx, r.ID)
		if err != nil {
			return job.Spec{}, err
		}
		if t.Type == "Guest" || t.Type == "Public" {
			for _, holder := range s.Holders {
				left, err := holder(ctx, "physicalnetwork", t.PhysicalNetworkID)
				if err := refuse(left, err, t.Type); err != nil {
					return job.Spec{}, err
				}
			}
		}
		return done("TrafficType", t.ID), remove[TrafficType](ctx, s, t.ID)
	}, nil)
}

// ListTrafficRequest asks for the traffic of a physical network.
type ListTrafficRequest struct {
	command.Paging
	PhysicalID string `json:"physicalnetworkid" ref:"physicalnetwork" required:"true" doc:"the physical network"`
}

func (s *Service) listTrafficCommand() *command.Command {
	return command.New(trafficMeta("listTrafficTypes", "", "Lists the traffic of a physical network"),
		func(ctx context.Context, r ListTrafficRequest) (command.List[TrafficView], error) {
			q := command.Equal(s.db.In(ctx).Model(&TrafficType{}), "physical_network_id", r.PhysicalID)
			list, n, err := command.Rows[TrafficType](r.Search(q, "type"), r.Paging, "type, id")
			return command.ListOf(list, n, TrafficType.view), err
		})
}
