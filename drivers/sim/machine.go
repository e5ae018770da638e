package sim

import (
	"slices"
	"sync"
	"time"

	"aerie/drivers"
)

// machine is a virtual machine; its host's mutex guards it.
type machine struct {
	host  *Host
	spec  drivers.VMSpec
	power drivers.Power
	why   string
	deaf  bool       // the guest ignores ACPI
	run   *stopwatch // since power-on; a new one for every run
	born  time.Duration
	load  *load                         // made when first metered
	term  *terminal                     // made when first looked at
	lines map[drivers.ConsoleKind]*line // consoles that somebody has asked for
}

func (m *machine) state() drivers.VMState {
	return drivers.VMState{ID: m.spec.ID, Name: m.spec.Name, Power: m.power, Why: m.why}
}

// active says that the machine holds memory and disks.
func (m *machine) active() bool {
	return m.power == drivers.PowerOn || m.power == drivers.PowerPaused
}

func (m *machine) holder() holder { return holder{m.host.id, m.spec.ID} }

// turn changes the power state and tells the watchers.
func (m *machine) turn(power drivers.Power, why string) {
	m.power, m.why = power, why
	m.host.tell(drivers.VMEvent{State: m.state()})
}

// on powers on a machine that is off.
func (m *machine) on() error {
	locks := &m.host.center.locks
	if err := locks.open(m.holder(), m.spec.Disks); err != nil {
		return err
	}
	if err := m.host.ready(m.spec); err != nil { // after the lock: now nobody deletes the disk
		locks.close(m.holder(), m.spec.Disks)
		return err
	}
	m.run, m.born, m.term = newStopwatch(m.host.now), 0, nil
	m.turn(drivers.PowerOn, "booted")
	return nil
}

// off powers off in whatever state.
func (m *machine) off(power drivers.Power, why string) {
	if !m.active() {
		return
	}
	m.host.center.locks.close(m.holder(), m.spec.Disks)
	m.closeConsole()
	m.run, m.term = nil, nil
	m.turn(power, why)
}

// pause freezes the guest.
func (m *machine) pause() {
	if m.power == drivers.PowerOn {
		m.run.stop()
		m.turn(drivers.PowerPaused, "user")
	}
}

// resume lets a frozen guest go on.
func (m *machine) resume() {
	m.run.start()
	m.turn(drivers.PowerOn, "unpaused")
}

// restart boots the guest again without powering off.
func (m *machine) restart() {
	if m.power == drivers.PowerPaused {
		m.run.start()
	}
	m.born = m.run.elapsed()
	if m.term != nil {
		m.term.boot(m.born)
	}
	m.turn(drivers.PowerOn, "rebooted")
}

// deafFor is how long the guest cannot obey ACPI.
func (m *machine) deafFor() (time.Duration, bool) {
	if m.deaf || m.power != drivers.PowerOn {
		return 0, false
	}
	return max(0, m.host.center.options.Boot-(m.run.elapsed()-m.born)), true
}

func (m *machine) closeConsole() {
	if m.term != nil {
		m.term.close()
	}
	for _, l := range m.lines {
		l.close()
	}
	m.lines = nil
}

// ready says whether the host has what the machine plugs into.
func (h *Host) ready(spec drivers.VMSpec) error {
	op := "start " + spec.Name + " on " + h.id
	for _, d := range spec.Disks {
		if !h.hasDisk(d) {
			return drivers.Errorf(drivers.Internal, op, "no disk %s in pool %s", d.ID, d.Pool.ID)
		}
	}
	for _, n := range spec.NICs {
		if !h.hasBridge(n.Bridge) {
			return drivers.Errorf(drivers.Internal, op, "no bridge %s", n.Bridge)
		}
	}
	return nil
}

func cloneSpec(s drivers.VMSpec) drivers.VMSpec {
	s.Disks, s.NICs = slices.Clone(s.Disks), slices.Clone(s.NICs)
	return s
}

// stopwatch measures how long a guest has really run.
type stopwatch struct {
	now     func() time.Time
	mu      sync.Mutex
	ran     time.Duration
	since   time.Time
	running bool
}

func newStopwatch(now func() time.Time) *stopwatch {
	return &stopwatch{now: now, since: now(), running: true}
}

func (s *stopwatch) elapsed() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.running {
		return s.ran
	}
	return s.ran + s.now().Sub(s.since)
}

func (s *stopwatch) runs() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running
}

func (s *stopwatch) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running {
		s.ran += s.now().Sub(s.since)
		s.running = false
	}
}

func (s *stopwatch) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.running {
		s.since, s.running = s.now(), true
	}
}
