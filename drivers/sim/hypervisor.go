package sim

import (
	"context"
	"slices"
	"time"

	"aerie/drivers"
)

// DefineVM makes the machine known to the host; a running one is left as it is.
func (h *Host) DefineVM(ctx context.Context, spec drivers.VMSpec) (drivers.VMState, error) {
	return call(ctx, h, "DefineVM", spec.ID, func() (drivers.VMState, error) {
		if err := spec.Check(); err != nil {
			return drivers.VMState{}, err
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if other, ok := h.names[spec.Name]; ok && other != spec.ID {
			return drivers.VMState{}, drivers.Errorf(drivers.Invalid, "define "+spec.Name, "%s has the name", other)
		}
		return h.define(spec).state(), nil
	})
}

func (h *Host) define(spec drivers.VMSpec) *machine {
	m, ok := h.vms[spec.ID]
	if !ok {
		m = &machine{host: h, power: drivers.PowerOff, why: "defined"}
		h.vms[spec.ID] = m
	}
	if !m.active() {
		delete(h.names, m.spec.Name)
		m.spec = cloneSpec(spec)
		h.names[spec.Name] = spec.ID
	}
	return m
}

// vm finds a machine; the host's mutex is held.
func (h *Host) vm(op, id string) (*machine, error) {
	if err := drivers.CheckID(op, id); err != nil {
		return nil, err
	}
	m, ok := h.vms[id]
	if !ok {
		return nil, drivers.Errorf(drivers.NotFound, op+" "+id, "not on %s", h.id)
	}
	return m, nil
}

// StartVM powers on; a paused machine resumes.
func (h *Host) StartVM(ctx context.Context, ref drivers.VMRef) (drivers.VMState, error) {
	return call(ctx, h, "StartVM", ref.ID, func() (drivers.VMState, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		m, err := h.vm("start", ref.ID)
		if err != nil {
			return drivers.VMState{}, err
		}
		switch m.power {
		case drivers.PowerPaused:
			m.resume()
		case drivers.PowerOff, drivers.PowerCrashed:
			err = m.on()
		case drivers.PowerOn:
		}
		return m.state(), err
	})
}

// StopVM powers off: by ACPI first, by force after Grace.
func (h *Host) StopVM(ctx context.Context, req drivers.StopVM) (drivers.VMState, error) {
	return call(ctx, h, "StopVM", req.ID, func() (drivers.VMState, error) {
		return h.ask(ctx, asked{"stop", req.ID, req.Force, req.Grace}, func(m *machine, why string) error {
			m.off(drivers.PowerOff, why)
			return nil
		})
	})
}

// RebootVM restarts the guest without redefining it.
func (h *Host) RebootVM(ctx context.Context, req drivers.RebootVM) (drivers.VMState, error) {
	return call(ctx, h, "RebootVM", req.ID, func() (drivers.VMState, error) {
		return h.ask(ctx, asked{"reboot", req.ID, req.Force, req.Grace}, func(m *machine, _ string) error {
			if !m.active() {
				return drivers.Errorf(drivers.Invalid, "reboot "+m.spec.Name, "it is %s", m.power)
			}
			m.restart()
			return nil
		})
	})
}

// asked is what a guest is asked by ACPI.
type asked struct {
	op    string
	id    string
	force bool
	grace time.Duration
}

// defaultGrace is how long a guest is asked when the request does not say.
const defaultGrace = 30 * time.Second

// ask waits until the guest obeys or the grace has passed, then acts. A machine
// that was powered off or on meanwhile is left to whoever did that.
func (h *Host) ask(ctx context.Context, q asked, act func(*machine, string) error) (drivers.VMState, error) {
	wait, why, run, err := h.obeys(q)
	if err != nil {
		return drivers.VMState{}, err
	}
	if err := pause(ctx, Call{Method: q.op, Host: h.id, Entity: q.id}, wait); err != nil {
		return drivers.VMState{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	m, err := h.vm(q.op, q.id)
	if err != nil {
		return drivers.VMState{}, err
	}
	if m.run == run {
		err = act(m, why)
	}
	return m.state(), err
}

// obeys tells when the machine will do what it is asked, and in whose words.
func (h *Host) obeys(q asked) (wait time.Duration, why string, run *stopwatch, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m, err := h.vm(q.op, q.id)
	if err != nil {
		return 0, "", nil, err
	}
	if q.force || !m.active() {
		return 0, "destroyed", m.run, nil
	}
	if q.grace <= 0 {
		q.grace = defaultGrace
	}
	if wait, hears := m.deafFor(); hears && wait <= q.grace {
		return wait, "shutdown", m.run, nil
	}
	return q.grace, "destroyed", m.run, nil
}

// UndefineVM powers off by force and forgets the machine; its disks stay.
func (h *Host) UndefineVM(ctx context.Context, ref drivers.VMRef) (drivers.Done, error) {
	return call(ctx, h, "UndefineVM", ref.ID, func() (drivers.Done, error) {
		if err := drivers.CheckID("undefine", ref.ID); err != nil {
			return drivers.Done{}, err
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.forget(ref.ID)
		return drivers.Done{}, nil
	})
}

func (h *Host) forget(id string) {
	m, ok := h.vms[id]
	if !ok {
		return
	}
	m.off(drivers.PowerOff, "destroyed")
	delete(h.vms, id)
	delete(h.names, m.spec.Name)
	h.tell(drivers.VMEvent{State: m.state(), Gone: true})
}

// ListVMs is every machine of the host, by ID.
func (h *Host) ListVMs(ctx context.Context, _ drivers.ListVMs) (drivers.VMList, error) {
	return call(ctx, h, "ListVMs", "", func() (drivers.VMList, error) {
		h.mu.Lock()
		all := make([]drivers.VMState, 0, len(h.vms))
		for _, m := range h.vms {
			all = append(all, m.state())
		}
		h.mu.Unlock()
		slices.SortFunc(all, func(a, b drivers.VMState) int { return compare(a.ID, b.ID) })
		return drivers.VMList{VMs: all}, nil
	})
}
