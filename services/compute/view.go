package compute

import (
	"context"
	"encoding/json"
	"net/netip"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/iam"
	"aerie/services/image"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/network"
	"aerie/services/storage"
	"aerie/services/store"
)

// View is an instance as commands return it.
type View struct {
	ID string `json:"id"`
	iam.Belongs
	Name             string            `json:"name"`
	DisplayName      string            `json:"displayname"`
	InstanceName     string            `json:"instancename" view:"admin"`
	State            State             `json:"state"`
	ZoneID           string            `json:"zoneid"`
	ZoneName         string            `json:"zonename"`
	HostID           string            `json:"hostid" view:"admin"`
	HostName         string            `json:"hostname" view:"admin"`
	Hypervisor       string            `json:"hypervisor"`
	OfferingID       string            `json:"serviceofferingid"`
	OfferingName     string            `json:"serviceofferingname"`
	TemplateID       string            `json:"templateid"`
	TemplateName     string            `json:"templatename"`
	TemplateText     string            `json:"templatedisplaytext"`
	TemplateFormat   string            `json:"templateformat"`
	TemplateType     string            `json:"templatetype"`
	OSDisplayName    string            `json:"osdisplayname"`
	Arch             string            `json:"arch"`
	CPUs             int               `json:"cpunumber"`
	MHz              int               `json:"cpuspeed"`
	MemoryMiB        int               `json:"memory"`
	Created          command.Time      `json:"created"`
	Updated          command.Time      `json:"lastupdated"`
	HA               bool              `json:"haenable"`
	Display          bool              `json:"displayvm"`
	Dynamic          bool              `json:"isdynamicallyscalable"`
	DeleteProtection bool              `json:"deleteprotection"`
	PasswordEnabled  bool              `json:"passwordenabled"`
	Password         string            `json:"password" secret:"true"`
	KeyPairs         string            `json:"keypairs"`
	UserID           string            `json:"userid"`
	Username         string            `json:"username"`
	RootDeviceID     int64             `json:"rootdeviceid"`
	RootDeviceType   string            `json:"rootdevicetype"`
	PoolType         string            `json:"pooltype"`
	IP               string            `json:"ipaddress"`
	VMType           string            `json:"vmtype"`
	Details          map[string]string `json:"details"`
	UserData         string            `json:"userdata"`
	UserDataID       string            `json:"userdataid"`
	UserDataName     string            `json:"userdataname"`
	UserDataPolicy   string            `json:"userdatapolicy"`
	UserDataValues   string            `json:"userdatadetails"`
	GroupID          string            `json:"groupid"`
	Group            string            `json:"group"`
	LeaseDays        int               `json:"leaseduration,omitempty"`
	LeaseAction      string            `json:"leaseexpiryaction"`
	LeaseEnds        command.Time      `json:"leaseexpirydate"`
	JobID            string            `json:"jobid"`
	JobStatus        *int              `json:"jobstatus"`
	NICs             []NICView         `json:"nic"`
	SecurityGroups   []struct{}        `json:"securitygroup"`
	AffinityGroups   []AffinityView    `json:"affinitygroup"`
	Tags             []struct{}        `json:"tags"`
}

// NICView is a card of an instance as commands return it.
type NICView struct {
	ID          string   `json:"id"`
	NetworkID   string   `json:"networkid"`
	NetworkName string   `json:"networkname"`
	Netmask     string   `json:"netmask"`
	Gateway     string   `json:"gateway"`
	IP          string   `json:"ipaddress"`
	MAC         string   `json:"macaddress"`
	TrafficType string   `json:"traffictype"`
	Type        string   `json:"type"`
	IsDefault   bool     `json:"isdefault"`
	DeviceID    string   `json:"deviceid"`
	MTU         int      `json:"mtu"`
	VMID        string   `json:"virtualmachineid"`
	Secondary   []string `json:"secondaryip"`
}

// related is what views of instances say besides the instances' own rows: a
// constant number of queries.
type related struct {
	owners    func(store.Owner) iam.Belongs
	names     map[string]string // of zones, hosts, offerings and users
	templates map[string]image.Template
	nics      map[string][]NICView
	jobs      map[string]job.Row
	affinity  map[string][]AffinityView
}

// Get returns one instance as commands return it.
func (s *Service) Get(ctx context.Context, id string) (View, error) {
	vm, err := store.Find[VM](ctx, s.db, id)
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, vm)
}

func (s *Service) view(ctx context.Context, vm VM) (View, error) {
	views, err := s.Views(ctx, []VM{vm})
	if err != nil {
		return View{}, err
	}
	return views[0], nil
}

// Views makes the views of many instances.
func (s *Service) Views(ctx context.Context, vms []VM) ([]View, error) {
	out := make([]View, 0, len(vms))
	if len(vms) == 0 {
		return out, nil
	}
	r, err := s.relatedTo(ctx, vms)
	if err != nil {
		return nil, err
	}
	for i := range vms {
		out = append(out, r.view(&vms[i]))
	}
	return out, nil
}

