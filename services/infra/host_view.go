package infra

import (
	"context"
	"strconv"

	"aerie/services/command"
	"aerie/services/label"
	"aerie/services/store"
)

// HostView is a host as commands return it.
type HostView struct {
	ID                string            `json:"id"`
	Name              string            `json:"name"`
	State             HostState         `json:"state"`
	ResourceState     string            `json:"resourcestate"`
	Type              string            `json:"type"`
	IP                string            `json:"ipaddress"`
	ZoneID            string            `json:"zoneid"`
	ZoneName          string            `json:"zonename"`
	PodID             string            `json:"podid"`
	PodName           string            `json:"podname"`
	ClusterID         string            `json:"clusterid"`
	ClusterName       string            `json:"clustername"`
	ClusterType       string            `json:"clustertype"`
	Hypervisor        string            `json:"hypervisor"`
	HypervisorVersion string            `json:"hypervisorversion"`
	Arch              string            `json:"arch"`
	Version           string            `json:"version"`
	Created           command.Time      `json:"created"`
	LastPinged        command.Time      `json:"lastpinged"`
	Disconnected      command.Time      `json:"disconnected"`
	CPUs              int               `json:"cpunumber"`
	CPUSockets        int               `json:"cpusockets"`
	CPUMhz            int64             `json:"cpuspeed"`
	CPULoad           float64           `json:"cpuloadaverage"`
	CPUUsed           string            `json:"cpuused"`
	CPUAllocated      string            `json:"cpuallocated"`
	CPUAllocatedShare string            `json:"cpuallocatedpercentage"`
	CPUAllocatedMhz   int64             `json:"cpuallocatedvalue"`
	CPUOverAllocated  string            `json:"cpuallocatedwithoverprovisioning"`
	CPUOver           string            `json:"cpuwithoverprovisioning"`
	MemoryTotal       int64             `json:"memorytotal"`
	MemoryUsed        int64             `json:"memoryused"`
	MemoryAllocated   int64             `json:"memoryallocated"`
	MemoryBytes       int64             `json:"memoryallocatedbytes"`
	MemoryShare       string            `json:"memoryallocatedpercentage"`
	MemoryOver        string            `json:"memorywithoverprovisioning"`
	Tags              string            `json:"hosttags"`
	ExplicitTags      string            `json:"explicithosttags"`
	Capabilities      string            `json:"capabilities"`
	EnoughCapacity    bool              `json:"hasenoughcapacity"`
	LocalStorage      bool              `json:"islocalstorageactive"`
	HAHost            bool              `json:"hahost"`
	UEFI              bool              `json:"ueficapability"`
	TagRule           bool              `json:"istagarule"`
	Encryption        bool              `json:"encryptionsupported"`
	Annotations       bool              `json:"hasannotations"`
	Details           map[string]string `json:"details"`
}

const mib = 1 << 20

func (h Host) view(zones, pods map[string]string, clusters map[string]Cluster) HostView {
	raw := int64(h.CPUs) * int64(h.CPUMhz)
	c := clusters[h.ClusterID]
	v := HostView{
		ID: h.ID, Name: h.Name, State: h.State, ResourceState: h.ResourceState, Type: "Routing", IP: h.IP,
		ZoneID: h.ZoneID, ZoneName: zones[h.ZoneID], PodID: h.PodID, PodName: pods[h.PodID],
		ClusterID: h.ClusterID, ClusterName: c.Name, ClusterType: c.ClusterType, Hypervisor: h.Hypervisor, HypervisorVersion: h.HypervisorVersion,
		Arch: h.Arch, Version: command.Version, Created: command.Time{Time: h.CreatedAt}, LastPinged: command.At(h.LastPinged),
		CPUs: h.CPUs, CPUSockets: h.CPUSockets, CPUMhz: int64(h.CPUMhz), CPULoad: h.LoadAverage,
		CPUUsed: share(int64(h.LoadAverage*100), int64(h.CPUs)*100), CPUAllocated: share(h.UsedMhz, raw), CPUAllocatedShare: share(h.UsedMhz, raw),
		CPUAllocatedMhz: h.UsedMhz, CPUOverAllocated: share(h.UsedMhz, h.TotalMhz), CPUOver: strconv.FormatInt(h.TotalMhz, 10),
		MemoryTotal: h.MemoryMib * mib, MemoryUsed: max(0, h.MemoryMib-h.MemoryFreeMib) * mib, MemoryAllocated: h.UsedMib * mib,
		MemoryBytes: h.UsedMib * mib, MemoryShare: share(h.UsedMib, h.TotalMib), MemoryOver: strconv.FormatInt(h.TotalMib*mib, 10),
		Tags: h.Tags, ExplicitTags: h.Tags, Capabilities: "hvm", EnoughCapacity: h.UsedMhz < h.TotalMhz && h.UsedMib < h.TotalMib,
		Details: map[string]string{"url": h.URL, "accelerated": strconv.FormatBool(h.Accelerated)},
	}
	if h.State != HostUp {
		v.Disconnected = v.LastPinged
	}
	if h.Why != "" {
		v.Details["why"] = h.Why
	}
	return v
}

