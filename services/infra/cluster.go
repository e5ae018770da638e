package infra

import (
	"context"
	"strconv"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/label"
	"aerie/services/store"
)

// ClusterView is a cluster as commands return it.
type ClusterView struct {
	ID              string            `json:"id"`
	Name            string            `json:"name"`
	ZoneID          string            `json:"zoneid"`
	ZoneName        string            `json:"zonename"`
	PodID           string            `json:"podid"`
	PodName         string            `json:"podname"`
	Hypervisor      string            `json:"hypervisortype"`
	ClusterType     string            `json:"clustertype"`
	AllocationState Allocation        `json:"allocationstate"`
	ManagedState    string            `json:"managedstate"`
	Arch            string            `json:"arch"`
	CPUFactor       string            `json:"cpuovercommitratio"`
	MemoryFactor    string            `json:"memoryovercommitratio"`
	Annotations     bool              `json:"hasannotations"`
	Details         map[string]string `json:"resourcedetails"`
	Capacity        []CapacityView    `json:"capacity"`
}

func (c Cluster) view(zones, pods map[string]string) ClusterView {
	cpu, memory := factor(c.CPUFactor), factor(c.MemoryFactor)
	return ClusterView{
		ID: c.ID, Name: c.Name, ZoneID: c.ZoneID, ZoneName: zones[c.ZoneID], PodID: c.PodID, PodName: pods[c.PodID],
		Hypervisor: c.Hypervisor, ClusterType: c.ClusterType, AllocationState: c.AllocationState, ManagedState: "Managed", Arch: c.Arch,
		CPUFactor: cpu, MemoryFactor: memory, Details: map[string]string{"cpuOvercommitRatio": cpu, "memoryOvercommitRatio": memory},
	}
}

// factor writes a factor as CloudStack does, with a decimal.
func factor(f float64) string {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if f == float64(int64(f)) {
		s += ".0"
	}
	return s
}

func (s *Service) clusterViews(ctx context.Context, clusters []Cluster) ([]ClusterView, error) {
	var zoneIDs, podIDs []string
	for _, c := range clusters {
		zoneIDs, podIDs = append(zoneIDs, c.ZoneID), append(podIDs, c.PodID)
	}
	zones, err := store.Names[Zone](ctx, s.db, zoneIDs)
	if err != nil {
		return nil, err
	}
	pods, err := store.Names[Pod](ctx, s.db, podIDs)
	if err != nil {
		return nil, err
	}
	out := make([]ClusterView, len(clusters))
	for i, c := range clusters {
		out[i] = c.view(zones, pods)
	}
	return out, label.Fill(ctx, s.db, out, label.Want{Notes: true, Details: true}, func(v *ClusterView) string { return v.ID }, func(v *ClusterView, l label.Shown) {
		v.Annotations = l.Noted(v.ID)
		v.Details = l.Details(v.ID, v.Details)
	})
}

func (s *Service) clusterView(ctx context.Context, id string) (ClusterView, error) {
	c, err := store.Find[Cluster](ctx, s.db, id)
	if err != nil {
		return ClusterView{}, err
	}
	views, err := s.clusterViews(ctx, []Cluster{c})
	if err != nil {
		return ClusterView{}, err
	}
	return views[0], nil
}

func clusterMeta(name, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: "cluster", Event: event, Roles: command.Admin, Doc: doc}
}

// AddClusterRequest is a new cluster.
type AddClusterRequest struct {
	Name        string `json:"clustername" required:"true" doc:"name of the cluster"`
	ClusterType string `json:"clustertype" required:"true" enum:"CloudManaged" doc:"CloudManaged"`
	Hypervisor  string `json:"hypervisor" required:"true" enum:"KVM,Simulator" doc:"what the cluster's hosts run"`
	ZoneID      string `json:"zoneid" ref:"zone" required:"true" doc:"the zone"`
	PodID       string `json:"podid" ref:"pod" required:"true" doc:"the pod"`
	Arch        string `json:"arch" enum:"x86_64,aarch64" doc:"the hosts' architecture"`
	Allocation  string `json:"allocationstate" enum:"Enabled,Disabled" doc:"whether new things may be placed in the cluster"`
}

