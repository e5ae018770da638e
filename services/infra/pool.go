package infra

import (
	"context"
	"errors"
	"net/url"
	"path"
	"strings"
	"time"

	"gorm.io/gorm"

	"aerie/drivers"
	"aerie/services/command"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/label"
	"aerie/services/store"
)

// PoolView is primary storage as commands return it.
type PoolView struct {
	ID           string            `json:"id"`
	Name         string            `json:"name"`
	ZoneID       string            `json:"zoneid"`
	ZoneName     string            `json:"zonename"`
	PodID        string            `json:"podid"`
	PodName      string            `json:"podname"`
	ClusterID    string            `json:"clusterid"`
	ClusterName  string            `json:"clustername"`
	Type         string            `json:"type"`
	Scope        string            `json:"scope"`
	State        string            `json:"state"`
	IP           string            `json:"ipaddress"`
	Path         string            `json:"path"`
	Provider     string            `json:"provider"`
	Hypervisor   string            `json:"hypervisor"`
	Tags         string            `json:"tags"`
	Created      command.Time      `json:"created"`
	Total        int64             `json:"disksizetotal"`
	Used         int64             `json:"disksizeused"`
	Allocated    int64             `json:"disksizeallocated"`
	Factor       string            `json:"overprovisionfactor"`
	Capabilities map[string]string `json:"storagecapabilities"`
	Managed      bool              `json:"managed"`
	TagRule      bool              `json:"istagarule"`
	Annotations  bool              `json:"hasannotations"`
	Migration    bool              `json:"suitableformigration"`
	Details      map[string]string `json:"details"`
}

func (p Pool) view(zones, pods, clusters map[string]string) PoolView {
	v := PoolView{
		ID: p.ID, Name: p.Name, ZoneID: p.ZoneID, ZoneName: zones[p.ZoneID], PodID: p.PodID, PodName: pods[p.PodID],
		ClusterID: p.ClusterID, ClusterName: clusters[p.ClusterID], Type: p.Type, Scope: p.Scope, State: p.State, Path: p.Path,
		Provider: p.Provider, Hypervisor: p.Hypervisor, Tags: p.Tags, Created: command.Time{Time: p.CreatedAt}, Total: p.Capacity, Used: p.Used,
		Allocated: p.Allocated, Factor: factor(p.Factor), Capabilities: map[string]string{"VOLUME_SNAPSHOT_QUIESCEVM": "false"},
	}
	if u, err := url.Parse(p.URL); err == nil {
		v.IP = u.Hostname()
	}
	if p.HostID != "" {
		v.Details = map[string]string{"hostid": p.HostID}
	}
	return v
}

func (s *Service) poolViews(ctx context.Context, pools []Pool) ([]PoolView, error) {
	var zoneIDs, podIDs, clusterIDs []string
	for _, p := range pools {
		zoneIDs, podIDs, clusterIDs = append(zoneIDs, p.ZoneID), append(podIDs, p.PodID), append(clusterIDs, p.ClusterID)
	}
	zones, err := store.Names[Zone](ctx, s.db, zoneIDs)
	if err != nil {
		return nil, err
	}
	pods, err := store.Names[Pod](ctx, s.db, podIDs)
	if err != nil {
		return nil, err
	}
	clusters, err := store.Names[Cluster](ctx, s.db, clusterIDs)
	if err != nil {
		return nil, err
	}
	out := make([]PoolView, len(pools))
	for i, p := range pools {
		out[i] = p.view(zones, pods, clusters)
	}
	return out, label.Fill(ctx, s.db, out, label.Want{Notes: true, Details: true}, func(v *PoolView) string { return v.ID }, func(v *PoolView, l label.Shown) {
		v.Annotations = l.Noted(v.ID)
		v.Details = l.Details(v.ID, v.Details)
	})
}

func (s *Service) poolView(ctx context.Context, id string) (PoolView, error) {
	p, err := store.Find[Pool](ctx, s.db, id)
	if err != nil {
		return PoolView{}, err
	}
	views, err := s.poolViews(ctx, []Pool{p})
	if err != nil {
		return PoolView{}, err
	}
	return views[0], nil
}

