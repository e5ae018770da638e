package iam_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store/storetest"
)

// TestTwoHundredAtOnceOfEveryKind: a limit of ten grants ten of every kind of
// resource, on three servers, for the account and for its domain.
func TestTwoHundredAtOnceOfEveryKind(t *testing.T) {
	w := newWorld(t)
	d := w.domain(w.admin, "", "d")
	a, _ := w.account(d.ID, "ann", iam.RoleUser)
	servers := []*iam.Service{w.Service}
	for range 2 {
		servers = append(servers, iam.New(storetest.Connect(t, w.dsn, w.clock.Now), iam.Options{}))
	}
	for _, k := range iam.Kinds() {
		of := iam.Subject{Domain: d, Account: &a}
		if k%2 == 1 { // the domain's limit holds as well as the account's
			of = iam.Subject{Domain: d}
		}
		_, err := w.SetLimit(w.admin, iam.Subject{Domain: d, Account: &a}, k, iam.Unlimited)
		w.must(err)
		_, err = w.SetLimit(w.admin, of, k, 10)
		w.must(err)
		var granted, refused atomic.Int64
		var wg sync.WaitGroup
		for i := range 200 {
			s := servers[i%3]
			wg.Go(func() {
				err := s.DB().Tx(w.sys(), func(ctx context.Context) error { return s.Reserve(ctx, a.Owner(), k, k.Unit()) })
				switch {
				case err == nil:
					granted.Add(1)
				case fault.Is(err, fault.Limit):
					refused.Add(1)
				default:
					t.Error(k, err)
				}
			})
		}
		wg.Wait()
		if granted.Load() != 10 || refused.Load() != 190 || w.used(iam.Subject{Domain: d}, k) != 10*k.Unit() {
			t.Errorf("%s: %d granted, %d refused", k, granted.Load(), refused.Load())
		}
	}
}
