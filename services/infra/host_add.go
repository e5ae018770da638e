package infra

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"aerie/drivers"
	"aerie/services/command"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/store"
)

func hostMeta(name, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: "host", Event: event, Roles: command.Admin, Doc: doc}
}

// AddHostRequest is a new host.
type AddHostRequest struct {
	URL         string   `json:"url" required:"true" doc:"how to reach the host, such as qemu:///system or sim://NAME"`
	Hypervisor  string   `json:"hypervisor" required:"true" enum:"KVM,Simulator" doc:"what the host runs"`
	ZoneID      string   `json:"zoneid" ref:"zone" required:"true" doc:"the zone"`
	PodID       string   `json:"podid" ref:"pod" required:"true" doc:"the pod"`
	ClusterID   string   `json:"clusterid" ref:"cluster" doc:"the cluster"`
	ClusterName string   `json:"clustername" doc:"name of the cluster; it is added when the pod has none of that name"`
	Username    string   `json:"username" doc:"who signs in at the host, where the address needs that"`
	Password    string   `json:"password" secret:"true" doc:"password of that user"`
	Tags        []string `json:"hosttags" doc:"tags that sizes can ask for"`
	Allocation  string   `json:"allocationstate" enum:"Enabled,Disabled" doc:"whether instances may be placed on the host"`
}

// addHostCommand has no Event of its own: a host is asked before the
// transaction, in which nothing may wait for it.
func (s *Service) addHostCommand() *command.Command {
	m := hostMeta("addHost", "", "Adds a host that answers")
	m.ListLike = true
	return command.New(m, s.AddHost)
}

// AddHost asks the host what it is and takes it into its cluster.
func (s *Service) AddHost(ctx context.Context, r AddHostRequest) (HostView, error) {
	h, err := s.planHost(ctx, r)
	if err != nil {
		return HostView{}, err
	}
	info, err := s.meet(ctx, h)
	if err != nil {
		s.Fleet.Forget(h.ID)
		return HostView{}, err
	}
	h.Name, h.Machine, h.Arch, h.HypervisorVersion = or(info.Name, h.Name), info.UUID, info.Arch, info.HypervisorVersion
	if err := s.db.Tx(ctx, func(ctx context.Context) error { return s.takeHost(ctx, &h, r, info) }); err != nil {
		s.Fleet.Forget(h.ID)
		return HostView{}, err
	}
	// The host is in; what it has is measured now, or by the next round.
	first, cancel := context.WithTimeout(store.System(ctx, "first round of a host"), 20*time.Second)
	defer cancel()
	_ = s.Keeper.Ask(first, h)
	return s.hostView(ctx, h.ID)
}

// planHost checks the request as far as the host's own word is not needed.
func (s *Service) planHost(ctx context.Context, r AddHostRequest) (Host, error) {
	u, err := url.Parse(r.URL)
	if err != nil || u.Scheme == "" {
		return Host{}, fault.Param("url", "error.host_scheme", "value", r.URL, "schemes", strings.Join(s.schemes(), ", "))
	}
	if signsIn(u.Scheme) && (r.Username == "" || r.Password == "") {
		return Host{}, fault.Param("password", "error.host_password")
	}
	if !slices.Contains(s.schemes(), u.Scheme) {
		return Host{}, fault.Param("url", "error.host_scheme", "value", r.URL, "schemes", strings.Join(s.schemes(), ", "))
	}
	pod, err := s.podIn(ctx, r.PodID, r.ZoneID)
	if err != nil {
		return Host{}, err
	}
	if r.ClusterID == "" && r.ClusterName == "" {
		return Host{}, fault.Param("clusterid", "error.required", "command", "addhost")
	}
	return Host{
		Row: store.Row{ID: s.db.NewID()}, ZoneID: pod.ZoneID, PodID: pod.ID, Name: u.Host, URL: r.URL, Hypervisor: r.Hypervisor,
		IP: address(u), State: HostConnecting, ResourceState: or(r.Allocation, string(Enabled)), Tags: strings.Join(r.Tags, ","),
	}, nil
}

