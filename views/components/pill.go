package components

import "strings"

// Tone is what a colour means. Colour is never the only sign.
type Tone string

// The tones of the theme.
const (
	OK   Tone = "ok"
	Busy Tone = "busy"
	Warn Tone = "warn"
	Bad  Tone = "bad"
	Idle Tone = "idle"
	Gone Tone = "gone"
)

type look struct {
	tone Tone
	icon string
}

var (
	good    = look{OK, "circle-check"}
	moving  = look{Busy, "loader"}
	waiting = look{Busy, "clock"}
	resting = look{Idle, "square"}
	spare   = look{Idle, "circle-dashed"}
	closed  = look{Idle, "lock"}
	care    = look{Warn, "wrench"}
	broken  = look{Bad, "triangle-alert"}
	leaving = look{Gone, "trash-2"}
	unknown = look{Warn, "circle-help"}
)

// looks is the one table of states, of every kind of thing. The words are
// state.<name> in locales.
var looks = map[string]look{
	// instances, routers, system VMs
	"running": good, "starting": moving, "stopping": moving, "rebooting": moving, "migrating": moving,
	"restoring": moving, "stopped": resting, "error": broken, "destroyed": leaving, "expunging": leaving,
	"expunged": leaving, "unknown": unknown, "paused": {Idle, "pause"}, "fault": broken, "primary": good, "backup": {Idle, "layers"},
	// volumes, snapshots, backups
	"allocated": spare, "creating": moving, "ready": good, "attaching": moving, "detaching": moving,
	"uploading": moving, "uploaded": good, "uploaderror": broken, "uploadabandoned": leaving,
	"notuploaded": waiting, "resizing": moving, "copying": moving, "destroy": leaving,
	"destroying": leaving, "backingup": moving, "backedup": good, "reverting": moving, "snapshotting": moving,
	// networks, addresses, rules
	"setup": moving, "implementing": moving, "implemented": good, "shutdown": moving, "inactive": resting,
	"allocating": moving, "releasing": leaving, "free": spare, "reserved": closed, "staged": waiting,
	"add": moving, "active": good, "applied": good, "revoke": leaving, "deleting": leaving,
	"connected": good, "connecting": moving, "disconnected": care,
	// images
	"downloading": moving, "downloaded": good, "processing": moving, "notready": waiting,
	// hosts, zones, pools
	"up": good, "down": broken, "alert": care, "maintenance": care, "prepareformaintenance": moving,
	"cancelmaintenance": moving, "errorinmaintenance": broken, "degraded": care, "fencing": moving,
	"fenced": closed, "rebalancing": moving, "removed": leaving, "enabled": good, "disabled": closed,
	// jobs
	"pending": waiting, "queued": waiting, "waiting": waiting, "retrying": moving, "undoing": {Warn, "undo-2"},
	"done": good, "succeeded": good, "failed": broken, "cancelled": resting, "cancelling": moving,
	// people
	"locked": closed, "suspended": closed, "expired": resting, "declined": resting, "completed": good,
	// rules
	"allow": good, "deny": {Bad, "circle-x"},
	// alerts
	"standing": {Warn, "bell"}, "over": good,
	// severities
	"info": {Busy, "info"}, "warn": {Warn, "triangle-alert"}, "critical": {Bad, "octagon-alert"},
}

// Pill shows a state as an icon and a word. Any string type converts:
// components.Pill(vm.State).
type Pill string

func (p Pill) name() string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(string(p)))
}

func (p Pill) look() look {
	if l, ok := looks[p.name()]; ok {
		return l
	}
	return look{Idle, "circle"}
}

// ToneOf is the tone of a state, for figures and charts.
func ToneOf(state string) Tone { return Pill(state).look().tone }
