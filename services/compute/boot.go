package compute

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"aerie/drivers"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/network"
	"aerie/services/placement"
	"aerie/services/state"
	"aerie/services/storage"
	"aerie/services/store"
)

// boot is the state of the sagas that bring an instance up.
type boot struct {
	VM     string
	Host   string   // wanted: this host only
	Placed string   // where it goes
	Left   string   // where it ran last
	Made   []string // volumes whose disks this start makes
	Nets   []string // to apply
	Spec   drivers.VMSpec
	New    bool // a deployment: a failure leaves Error, not Stopped
}

// place claims a host, pools and the networks' routers.
func (s *Service) place(ctx context.Context, b *boot) error {
	sized, err := s.sized(ctx, b.VM)
	if err != nil {
		return err
	}
	vm := sized.VM
	legs, err := s.Net.Legs(ctx, vm.ID)
	if err != nil {
		return err
	}
	need := placement.Need{
		Entity: vm.ID, ZoneID: vm.ZoneID, Hypervisor: vm.Hypervisor,
		Mhz: int64(vm.CPUs * vm.MHz), Mib: int64(vm.MemoryMiB), HostID: b.Host, Prefer: near(&vm, legs), Tags: sized.Offering.HostTags,
	}
	if need.Bonds, err = s.bonds(ctx, &vm); err != nil {
		return err
	}
	if need.Weights, err = s.weights(ctx, &vm, sized.Offering.Planner); err != nil {
		return err
	}
	host, err := placement.Host(ctx, s.db, need)
	if err != nil {
		return err
	}
	b.Placed, b.Left = host.ID, vm.LastHostID
	if _, err := gorm.G[VM](s.db.In(ctx)).Where("id = ?", vm.ID).Update(ctx, "host_id", host.ID); err != nil {
		return err
	}
	if err := s.prepareNetworks(ctx, b, legs, host); err != nil {
		return err
	}
	disks, err := s.Storage.Disks(ctx, vm.ID)
	if err != nil {
		return err
	}
	for i := range disks {
		if disks[i].Type == storage.Root && disks[i].DiskOfferingID == "" {
			disks[i].Offering = sized.Offering.rootDisk()
		}
	}
	b.Made = nil
	for _, d := range disks {
		if d.PoolID == "" {
			b.Made = append(b.Made, d.ID)
		}
	}
	// Last: a pool's row is one that all deployments wait for.
	err = s.Storage.Place(ctx, disks, host)
	b.Spec = machine(&vm, legs, disks)
	if err != nil {
		return err
	}
	rates, err := s.rates(ctx, sized.Offering, legs)
	sized.Offering.bound(&b.Spec, rates, host)
	return err
}

// rates are the rates of an instance's networks: its default card has that of
// the size, the others those of their networks.
func (s *Service) rates(ctx context.Context, o Offering, legs []network.Leg) (map[string]int, error) {
	out := map[string]int{}
	var others []string
	for _, l := range legs {
		if l.IsDefault {
			out[l.ID] = o.NetworkRate
		} else {
			others = append(others, l.NetworkID)
		}
	}
	if len(others) == 0 {
		return out, nil
	}
	of, err := s.Net.Rates(ctx, others)
	for _, l := range legs {
		if !l.IsDefault {
			out[l.ID] = of[l.NetworkID]
		}
	}
	return out, err
}

// sized is an instance with its size, in one query; a size that was removed
// holds for its instances.
type sized struct {
	VM       `gorm:"embedded"`
	Offering Offering `gorm:"foreignKey:OfferingID"`
}

// TableName is the instances' table.
func (sized) TableName() string { return "vms" }

func (s *Service) sized(ctx context.Context, id string) (sized, error) {
	var row sized
	err := s.db.In(ctx).Unscoped().Joins("Offering").Where("vms.id = ? AND vms.removed_at IS NULL", id).Take(&row).Error
	return row, err
}

// bound sets what the size lets the machine have: of its processors, and of
// the network.
func (o Offering) bound(spec *drivers.VMSpec, rates map[string]int, host infra.Host) {
	if o.LimitCPU && host.CPUMhz > 0 {
		spec.CPUCap = min(max(spec.CPUMHz*100/host.CPUMhz, 1), 100)
	}
	for i := range spec.NICs {
		spec.NICs[i].Mbit = rates[spec.NICs[i].ID]
	}
}

