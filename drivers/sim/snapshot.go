package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"aerie/drivers"
)

// World is all that exists in a data centre at one moment.
type World struct {
	VMs        []VM
	Disks      []Disk
	Routers    []Router
	Bridges    []Bridge
	Violations []Violation
}

type (
	// VM is a machine on its host.
	VM struct {
		Host  string
		Spec  drivers.VMSpec
		State drivers.VMState
	}
	// Disk is a disk or an image in its pool.
	Disk struct {
		Host    string // empty in a pool that all hosts share
		Pool    string
		State   drivers.DiskState
		IsImage bool
	}
	// Router is a router on its host.
	Router struct {
		Host  string
		Spec  drivers.RouterSpec
		State drivers.RouterState
	}
	// Bridge is a bridge on its host.
	Bridge struct {
		Host string
		Spec drivers.BridgeSpec
	}
)

// Snapshot is the world at this moment, in the order of hosts and IDs.
func (c *Center) Snapshot() World {
	hosts := c.Hosts()
	for _, h := range hosts {
		h.mu.Lock()
		defer h.mu.Unlock()
	}
	var w World
	for _, h := range hosts {
		h.show(&w)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(c.shared)) {
		c.shared[id].show(&w, "")
	}
	w.Violations = c.locks.seen()
	return w
}

func (h *Host) show(w *World) {
	for _, id := range slices.Sorted(maps.Keys(h.vms)) {
		m := h.vms[id]
		w.VMs = append(w.VMs, VM{h.id, cloneSpec(m.spec), m.state()})
	}
	for _, id := range slices.Sorted(maps.Keys(h.routers)) {
		r := h.routers[id]
		w.Routers = append(w.Routers, Router{h.id, r.spec.Clone(), r.state()})
	}
	for _, name := range slices.Sorted(maps.Keys(h.bridges)) {
		w.Bridges = append(w.Bridges, Bridge{h.id, h.bridges[name].spec})
	}
	for _, id := range slices.Sorted(maps.Keys(h.pools)) {
		h.pools[id].show(w, h.id)
	}
}

func (p *pool) show(w *World, host string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(p.disks)) {
		d := p.disks[id]
		w.Disks = append(w.Disks, Disk{host, p.spec.ID, d.DiskState, d.base})
	}
}

// Empty says that nothing is left but images, which outlive their disks.
func (w World) Empty() bool {
	return len(w.VMs)+len(w.Routers)+len(w.Bridges) == 0 &&
		!slices.ContainsFunc(w.Disks, func(d Disk) bool { return !d.IsImage })
}

// Running is the machines that hold memory and disks.
func (w World) Running() []VM {
	return slices.DeleteFunc(slices.Clone(w.VMs), func(v VM) bool {
		return v.State.Power != drivers.PowerOn && v.State.Power != drivers.PowerPaused
	})
}

// Problems is what cannot be in a sound world: a machine or an address that
// runs twice, a disk open twice, a machine without its disk.
func (w World) Problems() []string {
	var all []string
	for _, v := range w.Violations {
		if !v.Prevented {
			all = append(all, v.What)
		}
	}
	taken := map[string]string{}
	once := func(what, where string) {
		if other, ok := taken[what]; ok {
			all = append(all, fmt.Sprintf("%s is on %s and on %s", what, other, where))
		}
		taken[what] = where
	}
	places := w.places()
	for _, v := range w.Running() {
		all = append(all, missing(v, places)...)
		once("machine "+v.State.ID, v.Host)
		for _, n := range v.Spec.NICs {
			once("MAC "+n.MAC+" in "+n.Bridge, v.Host)
		}
	}
	for _, r := range w.Routers {
		once("router "+r.State.ID, r.Host)
		if r.Spec.Public != nil {
			once("address "+r.Spec.Public.Address.Addr().String()+" in "+r.Spec.Public.Bridge, r.Host)
		}
	}
	return all
}

// places is where every disk can be opened: "pool/disk@host".
func (w World) places() map[string]bool {
	all := map[string]bool{}
	for _, d := range w.Disks {
		all[d.Pool+"/"+d.State.ID+"@"+d.Host] = true
	}
	return all
}

// missing is the disks that a running machine should have and has not.
func missing(v VM, places map[string]bool) []string {
	var all []string
	for _, d := range v.Spec.Disks {
		at := d.Pool.ID + "/" + d.ID + "@"
		if !places[at] && !places[at+v.Host] {
			all = append(all, fmt.Sprintf("%s on %s runs without disk %s", v.State.Name, v.Host, d.ID))
		}
	}
	return all
}

// String is the world in lines, for the message of a failed test.
func (w World) String() string {
	var b strings.Builder
	for _, v := range w.VMs {
		fmt.Fprintf(&b, "vm %s %s on %s: %s (%s)\n", v.State.ID, v.State.Name, v.Host, v.State.Power, v.State.Why)
	}
	for _, d := range w.Disks {
		fmt.Fprintf(&b, "disk %s in %s on %q: %d bytes of %q, image %v\n", d.State.ID, d.Pool, d.Host, d.State.Bytes, d.State.Image, d.IsImage)
	}
	for _, r := range w.Routers {
		fmt.Fprintf(&b, "router %s on %s: %d hosts\n", r.State.ID, r.Host, len(r.Spec.Hosts))
	}
	for _, br := range w.Bridges {
		fmt.Fprintf(&b, "bridge %s on %s\n", br.Spec.Name, br.Host)
	}
	for _, v := range w.Violations {
		fmt.Fprintf(&b, "violation (prevented %v): %s\n", v.Prevented, v.What)
	}
	return b.String()
}
