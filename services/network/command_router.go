package network

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/label"
	"aerie/services/store"
)

// RouterView is a virtual router as commands return it.
type RouterView struct {
	ID string `json:"id"`
	iam.Belongs
	Name           string       `json:"name"`
	State          string       `json:"state"`
	Role           string       `json:"role"`
	ZoneID         string       `json:"zoneid"`
	ZoneName       string       `json:"zonename"`
	PodID          string       `json:"podid" view:"admin"`
	HostID         string       `json:"hostid" view:"admin"`
	HostName       string       `json:"hostname" view:"admin"`
	HostControl    string       `json:"hostcontrolstate" view:"admin"`
	Hypervisor     string       `json:"hypervisor"`
	Arch           string       `json:"arch"`
	NetworkID      string       `json:"guestnetworkid"`
	NetworkName    string       `json:"guestnetworkname"`
	GuestIP        string       `json:"guestipaddress"`
	GuestNetmask   string       `json:"guestnetmask"`
	NetworkDomain  string       `json:"networkdomain"`
	DNS1           string       `json:"dns1"`
	DNS2           string       `json:"dns2"`
	Gateway        string       `json:"gateway"`
	PublicIP       string       `json:"publicip"`
	PublicMAC      string       `json:"publicmacaddress"`
	PublicNetmask  string       `json:"publicnetmask"`
	Version        string       `json:"version"`
	Created        command.Time `json:"created"`
	Redundant      bool         `json:"isredundantrouter"`
	RedundantState string       `json:"redundantstate"`
	NeedsUpgrade   bool         `json:"requiresupgrade"`
	Unhealthy      bool         `json:"healthchecksfailed"`
	Annotations    bool         `json:"hasannotations"`
	NICs           []RouterNIC  `json:"nic"`
}

// RouterNIC is a leg of a virtual router.
type RouterNIC struct {
	NetworkID   string `json:"networkid"`
	NetworkName string `json:"networkname"`
	IP          string `json:"ipaddress"`
	Netmask     string `json:"netmask"`
	Gateway     string `json:"gateway"`
	MAC         string `json:"macaddress"`
	TrafficType string `json:"traffictype"`
	Type        string `json:"type"`
	Default     bool   `json:"isdefault"`
}

// ListRoutersRequest asks for virtual routers.
type ListRoutersRequest struct {
	command.Paging
	command.Scope
	ID        string `json:"id" ref:"router" doc:"the router"`
	Name      string `json:"name" doc:"name of the router, as a whole"`
	State     string `json:"state" doc:"Running, Starting or Stopped"`
	ZoneID    string `json:"zoneid" ref:"zone" doc:"the zone"`
	PodID     string `json:"podid" ref:"pod" doc:"the pod"`
	ClusterID string `json:"clusterid" ref:"cluster" doc:"the cluster"`
	HostID    string `json:"hostid" ref:"host" doc:"the host"`
	NetworkID string `json:"networkid" ref:"network" doc:"the network"`
	ForVPC    *bool  `json:"forvpc" doc:"whether it serves a VPC"`
}

func (s *Service) listRoutersCommand() *command.Command {
	return command.New(command.Meta{Name: "listRouters", Object: "router", Roles: command.Admins, Doc: "Lists virtual routers"}, s.ListRouters)
}

// ListRouters returns a page of routers.
func (s *Service) ListRouters(ctx context.Context, r ListRoutersRequest) (command.List[RouterView], error) {
	if r.ForVPC != nil && *r.ForVPC {
		return command.List[RouterView]{}, nil
	}
	q, err := r.Apply(ctx, s.db.In(ctx).Model(&Router{}), r.ID)
	if err != nil {
		return command.List[RouterView]{}, err
	}
	for column, v := range map[string]string{"id": r.ID, "zone_id": r.ZoneID, "host_id": r.HostID, "network_id": r.NetworkID} {
		q = command.Equal(q, column, v)
	}
	q = command.Named(command.Named(q, "name", r.Name), "state", r.State)
	for column, v := range map[string]string{"pod_id": r.PodID, "cluster_id": r.ClusterID} {
		if v != "" {
			q = q.Where("host_id IN (?)", s.db.In(ctx).Model(&infra.Host{}).Where(column+" = ?", v).Select("id"))
		}
	}
	list, n, err := command.Rows[Router](r.Search(q, "name"), r.Paging, "created_at DESC, id DESC")
	if err != nil {
		return command.List[RouterView]{}, err
	}
	views, err := s.routerViews(ctx, list)
	return command.List[RouterView]{Count: n, Items: views}, err
}

