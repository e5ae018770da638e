package compute

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"gorm.io/gorm"

	"aerie/drivers"
	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/image"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/network"
	"aerie/services/storage"
	"aerie/services/store"
)

// DeployRequest is what a new instance shall be.
type DeployRequest struct {
	command.Owner
	ZoneID         string            `json:"zoneid" ref:"zone" finds:"true" required:"true" doc:"availability zone of the instance"`
	OfferingID     string            `json:"serviceofferingid" ref:"serviceoffering" finds:"true" required:"true" doc:"the size of the instance"`
	TemplateID     string            `json:"templateid" ref:"template" finds:"true" doc:"the image that the root disk is made from"`
	NetworkIDs     []string          `json:"networkids" ref:"network" finds:"true" doc:"the networks of the instance; the first is its default"`
	IPs            []NICAddress      `json:"iptonetworklist" doc:"a network with the address the instance gets in it"`
	IP             string            `json:"ipaddress" doc:"the address in the default network"`
	MAC            string            `json:"macaddress" doc:"the hardware address in the default network"`
	Name           string            `json:"name" max:"63" doc:"host name of the instance"`
	DisplayName    string            `json:"displayname" doc:"name for people"`
	Hypervisor     string            `json:"hypervisor" doc:"the hypervisor to run on"`
	HostID         string            `json:"hostid" ref:"host" doc:"the host to run on; administrators only"`
	StartVM        *bool             `json:"startvm" doc:"false to leave the instance stopped"`
	DiskOfferingID string            `json:"diskofferingid" ref:"diskoffering" finds:"true" doc:"a data disk of this kind comes with the instance"`
	Size           int64             `json:"size" min:"1" max:"64000" doc:"size of the data disk in GiB, for a custom disk offering"`
	RootSize       int64             `json:"rootdisksize" min:"1" max:"64000" doc:"size of the root disk in GiB"`
	KeyPair        string            `json:"keypair" doc:"name of an SSH key pair for the instance"`
	KeyPairs       []string          `json:"keypairs" doc:"names of SSH key pairs for the instance"`
	UserData       string            `json:"userdata" max:"1048576" doc:"data for the guest, base64"`
	UserDataID     string            `json:"userdataid" ref:"userdata" finds:"true" doc:"data of the library for the guest, instead"`
	UserDataValues map[string]string `json:"userdatadetails" doc:"values of the user data's variables"`
	Group          string            `json:"group" doc:"name of an instance group; it is made if there is none"`
	AffinityIDs    []string          `json:"affinitygroupids" ref:"affinitygroup" doc:"affinity groups of the instance"`
	AffinityNames  []string          `json:"affinitygroupnames" doc:"names of the affinity groups, instead of their ids"`
	RootDiskID     string            `json:"overridediskofferingid" ref:"diskoffering" finds:"true" doc:"what the root disk is made of, where the size lets one choose"`
	LeaseDays      *int              `json:"leaseduration" min:"-1" max:"36500" doc:"days until the instance is stopped or destroyed by itself; -1 is never"`
	LeaseAction    string            `json:"leaseexpiryaction" enum:"STOP,DESTROY" doc:"what happens then"`
	Password       string            `json:"password" secret:"true" doc:"the guest's password, for a template that takes one"`
	Details        map[string]string `json:"details" doc:"cpuNumber, cpuSpeed and memory of a custom offering"`
	DisplayVM      *bool             `json:"displayvm" doc:"false hides the instance from its users"`
	Dynamic        *bool             `json:"dynamicscalingenabled" doc:"whether the instance may be resized while it runs"`
}

// NICAddress asks for an address in a network.
type NICAddress struct {
	NetworkID string `json:"networkid" ref:"network" doc:"the network"`
	IP        string `json:"ip" doc:"the address"`
	MAC       string `json:"mac" doc:"the hardware address"`
}