// weights are how well hosts suit the planner of a size; nil for any planner
// that takes whichever has room.
func (s *Service) weights(ctx context.Context, vm *VM, planner string) (map[string]int, error) {
	if planner != "UserDispersingPlanner" && planner != "UserConcentratedPodPlanner" {
		return nil, nil
	}
	var rows []struct {
		HostID, PodID string
		N             int
	}
	err := s.db.In(ctx).Model(&infra.Host{}).Where("hosts.zone_id = ?", vm.ZoneID).
		Joins("LEFT JOIN vms ON vms.host_id = hosts.id AND vms.account_id = ? AND vms.removed_at IS NULL AND vms.id <> ?", vm.AccountID, vm.ID).
		Select("hosts.id AS host_id", "hosts.pod_id AS pod_id", "COUNT(vms.id) AS n").Group("hosts.id, hosts.pod_id").Scan(&rows).Error
	pods, out := map[string]int{}, map[string]int{}
	for _, r := range rows {
		pods[r.PodID] += r.N
	}
	for _, r := range rows {
		out[r.HostID] = -r.N
		if planner == "UserConcentratedPodPlanner" {
			out[r.HostID] = pods[r.PodID]
		}
	}
	return out, err
}

// machine is the instance as its host shall have it.
func machine(vm *VM, legs []network.Leg, disks []storage.Disk) drivers.VMSpec {
	spec := drivers.VMSpec{ID: vm.ID, Name: vm.InstanceName, CPUs: vm.CPUs, CPUMHz: vm.MHz, MemoryMiB: vm.MemoryMiB}
	slices.SortFunc(legs, func(a, b network.Leg) int { return a.Device - b.Device })
	for _, l := range legs {
		spec.NICs = append(spec.NICs, drivers.VMNIC{ID: l.ID, MAC: l.MAC, Bridge: drivers.BridgeName(l.NetworkID), MTU: l.Network.MTU})
	}
	for _, d := range disks {
		spec.Disks = append(spec.Disks, d.AsDevice())
	}
	return spec
}

// near is the host that suits an instance best: that of its first network's
// router, or else the one where it ran last.
func near(vm *VM, legs []network.Leg) string {
	for _, l := range legs {
		if l.IsDefault && l.Router.ID != "" {
			return l.Router.HostID
		}
	}
	return vm.LastHostID
}

func (s *Service) prepareNetworks(ctx context.Context, b *boot, legs []network.Leg, host infra.Host) error {
	b.Nets = nil
	for i := range legs {
		n := &legs[i].Network
		if err := s.Net.Prepare(ctx, n, host); err != nil {
			return err
		}
		b.Nets = append(b.Nets, n.ID)
	}
	return nil
}

// unplace gives back what place took. Networks that are up stay: others may be
// using them, and an idle one is collected by its own loop.
func (s *Service) unplace(ctx context.Context, b *boot) error {
	if err := placement.Release(ctx, s.db, b.VM); err != nil {
		return err
	}
	if err := s.abandon(ctx, b); err != nil {
		return err
	}
	vols, err := s.made(ctx, b)
	if err != nil {
		return err
	}
	if err := s.Storage.Unplace(ctx, vols); err != nil {
		return err
	}
	return s.failed(ctx, b)
}

// made are the volumes whose disks this start makes.
func (s *Service) made(ctx context.Context, b *boot) ([]storage.Volume, error) {
	vols, err := s.Storage.Of(ctx, b.VM)
	return slices.DeleteFunc(vols, func(v storage.Volume) bool { return !slices.Contains(b.Made, v.ID) }), err
}

