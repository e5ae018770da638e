package audit

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"aerie/drivers"
	"aerie/services/compute"
)

// named is an instance's name at its hypervisor.
var named = regexp.MustCompile(`^i-\d+-\d+-(.+)$`)

// ours tells a machine of this installation; others' machines are none of its
// business.
func (p Parts) ours(name string) bool {
	m := named.FindStringSubmatch(name)
	return m != nil && m[1] == p.Suffix
}

func works(p drivers.Power) bool { return p == drivers.PowerOn || p == drivers.PowerPaused }

// at is one machine on one host.
type at struct {
	host  *host
	state drivers.VMState
}

// seen is every machine with the hosts that know it.
func (l *look) seen() map[string][]at {
	all := map[string][]at{}
	for _, h := range l.up() {
		for _, vm := range h.vms {
			all[vm.ID] = append(all[vm.ID], at{h, vm})
		}
	}
	return all
}

// writers: a machine that runs on two hosts writes to its disks from both.
func writers(_ context.Context, l *look) ([]Finding, error) {
	var out list
	for id, places := range l.seen() {
		var on []string
		for _, p := range places {
			if works(p.state.Power) {
				on = append(on, p.host.Name)
			}
		}
		if len(on) > 1 {
			slices.Sort(on)
			out.add("one-writer", "virtualmachine/"+id, "%s runs on %s at once", places[0].state.Name, strings.Join(on, " and "))
		}
	}
	return out, nil
}

// machines: what hosts run is what the rows say.
func machines(_ context.Context, l *look) ([]Finding, error) {
	var out list
	seen := l.seen()
	for id, places := range seen {
		for _, p := range places {
			l.compare(&out, id, p)
		}
	}
	for id, vm := range l.vms {
		h := l.hosts[vm.HostID]
		if !running(vm.State) || l.live[vm.Entity()] || h == nil || h.silent != nil {
			continue
		}
		there := slices.ContainsFunc(seen[id], func(p at) bool { return p.host == h && works(p.state.Power) })
		if !there {
			out.add("machine", "virtualmachine/"+id, "%s is %s on %s by its row, but does not run there", vm.InstanceName, vm.State, h.Name)
		}
	}
	return out, nil
}

func running(s compute.State) bool { return s == compute.Running || s == compute.Paused }

// compare looks at one machine of a host.
func (l *look) compare(out *list, id string, p at) {
	vm, known := l.vms[id]
	subject := "virtualmachine/" + id
	switch {
	case !known && l.ours(p.state.Name):
		out.add("machine", subject, "%s knows %s (%s), which has no row", p.host.Name, p.state.Name, p.state.Power)
	case !known || l.live[vm.Entity()]:
	case works(p.state.Power) && (vm.HostID != p.host.ID || !mayRun(vm.State)):
		out.add("machine", subject, "%s is %s on %s, but by its row it is %s%s", vm.InstanceName, p.state.Power, p.host.Name, vm.State, l.on(vm.HostID))
	case !works(p.state.Power) && vm.HostID != p.host.ID && vm.LastHostID != p.host.ID:
		out.add("machine", subject, "%s still has a definition of %s, which belongs elsewhere", p.host.Name, vm.InstanceName)
	}
}

// mayRun: the states in which a host may run the machine.
func mayRun(s compute.State) bool { return running(s) || s == compute.Unknown }

func (l *look) on(hostID string) string {
	if hostID == "" {
		return ""
	}
	return " on " + l.name(hostID)
}
