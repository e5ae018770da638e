package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"aerie/drivers"
	"aerie/drivers/sim"
	"aerie/services/compute"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/network"
	"aerie/services/storage"
	"aerie/services/store"
)

type benchDeploy struct {
	Pairs int `help:"How often each way, in turn." default:"8"`
}

// Run deploys through the API, and starts the same machine by libvirt alone, in
// turn, in a network that is up.
func (c benchDeploy) Run(ctx context.Context, out io.Writer) (err error) {
	if os.Geteuid() != 0 {
		return errNotRoot
	}
	load(out)
	r, err := newRig(ctx, "", true, sim.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.stop()) }()
	if simulated, err := r.infra.Simulated(ctx); err != nil || simulated {
		return errors.Join(errors.New("this machine is no KVM host; aerie doctor tells why"), err)
	}
	r.also(func() error { return r.clear(context.WithoutCancel(ctx)) })
	p := &pair{rig: r}
	if err := p.begin(ctx); err != nil {
		return err
	}
	for i := range c.Pairs {
		ways := []func(context.Context) error{p.raw, p.api}
		if i%2 == 1 {
			slices.Reverse(ways)
		}
		for _, way := range ways {
			if err := way(ctx); err != nil {
				return err
			}
		}
	}
	p.tell(out)
	return nil
}

// pair measures the two ways.
type pair struct {
	*rig
	what             []string
	spec             drivers.VMSpec // of the first instance, to be started again under other names
	image            string
	vms              drivers.Hypervisor
	disks            drivers.DiskHost
	clone, start, ui []time.Duration
	steps            map[string][]time.Duration
	order            []string
}

// begin deploys the first instance: the network comes up and the template gets
// its base in the pool.
func (p *pair) begin(ctx context.Context) (err error) {
	p.steps = map[string][]time.Duration{}
	if p.what, err = p.choose(ctx); err != nil {
		return err
	}
	row, err := p.run(ctx, "deployVirtualMachine", p.what...)
	if err != nil {
		return err
	}
	sys := store.System(ctx, "bench")
	g := p.db.In(sys)
	vm, err := gorm.G[compute.VM](g).Where("id = ?", row.ObjectID).Take(sys)
	if err != nil {
		return err
	}
	nic, err := gorm.G[network.NIC](g).Where("vm_id = ?", vm.ID).Take(sys)
	if err != nil {
		return err
	}
	vol, err := gorm.G[storage.Volume](g).Where("vm_id = ?", vm.ID).Take(sys)
	if err != nil {
		return err
	}
	pool, err := gorm.G[infra.Pool](g).Where("id = ?", vol.PoolID).Take(sys)
	if err != nil {
		return err
	}
	p.image = vm.TemplateID
	p.spec = drivers.VMSpec{
		CPUs: vm.CPUs, CPUMHz: vm.MHz, MemoryMiB: vm.MemoryMiB, Disks: []drivers.VMDisk{{Pool: pool.DiskPool()}},
		NICs: []drivers.VMNIC{{Bridge: drivers.BridgeName(nic.NetworkID), MTU: 1500}},
	}
	if p.vms, err = infra.Ability[drivers.Hypervisor](sys, p.fleet, vm.HostID); err != nil {
		return err
	}
	p.disks, err = infra.Ability[drivers.DiskHost](sys, p.fleet, vm.HostID)
	return err
}