func (s *Service) addClusterCommand() *command.Command {
	m := clusterMeta("addCluster", "CLUSTER.CREATE", "Adds a cluster to a pod")
	m.ListLike = true
	return command.New(m, func(ctx context.Context, r AddClusterRequest) (ClusterView, error) {
		pod, err := s.podIn(ctx, r.PodID, r.ZoneID)
		if err != nil {
			return ClusterView{}, err
		}
		c, err := s.makeCluster(ctx, Cluster{
			ZoneID: pod.ZoneID, PodID: pod.ID, Name: r.Name, Hypervisor: r.Hypervisor,
			AllocationState: Allocation(or(r.Allocation, string(Enabled))), Arch: or(r.Arch, "x86_64"),
		})
		if err != nil {
			return ClusterView{}, err
		}
		return s.clusterView(ctx, c.ID)
	})
}

// podIn finds a pod and refuses one of another zone.
func (s *Service) podIn(ctx context.Context, podID, zoneID string) (Pod, error) {
	pod, err := find[Pod](ctx, s, "podid", podID)
	if err == nil && pod.ZoneID != zoneID {
		err = fault.Param("podid", "error.pod_zone", "name", pod.Name)
	}
	return pod, err
}

func (s *Service) makeCluster(ctx context.Context, c Cluster) (Cluster, error) {
	if err := unique[Cluster](ctx, s, "clustername", c.Name, "pod_id = ?", c.PodID); err != nil {
		return c, err
	}
	c.ID, c.ClusterType, c.CPUFactor, c.MemoryFactor = s.db.NewID(), "CloudManaged", 1, 1
	return c, gorm.G[Cluster](s.db.In(ctx)).Create(ctx, &c)
}

// UpdateClusterRequest changes what may change of a cluster.
type UpdateClusterRequest struct {
	ID          string `json:"id" ref:"cluster" required:"true" doc:"the cluster"`
	Name        string `json:"clustername" doc:"name of the cluster"`
	Arch        string `json:"arch" enum:"x86_64,aarch64" doc:"the hosts' architecture"`
	Allocation  string `json:"allocationstate" enum:"Enabled,Disabled" doc:"whether new things may be placed in the cluster"`
	ClusterType string `json:"clustertype" enum:"CloudManaged" doc:"CloudManaged"`
	Hypervisor  string `json:"hypervisor" enum:"KVM,Simulator" doc:"what the hosts run; only of a cluster without hosts"`
	Managed     string `json:"managedstate" enum:"Managed" doc:"Managed"`
}

func (s *Service) updateClusterCommand() *command.Command {
	return command.New(clusterMeta("updateCluster", "CLUSTER.EDIT", "Changes a cluster"), func(ctx context.Context, r UpdateClusterRequest) (ClusterView, error) {
		before, err := find[Cluster](ctx, s, "id", r.ID)
		if err != nil {
			return ClusterView{}, err
		}
		if r.Name != "" {
			if err := unique[Cluster](ctx, s, "clustername", r.Name, "pod_id = ? AND id <> ?", before.PodID, r.ID); err != nil {
				return ClusterView{}, err
			}
		}
		if err := s.keepKind(ctx, before, r); err != nil {
			return ClusterView{}, err
		}
		set := map[string]any{}
		for column, v := range map[string]string{"name": r.Name, "arch": r.Arch, "allocation_state": r.Allocation, "hypervisor": r.Hypervisor} {
			filled(set, column, v)
		}
		if err := change[Cluster](ctx, s, r.ID, set); err != nil {
			return ClusterView{}, err
		}
		after, err := s.clusterView(ctx, r.ID)
		command.Changed(ctx, map[string]any{"name": before.Name, "arch": before.Arch, "allocationstate": before.AllocationState, "hypervisor": before.Hypervisor},
			map[string]any{"name": after.Name, "arch": after.Arch, "allocationstate": after.AllocationState, "hypervisor": after.Hypervisor})
		return after, err
	})
}