// plan is a deployment whose parts are looked up and agreed.
type plan struct {
	DeployRequest
	zone     infra.Zone
	offering Offering
	template image.Template
	disk     *storage.Offering
	rootDisk *storage.Offering // instead of what the size says of root disks
	groups   []AffinityGroup
	nets     []network.Network
	keys     string // lines of authorized_keys
	data64   settled
	vm       VM
	root     int64 // bytes
	data     int64
}

// deploy checks the request, writes the instance with its cards and disks, and
// says which job makes it run.
func (s *Service) deploy(ctx context.Context, r DeployRequest) (job.Spec, error) {
	ctx, err := r.Resolve(ctx)
	if err != nil {
		return job.Spec{}, err
	}
	p := &plan{DeployRequest: r}
	for _, step := range []func(context.Context, *plan) error{
		s.planParts, s.planSize, s.planDisks, s.planAccess, s.planVM,
		// From here on deployments of an account queue up behind its counters, so
		// that two at once find one default network and not one name for both.
		s.reserve, s.planNetworks, s.freeName, s.writeNICs,
		// And from here on those of all accounts may, behind the running number.
		s.number, s.write,
	} {
		if err := step(ctx, p); err != nil {
			return job.Spec{}, err
		}
	}
	spec := job.Spec{
		Kind: "vm.deploy", Entity: p.vm.Entity(), Object: "VirtualMachine", ObjectID: p.vm.ID, Owner: p.vm.Owner(),
		State: boot{VM: p.vm.ID, Host: r.HostID, New: true},
	}
	if p.vm.State == Stopped {
		spec.Kind = "vm.create"
	}
	return spec, nil
}

func (s *Service) planParts(ctx context.Context, p *plan) (err error) {
	actor, _ := store.From(ctx)
	if p.zone, err = store.Find[infra.Zone](ctx, s.db, p.ZoneID); err != nil {
		return named(err, "zoneid", p.ZoneID)
	}
	if p.zone.AllocationState != infra.Enabled && actor.Rank != store.Admin {
		return fault.Param("zoneid", "error.zone_disabled", "name", p.zone.Name)
	}
	if p.offering, err = store.Find[Offering](ctx, s.db, p.OfferingID); err != nil {
		return named(err, "serviceofferingid", p.OfferingID)
	}
	if !infra.In(p.offering.ZoneIDs, p.zone.ID) {
		return fault.Param("serviceofferingid", "error.offering_zone", "name", p.offering.Name, "zone", p.zone.Name)
	}
	if p.TemplateID == "" {
		return fault.Param("templateid", "error.required", "command", "deployvirtualmachine")
	}
	if p.template, err = store.Find[image.Template](ctx, s.db, p.TemplateID); err != nil {
		return named(err, "templateid", p.TemplateID)
	}
	if p.Hypervisor != "" && !strings.EqualFold(p.Hypervisor, p.template.Hypervisor) {
		return fault.Param("hypervisor", "error.hypervisor", "value", p.Hypervisor, "want", p.template.Hypervisor)
	}
	_, err = s.Images.ReadyCopy(ctx, p.template.ID, p.zone.ID)
	return err
}

// named makes an absent id name the request's parameter.
func named(err error, param, id string) error {
	if store.IsAbsent(err) {
		return fault.Absent(param, id)
	}
	return err
}

func (s *Service) planDisks(ctx context.Context, p *plan) error {
	if err := s.planRoot(ctx, p); err != nil {
		return err
	}
	p.root = max(p.template.Bytes, p.offering.RootGiB<<30)
	if p.rootDisk != nil {
		p.root = max(p.root, p.rootDisk.Bytes)
	}
	if p.RootSize > 0 {
		p.root = p.RootSize << 30
	}
	if p.root < p.template.Bytes {
		return fault.Param("rootdisksize", "error.root_too_small", "value", p.RootSize, "bytes", p.template.Bytes)
	}
	if p.DiskOfferingID == "" {
		return nil
	}
	o, err := s.diskOffering(ctx, p, "diskofferingid", p.DiskOfferingID)
	if err != nil {
		return err
	}
	p.disk, p.data = &o, o.Bytes
	if o.Customized {
		if p.Size == 0 {
			return fault.Param("size", "error.size_needed", "offering", o.Name)
		}
		p.data = p.Size << 30
	}
	return nil
}

