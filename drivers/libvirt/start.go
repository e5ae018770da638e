//go:build libvirt_dlopen

package libvirt

import (
	"context"
	"sync"
	"time"

	virt "libvirt.org/go/libvirt"

	"aerie/drivers"
)

const (
	defaultGrace = 30 * time.Second
	powerPoll    = 200 * time.Millisecond
	// A guest that is still booting misses the power button: press again.
	pressAgain = 10 * time.Second
)

// StartVM powers on; a running machine is left alone, a paused one resumes.
func (d *Driver) StartVM(ctx context.Context, ref drivers.VMRef) (drivers.VMState, error) {
	if err := drivers.CheckID("start machine", ref.ID); err != nil {
		return drivers.VMState{}, err
	}
	return onDomain(ctx, d, "start "+ref.ID, ref.ID, func(dom *virt.Domain) (drivers.VMState, error) {
		s, err := stateOf(dom)
		if err == nil && s.Power != drivers.PowerOn {
			err = powerOn(dom)
		}
		if err != nil {
			return s, err
		}
		return stateOf(dom)
	})
}

// powerOn takes every way to running; somebody else's start meanwhile is success.
func powerOn(dom *virt.Domain) error {
	state, _, err := dom.GetState()
	if err != nil {
		return err
	}
	switch state {
	case virt.DOMAIN_RUNNING, virt.DOMAIN_BLOCKED:
		return nil
	case virt.DOMAIN_PAUSED:
		err = dom.Resume()
	case virt.DOMAIN_PMSUSPENDED:
		err = dom.PMWakeup(0)
	default:
		err = dom.Create()
	}
	if isCode(err, virt.ERR_OPERATION_INVALID) {
		if s, _, again := dom.GetState(); again == nil && s == virt.DOMAIN_RUNNING {
			return nil
		}
	}
	return err
}

// StopVM powers off: by ACPI first, by force after Grace (30 s when zero).
func (d *Driver) StopVM(ctx context.Context, req drivers.StopVM) (drivers.VMState, error) {
	if err := drivers.CheckID("stop machine", req.ID); err != nil {
		return drivers.VMState{}, err
	}
	op := "stop " + req.ID
	s, err := d.state(ctx, op, req.ID)
	if err != nil || !active(s.Power) {
		return s, err
	}
	if !req.Force {
		s, err = d.shutDown(ctx, op, req.ID, grace(req.Grace))
		if err != nil || !active(s.Power) {
			return s, err
		}
	}
	return onDomain(ctx, d, op, req.ID, func(dom *virt.Domain) (drivers.VMState, error) {
		if err := powerOff(dom); err != nil {
			return drivers.VMState{}, err
		}
		return stateOf(dom)
	})
}

func grace(d time.Duration) time.Duration {
	if d <= 0 {
		return defaultGrace
	}
	return d
}

// shutDown presses the power button until the machine is off or patience ends.
func (d *Driver) shutDown(ctx context.Context, op, id string, patience time.Duration) (drivers.VMState, error) {
	tick := time.NewTicker(powerPoll)
	defer tick.Stop()
	end := time.NewTimer(patience)
	defer end.Stop()
	var pressed time.Time
	for {
		if time.Since(pressed) >= pressAgain {
			pressed = time.Now()
			if err := d.press(ctx, op, id); err != nil {
				return drivers.VMState{}, err
			}
		}
		s, err := d.state(ctx, op, id)
		if err != nil || !active(s.Power) {
			return s, err
		}
		select {
		case <-tick.C:
		case <-end.C:
			return s, nil
		case <-ctx.Done():
			return s, wrap(op, ctx.Err())
		}
	}
}

// press presses the power button; a machine that cannot feel it is forced later.
func (d *Driver) press(ctx context.Context, op, id string) error {
	_, err := onDomain(ctx, d, op, id, func(dom *virt.Domain) (drivers.Done, error) {
		err := dom.ShutdownFlags(virt.DOMAIN_SHUTDOWN_ACPI_POWER_BTN)
		if isCode(err, virt.ERR_INVALID_ARG, virt.ERR_NO_SUPPORT) {
			err = dom.Shutdown() // libvirt drivers that know no buttons
		}
		if isCode(err, virt.ERR_OPERATION_INVALID, virt.ERR_OPERATION_TIMEOUT) {
			err = nil // it went off meanwhile, or its monitor is busy
		}
		return drivers.Done{}, err
	})
	return err
}

// RebootVM restarts the guest: by ACPI first, by reset after Grace (30 s when
// zero). A machine that is off is Invalid: there is nothing to restart.
func (d *Driver) RebootVM(ctx context.Context, req drivers.RebootVM) (drivers.VMState, error) {
	if err := drivers.CheckID("reboot machine", req.ID); err != nil {
		return drivers.VMState{}, err
	}
	op := "reboot " + req.ID
	s, err := d.state(ctx, op, req.ID)
	if err != nil {
		return s, err
	}
	if !active(s.Power) {
		return s, invalid(op, "the machine is off")
	}
	if !req.Force {
		booted, err := d.askReboot(ctx, op, req.ID, grace(req.Grace))
		if err != nil {
			return s, err
		}
		if booted {
			return d.state(ctx, op, req.ID)
		}
	}
	return d.resetNow(ctx, op, req.ID)
}

// askReboot asks the guest and waits for its reset, of which only an event tells.
func (d *Driver) askReboot(ctx context.Context, op, id string, patience time.Duration) (bool, error) {
	booted := d.boots.expect(id)
	defer d.boots.forget(id, booted)
	_, err := onDomain(ctx, d, op, id, func(dom *virt.Domain) (drivers.Done, error) {
		return drivers.Done{}, dom.Reboot(virt.DOMAIN_REBOOT_ACPI_POWER_BTN)
	})
	if err != nil {
		switch drivers.KindOf(err) {
		case drivers.Busy, drivers.Invalid, drivers.Unsupported:
			return false, nil // it cannot be asked: reset
		default:
			return false, err
		}
	}
	end := time.NewTimer(patience)
	defer end.Stop()
	select {
	case <-booted:
		return true, nil
	case <-end.C:
		return false, nil
	case <-ctx.Done():
		return false, wrap(op, ctx.Err())
	}
}

// bootWaiters are the calls that wait for a machine's reset.
type bootWaiters struct {
	mu      sync.Mutex
	waiting map[string][]chan struct{}
}

func newBootWaiters() *bootWaiters { return &bootWaiters{waiting: map[string][]chan struct{}{}} }

func (b *bootWaiters) expect(id string) chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	ch := make(chan struct{})
	b.waiting[id] = append(b.waiting[id], ch)
	return ch
}

// happened tells everybody who waits for this machine.
func (b *bootWaiters) happened(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, ch := range b.waiting[id] {
		close(ch)
	}
	delete(b.waiting, id)
}

func (b *bootWaiters) forget(id string, ch chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	left := b.waiting[id][:0]
	for _, other := range b.waiting[id] {
		if other != ch {
			left = append(left, other)
		}
	}
	if b.waiting[id] = left; len(left) == 0 {
		delete(b.waiting, id)
	}
}