// keepKind refuses to change what the cluster's hosts are.
func (s *Service) keepKind(ctx context.Context, c Cluster, r UpdateClusterRequest) error {
	for _, f := range []struct{ param, have, want string }{{"hypervisor", c.Hypervisor, r.Hypervisor}, {"arch", c.Arch, r.Arch}} {
		if f.want == "" || f.want == f.have {
			continue
		}
		n, err := gorm.G[Host](s.db.In(ctx)).Where("cluster_id = ?", c.ID).Count(ctx, "id")
		if err != nil {
			return err
		}
		if n > 0 {
			return fault.Param(f.param, "error.cluster_kind", "name", c.Name, "value", f.have, "n", n)
		}
	}
	return nil
}

// ClusterRequest names a cluster.
type ClusterRequest struct {
	ID string `json:"id" ref:"cluster" required:"true" doc:"the cluster"`
}

func (s *Service) deleteClusterCommand() *command.Command {
	m := clusterMeta("deleteCluster", "CLUSTER.DELETE", "Removes a cluster that is empty")
	m.Object = ""
	return command.New(m, func(ctx context.Context, r ClusterRequest) (command.Success, error) {
		c, err := find[Cluster](ctx, s, "id", r.ID)
		if err != nil {
			return command.Success{}, err
		}
		if err := s.free(ctx, "cluster", c.ID, c.Name); err != nil {
			return command.Success{}, err
		}
		return command.OK, remove[Cluster](ctx, s, c.ID)
	})
}

// ListClustersRequest asks for clusters.
type ListClustersRequest struct {
	command.Paging
	ID          string `json:"id" ref:"cluster" doc:"the cluster"`
	Name        string `json:"name" doc:"name of the cluster, as a whole"`
	ZoneID      string `json:"zoneid" ref:"zone" doc:"the zone"`
	PodID       string `json:"podid" ref:"pod" doc:"the pod"`
	Hypervisor  string `json:"hypervisor" doc:"what the hosts run"`
	ClusterType string `json:"clustertype" doc:"CloudManaged"`
	Arch        string `json:"arch" doc:"the hosts' architecture"`
	Allocation  string `json:"allocationstate" doc:"Enabled or Disabled"`
	Managed     string `json:"managedstate" doc:"accepted for compatibility: every cluster is Managed"`
	Capacities  bool   `json:"showcapacities" doc:"true tells how full the clusters are"`
}

func (s *Service) listClustersCommand() *command.Command {
	return command.New(clusterMeta("listClusters", "", "Lists clusters"), func(ctx context.Context, r ListClustersRequest) (command.List[ClusterView], error) {
		q := s.db.In(ctx).Model(&Cluster{})
		for column, v := range map[string]string{"id": r.ID, "zone_id": r.ZoneID, "pod_id": r.PodID} {
			q = command.Equal(q, column, v)
		}
		for column, v := range map[string]string{
			"name": r.Name, "hypervisor": r.Hypervisor, "cluster_type": r.ClusterType, "arch": r.Arch,
			"allocation_state": r.Allocation,
		} {
			q = command.Named(q, column, v)
		}
		clusters, n, err := command.Rows[Cluster](r.Search(q, "name"), r.Paging, "name, id")
		if err != nil {
			return command.List[ClusterView]{}, err
		}
		views, err := s.clusterViews(ctx, clusters)
		if err == nil && r.Capacities {
			err = withCapacity(ctx, s, byCluster, views, func(v *ClusterView) (string, *[]CapacityView) { return v.ID, &v.Capacity })
		}
		return command.List[ClusterView]{Count: n, Items: views}, err
	})
}

// HypervisorView is a kind of hypervisor.
type HypervisorView struct {
	Name string `json:"name"`
}

// ListHypervisorsRequest asks for kinds of hypervisors.
type ListHypervisorsRequest struct {
	ZoneID string `json:"zoneid" ref:"zone" doc:"those that clusters of the zone run"`
}

func (s *Service) listHypervisorsCommand() *command.Command {
	return command.New(command.Meta{Name: "listHypervisors", Object: "hypervisor", Roles: command.Everyone, Doc: "Lists the kinds of hypervisors"},
		func(ctx context.Context, r ListHypervisorsRequest) (command.List[HypervisorView], error) {
			var names []string
			err := command.Equal(s.db.In(ctx).Model(&Cluster{}), "zone_id", r.ZoneID).Distinct().Order("hypervisor").Pluck("hypervisor", &names).Error
			return command.ListOf(names, len(names), func(n string) HypervisorView { return HypervisorView{n} }), err
		})
}
