//go:build libvirt_dlopen

package libvirt

import (
	virt "libvirt.org/go/libvirt"

	"aerie/drivers"
)

// wordShutDown is why a machine is off that has switched itself off.
const wordShutDown = "shut down"

// powerOf maps libvirt's state. A machine whose QEMU died under it is off for
// libvirt and crashed for Aerie, so that somebody looks after it.
func powerOf(state virt.DomainState, reason int) drivers.Power {
	switch state {
	case virt.DOMAIN_RUNNING, virt.DOMAIN_BLOCKED, virt.DOMAIN_SHUTDOWN:
		return drivers.PowerOn
	case virt.DOMAIN_PAUSED, virt.DOMAIN_PMSUSPENDED:
		return drivers.PowerPaused
	case virt.DOMAIN_CRASHED:
		return drivers.PowerCrashed
	case virt.DOMAIN_SHUTOFF:
		if virt.DomainShutoffReason(reason) == virt.DOMAIN_SHUTOFF_CRASHED {
			return drivers.PowerCrashed
		}
	case virt.DOMAIN_NOSTATE:
	}
	return drivers.PowerOff
}

// reasons are libvirt's words for how a machine came into its state; each list
// is in the order of libvirt's numbers, beginning with "unknown".
var reasons = map[virt.DomainState][]string{
	virt.DOMAIN_RUNNING: {
		"", "booted", "migrated", "restored", "from snapshot", "unpaused", "migration cancelled",
		"save cancelled", "woken up", "resumed after a crash", "post-copy migration", "post-copy migration failed",
	},
	virt.DOMAIN_PAUSED: {
		"", "paused by a user", "migrating", "saving", "dumping", "disk I/O error", "watchdog", "from snapshot",
		"shutting down", "snapshot", "crashed", "starting", "post-copy migration", "post-copy migration failed", "a call failed",
	},
	virt.DOMAIN_SHUTDOWN: {"", "shut down by a user"},
	virt.DOMAIN_SHUTOFF: {
		"", wordShutDown, "destroyed", "crashed", "migrated", "saved", "start failed", "from snapshot", "stopped by libvirtd",
	},
	virt.DOMAIN_CRASHED:     {"", "kernel panic"},
	virt.DOMAIN_PMSUSPENDED: {"guest sleeps"},
}

func whyOf(state virt.DomainState, reason int) string { return word(reasons[state], reason) }

func word(words []string, i int) string {
	if i < 0 || i >= len(words) {
		return ""
	}
	return words[i]
}

// happening is what a lifecycle event means. Events that leave the power as it
// was have ask set: the machine itself must be asked.
type happening struct {
	power drivers.Power
	words []string // by the event's detail
	ask   bool
}

var happenings = map[virt.DomainEventType]happening{
	virt.DOMAIN_EVENT_STARTED: {power: drivers.PowerOn, words: []string{
		"booted", "migrated", "restored", "from snapshot", "woken up", "recreated",
	}},
	virt.DOMAIN_EVENT_RESUMED: {power: drivers.PowerOn, words: []string{
		"unpaused", "migrated", "from snapshot", "post-copy migration", "post-copy migration failed",
	}},
	virt.DOMAIN_EVENT_SUSPENDED: {power: drivers.PowerPaused, words: []string{
		"paused by a user", "migrating", "disk I/O error", "watchdog", "restored", "from snapshot", "a call failed",
		"post-copy migration", "post-copy migration failed",
	}},
	virt.DOMAIN_EVENT_PMSUSPENDED: {power: drivers.PowerPaused, words: []string{"guest sleeps", "guest sleeps"}},
	virt.DOMAIN_EVENT_SHUTDOWN: {power: drivers.PowerOn, words: []string{
		"shutting down", "shut down by the guest", "shut down by the host",
	}},
	virt.DOMAIN_EVENT_STOPPED: {power: drivers.PowerOff, words: []string{
		wordShutDown, "destroyed", "crashed", "migrated", "saved", "emulator died", "from snapshot", "recreated",
	}},
	virt.DOMAIN_EVENT_CRASHED:   {power: drivers.PowerCrashed, words: []string{"kernel panic", "kernel panic, crash kernel loaded"}},
	virt.DOMAIN_EVENT_DEFINED:   {ask: true, words: []string{"defined", "redefined", "renamed", "from snapshot"}},
	virt.DOMAIN_EVENT_UNDEFINED: {ask: true, words: []string{"undefined", "renamed"}},
}

// eventPower is the power after an event that tells it.
func eventPower(event virt.DomainEventType, detail int) drivers.Power {
	if event == virt.DOMAIN_EVENT_STOPPED {
		switch virt.DomainEventStoppedDetailType(detail) {
		case virt.DOMAIN_EVENT_STOPPED_CRASHED, virt.DOMAIN_EVENT_STOPPED_FAILED:
			return drivers.PowerCrashed
		default: // in order
		}
	}
	return happenings[event].power
}
