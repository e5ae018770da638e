package infra

import (
	"context"
	"net/netip"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/label"
	"aerie/services/store"
)

// PodView is a pod as commands return it.
type PodView struct {
	ID              string         `json:"id"`
	Name            string         `json:"name"`
	ZoneID          string         `json:"zoneid"`
	ZoneName        string         `json:"zonename"`
	Gateway         string         `json:"gateway"`
	Netmask         string         `json:"netmask"`
	StartIP         []string       `json:"startip"`
	EndIP           []string       `json:"endip"`
	SystemVMs       []string       `json:"forsystemvms"`
	VLANs           []string       `json:"vlanid"`
	Ranges          []PodRange     `json:"ipranges"`
	AllocationState Allocation     `json:"allocationstate"`
	Annotations     bool           `json:"hasannotations"`
	Capacity        []CapacityView `json:"capacity"`
}

// PodRange is a run of a pod's addresses.
type PodRange struct {
	CIDR      string `json:"cidr"`
	StartIP   string `json:"startip"`
	EndIP     string `json:"endip"`
	Gateway   string `json:"gateway"`
	SystemVMs string `json:"forsystemvms"`
	VLAN      string `json:"vlanid"`
}

func (p Pod) view(zones map[string]string) PodView {
	v := PodView{
		ID: p.ID, Name: p.Name, ZoneID: p.ZoneID, ZoneName: zones[p.ZoneID], Gateway: p.Gateway, Netmask: p.Netmask,
		StartIP: []string{}, EndIP: []string{}, SystemVMs: []string{}, VLANs: []string{}, AllocationState: p.AllocationState,
	}
	if p.StartIP == "" {
		return v
	}
	r := PodRange{StartIP: p.StartIP, EndIP: p.EndIP, Gateway: p.Gateway, SystemVMs: "0", VLAN: "vlan://untagged"}
	if bits, ok := Mask(p.Netmask); ok {
		if gw, err := netip.ParseAddr(p.Gateway); err == nil {
			r.CIDR = netip.PrefixFrom(gw, bits).Masked().String()
		}
	}
	v.StartIP, v.EndIP, v.SystemVMs, v.VLANs, v.Ranges = []string{p.StartIP}, []string{p.EndIP}, []string{"0"}, []string{"vlan://untagged"}, []PodRange{r}
	return v
}

func (s *Service) podViews(ctx context.Context, pods []Pod) ([]PodView, error) {
	var ids []string
	for _, p := range pods {
		ids = append(ids, p.ZoneID)
	}
	zones, err := store.Names[Zone](ctx, s.db, ids)
	if err != nil {
		return nil, err
	}
	out := make([]PodView, len(pods))
	for i, p := range pods {
		out[i] = p.view(zones)
	}
	return out, label.Fill(ctx, s.db, out, label.Want{Notes: true}, func(v *PodView) string { return v.ID }, func(v *PodView, l label.Shown) {
		v.Annotations = l.Noted(v.ID)
	})
}

func (s *Service) podView(ctx context.Context, id string) (PodView, error) {
	p, err := store.Find[Pod](ctx, s.db, id)
	if err != nil {
		return PodView{}, err
	}
	views, err := s.podViews(ctx, []Pod{p})
	if err != nil {
		return PodView{}, err
	}
	return views[0], nil
}

func podMeta(name, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: "pod", Event: event, Roles: command.Admin, Doc: doc}
}

// CreatePodRequest is a new pod.
type CreatePodRequest struct {
	Name       string `json:"name" required:"true" doc:"name of the pod"`
	ZoneID     string `json:"zoneid" ref:"zone" required:"true" doc:"the zone"`
	Gateway    string `json:"gateway" doc:"gateway of the management network"`
	Netmask    string `json:"netmask" doc:"netmask of the management network"`
	StartIP    string `json:"startip" doc:"first management address"`
	EndIP      string `json:"endip" doc:"last management address; the first without it"`
	Allocation string `json:"allocationstate" enum:"Enabled,Disabled" doc:"whether new things may be placed in the pod"`
}

func (s *Service) createPodCommand() *command.Command {
	return command.New(podMeta("createPod", "POD.CREATE", "Adds a pod to a zone"), func(ctx context.Context, r CreatePodRequest) (PodView, error) {
		zone, err := find[Zone](ctx, s, "zoneid", r.ZoneID)
		if err != nil {
			return PodView{}, err
		}
		p := Pod{
			Row: store.Row{ID: s.db.NewID()}, ZoneID: zone.ID, Name: r.Name, AllocationState: Allocation(or(r.Allocation, string(Enabled))),
			Gateway: r.Gateway, Netmask: r.Netmask, StartIP: r.StartIP, EndIP: or(r.EndIP, r.StartIP),
		}
		if err := p.span().Check(); err != nil {
			return PodView{}, err
		}
		if err := unique[Pod](ctx, s, "name", r.Name, "zone_id = ?", zone.ID); err != nil {
			return PodView{}, err
		}
		if err := gorm.G[Pod](s.db.In(ctx)).Create(ctx, &p); err != nil {
			return PodView{}, err
		}
		return s.podView(ctx, p.ID)
	})
}

