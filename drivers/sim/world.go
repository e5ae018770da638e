package sim

import (
	"fmt"

	"aerie/drivers"
)

// KillVM ends a machine's process behind the driver's back. An empty host means
// wherever the machine is.
func (c *Center) KillVM(host, id string) error {
	return c.behind(host, id, func(m *machine) { m.off(drivers.PowerCrashed, "crashed") })
}

// PanicVM crashes the guest's kernel.
func (c *Center) PanicVM(host, id string) error {
	return c.behind(host, id, func(m *machine) { m.off(drivers.PowerCrashed, "panicked") })
}

// PauseVM freezes a machine behind the driver's back.
func (c *Center) PauseVM(host, id string) error {
	return c.behind(host, id, (*machine).pause)
}

// UndefineVM makes the host forget a machine behind the driver's back.
func (c *Center) UndefineVM(host, id string) error {
	return c.behind(host, id, func(m *machine) { m.host.forget(id) })
}

// Deafen makes the guest ignore ACPI, or obey it again.
func (c *Center) Deafen(host, id string, deaf bool) error {
	return c.behind(host, id, func(m *machine) { m.deaf = deaf })
}

// Look is how the host would start the machine now.
func (c *Center) Look(host, id string) (spec drivers.VMSpec, err error) {
	err = c.behind(host, id, func(m *machine) { spec = cloneSpec(m.spec) })
	return spec, err
}

// behind does something to a machine without any driver call.
func (c *Center) behind(host, id string, act func(*machine)) error {
	for _, h := range c.Hosts() {
		if host != "" && h.id != host {
			continue
		}
		h.mu.Lock()
		m, ok := h.vms[id]
		if ok {
			act(m)
		}
		h.mu.Unlock()
		if ok {
			return nil
		}
	}
	return fmt.Errorf("no machine %s on host %q", id, host)
}

// Crash takes the host's power: its machines are off, its bridges and routers
// gone, and nobody reaches it until Heal. Definitions and disks survive.
func (c *Center) Crash(host string) {
	h := c.Host(host)
	h.cut.Store(true)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.vms {
		m.off(drivers.PowerOff, "host crashed")
	}
	clear(h.bridges)
	clear(h.routers)
	h.events.lose()
	h.wake()
}

// Partition cuts the host off: calls fail while its machines run on.
func (c *Center) Partition(host string) {
	h := c.Host(host)
	h.cut.Store(true)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wake()
}

// Heal lets calls reach the host again.
func (c *Center) Heal(host string) { c.Host(host).cut.Store(false) }
