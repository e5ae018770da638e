//go:build libvirt_dlopen

package libvirt

import (
	"context"

	virt "libvirt.org/go/libvirt"

	"aerie/drivers"
)

// onDomain runs f on the machine.
func onDomain[T any](ctx context.Context, d *Driver, op, id string, f func(*virt.Domain) (T, error)) (T, error) {
	return call(ctx, d.link, op, func(c *virt.Connect) (T, error) {
		dom, err := c.LookupDomainByUUIDString(id)
		if err != nil {
			var none T
			return none, err
		}
		defer dom.Free()
		return f(dom)
	})
}

// stateOf asks libvirt what the machine is doing.
func stateOf(dom *virt.Domain) (drivers.VMState, error) {
	s, err := identity(dom)
	if err != nil {
		return s, err
	}
	state, reason, err := dom.GetState()
	s.Power, s.Why = powerOf(state, reason), whyOf(state, reason)
	return s, err
}

// identity reads what the handle itself knows, without asking libvirtd.
func identity(dom *virt.Domain) (drivers.VMState, error) {
	id, err := dom.GetUUIDString()
	if err != nil {
		return drivers.VMState{}, err
	}
	name, err := dom.GetName()
	return drivers.VMState{ID: id, Name: name}, err
}

func (d *Driver) state(ctx context.Context, op, id string) (drivers.VMState, error) {
	return onDomain(ctx, d, op, id, stateOf)
}

// active says that the machine has a QEMU process.
func active(p drivers.Power) bool { return p == drivers.PowerOn || p == drivers.PowerPaused }

// ListVMs is the full sweep, in one call whatever the number of machines.
func (d *Driver) ListVMs(ctx context.Context, _ drivers.ListVMs) (drivers.VMList, error) {
	vms, err := call(ctx, d.link, "list machines", sweep)
	return drivers.VMList{VMs: vms}, err
}

func sweep(c *virt.Connect) ([]drivers.VMState, error) {
	stats, err := c.GetAllDomainStats(nil, virt.DOMAIN_STATS_STATE, virt.CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT)
	if isCode(err, virt.ERR_NO_SUPPORT) {
		return slowSweep(c)
	}
	if err != nil {
		return nil, err
	}
	defer freeStats(stats)
	vms := make([]drivers.VMState, len(stats))
	for i, s := range stats {
		if vms[i], err = identity(s.Domain); err != nil {
			return nil, err
		}
		if s.State != nil {
			vms[i].Power, vms[i].Why = powerOf(s.State.State, s.State.Reason), whyOf(s.State.State, s.State.Reason)
		}
	}
	return vms, nil
}

// slowSweep serves libvirt drivers that keep no statistics.
func slowSweep(c *virt.Connect) ([]drivers.VMState, error) {
	doms, err := c.ListAllDomains(0)
	if err != nil {
		return nil, err
	}
	vms := make([]drivers.VMState, 0, len(doms))
	for _, dom := range doms {
		s, err := stateOf(&dom)
		_ = dom.Free()
		if err == nil { // otherwise it went while we looked
			vms = append(vms, s)
		}
	}
	return vms, nil
}

func freeStats(stats []virt.DomainStats) {
	for _, s := range stats {
		_ = s.Domain.Free()
	}
}