func (s *Service) planAccess(ctx context.Context, p *plan) error {
	if p.Name != "" && !isHostName(p.Name) {
		return fault.Param("name", "error.host_name", "value", p.Name)
	}
	if !drivers.IsLine(p.Password) {
		return fault.Param("password", "error.password_line")
	}
	actor, _ := store.From(ctx)
	var err error
	if p.data64, err = s.settle(ctx, actor.Target(), given{p.UserData, p.UserDataID, p.UserDataValues}, p.template); err != nil {
		return err
	}
	if p.groups, err = s.chosenAffinities(ctx, actor.Target(), p.AffinityIDs, p.AffinityNames); err != nil {
		return err
	}
	p.KeyPairs, p.keys, err = s.keysOf(ctx, actor.Target(), p.KeyPair, p.KeyPairs)
	return err
}

// hostName is RFC 1123's label.
var hostName = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$`)

// isHostName leaves out the name under which guests find their router's data.
func isHostName(name string) bool {
	return hostName.MatchString(name) && !strings.EqualFold(name, drivers.DataServer)
}

func (s *Service) planVM(ctx context.Context, p *plan) error {
	actor, _ := store.From(ctx)
	owner := actor.Target()
	id := s.db.NewID()
	if p.Name == "" {
		p.Name = "VM-" + id
	}
	details, err := json.Marshal(p.Details)
	if err != nil {
		return err
	}
	p.vm = VM{
		Row: store.Row{ID: id}, Owned: store.Owned(owner), Name: p.Name, DisplayName: p.DisplayName,
		State: Starting, ZoneID: p.zone.ID,
		OfferingID: p.offering.ID, TemplateID: p.template.ID, Hypervisor: p.template.Hypervisor,
		CPUs: p.offering.CPUs, MHz: p.offering.MHz, MemoryMiB: p.offering.MemoryMiB, HA: p.offering.HA,
		Display: p.DisplayVM == nil || *p.DisplayVM, Dynamic: p.Dynamic != nil && *p.Dynamic,
		PasswordEnabled: p.template.PasswordEnabled, KeyPairs: strings.Join(p.KeyPairs, ","), PublicKeys: p.keys,
		UserData: p.data64.Content, UserDataID: p.data64.ID, UserDataParams: p.data64.Values, Bonded: len(p.groups) > 0,
		Details: string(details), OSType: p.template.OSType, OSTypeID: p.template.OSTypeID, UserID: actor.UserID,
	}
	l, err := s.leaseFrom(p.LeaseDays, p.LeaseAction, lease{Days: p.offering.LeaseDays, Action: p.offering.LeaseAction})
	if err != nil {
		return err
	}
	p.vm.LeaseDays, p.vm.LeaseAction, p.vm.LeaseEnds = l.Days, l.Action, l.Ends
	if p.Group != "" {
		if p.vm.GroupID, err = s.joinGroup(ctx, owner, p.Group); err != nil {
			return err
		}
	}
	if p.vm.DisplayName == "" {
		p.vm.DisplayName = p.vm.Name
	}
	if p.StartVM != nil && !*p.StartVM {
		p.vm.State = Stopped
	}
	return s.planPassword(p)
}

// number names the instance at its hypervisor.
func (s *Service) number(ctx context.Context, p *plan) error {
	account, err := s.IAM.AccountByID(store.System(ctx, "the owner, which may be a project's account"), p.vm.AccountID)
	if err != nil {
		return err
	}
	n, err := s.db.Number(ctx, "vm")
	p.vm.InstanceName = fmt.Sprintf("i-%d-%d-%s", account.Number, n, s.Settings.Suffix(ctx))
	return err
}

// freeName refuses a host name that another instance of the account, or of one
// of the networks, has: names resolve inside a network.
func (s *Service) freeName(ctx context.Context, p *plan) error {
	actor, _ := store.From(ctx)
	g := s.db.In(ctx)
	var ids []string
	for _, n := range p.nets {
		ids = append(ids, n.ID)
	}
	taken, err := gorm.G[VM](s.db.In(ctx)).
		Where("name = ? AND (account_id = ? OR id IN (?))", p.Name, actor.Target().AccountID,
			g.Model(&network.NIC{}).Where("network_id IN ?", ids).Select("vm_id")).
		Count(ctx, "id")
	if err == nil && taken > 0 {
		err = fault.Param("name", "error.name_taken", "value", p.Name)
	}
	return err
}

// reserve counts the instance against its owner's limits.
func (s *Service) reserve(ctx context.Context, p *plan) error {
	want := iam.Amounts{iam.Instances: 1, iam.CPUs: int64(p.offering.CPUs), iam.Memory: int64(p.offering.MemoryMiB)}
	want[iam.Volumes], want[iam.PrimaryStorage] = 1, p.root
	if p.disk != nil {
		want[iam.Volumes], want[iam.PrimaryStorage] = 2, p.root+p.data
	}
	actor, _ := store.From(ctx)
	if err := s.IAM.ReserveAll(ctx, actor.Target(), want); err != nil {
		return err
	}
	return s.reserveTagged(ctx, p, actor.Target())
}

// writeNICs stores the instance's cards.
func (s *Service) writeNICs(ctx context.Context, p *plan) error {
	for i, n := range p.nets {
		want := network.NICRequest{ID: s.db.NewID(), VMID: p.vm.ID, Network: n, Device: i, Default: i == 0}
		want.IP, want.MAC = p.addressIn(n.ID, i)
		if _, err := s.Net.AddNIC(ctx, want); err != nil {
			return err
		}
	}
	return nil
}

// write stores the instance and its disks.
func (s *Service) write(ctx context.Context, p *plan) error {
	g := s.db.In(ctx)
	if err := gorm.G[VM](g).Create(ctx, &p.vm); err != nil {
		return err
	}
	if len(p.groups) > 0 {
		if err := s.bind(ctx, p.vm.ID, p.groups); err != nil {
			return err
		}
	}
	vols := []storage.Volume{{
		Row: store.Row{ID: s.db.NewID()}, Name: "ROOT-" + p.vm.InstanceName, Type: storage.Root,
		State: storage.Allocated, ZoneID: p.zone.ID, VMID: p.vm.ID, AttachedAt: new(s.db.Now()), TemplateID: p.template.ID,
		ServiceOfferingID: p.offering.ID, Bytes: p.root,
	}}
	if p.rootDisk != nil {
		vols[0].DiskOfferingID = p.rootDisk.ID
	}
	if p.disk != nil {
		vols = append(vols, storage.Volume{
			Row: store.Row{ID: s.db.NewID()}, Name: "DATA-" + p.vm.InstanceName, Type: storage.Data,
			State: storage.Allocated, ZoneID: p.zone.ID, VMID: p.vm.ID, Device: 1, AttachedAt: new(s.db.Now()),
			DiskOfferingID: p.disk.ID, Bytes: p.data,
		})
	}
	return gorm.G[storage.Volume](g).CreateInBatches(ctx, &vols, len(vols))
}

func (p *plan) addressIn(networkID string, i int) (ip, mac string) {
	if i == 0 {
		ip, mac = p.IP, p.MAC
	}
	for _, a := range p.IPs {
		if a.NetworkID == networkID && a.IP != "" {
			ip = a.IP
		}
		if a.NetworkID == networkID && a.MAC != "" {
			mac = a.MAC
		}
	}
	return ip, strings.ToLower(mac)
}