// abandon shuts down networks that this start began to bring up and nobody
// else needs.
func (s *Service) abandon(ctx context.Context, b *boot) error {
	for _, id := range b.Nets {
		n, err := s.Net.Get(ctx, id)
		if err != nil {
			return err
		}
		if n.State != network.Implementing {
			continue
		}
		others, err := s.othersIn(ctx, id, b.VM)
		if err != nil {
			return err
		}
		if others {
			continue
		}
		if err := state.Move(ctx, s.db, &n, network.States, network.Failed); err != nil {
			return err
		}
		_, err = s.Jobs.Submit(ctx, job.Spec{
			Kind: "network.shutdown", Entity: n.Entity(), Object: "Network", ObjectID: n.ID, Owner: n.Owner(),
			State: map[string]any{"Network": n.ID},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// othersIn tells whether another instance needs the network.
func (s *Service) othersIn(ctx context.Context, networkID, vmID string) (bool, error) {
	var n int64
	g := s.db.In(ctx)
	err := g.Model(&network.NIC{}).Where("network_id = ? AND vm_id <> ? AND vm_id IN (?)", networkID, vmID,
		g.Model(&VM{}).Where("state IN ?", live).Select("id")).Count(&n).Error
	return n > 0, err
}

// failed is where a start that did not work ends. Its cause is on the job.
func (s *Service) failed(ctx context.Context, b *boot) error {
	vm, err := store.Find[VM](ctx, s.db, b.VM)
	if err != nil {
		return err
	}
	event := NotStarted
	if b.New {
		event = NotMade
	}
	if !States.Can(vm.State, event) { // undone before
		return nil
	}
	return state.Move(ctx, s.db, &vm, States, event, map[string]any{"host_id": "", "updated_at": s.db.Now()})
}

// disks makes the disks that are not there yet.
func (s *Service) disks(ctx context.Context, b *boot) error {
	list, err := s.Storage.Disks(ctx, b.VM)
	if err != nil {
		return err
	}
	return s.Storage.Ensure(ctx, list, b.Placed)
}

func (s *Service) dropDisks(ctx context.Context, b *boot) error {
	vols, err := s.made(ctx, b)
	if err != nil {
		return err
	}
	return s.Storage.DeleteDisks(ctx, vols, b.Placed)
}

// routers brings the networks' routers up to date, and the networks to the host.
func (s *Service) routers(ctx context.Context, b *boot) error {
	for _, id := range b.Nets {
		if err := s.Net.Connect(ctx, id, b.Placed); err != nil {
			return err
		}
	}
	return nil
}

// define makes the machine known to its host.
func (s *Service) define(ctx context.Context, b *boot) error {
	h, err := infra.Ability[drivers.Hypervisor](ctx, s.Fleet, b.Placed)
	if err != nil {
		return err
	}
	if b.Left != "" && b.Left != b.Placed { // it went off there by itself
		if err := s.forget(ctx, &halt{VM: b.VM, Host: b.Left}); err != nil {
			return err
		}
	}
	if _, err := h.DefineVM(ctx, b.Spec); err != nil {
		return infra.Fault(fmt.Errorf("define %s: %w", b.Spec.Name, err))
	}
	return nil
}

func (s *Service) undefine(ctx context.Context, b *boot) error {
	return s.undefineOn(ctx, b.VM, b.Placed)
}

func (s *Service) undefineOn(ctx context.Context, vmID, hostID string) error {
	if hostID == "" {
		return nil
	}
	h, err := infra.Ability[drivers.Hypervisor](ctx, s.Fleet, hostID)
	if store.IsAbsent(err) { // a host that was removed has no machines
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := h.UndefineVM(ctx, drivers.VMRef{ID: vmID}); err != nil {
		return infra.Fault(fmt.Errorf("undefine %s: %w", vmID, err))
	}
	return nil
}

// start powers the machine on.
func (s *Service) start(ctx context.Context, b *boot) error {
	h, err := infra.Ability[drivers.Hypervisor](ctx, s.Fleet, b.Placed)
	if err != nil {
		return err
	}
	got, err := h.StartVM(ctx, drivers.VMRef{ID: b.VM})
	if err != nil {
		return infra.Fault(fmt.Errorf("start %s: %w", b.VM, err))
	}
	if got.Power != drivers.PowerOn {
		return infra.Fault(drivers.Errorf(drivers.Internal, "start "+b.VM, "it is %s: %s", got.Power, got.Why))
	}
	return nil
}

// running is the happy end.
func (s *Service) running(ctx context.Context, b *boot) error {
	vm, err := store.Find[VM](ctx, s.db, b.VM)
	if err != nil {
		return err
	}
	vols, err := s.Storage.Of(ctx, b.VM)
	if err != nil {
		return err
	}
	if err := s.Storage.MarkReady(ctx, vols); err != nil {
		return err
	}
	now := s.db.Now()
	return state.Move(ctx, s.db, &vm, States, Started,
		map[string]any{"host_id": b.Placed, "last_host_id": b.Placed, "started_at": now, "updated_at": now, "why": ""})
}
