package compute

import (
	"context"
	"net/netip"

	"gorm.io/gorm"

	"aerie/services/catalog"
	"aerie/services/image"
	"aerie/services/infra"
	"aerie/services/network"
	"aerie/services/store"
)

// LocalZone is the data centre that a first start makes of this machine, or of
// a simulator when it cannot be one.
type LocalZone struct {
	Name       string
	Hypervisor string // "KVM" or "Simulator"
	Simulated  bool
	Hosts      []LocalHost
	PoolType   string // of primary storage
	PoolPath   string
	ImagePath  string // the image store's folder
	Public     netip.Prefix
	Bridge     string // that carries public traffic
	DNS        []netip.Addr
	CPUFactor  float64
}

// LocalHost is a host of the local zone.
type LocalHost struct{ Name, URL, IP string }

// MakeLocal makes the zone with everything in it. It belongs in a transaction
// that runs once.
func (s *Service) MakeLocal(ctx context.Context, l LocalZone) (infra.Zone, error) {
	g := s.db.In(ctx)
	row := func() store.Row { return store.Row{ID: s.db.NewID()} }
	zone := infra.Zone{
		Row: row(), Name: l.Name, NetworkType: "Advanced", AllocationState: infra.Enabled,
		DNS1: l.DNS[0].String(), InternalDNS1: l.DNS[0].String(), GuestCIDR: "10.1.1.0/24", LocalStorage: true, Simulated: l.Simulated,
	}
	pod := infra.Pod{Row: row(), ZoneID: zone.ID, Name: l.Name + "-pod", AllocationState: infra.Enabled}
	cluster := infra.Cluster{
		Row: row(), ZoneID: zone.ID, PodID: pod.ID, Name: l.Name + "-cluster", Hypervisor: l.Hypervisor,
		ClusterType: "CloudManaged", AllocationState: infra.Enabled, Arch: "x86_64", CPUFactor: max(l.CPUFactor, 1), MemoryFactor: 1,
	}
	physical := infra.PhysicalNetwork{Row: row(), ZoneID: zone.ID, Name: l.Name + "-network", State: infra.Enabled, Broadcast: "ZONE"}
	traffic := []infra.TrafficType{
		{Row: row(), PhysicalNetworkID: physical.ID, Type: "Management"},
		{Row: row(), PhysicalNetworkID: physical.ID, Type: "Public", KVMLabel: l.Bridge},
		{Row: row(), PhysicalNetworkID: physical.ID, Type: "Guest"},
	}
	pool := infra.Pool{
		Row: row(), ZoneID: zone.ID, PodID: pod.ID, ClusterID: cluster.ID, Name: l.Name + "-primary", Type: l.PoolType,
		Scope: "CLUSTER", URL: "file://" + l.PoolPath, Path: l.PoolPath, Provider: "DefaultPrimary", Hypervisor: l.Hypervisor, State: "Up", Factor: 2,
	}
	images := infra.ImageStore{
		Row: row(), ZoneID: zone.ID, Name: l.Name + "-secondary", URL: "file://" + l.ImagePath, Provider: "Local",
		Protocol: "file", Path: l.ImagePath,
	}
	public := publicRange(row(), zone.ID, physical.ID, l.Public)
	for _, create := range []func() error{
		func() error { return gorm.G[infra.Zone](g).Create(ctx, &zone) },
		func() error { return gorm.G[infra.Pod](g).Create(ctx, &pod) },
		func() error { return gorm.G[infra.Cluster](g).Create(ctx, &cluster) },
		func() error { return gorm.G[infra.PhysicalNetwork](g).Create(ctx, &physical) },
		func() error { return gorm.G[infra.TrafficType](g).CreateInBatches(ctx, &traffic, len(traffic)) },
		func() error { return gorm.G[infra.Pool](g).Create(ctx, &pool) },
		func() error { return gorm.G[infra.ImageStore](g).Create(ctx, &images) },
		func() error { return gorm.G[network.PublicRange](g).Create(ctx, &public) },
	} {
		if err := create(); err != nil {
			return zone, err
		}
	}
	for _, h := range l.Hosts {
		host := infra.Host{
			Row: row(), ZoneID: zone.ID, PodID: pod.ID, ClusterID: cluster.ID, Name: h.Name, URL: h.URL, IP: h.IP,
			Hypervisor: l.Hypervisor, State: infra.HostConnecting, ResourceState: string(infra.Enabled),
		}
		if err := gorm.G[infra.Host](g).Create(ctx, &host); err != nil {
			return zone, err
		}
	}
	return zone, nil
}

// publicRange is all of a prefix but the host's own address, which is the
// first and its gateway, and the broadcast address.
func publicRange(row store.Row, zoneID, physicalID string, p netip.Prefix) network.PublicRange {
	gw := p.Masked().Addr().Next()
	last := network.Address(network.Number(p.Masked().Addr()) + 1<<(32-p.Bits()) - 2)
	mask := network.Address(0xffffffff ^ (1<<(32-p.Bits()) - 1))
	return network.PublicRange{
		Row: row, ZoneID: zoneID, PhysicalNetworkID: physicalID, VLAN: "vlan://untagged",
		Gateway: gw.String(), Netmask: mask.String(), StartIP: gw.Next().String(), EndIP: last.String(),
	}
}

// BuiltIn is the bundled template.
type BuiltIn struct {
	Name, Text, Path, Hypervisor, OSType string
	Bytes, FileBytes                     int64
	Owner                                store.Owner
}

// AddBuiltIn registers the bundled image, whose file is already in the image
// store, as a public featured template of the zone. It belongs in a
// transaction that runs once.
func (s *Service) AddBuiltIn(ctx context.Context, zone infra.Zone, b BuiltIn) error {
	g := s.db.In(ctx)
	secondary, err := gorm.G[infra.ImageStore](g).Where("zone_id = ?", zone.ID).Take(ctx)
	if err != nil {
		return err
	}
	os, err := catalog.ByName(ctx, s.db, b.OSType)
	if err != nil {
		return err
	}
	t := image.Template{
		Row: store.Row{ID: s.db.NewID()}, Owned: store.Owned(b.Owner), Name: b.Name, DisplayText: b.Text, URL: "file://" + b.Path,
		Format: "QCOW2", Hypervisor: b.Hypervisor, Type: "BUILTIN", Arch: "x86_64", OSType: b.OSType, OSTypeID: os.ID, Bits: 64, Public: true, Featured: true,
		PasswordEnabled: true, SSHKeyEnabled: true, Details: "{}", Bytes: b.Bytes, FileBytes: b.FileBytes,
	}
	if err := gorm.G[image.Template](g).Create(ctx, &t); err != nil {
		return err
	}
	return gorm.G[image.Copy](g).Create(ctx, &image.Copy{
		ID: s.db.NewID(), TemplateID: t.ID, ZoneID: zone.ID, StoreID: secondary.ID,
		State: image.Ready, Percent: 100, Path: b.Path, FileBytes: b.FileBytes,
	})
}
