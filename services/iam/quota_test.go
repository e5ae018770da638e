package iam_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

func (w *world) reserve(o store.Owner, k iam.Kind, n int64) error {
	return w.DB().Tx(w.sys(), func(ctx context.Context) error { return w.Reserve(ctx, o, k, n) })
}

func (w *world) release(o store.Owner, k iam.Kind, n int64) error {
	return w.DB().Tx(w.sys(), func(ctx context.Context) error { return w.Release(ctx, o, k, n) })
}

func (w *world) used(of iam.Subject, k iam.Kind) int64 {
	w.Helper()
	l, err := w.Limits(w.sys(), of)
	w.must(err)
	return l[k].Used
}

// TestTwoHundredAtOnce: a limit of ten grants ten, on two servers.
func TestTwoHundredAtOnce(t *testing.T) {
	w := newWorld(t)
	d := w.domain(w.admin, "", "d")
	a, _ := w.account(d.ID, "ann", iam.RoleUser)
	_, err := w.SetLimit(w.admin, iam.Subject{Domain: d, Account: &a}, iam.Instances, 10)
	w.must(err)
	other := iam.New(storetest.Connect(t, w.dsn, w.clock.Now), iam.Options{})
	var granted, refused atomic.Int64
	var wg sync.WaitGroup
	for i := range 200 {
		s := w.Service
		if i%2 == 1 {
			s = other
		}
		wg.Go(func() {
			err := s.DB().Tx(w.sys(), func(ctx context.Context) error {
				return s.ReserveAll(ctx, a.Owner(), iam.Amounts{iam.Instances: 1, iam.CPUs: 2, iam.Memory: 512})
			})
			switch {
			case err == nil:
				granted.Add(1)
			case fault.Is(err, fault.Limit):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if granted.Load() != 10 || refused.Load() != 190 {
		t.Errorf("%d granted, %d refused", granted.Load(), refused.Load())
	}
	for _, of := range []iam.Subject{{Domain: d, Account: &a}, {Domain: d}, {Domain: w.root}} {
		for k, want := range (iam.Amounts{iam.Instances: 10, iam.CPUs: 20, iam.Memory: 5120, iam.Volumes: 0}) {
			if got := w.used(of, k); got != want {
				t.Errorf("%s of %+v: %d, want %d", k, of.Domain.Name, got, want)
			}
		}
	}
}

func TestLimits(t *testing.T) {
	w := newWorld(t)
	d := w.domain(w.admin, "", "d")
	sub := w.domain(w.admin, d.ID, "sub")
	a, _ := w.account(sub.ID, "ann", iam.RoleUser)
	b, _ := w.account(sub.ID, "bob", iam.RoleUser)
	root, _ := w.AccountByName(w.sys(), w.root.ID, "admin")

	w.must(w.reserve(a.Owner(), iam.Instances, 20))
	err := w.reserve(a.Owner(), iam.Instances, 1)
	w.wantKind(err, fault.Limit, "the 21st instance")
	if got := fault.Of(err).Error(); got != "limit: error.limit_account resource=limit.user_vm used=20 asked=1 limit=20" {
		t.Error(got)
	}
	w.must(w.reserve(root.Owner(), iam.Instances, 10_000))

	_, err = w.SetLimit(w.admin, iam.Subject{Domain: d}, iam.Instances, 25)
	w.must(err)
	w.must(w.reserve(b.Owner(), iam.Instances, 5))
	err = w.reserve(b.Owner(), iam.Instances, 1)
	if fault.Of(err).Key != "error.limit_domain" {
		t.Error("the domain's total:", err)
	}
	if got := w.used(iam.Subject{Account: &b}, iam.Instances); got != 5 {
		t.Error("a refusal was counted:", got)
	}
	w.must(w.release(a.Owner(), iam.Instances, 1))
	w.must(w.reserve(b.Owner(), iam.Instances, 1))
	w.must(w.release(b.Owner(), iam.Instances, 1000))
	if got := w.used(iam.Subject{Account: &b}, iam.Instances); got != 0 {
		t.Error("below nothing:", got)
	}

	gib := int64(1) << 30
	w.must(w.reserve(b.Owner(), iam.PrimaryStorage, 199*gib+1))
	err = w.reserve(b.Owner(), iam.PrimaryStorage, gib)
	w.wantKind(err, fault.Limit, "storage by the byte")
	w.must(w.reserve(b.Owner(), iam.PrimaryStorage, gib-1))

	_, err = w.SetLimit(w.admin, iam.Subject{Domain: sub, Account: &a}, iam.Instances, 3)
	w.must(err) // lowering deletes nothing
	l, err := w.SetLimit(w.admin, iam.Subject{Domain: sub, Account: &a}, iam.Volumes, iam.Unlimited)
	if err != nil || l.Max != -1 || l.Available() != -1 {
		t.Error(l, err)
	}
	_, err = w.SetLimit(w.admin, iam.Subject{Domain: d}, iam.Volumes, iam.Unlimited)
	w.must(err)
	w.must(w.reserve(a.Owner(), iam.Volumes, 100_000))
	for what, n := range map[string]int64{"negative": -1, "huge": 1 << 62} {
		w.wantKind(w.reserve(a.Owner(), iam.CPUs, n), fault.Invalid, what)
	}
	w.wantKind(w.reserve(a.Owner(), iam.Kind(99), 1), fault.Invalid, "no such kind")
	if err := w.Reserve(w.sys(), a.Owner(), iam.CPUs, 1); err == nil {
		t.Error("a reservation without a transaction")
	}
}

func TestWhoSetsLimits(t *testing.T) {
	w := newWorld(t)
	d := w.domain(w.admin, "", "d")
	sub := w.domain(w.admin, d.ID, "sub")
	boss, _ := w.account(d.ID, "boss", iam.RoleDomainAdmin)
	ann, _ := w.account(sub.ID, "ann", iam.RoleUser)
	asBoss := w.as("d", "boss")
	set := func(ctx context.Context, of iam.Subject) error {
		_, err := w.SetLimit(ctx, of, iam.Instances, 1000)
		return err
	}
	w.must(set(asBoss, iam.Subject{Domain: sub, Account: &ann}))
	w.must(set(asBoss, iam.Subject{Domain: sub}))
	w.wantKind(set(asBoss, iam.Subject{Domain: d}), fault.Forbidden, "one's own domain")
	w.wantKind(set(asBoss, iam.Subject{Domain: d, Account: &boss}), fault.Forbidden, "one's own account")
	w.wantKind(set(w.as("d/sub", "ann"), iam.Subject{Domain: sub, Account: &ann}), fault.Forbidden, "a user")
	w.wantKind(set(w.admin, iam.Subject{Domain: w.root}), fault.Invalid, "ROOT")
}

func TestRecount(t *testing.T) {
	w := newWorld(t)
	d := w.domain(w.admin, "", "d")
	a, _ := w.account(d.ID, "ann", iam.RoleUser)
	b, _ := w.account(d.ID, "bob", iam.RoleUser)
	real := map[string]int64{a.ID: 3, b.ID: 1}
	w.Count(iam.Instances, func(_ context.Context, id string) (int64, error) { return real[id], nil })
	w.must(w.reserve(a.Owner(), iam.Instances, 5))
	w.must(w.reserve(b.Owner(), iam.Instances, 1))
	drifts, err := w.RecountAll(w.sys(), false)
	w.must(err)
	if len(drifts) != 1 || drifts[0] != (iam.Drift{Owner: a.ID, Kind: iam.Instances, Stored: 5, Real: 3}) {
		t.Error(drifts)
	}
	if _, err := w.RecountAll(w.sys(), true); err != nil {
		t.Error(err)
	}
	if drifts, err = w.RecountAll(w.sys(), false); err != nil || len(drifts) != 0 {
		t.Error("still", drifts, err)
	}
	if w.used(iam.Subject{Domain: d}, iam.Instances) != 4 {
		t.Error("the domain's total")
	}
	w.must(w.DeleteAccount(w.admin, a.ID)) // takes its share along
	if got := w.used(iam.Subject{Domain: d}, iam.Instances); got != 1 {
		t.Error("after the account:", got)
	}
}

// TestMissingCounters: an account that is older than a kind gets its counter.
func TestMissingCounters(t *testing.T) {
	w := newWorld(t)
	d := w.domain(w.admin, "", "d")
	a, _ := w.account(d.ID, "ann", iam.RoleUser)
	w.must(w.DB().Tx(w.sys(), func(ctx context.Context) error {
		return w.DB().In(ctx).Exec("DELETE FROM quotas WHERE owner = ? AND kind = 0", a.ID).Error
	}))
	w.must(w.DB().Tx(w.sys(), func(ctx context.Context) error {
		return w.ReserveAll(ctx, a.Owner(), iam.Amounts{iam.Instances: 2, iam.CPUs: 4})
	}))
	for k, want := range (iam.Amounts{iam.Instances: 2, iam.CPUs: 4}) {
		if w.used(iam.Subject{Account: &a}, k) != want || w.used(iam.Subject{Domain: d}, k) != want {
			t.Error(k, "is counted wrongly")
		}
	}
}
