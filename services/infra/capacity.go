package infra

import (
	"context"
	"slices"
	"strconv"

	"aerie/services/command"
	"aerie/services/store"
)

// CapacityView is how full something is of one kind.
type CapacityView struct {
	Type        int16  `json:"type" doc:"number of the kind"`
	Name        string `json:"name"`
	Total       int64  `json:"capacitytotal"`
	Used        int64  `json:"capacityused"`
	Allocated   int64  `json:"capacityallocated"`
	Percent     string `json:"percentused"`
	ZoneID      string `json:"zoneid"`
	ZoneName    string `json:"zonename"`
	PodID       string `json:"podid"`
	PodName     string `json:"podname"`
	ClusterID   string `json:"clusterid"`
	ClusterName string `json:"clustername"`
}

// The kinds of capacity, by CloudStack's numbers.
const (
	capMemory    = 0
	capCPU       = 1
	capStorage   = 2 // measured
	capAllocated = 3 // promised to volumes
	capPublicIP  = 4
	capSecondary = 6
	capLocal     = 9 // promised to volumes on hosts' own disks
)

var capacityNames = map[int16]string{
	capMemory: "MEMORY", capCPU: "CPU", capStorage: "STORAGE", capAllocated: "STORAGE_ALLOCATED",
	capPublicIP: "VIRTUAL_NETWORK_PUBLIC_IP", capSecondary: "SECONDARY_STORAGE", capLocal: "LOCAL_STORAGE",
}

func capacity(kind int16, total, used int64) CapacityView {
	return CapacityView{Type: kind, Name: capacityNames[kind], Total: total, Used: used, Allocated: used, Percent: percent(used, total)}
}

// percent is a share as CloudStack writes it: at most two decimals, no sign.
func percent(used, total int64) string {
	if total <= 0 {
		return "0"
	}
	hundredths := (used*10000 + total/2) / total
	if used > 1<<48 { // the product would not fit
		hundredths = int64(float64(used) / float64(total) * 10000)
	}
	return strconv.FormatFloat(float64(hundredths)/100, 'f', -1, 64)
}

// level is the column by which capacity is summed up.
type level string

const (
	byZone    level = "zone_id"
	byPod     level = "pod_id"
	byCluster level = "cluster_id"
)

