package sim

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"aerie/drivers"
)

// Violation is an attempt to do what would destroy data: to run a machine, or
// to open a disk for writing, in two places.
type Violation struct {
	What      string
	Prevented bool // the image lock refused it
}

// locks is who has which disk open, across all hosts.
type locks struct {
	mu         sync.Mutex
	broken     bool
	writers    map[string]holder
	running    map[string]map[string]bool // machine → hosts
	violations []Violation
}

type holder struct{ host, vm string }

// open takes all disks of a machine, or none.
func (l *locks) open(me holder, disks []drivers.VMDisk) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, d := range disks {
		other, taken := l.writers[d.ID]
		if !taken || other == me {
			continue
		}
		what := fmt.Sprintf("disk %s is open by %s on %s and wanted by %s on %s", d.ID, other.vm, other.host, me.vm, me.host)
		l.violations = append(l.violations, Violation{What: what, Prevented: !l.broken})
		if !l.broken {
			return drivers.Errorf(drivers.Busy, "StartVM "+me.vm+" on "+me.host, "%s", what)
		}
	}
	for _, d := range disks {
		l.writers[d.ID] = me
	}
	l.runs(me)
	return nil
}

// runs notes where a machine runs; one without disks has no lock against two.
func (l *locks) runs(me holder) {
	hosts := l.running[me.vm]
	if hosts == nil {
		hosts = map[string]bool{}
		l.running[me.vm] = hosts
	}
	hosts[me.host] = true
	if len(hosts) > 1 {
		what := fmt.Sprintf("machine %s runs on %v", me.vm, slices.Sorted(maps.Keys(hosts)))
		l.violations = append(l.violations, Violation{What: what})
	}
}

// close gives a machine's disks free.
func (l *locks) close(me holder, disks []drivers.VMDisk) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, d := range disks {
		if l.writers[d.ID] == me {
			delete(l.writers, d.ID)
		}
	}
	delete(l.running[me.vm], me.host)
	if len(l.running[me.vm]) == 0 {
		delete(l.running, me.vm)
	}
}

// writer tells who has a disk open.
func (l *locks) writer(disk string) (holder, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	who, ok := l.writers[disk]
	return who, ok
}

func (l *locks) seen() []Violation {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.violations)
}
