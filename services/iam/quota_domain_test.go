package iam_test

import (
	"testing"

	"aerie/services/config"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

// TestDefaultsOfDomains: a domain that has no limit has the nearest one above
// it, and the default when none above has one; what was set holds.
func TestDefaultsOfDomains(t *testing.T) {
	w := newWorld(t)
	top := w.domain(w.admin, "", "top")
	mid := w.domain(w.admin, top.ID, "mid")
	low := w.domain(w.admin, mid.ID, "low")
	a, _ := w.account(low.ID, "ann", iam.RoleUser)
	set := func(of iam.Subject, n int64) {
		t.Helper()
		_, err := w.SetLimit(w.admin, of, iam.Volumes, n)
		w.must(err)
	}
	most := func(what string, want ...int64) {
		t.Helper()
		all, err := w.LimitsOf(w.sys(), []string{low.Path, top.Path, "/", mid.Path})
		w.must(err)
		for i, d := range []iam.Domain{top, mid, low} {
			if got := all[d.Path][iam.Volumes].Max; got != want[i] {
				t.Errorf("%s: %s may have %d, want %d", what, d.Name, got, want[i])
			}
		}
		if got := all["/"][iam.Volumes].Max; got != iam.Unlimited {
			t.Errorf("%s: ROOT may have %d", what, got)
		}
	}
	set(iam.Subject{Domain: low, Account: &a}, iam.Unlimited)
	most("nothing is set", 40, 40, 40)
	w.must(w.reserve(a.Owner(), iam.Volumes, 40))
	if err := w.reserve(a.Owner(), iam.Volumes, 1); fault.Of(err).Key != "error.limit_domain" {
		t.Error("over the default:", err)
	}
	set(iam.Subject{Domain: top}, 60)
	most("the highest has 60", 60, 60, 60)
	w.must(w.reserve(a.Owner(), iam.Volumes, 20))
	w.wantKind(w.reserve(a.Owner(), iam.Volumes, 1), fault.Limit, "over what is above")
	set(iam.Subject{Domain: mid}, 50)
	most("the one between has 50", 60, 50, 50)
	set(iam.Subject{Domain: mid}, iam.Unlimited)
	most("the one between has any", 60, iam.Unlimited, iam.Unlimited)
	w.wantKind(w.reserve(a.Owner(), iam.Volumes, 1), fault.Limit, "over the highest's")
	set(iam.Subject{Domain: top}, iam.Unlimited)
	w.must(w.reserve(a.Owner(), iam.Volumes, 1000))
}

// TestDefaultLimitsAreSettings: of every kind, for accounts, projects and
// domains, in force at once.
func TestDefaultLimitsAreSettings(t *testing.T) {
	db := storetest.Open(t)
	c := config.New(db)
	o := iam.DeclareSettings(c)
	ctx := store.System(t.Context(), "test")
	for name, want := range map[string]string{
		"max.account.user.vms": "20", "max.domain.user.vms": "40", "max.project.user.vms": "20", "max.domain.projects": "50", "max.account.projects": "10",
		"max.domain.memory": "81920", "max.domain.secondary.storage": "800", "max.account.snapshots": "20", "max.domain.vpcs": "40", "max.project.gpus": "20",
	} {
		if got, err := c.Get(ctx, name); err != nil || got != want {
			t.Errorf("%s is %q, %v", name, got, err)
		}
	}
	if _, err := c.Get(ctx, "max.project.projects"); err == nil {
		t.Error("projects have projects")
	}
	_, err := c.Set(ctx, "max.domain.volumes", "7")
	if err != nil || o.DomainLimits(ctx, iam.Volumes) != 7 || o.Limits(ctx, iam.Volumes) != 20 {
		t.Error(o.DomainLimits(ctx, iam.Volumes), err)
	}
}
