//go:build libvirt_dlopen

package libvirt

import (
	"context"
	"os"
	"time"

	virt "libvirt.org/go/libvirt"

	"aerie/drivers"
)

// A reset in the first moments of a machine's life kills it: SeaBIOS makes the
// memory behind the reset vector writable before it has copied itself there,
// and QEMU's reset does not undo that. A young machine is therefore given time
// until its process has worked for a while.
const (
	youth        = 10 * time.Second
	firmwareWork = 600 * time.Millisecond // CPU time, QEMU's own start included
	firmwareWait = 3 * time.Second        // a guest that sleeps never works so long
	resetEvent   = 500 * time.Millisecond
)

// resetNow presses the reset button and lets its event pass, so that a later
// reboot does not take it for its own.
func (d *Driver) resetNow(ctx context.Context, op, id string) (drivers.VMState, error) {
	if err := d.growUp(ctx, op, id); err != nil {
		return drivers.VMState{}, err
	}
	booted := d.boots.expect(id)
	defer d.boots.forget(id, booted)
	s, err := onDomain(ctx, d, op, id, reset)
	if err != nil {
		return s, err
	}
	end := time.NewTimer(resetEvent)
	defer end.Stop()
	select {
	case <-booted:
	case <-end.C:
	case <-ctx.Done():
	}
	return s, nil
}

// growUp waits until a reset is safe. The serial socket is as old as the process.
func (d *Driver) growUp(ctx context.Context, op, id string) error {
	born, err := os.Stat(serialSocket(d.runDir, id))
	if err != nil || time.Since(born.ModTime()) > youth {
		return nil
	}
	tick := time.NewTicker(powerPoll / 4)
	defer tick.Stop()
	for end := time.Now().Add(firmwareWait); time.Now().Before(end); {
		worked, err := onDomain(ctx, d, op, id, func(dom *virt.Domain) (time.Duration, error) {
			info, err := dom.GetInfo()
			if err != nil {
				return 0, err
			}
			return time.Duration(info.CpuTime), nil
		})
		if err != nil || worked >= firmwareWork {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return wrap(op, ctx.Err())
		}
	}
	return nil
}

// reset is the reset button; a paused machine runs afterwards.
func reset(dom *virt.Domain) (drivers.VMState, error) {
	err := dom.Reset(0)
	if isCode(err, virt.ERR_NO_SUPPORT) {
		err = dom.Reboot(0)
	}
	if err == nil {
		err = powerOn(dom)
	}
	if err != nil {
		return drivers.VMState{}, err
	}
	return stateOf(dom)
}