func poolMeta(name, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: "storagepool", Event: event, Roles: command.Admin, Doc: doc}
}

// CreatePoolRequest is new primary storage.
type CreatePoolRequest struct {
	Name       string            `json:"name" required:"true" doc:"name of the pool"`
	URL        string            `json:"url" required:"true" doc:"file:///PATH for a folder of one host, SharedMountPoint:///PATH for one that all hosts of the scope share"`
	ZoneID     string            `json:"zoneid" ref:"zone" required:"true" doc:"the zone"`
	PodID      string            `json:"podid" ref:"pod" doc:"the pod"`
	ClusterID  string            `json:"clusterid" ref:"cluster" doc:"the cluster, for the scopes cluster and host"`
	Scope      string            `json:"scope" enum:"CLUSTER,ZONE,HOST" doc:"who uses the pool; without it HOST for file, else CLUSTER"`
	Hypervisor string            `json:"hypervisor" enum:"KVM,Simulator" doc:"what the hosts run, for the scope zone"`
	Provider   string            `json:"provider" enum:"DefaultPrimary" doc:"DefaultPrimary"`
	Tags       string            `json:"tags" doc:"tags that offerings can ask for"`
	Details    map[string]string `json:"details" doc:"hostid names the host of the scope host"`
}

// createPoolCommand has no Event of its own: hosts are asked before the
// transaction, in which nothing may wait for them.
func (s *Service) createPoolCommand() *command.Command {
	return command.New(poolMeta("createStoragePool", "", "Adds primary storage that its hosts can reach"), s.CreatePool)
}

// CreatePool makes the pool usable on every host of its scope and notes it.
func (s *Service) CreatePool(ctx context.Context, r CreatePoolRequest) (PoolView, error) {
	p, err := s.planPool(ctx, r)
	if err != nil {
		return PoolView{}, err
	}
	if err := s.ensurePool(ctx, &p); err != nil {
		return PoolView{}, err
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if err := unique[Pool](ctx, s, "name", p.Name, "zone_id = ?", p.ZoneID); err != nil {
			return err
		}
		if err := gorm.G[Pool](s.db.In(ctx)).Create(ctx, &p); err != nil {
			return err
		}
		_, err := event.Log(ctx, s.db, event.Event{Type: "STORAGE.POOL.CREATE", Resource: event.Resource{Kind: "storagepool", ID: p.ID, Name: p.Name}})
		return err
	})
	if err != nil {
		return PoolView{}, err
	}
	return s.poolView(ctx, p.ID)
}

func (s *Service) planPool(ctx context.Context, r CreatePoolRequest) (Pool, error) {
	kind, folder, err := poolURL(r.URL)
	if err != nil {
		return Pool{}, err
	}
	zone, err := find[Zone](ctx, s, "zoneid", r.ZoneID)
	if err != nil {
		return Pool{}, err
	}
	p := Pool{
		Row: store.Row{ID: s.db.NewID()}, ZoneID: zone.ID, Name: r.Name, Type: kind, Scope: r.Scope, URL: r.URL, Path: folder,
		Provider: or(r.Provider, "DefaultPrimary"), Hypervisor: r.Hypervisor, State: "Up", Tags: r.Tags, Factor: 2,
	}
	if p.Scope == "" && kind == "Filesystem" {
		p.Scope = "HOST"
	}
	p.Scope = or(p.Scope, "CLUSTER")
	if kind == "Filesystem" && p.Scope != "HOST" {
		return Pool{}, fault.Param("scope", "error.pool_not_shared", "value", p.Scope)
	}
	if p.Scope == "ZONE" {
		if p.Hypervisor == "" {
			return Pool{}, fault.Param("hypervisor", "error.required", "command", "createstoragepool")
		}
		return p, nil
	}
	return p, s.placePool(ctx, &p, r)
}

// poolURL reads what kind of storage a URL names, and where.
func poolURL(text string) (kind, folder string, err error) {
	u, err := url.Parse(text)
	if err != nil {
		return "", "", fault.Param("url", "error.pool_url", "value", text)
	}
	switch strings.ToLower(u.Scheme) {
	case "file":
		kind = "Filesystem"
	case "sharedmountpoint":
		kind = "SharedMountPoint"
	default:
		return "", "", fault.Param("url", "error.pool_url", "value", text)
	}
	if u.Path == "" || u.Path == "/" || path.Clean(u.Path) != u.Path {
		return "", "", fault.Param("url", "error.pool_path", "value", text)
	}
	return kind, u.Path, nil
}