func (p Pod) span() Span { return Span{p.Gateway, p.Netmask, p.StartIP, p.EndIP} }

// UpdatePodRequest changes what may change of a pod.
type UpdatePodRequest struct {
	ID         string `json:"id" ref:"pod" required:"true" doc:"the pod"`
	Name       string `json:"name" doc:"name of the pod"`
	Gateway    string `json:"gateway" doc:"gateway of the management network"`
	Netmask    string `json:"netmask" doc:"netmask of the management network"`
	StartIP    string `json:"startip" doc:"first management address"`
	EndIP      string `json:"endip" doc:"last management address"`
	Allocation string `json:"allocationstate" enum:"Enabled,Disabled" doc:"whether new things may be placed in the pod"`
}

func (s *Service) updatePodCommand() *command.Command {
	return command.New(podMeta("updatePod", "POD.EDIT", "Changes a pod"), func(ctx context.Context, r UpdatePodRequest) (PodView, error) {
		before, err := find[Pod](ctx, s, "id", r.ID)
		if err != nil {
			return PodView{}, err
		}
		set := map[string]any{}
		for column, v := range map[string]string{
			"name": r.Name, "gateway": r.Gateway, "netmask": r.Netmask, "start_ip": r.StartIP,
			"end_ip": r.EndIP, "allocation_state": r.Allocation,
		} {
			filled(set, column, v)
		}
		if r.Name != "" {
			if err := unique[Pod](ctx, s, "name", r.Name, "zone_id = ? AND id <> ?", before.ZoneID, r.ID); err != nil {
				return PodView{}, err
			}
		}
		if err := change[Pod](ctx, s, r.ID, set); err != nil {
			return PodView{}, err
		}
		after, err := store.Find[Pod](ctx, s.db, r.ID)
		if err != nil {
			return PodView{}, err
		}
		if err := after.span().Check(); err != nil {
			return PodView{}, err
		}
		command.Changed(ctx, before.audit(), after.audit())
		return s.podView(ctx, r.ID)
	})
}

func (p Pod) audit() map[string]any {
	return map[string]any{
		"name": p.Name, "allocationstate": p.AllocationState, "gateway": p.Gateway, "netmask": p.Netmask,
		"startip": p.StartIP, "endip": p.EndIP,
	}
}

// PodRequest names a pod.
type PodRequest struct {
	ID string `json:"id" ref:"pod" required:"true" doc:"the pod"`
}

func (s *Service) deletePodCommand() *command.Command {
	m := podMeta("deletePod", "POD.DELETE", "Removes a pod that is empty")
	m.Object = ""
	return command.New(m, func(ctx context.Context, r PodRequest) (command.Success, error) {
		p, err := find[Pod](ctx, s, "id", r.ID)
		if err != nil {
			return command.Success{}, err
		}
		if err := s.free(ctx, "pod", p.ID, p.Name); err != nil {
			return command.Success{}, err
		}
		return command.OK, remove[Pod](ctx, s, p.ID)
	})
}

// ListPodsRequest asks for pods.
type ListPodsRequest struct {
	command.Paging
	ID         string `json:"id" ref:"pod" doc:"the pod"`
	Name       string `json:"name" doc:"name of the pod, as a whole"`
	ZoneID     string `json:"zoneid" ref:"zone" doc:"the zone"`
	Allocation string `json:"allocationstate" doc:"Enabled or Disabled"`
	Capacities bool   `json:"showcapacities" doc:"true tells how full the pods are"`
}

func (s *Service) listPodsCommand() *command.Command {
	return command.New(podMeta("listPods", "", "Lists pods"), func(ctx context.Context, r ListPodsRequest) (command.List[PodView], error) {
		q := command.Equal(command.Equal(s.db.In(ctx).Model(&Pod{}), "id", r.ID), "zone_id", r.ZoneID)
		q = command.Named(command.Named(q, "name", r.Name), "allocation_state", r.Allocation)
		pods, n, err := command.Rows[Pod](r.Search(q, "name"), r.Paging, "name, id")
		if err != nil {
			return command.List[PodView]{}, err
		}
		views, err := s.podViews(ctx, pods)
		if err == nil && r.Capacities {
			err = withCapacity(ctx, s, byPod, views, func(v *PodView) (string, *[]CapacityView) { return v.ID, &v.Capacity })
		}
		return command.List[PodView]{Count: n, Items: views}, err
	})
}