// beside is what views of routers say besides the routers' own rows.
type beside struct {
	belongs func(store.Owner) iam.Belongs
	zones   map[string]string
	hosts   map[string]infra.Host
	nets    map[string]Network
	ips     map[string]PublicIP // by network
	ranges  map[string]PublicRange
}

func (s *Service) routerViews(ctx context.Context, list []Router) ([]RouterView, error) {
	b, err := s.besideRouters(ctx, list)
	if err != nil {
		return nil, err
	}
	out := make([]RouterView, len(list))
	for i, r := range list {
		out[i] = b.view(r)
	}
	return out, label.Fill(ctx, s.db, out, label.Want{Notes: true}, func(v *RouterView) string { return v.ID }, func(v *RouterView, l label.Shown) {
		v.Annotations = l.Noted(v.ID)
	})
}

func (s *Service) besideRouters(ctx context.Context, list []Router) (b beside, err error) {
	var owners []store.Owner
	var zoneIDs, hostIDs, networkIDs, rangeIDs []string
	for _, r := range list {
		owners, zoneIDs = append(owners, r.Owner()), append(zoneIDs, r.ZoneID)
		hostIDs, networkIDs = append(hostIDs, r.HostID), append(networkIDs, r.NetworkID)
	}
	if b.belongs, err = s.iam.Owners(ctx, owners); err != nil {
		return b, err
	}
	if b.zones, err = store.Names[infra.Zone](ctx, s.db, zoneIDs); err != nil {
		return b, err
	}
	if b.nets, err = s.ByID(ctx, networkIDs); err != nil {
		return b, err
	}
	b.hosts, b.ips = map[string]infra.Host{}, map[string]PublicIP{}
	if len(list) == 0 {
		return b, nil
	}
	var hosts []infra.Host
	if err := s.db.In(ctx).Unscoped().Where("id IN ?", hostIDs).Find(&hosts).Error; err != nil {
		return b, err
	}
	for _, h := range hosts {
		b.hosts[h.ID] = h
	}
	ips, err := gorm.G[PublicIP](s.db.In(ctx)).Where("network_id IN ? AND source_nat = ?", networkIDs, true).Find(ctx)
	if err != nil {
		return b, err
	}
	for _, ip := range ips {
		b.ips[ip.NetworkID] = ip
		rangeIDs = append(rangeIDs, ip.RangeID)
	}
	b.ranges, err = s.rangesByID(ctx, rangeIDs)
	return b, err
}

func (b beside) view(r Router) RouterView {
	n, h, ip := b.nets[r.NetworkID], b.hosts[r.HostID], b.ips[r.NetworkID]
	public := b.ranges[ip.RangeID]
	nics := []RouterNIC{{NetworkID: n.ID, NetworkName: n.Name, IP: n.Gateway, Netmask: netmask(n.CIDR), TrafficType: "Guest", Type: n.GuestType}}
	if ip.Address != "" {
		nics = append(nics, RouterNIC{IP: ip.Address, Netmask: public.Netmask, Gateway: public.Gateway, MAC: ip.MAC, TrafficType: "Public", Default: true})
	}
	return RouterView{
		ID: r.ID, Belongs: b.belongs(r.Owner()), Name: r.Name, State: r.State, Role: "VIRTUAL_ROUTER", ZoneID: r.ZoneID,
		ZoneName: b.zones[r.ZoneID], PodID: h.PodID, HostID: r.HostID, HostName: h.Name, HostControl: h.ResourceState, Hypervisor: h.Hypervisor,
		Arch: h.Arch, NetworkID: n.ID, NetworkName: n.Name, GuestIP: n.Gateway, GuestNetmask: netmask(n.CIDR), NetworkDomain: n.NetworkDomain,
		DNS1: n.DNS1, DNS2: n.DNS2, Gateway: public.Gateway, PublicIP: ip.Address, PublicMAC: ip.MAC, PublicNetmask: public.Netmask,
		Version: command.Version, Created: command.Time{Time: r.CreatedAt}, RedundantState: "UNKNOWN", NICs: nics,
	}
}