func (s *Service) schemes() []string { return slices.Sorted(slices.Values(s.Fleet.Schemes())) }

// signsIn tells whether hosts of such an address want a user and a password.
func signsIn(scheme string) bool {
	return strings.Contains(scheme, "ssh") || scheme == "http" || scheme == "https"
}

// address is the IP address in a URL, or empty.
func address(u *url.URL) string {
	if ip4("url", u.Hostname()) != nil {
		return ""
	}
	return u.Hostname()
}

// meet opens the host's driver and asks the host what it is.
func (s *Service) meet(ctx context.Context, h Host) (drivers.HostInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	d, err := s.Fleet.Open(ctx, h)
	if err != nil {
		return drivers.HostInfo{}, unmet(h, err)
	}
	p, ok := drivers.As[drivers.Prober](d)
	if !ok {
		return drivers.HostInfo{}, unmet(h, errors.New("its driver cannot probe"))
	}
	info, err := p.ProbeHost(ctx, drivers.ProbeHost{})
	if err != nil {
		return info, unmet(h, err)
	}
	if !strings.EqualFold(info.Hypervisor, h.Hypervisor) {
		return info, fault.Param("hypervisor", "error.host_hypervisor", "value", h.Hypervisor, "host", info.Name, "found", info.Hypervisor)
	}
	return info, nil
}

// unmet says that a host cannot be reached. Only administrators add hosts, so
// they are told the driver's own words.
func unmet(h Host, err error) error {
	return fault.Param("url", "error.host_unmet", "value", h.URL, "why", clip(err.Error())).Because(err)
}

// takeHost writes the host's row, unless the machine is a host already.
func (s *Service) takeHost(ctx context.Context, h *Host, r AddHostRequest, info drivers.HostInfo) error {
	var twins []Host
	if err := s.db.In(ctx).Where("machine = ? OR url = ?", info.UUID, h.URL).Limit(1).Find(&twins).Error; err != nil {
		return err
	}
	if len(twins) > 0 {
		return fault.Param("url", "error.host_twice", "value", h.URL, "name", twins[0].Name)
	}
	c, err := s.clusterFor(ctx, *h, r)
	if err != nil {
		return err
	}
	if c.Hypervisor != h.Hypervisor {
		return fault.Param("clusterid", "error.cluster_hypervisor", "name", c.Name, "want", c.Hypervisor, "value", h.Hypervisor)
	}
	if c.Arch != "" && info.Arch != "" && c.Arch != info.Arch {
		return fault.Param("clusterid", "error.cluster_arch", "name", c.Name, "want", c.Arch, "value", info.Arch)
	}
	h.ClusterID = c.ID
	if err := s.roomFor(ctx, c, h.HypervisorVersion); err != nil {
		return err
	}
	if err := gorm.G[Host](s.db.In(ctx)).Create(ctx, h); err != nil {
		return err
	}
	_, err = event.Log(ctx, s.db, event.Event{Type: "HOST.ADD", Resource: event.Resource{Kind: "host", ID: h.ID, Name: h.Name}})
	return err
}

// clusterFor finds the cluster that the request names; one of a new name is
// added.
func (s *Service) clusterFor(ctx context.Context, h Host, r AddHostRequest) (Cluster, error) {
	if r.ClusterID != "" {
		c, err := find[Cluster](ctx, s, "clusterid", r.ClusterID)
		if err == nil && c.PodID != h.PodID {
			err = fault.Param("clusterid", "error.cluster_pod", "name", c.Name)
		}
		return c, err
	}
	var have []Cluster
	q := command.Named(s.db.In(ctx).Where("pod_id = ?", h.PodID), "name", r.ClusterName)
	if err := q.Limit(1).Find(&have).Error; err != nil {
		return Cluster{}, err
	}
	if len(have) > 0 {
		return have[0], nil
	}
	return s.makeCluster(ctx, Cluster{
		ZoneID: h.ZoneID, PodID: h.PodID, Name: r.ClusterName, Hypervisor: h.Hypervisor,
		AllocationState: Enabled, Arch: or(h.Arch, "x86_64"),
	})
}
