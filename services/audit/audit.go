// Package audit compares what the rows say with one another, with what the
// hosts say and with the files that are there. It only looks: nothing is mended.
// Beside a live server things move while they are compared, so that only what
// is found twice, with a pause between, is told.
package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/store"
)

// Parts is what an audit looks at.
type Parts struct {
	DB    *store.DB
	Fleet *infra.Fleet
	IAM   *iam.Service
	// Skip leaves out hosts whose machines this process cannot see, such as
	// those that are simulated in a server's memory; nil leaves out none.
	Skip func(infra.Host) bool
	// Suffix is the setting instance.name, by which an installation knows its
	// own machines ("VM").
	Suffix string
	// Pause is between the two looks (2 s).
	Pause time.Duration
	// Overdue is how long a job may be due without a server taking it (1 min).
	Overdue time.Duration
}

// Finding is something that is not as it must be.
type Finding struct {
	Rule    string `json:"rule"`    // which promise is broken, such as "one-writer"
	Subject string `json:"subject"` // what it is about, such as "virtualmachine/<id>"
	Text    string `json:"text"`
}

func (f Finding) String() string { return f.Rule + ": " + f.Text + " (" + f.Subject + ")" }

// check is one rule or some that look at the same things.
type check func(ctx context.Context, l *look) ([]Finding, error)

var checks = []check{
	silentHosts, writers, machines, // hosts and instances
	hostCapacity, claims, poolAllocation, quotas, // counters
	owners, orphans, tickets, // rows among themselves
	nicAddresses, publicAddresses, routers, leases, bridges, // networks
	disks, volumes, templateFiles, strayFiles, // files
	overdueJobs, transitions, // work
}

// Rules says how many checks an audit makes.
func Rules() int { return len(checks) }

// Run looks twice and returns what was found both times, in the order of rules
// and subjects. The error tells of checks that could not be made; what the
// others found is returned with it.
func Run(ctx context.Context, p Parts) ([]Finding, error) {
	ctx = store.System(ctx, "audit")
	p = p.withDefaults()
	first, err := p.once(ctx)
	if len(first) == 0 {
		return nil, err
	}
	if err := rest(ctx, p.Pause); err != nil {
		return nil, err
	}
	second, err := p.once(ctx)
	return both(first, second), err
}

func (p Parts) withDefaults() Parts {
	if p.Skip == nil {
		p.Skip = func(infra.Host) bool { return false }
	}
	if p.Suffix == "" {
		p.Suffix = "VM"
	}
	if p.Pause == 0 {
		p.Pause = 2 * time.Second
	}
	if p.Overdue == 0 {
		p.Overdue = time.Minute
	}
	return p
}

func rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// once makes all checks. One that fails does not keep the others from being made.
func (p Parts) once(ctx context.Context) ([]Finding, error) {
	l, err := p.look(ctx)
	if err != nil {
		return nil, err
	}
	var found []Finding
	var failed []error
	for _, c := range checks {
		f, err := c(ctx, l)
		found, failed = append(found, f...), append(failed, err)
	}
	return found, errors.Join(failed...)
}

// both is what was found in both looks, in the words of the second. Figures
// may have changed in between, so that rule and subject decide.
func both(first, second []Finding) []Finding {
	type key struct{ rule, subject string }
	seen := map[key]bool{}
	for _, f := range first {
		seen[key{f.Rule, f.Subject}] = true
	}
	second = slices.DeleteFunc(second, func(f Finding) bool { return !seen[key{f.Rule, f.Subject}] })
	slices.SortFunc(second, func(a, b Finding) int {
		return strings.Compare(a.Rule+"\x00"+a.Subject+"\x00"+a.Text, b.Rule+"\x00"+b.Subject+"\x00"+b.Text)
	})
	return slices.Compact(second)
}

// list collects findings of a check.
type list []Finding

func (l *list) add(rule, subject, format string, args ...any) {
	*l = append(*l, Finding{Rule: rule, Subject: subject, Text: fmt.Sprintf(format, args...)})
}
