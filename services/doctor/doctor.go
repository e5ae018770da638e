// Package doctor tells what a machine lacks to be a host, and how to mend it.
package doctor

import (
	"context"
	"fmt"

	"aerie/drivers"
)

// Level is how bad a result is.
type Level string

// The levels. With a warning Aerie works, but not as well as it could.
const (
	OK   Level = "ok"
	Warn Level = "warn"
	Bad  Level = "bad"
)

// Result is what one check found.
type Result struct {
	Check string `json:"check"`
	Level Level  `json:"level"`
	Text  string `json:"text"`
	Mend  string `json:"mend,omitempty"`
}

// Emulator is as whom QEMU runs.
type Emulator interface {
	Name() string
	BlockedAt(path string) string
	MayOpen(device string) (bool, error)
}

// Machine is what is looked at. Every field has an answer of this machine's
// own, so that tests can give others.
type Machine struct {
	Root       string                                              // of /proc and /dev; "" is the machine's
	UID        int                                                 // whom the program runs as
	Find       func(tool string) error                             // nil when the tool is there
	Emulator   func() (Emulator, error)                            // as whom libvirtd runs QEMU
	Namespaces func() error                                        // tries what routers are made of
	Open       func(context.Context) (drivers.Driver, error)       // the hypervisor
	Synced     func() (bool, error)                                // the clock is kept by a time service
	Free       func(dir string) (int64, error)                     // bytes
	Data       string                                              // the data folder
	Pool       string                                              // where disks are
	Image      func() error                                        // finds the bundled guest image
	Schema     func(context.Context) (have, want int64, err error) // of the database; 0, 0 when there is none yet
}

// Examine makes all checks.
func Examine(ctx context.Context, m Machine) []Result {
	var all []Result
	for _, check := range []func(context.Context, Machine) []Result{
		root, tools, kvm, hypervisor, namespaces, forwarding, space, reach, inotify, clock, database, image,
	} {
		all = append(all, check(ctx, m)...)
	}
	return all
}

// Sick tells whether any result is bad.
func Sick(all []Result) bool {
	for _, r := range all {
		if r.Level == Bad {
			return true
		}
	}
	return false
}

func ok(check, format string, args ...any) []Result {
	return []Result{{check, OK, fmt.Sprintf(format, args...), ""}}
}

func warn(check, mend, format string, args ...any) []Result {
	return []Result{{check, Warn, fmt.Sprintf(format, args...), mend}}
}

func bad(check, mend, format string, args ...any) []Result {
	return []Result{{check, Bad, fmt.Sprintf(format, args...), mend}}
}