// placePool finds the cluster of a pool and, for the scope host, the host.
func (s *Service) placePool(ctx context.Context, p *Pool, r CreatePoolRequest) error {
	clusterID := r.ClusterID
	if id := r.Details["hostid"]; id != "" {
		h, err := find[Host](ctx, s, "details", id)
		if err != nil {
			return err
		}
		p.HostID, clusterID = h.ID, or(clusterID, h.ClusterID)
	}
	if clusterID == "" {
		return fault.Param("clusterid", "error.required", "command", "createstoragepool")
	}
	c, err := find[Cluster](ctx, s, "clusterid", clusterID)
	if err != nil {
		return err
	}
	if c.ZoneID != p.ZoneID {
		return fault.Param("clusterid", "error.cluster_zone", "name", c.Name)
	}
	p.PodID, p.ClusterID, p.Hypervisor = c.PodID, c.ID, c.Hypervisor
	if p.Scope != "HOST" || p.HostID != "" {
		return nil
	}
	hosts, err := gorm.G[Host](s.db.In(ctx)).Where("cluster_id = ?", c.ID).Limit(2).Find(ctx)
	if err == nil && len(hosts) != 1 {
		err = fault.Param("details", "error.pool_host", "cluster", c.Name)
	}
	if err == nil {
		p.HostID = hosts[0].ID
	}
	return err
}