// raw clones a disk, then defines and starts the same machine by the driver
// alone, and takes it away.
func (p *pair) raw(ctx context.Context) (err error) {
	spec := p.spec
	spec.ID = p.db.NewID()
	spec.Name = "aerie-bench-" + spec.ID[24:]
	spec.Disks = []drivers.VMDisk{{ID: p.db.NewID(), Pool: p.spec.Disks[0].Pool}}
	spec.NICs = []drivers.VMNIC{{ID: p.db.NewID(), MAC: "02:be" + colons(spec.ID[28:]), Bridge: p.spec.NICs[0].Bridge, MTU: 1500}}
	defer func() {
		ctx := context.WithoutCancel(ctx)
		_, err1 := p.vms.UndefineVM(ctx, drivers.VMRef{ID: spec.ID})
		_, err2 := p.disks.DeleteDisk(ctx, drivers.DiskRef{ID: spec.Disks[0].ID, Pool: spec.Disks[0].Pool})
		err = errors.Join(err, err1, err2)
	}()
	began := time.Now()
	if _, err := p.disks.EnsureDisk(ctx, drivers.DiskSpec{ID: spec.Disks[0].ID, Pool: spec.Disks[0].Pool, Image: p.image}); err != nil {
		return err
	}
	cloned := time.Now()
	if _, err := p.vms.DefineVM(ctx, spec); err != nil {
		return err
	}
	if _, err := p.vms.StartVM(ctx, drivers.VMRef{ID: spec.ID}); err != nil {
		return err
	}
	p.clone, p.start = append(p.clone, cloned.Sub(began)), append(p.start, time.Since(cloned))
	return nil
}

// colons writes eight hex digits as four bytes of a hardware address.
func colons(hex string) string {
	var b strings.Builder
	for i := 0; i+1 < len(hex); i += 2 {
		b.WriteString(":" + hex[i:i+2])
	}
	return b.String()
}

// api deploys until the instance is Running, and expunges it.
func (p *pair) api(ctx context.Context) error {
	began := time.Now()
	row, err := p.run(ctx, "deployVirtualMachine", p.what...)
	if err != nil {
		return err
	}
	p.ui = append(p.ui, time.Since(began))
	p.note(row)
	_, err = p.run(ctx, "destroyVirtualMachine", "id", row.ObjectID, "expunge", "true")
	return err
}

func (p *pair) note(row *job.Row) {
	for _, s := range row.History() {
		if p.steps[s.Name] == nil {
			p.order = append(p.order, s.Name)
		}
		p.steps[s.Name] = append(p.steps[s.Name], time.Duration(s.Ended-s.Started)*time.Millisecond)
	}
}

func (p *pair) tell(out io.Writer) {
	quiet := steady(p.start)
	clone, start, ui := quantile(p.clone, 0.5), quantile(p.start, 0.5), quantile(p.ui, 0.5)
	fmt.Fprintf(out, "%d pairs, medians: libvirt define and start %s, clone of the disk %s; API deployment until Running %s\n", len(p.ui), ms(start), ms(clone), ms(ui))
	fmt.Fprintf(out, "Aerie adds %s to define and start, %s of it beside the clone; fastest %s against %s\n", ms(ui-start), ms(ui-start-clone),
		ms(p.ui[0]), ms(p.start[0])) // quantile has sorted them
	fmt.Fprint(out, "steps of the job, medians:")
	for _, name := range p.order {
		fmt.Fprintf(out, " %s %d ms", name, quantile(p.steps[name], 0.5).Milliseconds())
	}
	fmt.Fprintf(out, "\n%s\n", quiet)
}

// clear takes away everything that the bench made on the machine.
func (r *rig) clear(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	sys := store.System(ctx, "bench")
	var errs []error
	for _, kind := range []struct {
		model   any
		command string
		more    []string
	}{{&compute.VM{}, "destroyVirtualMachine", []string{"expunge", "true"}}, {&network.Network{}, "deleteNetwork", nil}} {
		var ids []string
		errs = append(errs, r.db.In(sys).Model(kind.model).Pluck("id", &ids).Error)
		for _, id := range ids {
			_, err := r.run(ctx, kind.command, append([]string{"id", id}, kind.more...)...)
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, r.unplug(sys))...)
}

// unplug removes the public bridge and the pool's folder.
func (r *rig) unplug(ctx context.Context) error {
	hosts, err := r.hosts(ctx)
	if err != nil || len(hosts) == 0 {
		return err
	}
	prefix, err := r.node.prefix()
	if err != nil {
		return err
	}
	sw, err := infra.Ability[drivers.Switch](ctx, r.fleet, hosts[0].ID)
	if err != nil {
		return err
	}
	_, err = sw.RemoveBridge(ctx, drivers.BridgeRef{Name: publicBridge(prefix)})
	pool, errPool := r.node.pool()
	if errPool == nil {
		errPool = os.RemoveAll(pool)
	}
	return errors.Join(err, errPool)
}