// capacities sums up what places have: a constant number of queries.
func (s *Service) capacities(ctx context.Context, by level, ids []string) (map[string][]CapacityView, error) {
	ctx = store.System(ctx, "sums of capacity")
	out := map[string][]CapacityView{}
	if len(ids) == 0 {
		return out, nil
	}
	for _, add := range []func(context.Context, level, []string, map[string][]CapacityView) error{s.ofHosts, s.ofPools, s.ofZones} {
		if err := add(ctx, by, ids, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Service) ofHosts(ctx context.Context, by level, ids []string, out map[string][]CapacityView) error {
	var rows []struct {
		ID                         string
		Mib, UsedMib, Mhz, UsedMhz int64
	}
	err := s.db.In(ctx).Model(&Host{}).Where(string(by)+" IN ? AND resource_state = ?", ids, Enabled).Group(string(by)).
		Select(string(by) + " AS id, SUM(total_mib) AS mib, SUM(used_mib) AS used_mib, SUM(total_mhz) AS mhz, SUM(used_mhz) AS used_mhz").
		Find(&rows).Error
	for _, r := range rows {
		out[r.ID] = append(out[r.ID], capacity(capMemory, r.Mib<<20, r.UsedMib<<20), capacity(capCPU, r.Mhz, r.UsedMhz))
	}
	return err
}

func (s *Service) ofPools(ctx context.Context, by level, ids []string, out map[string][]CapacityView) error {
	var pools []Pool
	if err := s.db.In(ctx).Where(string(by)+" IN ? AND state = ?", ids, "Up").Find(&pools).Error; err != nil {
		return err
	}
	type sums struct{ total, used, promisable, promised, local, localUsed int64 }
	by1 := map[string]*sums{}
	for _, p := range pools {
		id := map[level]string{byZone: p.ZoneID, byPod: p.PodID, byCluster: p.ClusterID}[by]
		if by1[id] == nil {
			by1[id] = &sums{}
		}
		at, promisable := by1[id], int64(float64(p.Capacity)*p.Factor)
		if p.Scope == "HOST" {
			at.local, at.localUsed = at.local+promisable, at.localUsed+p.Allocated
			continue
		}
		at.total, at.used = at.total+p.Capacity, at.used+p.Used
		at.promisable, at.promised = at.promisable+promisable, at.promised+p.Allocated
	}
	for id, at := range by1 {
		if at.total > 0 {
			out[id] = append(out[id], capacity(capStorage, at.total, at.used), capacity(capAllocated, at.promisable, at.promised))
		}
		if at.local > 0 {
			out[id] = append(out[id], capacity(capLocal, at.local, at.localUsed))
		}
	}
	return nil
}

// ofZones adds what only zones have: public addresses and image stores.
func (s *Service) ofZones(ctx context.Context, by level, ids []string, out map[string][]CapacityView) error {
	if by != byZone {
		return nil
	}
	addresses, err := s.Addresses(ctx, ids)
	if err != nil {
		return err
	}
	for id, c := range addresses {
		out[id] = append(out[id], capacity(capPublicIP, c.Total, c.Used))
	}
	var rows []struct {
		ID          string
		Total, Used int64
	}
	err = s.db.In(ctx).Model(&ImageStore{}).Where("zone_id IN ?", ids).Group("zone_id").
		Select("zone_id AS id, SUM(capacity) AS total, SUM(used) AS used").Find(&rows).Error
	for _, r := range rows {
		out[r.ID] = append(out[r.ID], capacity(capSecondary, r.Total, r.Used))
	}
	return err
}

// withCapacity puts the capacity of every place into its view.
func withCapacity[V any](ctx context.Context, s *Service, by level, views []V, at func(*V) (string, *[]CapacityView)) error {
	ids := make([]string, len(views))
	for i := range views {
		ids[i], _ = at(&views[i])
	}
	all, err := s.capacities(ctx, by, ids)
	if err != nil {
		return err
	}
	for i := range views {
		id, list := at(&views[i])
		if *list = all[id]; *list == nil {
			*list = []CapacityView{}
		}
	}
	return nil
}

// ListCapacityRequest asks how full places are.
type ListCapacityRequest struct {
	command.Paging
	ZoneID    string `json:"zoneid" ref:"zone" doc:"the zone"`
	PodID     string `json:"podid" ref:"pod" doc:"the pod"`
	ClusterID string `json:"clusterid" ref:"cluster" doc:"the cluster"`
	Type      *int   `json:"type" doc:"number of the kind: 0 memory in bytes, 1 CPU in MHz, 2 primary storage used, 3 primary storage allocated, 4 public addresses, 6 secondary storage, 9 local storage"`
	SortBy    string `json:"sortby" doc:"usage: the fullest first"`
	Latest    bool   `json:"fetchlatest" doc:"accepted for compatibility: figures are always the latest"`
	Tag       string `json:"tag" doc:"accepted for compatibility"`
}

func (s *Service) listCapacityCommand() *command.Command {
	return command.New(command.Meta{Name: "listCapacity", Object: "capacity", Roles: command.Admin, Doc: "Tells how full zones, pods or clusters are"},
		s.ListCapacity)
}

// ListCapacity tells how full the place that the request names is, or every zone.
func (s *Service) ListCapacity(ctx context.Context, r ListCapacityRequest) (command.List[CapacityView], error) {
	all, err := s.askedCapacity(ctx, r)
	if err != nil {
		return command.List[CapacityView]{}, err
	}
	all = slices.DeleteFunc(all, func(c CapacityView) bool { return r.Type != nil && int(c.Type) != *r.Type })
	if r.SortBy == "usage" {
		slices.SortStableFunc(all, func(a, b CapacityView) int { return int(10000 * (b.share() - a.share())) })
	}
	out := command.List[CapacityView]{Count: len(all), Items: all}
	if limit := r.Limit(); limit >= 0 {
		from := min(r.Offset(), len(all))
		out.Items = all[from:min(from+limit, len(all))]
	}
	return out, nil
}

func (c CapacityView) share() float64 {
	if c.Total == 0 {
		return 0
	}
	return float64(c.Used) / float64(c.Total)
}

func (s *Service) askedCapacity(ctx context.Context, r ListCapacityRequest) (out []CapacityView, err error) {
	switch {
	case r.ClusterID != "":
		c, err := find[Cluster](ctx, s, "clusterid", r.ClusterID)
		if err != nil {
			return nil, err
		}
		return s.capacityIn(ctx, byCluster, c.ID, CapacityView{ZoneID: c.ZoneID, PodID: c.PodID, ClusterID: c.ID, ClusterName: c.Name})
	case r.PodID != "":
		p, err := find[Pod](ctx, s, "podid", r.PodID)
		if err != nil {
			return nil, err
		}
		return s.capacityIn(ctx, byPod, p.ID, CapacityView{ZoneID: p.ZoneID, PodID: p.ID, PodName: p.Name})
	}
	var zones []Zone
	if err := command.Equal(s.db.In(ctx), "id", r.ZoneID).Order("name, id").Find(&zones).Error; err != nil {
		return nil, err
	}
	for _, z := range zones {
		list, err := s.capacityIn(ctx, byZone, z.ID, CapacityView{ZoneID: z.ID, ZoneName: z.Name})
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// capacityIn is the capacity of one place, with the place's names on it.
func (s *Service) capacityIn(ctx context.Context, by level, id string, place CapacityView) ([]CapacityView, error) {
	all, err := s.capacities(ctx, by, []string{id})
	if err != nil {
		return nil, err
	}
	if place.ZoneName == "" {
		names, err := store.Names[Zone](ctx, s.db, []string{place.ZoneID})
		if err != nil {
			return nil, err
		}
		place.ZoneName = names[place.ZoneID]
	}
	if place.PodID != "" && place.PodName == "" {
		names, err := store.Names[Pod](ctx, s.db, []string{place.PodID})
		if err != nil {
			return nil, err
		}
		place.PodName = names[place.PodID]
	}
	out := all[id]
	for i, c := range out {
		v := place
		v.Type, v.Name, v.Total, v.Used, v.Allocated, v.Percent = c.Type, c.Name, c.Total, c.Used, c.Allocated, c.Percent
		out[i] = v
	}
	return out, nil
}
