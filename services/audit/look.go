package audit

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"

	"aerie/drivers"
	"aerie/services/compute"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/network"
)

// look is the world at one time: what hosts say, then what the rows say, so
// that whatever a host has must have its row.
type look struct {
	Parts
	hosts map[string]*host // by id, those that are Up
	live  map[string]bool  // entities with a live job, before or after
	vms   map[string]compute.VM
	nets  map[string]network.Network
	busy  map[string]bool // networks that a live job may be changing
}

// host is what a host says.
type host struct {
	infra.Host
	silent  error // why it said nothing
	vms     []drivers.VMState
	routers []drivers.RouterState
	bridges []string
}

func (p Parts) look(ctx context.Context) (*look, error) {
	l := &look{
		Parts: p, hosts: map[string]*host{}, live: map[string]bool{}, vms: map[string]compute.VM{},
		nets: map[string]network.Network{}, busy: map[string]bool{},
	}
	for _, step := range []func(context.Context) error{l.readJobs, l.askHosts, l.readRows, l.readJobs, l.readBusy} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *look) readJobs(ctx context.Context) error {
	var entities []string
	err := l.DB.In(ctx).Model(&job.Row{}).Where("live = ?", true).Pluck("entity", &entities).Error
	for _, e := range entities {
		l.live[e] = true
	}
	return err
}

// patience is how long a host may take for an answer.
const patience = 15 * time.Second

func (l *look) askHosts(ctx context.Context) error {
	rows, err := gorm.G[infra.Host](l.DB.In(ctx)).Where("state = ?", infra.HostUp).Find(ctx)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(8)
	for _, row := range rows {
		if l.Skip(row) {
			continue
		}
		g.Go(func() error {
			h := &host{Host: row}
			ask, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			h.silent = h.ask(ask, l.Fleet)
			mu.Lock()
			defer mu.Unlock()
			l.hosts[h.ID] = h
			return nil
		})
	}
	_ = g.Wait() // none returns an error
	return ctx.Err()
}

func (h *host) ask(ctx context.Context, fleet *infra.Fleet) error {
	d, err := fleet.Driver(ctx, h.ID)
	if err != nil {
		return err
	}
	if can, ok := drivers.As[drivers.Hypervisor](d); ok {
		got, err := can.ListVMs(ctx, drivers.ListVMs{})
		if err != nil {
			return err
		}
		h.vms = got.VMs
	}
	if can, ok := drivers.As[drivers.Router](d); ok {
		got, err := can.ListRouters(ctx, drivers.ListRouters{})
		if err != nil {
			return err
		}
		h.routers = got.Routers
	}
	if can, ok := drivers.As[drivers.Switch](d); ok {
		got, err := can.ListBridges(ctx, drivers.ListBridges{})
		if err != nil {
			return err
		}
		h.bridges = got.Names
	}
	return nil
}

// readRows reads what several checks need.
func (l *look) readRows(ctx context.Context) error {
	vms, err := gorm.G[compute.VM](l.DB.In(ctx)).Select("id", "instance_name", "state", "host_id", "last_host_id").Find(ctx)
	if err != nil {
		return err
	}
	for _, vm := range vms {
		l.vms[vm.ID] = vm
	}
	nets, err := gorm.G[network.Network](l.DB.In(ctx)).Find(ctx)
	for _, n := range nets {
		l.nets[n.ID] = n
	}
	return err
}

// readBusy notes the networks whose routers may be changing: a network's own
// job, and the jobs of the instances in it.
func (l *look) readBusy(ctx context.Context) error {
	for id := range l.nets {
		if l.live["network/"+id] {
			l.busy[id] = true
		}
	}
	nics, err := gorm.G[network.NIC](l.DB.In(ctx)).Select("vm_id", "network_id").
		Where("vm_id IN (?)", l.vmsInWork(ctx)).Find(ctx)
	for _, nic := range nics {
		l.busy[nic.NetworkID] = true
	}
	return err
}

// vmsInWork is the query for the ids of instances with a live job.
func (l *look) vmsInWork(ctx context.Context) *gorm.DB {
	g := l.DB.In(ctx)
	return g.Model(&job.Row{}).Where("live = ? AND entity LIKE ?", true, "vm/%").Select("object_id")
}

// up is the hosts that answered.
func (l *look) up() []*host {
	var all []*host
	for _, h := range l.hosts {
		if h.silent == nil {
			all = append(all, h)
		}
	}
	return all
}

// name is a host as people know it.
func (l *look) name(hostID string) string {
	if h := l.hosts[hostID]; h != nil {
		return h.Name
	}
	return "host " + hostID
}

// silentHosts are Up by their rows and do not answer; what they have was not
// compared.
func silentHosts(_ context.Context, l *look) ([]Finding, error) {
	var out list
	for _, h := range l.hosts {
		if h.silent != nil {
			out.add("host", "host/"+h.ID, "%s is Up by its row but does not answer: %v", h.Name, h.silent)
		}
	}
	return out, nil
}

// ability is a host's driver, if the host answered and can do it.
func ability[C any](ctx context.Context, l *look, hostID string) (C, bool) {
	var none C
	if h := l.hosts[hostID]; h == nil || h.silent != nil {
		return none, false
	}
	d, err := l.Fleet.Driver(ctx, hostID)
	if err != nil {
		return none, false
	}
	return drivers.As[C](d)
}