func (s *Service) relatedTo(ctx context.Context, vms []VM) (r related, err error) {
	var ids, zones, hosts, offerings, templates, users, groups, data []string
	var owners []store.Owner
	for _, vm := range vms {
		ids, owners, users = append(ids, vm.ID), append(owners, vm.Owner()), append(users, vm.UserID)
		zones, hosts = append(zones, vm.ZoneID), append(hosts, vm.HostID)
		offerings, templates = append(offerings, vm.OfferingID), append(templates, vm.TemplateID)
		groups, data = append(groups, vm.GroupID), append(data, vm.UserDataID)
	}
	for _, get := range []func() error{
		func() error {
			r.owners, r.names, err = s.IAM.OwnersAnd(ctx, owners, store.Some{Model: &infra.Zone{}, IDs: zones},
				store.Some{Model: &infra.Host{}, IDs: hosts}, store.Some{Model: &Offering{}, IDs: offerings},
				store.Some{Model: &iam.User{}, IDs: users, Name: "username"},
				store.Some{Model: &Group{}, IDs: groups}, store.Some{Model: &UserData{}, IDs: data})
			return err
		},
		func() error { r.templates, err = s.Images.ByID(ctx, templates); return err },
		func() error { r.nics, err = s.nicViews(ctx, ids); return err },
		func() error { r.jobs, err = s.liveJobs(ctx, ids); return err },
		func() error { r.affinity, err = s.affinitiesOf(ctx, vms); return err },
	} {
		if err := get(); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (r related) view(vm *VM) View {
	t := r.templates[vm.TemplateID]
	v := View{
		ID: vm.ID, Belongs: r.owners(vm.Owner()), Name: vm.Name, DisplayName: vm.DisplayName, InstanceName: vm.InstanceName,
		State: vm.State, ZoneID: vm.ZoneID, ZoneName: r.names[vm.ZoneID], HostID: vm.HostID, HostName: r.names[vm.HostID],
		Hypervisor: vm.Hypervisor, OfferingID: vm.OfferingID, OfferingName: r.names[vm.OfferingID],
		TemplateID: vm.TemplateID, TemplateName: t.Name, TemplateText: t.DisplayText, TemplateFormat: t.Format, TemplateType: t.Type,
		OSDisplayName: vm.OSType, Arch: t.Arch, CPUs: vm.CPUs, MHz: vm.MHz, MemoryMiB: vm.MemoryMiB, Created: command.Time{Time: vm.CreatedAt},
		Updated: command.At(vm.UpdatedAt), HA: vm.HA, Display: vm.Display, Dynamic: vm.Dynamic, DeleteProtection: vm.DeleteProtection,
		PasswordEnabled: vm.PasswordEnabled, KeyPairs: vm.KeyPairs, UserID: vm.UserID, Username: r.names[vm.UserID],
		RootDeviceType: storage.Root, PoolType: "Filesystem", VMType: "User", NICs: r.nics[vm.ID],
		UserDataID: vm.UserDataID, UserDataName: r.names[vm.UserDataID], UserDataPolicy: t.UserDataPolicy, UserDataValues: vm.UserDataParams,
		GroupID: vm.GroupID, Group: r.names[vm.GroupID], LeaseDays: vm.LeaseDays, LeaseAction: vm.LeaseAction, LeaseEnds: command.At(vm.LeaseEnds),
		SecurityGroups: []struct{}{}, AffinityGroups: append([]AffinityView{}, r.affinity[vm.ID]...), Tags: []struct{}{},
	}
	for _, nic := range v.NICs {
		if nic.IsDefault {
			v.IP = nic.IP
		}
	}
	_ = json.Unmarshal([]byte(vm.Details), &v.Details) // written by this package
	if j, ok := r.jobs[vm.Entity()]; ok {
		v.JobID, v.JobStatus = j.ID, new(0)
	}
	return v
}

func (s *Service) nicViews(ctx context.Context, vmIDs []string) (map[string][]NICView, error) {
	cards, err := s.Net.Cards(ctx, vmIDs...)
	out := map[string][]NICView{}
	for _, c := range cards {
		out[c.VMID] = append(out[c.VMID], NICOf(c.NIC, c.Network))
	}
	return out, err
}

// NICOf is the view of a card in its network.
func NICOf(nic network.NIC, n network.Network) NICView {
	return NICView{
		ID: nic.ID, NetworkID: nic.NetworkID, NetworkName: n.Name, Netmask: netmask(n.CIDR), Gateway: n.Gateway, IP: nic.IP,
		MAC: nic.MAC, TrafficType: "Guest", Type: n.GuestType, IsDefault: nic.IsDefault, DeviceID: itoa(nic.Device), MTU: n.MTU,
		VMID: nic.VMID, Secondary: []string{},
	}
}

func netmask(cidr string) string {
	p, err := netip.ParsePrefix(cidr)
	if err != nil {
		return ""
	}
	return network.Address(0xffffffff ^ (1<<(32-p.Bits()) - 1)).String()
}

func (s *Service) liveJobs(ctx context.Context, vmIDs []string) (map[string]job.Row, error) {
	entities := make([]string, len(vmIDs))
	for i, id := range vmIDs {
		entities[i] = (&VM{Row: store.Row{ID: id}}).Entity()
	}
	// An entity has one live job, and this one lives until its result is stored.
	if j := command.Finishing(ctx); j != nil && len(entities) == 1 && j.Entity == entities[0] {
		return map[string]job.Row{j.Entity: *j}, nil
	}
	rows, err := gorm.G[job.Row](s.db.In(ctx)).Where("entity IN ? AND live = ?", entities, true).Select("id", "entity", "status").Find(ctx)
	out := map[string]job.Row{}
	for _, r := range rows {
		out[r.Entity] = r
	}
	return out, err
}