// share is a part as hosts tell it, with a percent sign.
func share(used, total int64) string { return percent(used, total) + "%" }

func (s *Service) hostViews(ctx context.Context, hosts []Host) ([]HostView, error) {
	var zoneIDs, podIDs, clusterIDs []string
	for _, h := range hosts {
		zoneIDs, podIDs, clusterIDs = append(zoneIDs, h.ZoneID), append(podIDs, h.PodID), append(clusterIDs, h.ClusterID)
	}
	zones, err := store.Names[Zone](ctx, s.db, zoneIDs)
	if err != nil {
		return nil, err
	}
	pods, err := store.Names[Pod](ctx, s.db, podIDs)
	if err != nil {
		return nil, err
	}
	var rows []Cluster
	if len(clusterIDs) > 0 {
		if err := s.db.In(ctx).Unscoped().Where("id IN ?", clusterIDs).Find(&rows).Error; err != nil {
			return nil, err
		}
	}
	clusters := map[string]Cluster{}
	for _, c := range rows {
		clusters[c.ID] = c
	}
	out := make([]HostView, len(hosts))
	for i, h := range hosts {
		out[i] = h.view(zones, pods, clusters)
	}
	return out, label.Fill(ctx, s.db, out, label.Want{Notes: true, Details: true}, func(v *HostView) string { return v.ID }, func(v *HostView, l label.Shown) {
		v.Annotations = l.Noted(v.ID)
		v.Details = l.Details(v.ID, v.Details)
	})
}

// hostView returns one host as commands return it.
func (s *Service) hostView(ctx context.Context, id string) (HostView, error) {
	h, err := store.Find[Host](ctx, s.db, id)
	if err != nil {
		return HostView{}, err
	}
	views, err := s.hostViews(ctx, []Host{h})
	if err != nil {
		return HostView{}, err
	}
	return views[0], nil
}

// ListHostsRequest asks for hosts.
type ListHostsRequest struct {
	command.Paging
	ID            string   `json:"id" ref:"host" doc:"the host"`
	Name          string   `json:"name" doc:"name of the host, as a whole"`
	ZoneID        string   `json:"zoneid" ref:"zone" doc:"the zone"`
	PodID         string   `json:"podid" ref:"pod" doc:"the pod"`
	ClusterID     string   `json:"clusterid" ref:"cluster" doc:"the cluster"`
	Type          string   `json:"type" doc:"Routing; Aerie has no hosts of other types"`
	State         string   `json:"state" doc:"Up, Down, Disconnected, Connecting or Alert"`
	ResourceState string   `json:"resourcestate" doc:"Enabled, Disabled or Maintenance"`
	Hypervisor    string   `json:"hypervisor" doc:"what the host runs"`
	Arch          string   `json:"arch" doc:"the host's architecture"`
	Details       []string `json:"details" doc:"accepted for compatibility: all details are told"`
	HAHost        *bool    `json:"hahost" doc:"whether the host is kept for restarts; Aerie keeps none"`
}

func (s *Service) listHostsCommand() *command.Command {
	return command.New(hostMeta("listHosts", "", "Lists hosts"), func(ctx context.Context, r ListHostsRequest) (command.List[HostView], error) {
		if r.Type != "" && r.Type != "Routing" || r.HAHost != nil && *r.HAHost {
			return command.List[HostView]{}, nil
		}
		q := s.db.In(ctx).Model(&Host{})
		for column, v := range map[string]string{"id": r.ID, "zone_id": r.ZoneID, "pod_id": r.PodID, "cluster_id": r.ClusterID} {
			q = command.Equal(q, column, v)
		}
		for column, v := range map[string]string{"name": r.Name, "state": r.State, "resource_state": r.ResourceState, "hypervisor": r.Hypervisor, "arch": r.Arch} {
			q = command.Named(q, column, v)
		}
		hosts, n, err := command.Rows[Host](r.Search(q, "name", "ip"), r.Paging, "name, id")
		if err != nil {
			return command.List[HostView]{}, err
		}
		views, err := s.hostViews(ctx, hosts)
		return command.List[HostView]{Count: n, Items: views}, err
	})
}