// ensurePool has every host of the pool's scope make the pool usable. After the
// first, the others must see what that one wrote: it is one pool for all.
func (s *Service) ensurePool(ctx context.Context, p *Pool) error {
	hosts, err := s.reach(ctx, *p)
	if err != nil {
		return err
	}
	if len(hosts) == 0 {
		return fault.Param("url", "error.pool_no_host", "name", p.Name)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for _, h := range hosts {
		d, err := Ability[drivers.DiskHost](ctx, s.Fleet, h.ID)
		if err != nil {
			return err
		}
		st, err := d.EnsurePool(ctx, p.DiskPool())
		if err != nil {
			return fault.Param("url", "error.pool_refused", "host", h.Name, "value", p.URL, "why", clip(err.Error())).Because(err)
		}
		p.Capacity, p.Used, p.Marked = st.Capacity, st.Used, true
	}
	return nil
}

// reach are the hosts that are up and use the pool.
func (s *Service) reach(ctx context.Context, p Pool) ([]Host, error) {
	q := gorm.G[Host](s.db.In(ctx)).Where("zone_id = ? AND state = ?", p.ZoneID, HostUp)
	switch p.Scope {
	case "HOST":
		q = q.Where("id = ?", p.HostID)
	case "CLUSTER":
		q = q.Where("cluster_id = ?", p.ClusterID)
	case "ZONE":
		q = q.Where("hypervisor = ?", p.Hypervisor)
	default:
		return nil, errors.New("pool " + p.Name + " has the scope " + p.Scope)
	}
	return q.Order("id").Find(ctx)
}

// UpdatePoolRequest changes what may change of a pool.
type UpdatePoolRequest struct {
	ID      string   `json:"id" ref:"storagepool" required:"true" doc:"the pool"`
	Name    string   `json:"name" doc:"name of the pool"`
	Tags    []string `json:"tags" doc:"tags that offerings can ask for; an empty list takes them away"`
	Enabled *bool    `json:"enabled" doc:"false keeps new disks out of the pool"`
}

func (s *Service) updatePoolCommand() *command.Command {
	return command.New(poolMeta("updateStoragePool", "STORAGE.POOL.EDIT", "Changes primary storage"), func(ctx context.Context, r UpdatePoolRequest) (PoolView, error) {
		before, err := find[Pool](ctx, s, "id", r.ID)
		if err != nil {
			return PoolView{}, err
		}
		set := map[string]any{}
		filled(set, "name", r.Name)
		if r.Tags != nil {
			set["tags"] = strings.Join(r.Tags, ",")
		}
		if r.Enabled != nil {
			set["state"] = map[bool]string{true: "Up", false: "Disabled"}[*r.Enabled]
		}
		if r.Name != "" {
			if err := unique[Pool](ctx, s, "name", r.Name, "zone_id = ? AND id <> ?", before.ZoneID, r.ID); err != nil {
				return PoolView{}, err
			}
		}
		if err := change[Pool](ctx, s, r.ID, set); err != nil {
			return PoolView{}, err
		}
		after, err := s.poolView(ctx, r.ID)
		command.Changed(ctx, map[string]any{"name": before.Name, "tags": before.Tags, "state": before.State},
			map[string]any{"name": after.Name, "tags": after.Tags, "state": after.State})
		return after, err
	})
}

// DeletePoolRequest names a pool to remove.
type DeletePoolRequest struct {
	ID     string `json:"id" ref:"storagepool" required:"true" doc:"the pool"`
	Forced bool   `json:"forced" doc:"accepted for compatibility: a pool that holds disks stays"`
}

func (s *Service) deletePoolCommand() *command.Command {
	m := poolMeta("deleteStoragePool", "STORAGE.POOL.DELETE", "Removes primary storage that holds no disk")
	m.Object = ""
	return command.New(m, func(ctx context.Context, r DeletePoolRequest) (command.Success, error) {
		p, err := find[Pool](ctx, s, "id", r.ID)
		if err != nil {
			return command.Success{}, err
		}
		if err := s.free(ctx, "storagepool", p.ID, p.Name); err != nil {
			return command.Success{}, err
		}
		if p.Allocated > 0 {
			return command.Success{}, fault.Param("id", "error.pool_used", "name", p.Name, "bytes", p.Allocated)
		}
		return command.OK, remove[Pool](ctx, s, p.ID)
	})
}

// ListPoolsRequest asks for primary storage.
type ListPoolsRequest struct {
	command.Paging
	ID        string `json:"id" ref:"storagepool" doc:"the pool"`
	Name      string `json:"name" doc:"name of the pool, as a whole"`
	ZoneID    string `json:"zoneid" ref:"zone" doc:"the zone"`
	PodID     string `json:"podid" ref:"pod" doc:"the pod"`
	ClusterID string `json:"clusterid" ref:"cluster" doc:"the cluster"`
	HostID    string `json:"hostid" ref:"host" doc:"pools that the host can use"`
	Path      string `json:"path" doc:"the folder"`
	Scope     string `json:"scope" doc:"HOST, CLUSTER or ZONE"`
	Status    string `json:"status" doc:"Up, Maintenance or Disabled"`
	IP        string `json:"ipaddress" doc:"accepted for compatibility: pools are folders"`
}

func (s *Service) listPoolsCommand() *command.Command {
	return command.New(poolMeta("listStoragePools", "", "Lists primary storage"), func(ctx context.Context, r ListPoolsRequest) (command.List[PoolView], error) {
		q := s.db.In(ctx).Model(&Pool{})
		for column, v := range map[string]string{"id": r.ID, "zone_id": r.ZoneID, "pod_id": r.PodID, "cluster_id": r.ClusterID, "path": r.Path} {
			q = command.Equal(q, column, v)
		}
		for column, v := range map[string]string{"name": r.Name, "scope": r.Scope, "state": r.Status} {
			q = command.Named(q, column, v)
		}
		if r.HostID != "" {
			h, err := find[Host](ctx, s, "hostid", r.HostID)
			if err != nil {
				return command.List[PoolView]{}, err
			}
			q = q.Where("zone_id = ? AND (scope = ? OR scope = ? AND cluster_id = ? OR scope = ? AND host_id = ?)",
				h.ZoneID, "ZONE", "CLUSTER", h.ClusterID, "HOST", h.ID)
		}
		pools, n, err := command.Rows[Pool](r.Search(q, "name", "path"), r.Paging, "name, id")
		if err != nil {
			return command.List[PoolView]{}, err
		}
		views, err := s.poolViews(ctx, pools)
		return command.List[PoolView]{Count: n, Items: views}, err
	})
}
