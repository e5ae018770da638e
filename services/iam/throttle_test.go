package iam_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aerie/services/config"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

// throttled are servers with a limit of so many calls a minute.
func throttled(w *world, servers int, most string) (all []*iam.Throttle) {
	w.Helper()
	for range servers {
		db := storetest.Connect(w.T, w.dsn, w.clock.Now)
		c := config.New(db)
		all = append(all, iam.NewThrottle(db, c))
		for name, value := range map[string]string{"enabled": "true", "interval": "60", "max": most} {
			_, err := c.Set(w.sys(), "api.throttling."+name, value)
			w.must(err)
		}
	}
	return all
}

func user(id string) store.Actor {
	return store.Actor{UserID: "u", Owner: store.Owner{AccountID: id, DomainPath: "/1/"}, Rank: store.User}
}

func TestCallsAreLimitedForAllServersTogether(t *testing.T) {
	for most, want := range map[string]int64{"25": 25, "300": 300} {
		w := newWorld(t)
		servers := throttled(w, 3, most)
		var granted atomic.Int64
		var wg sync.WaitGroup
		for i := range 9 {
			wg.Go(func() {
				for range 60 {
					switch err := servers[i%3].Allow(w.sys(), user("ann")); {
					case err == nil:
						granted.Add(1)
					case !fault.Is(err, fault.TooMany):
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		// Never more; and fewer by no more than idle servers keep of a batch.
		if n := granted.Load(); n > want || n < want-want/10 {
			t.Errorf("%d of %d were granted", n, want)
		}
		w.must(servers[0].Allow(w.sys(), user("bob")))
		w.must(servers[0].Allow(w.sys(), store.Actor{Owner: store.Owner{AccountID: "root"}, Rank: store.Admin}))
		w.clock.Add(61 * time.Second)
		w.must(servers[1].Allow(w.sys(), user("ann")))
		r, err := servers[1].Rate(w.sys(), "ann")
		w.must(err)
		if r.Issued != 1 || int64(r.Allowed) != want-1 || r.Expires != time.Minute {
			t.Errorf("%+v", r)
		}
	}
}

func TestAResetLetsCallsBegin(t *testing.T) {
	w := newWorld(t)
	s := throttled(w, 1, "2")[0]
	a := user("ann")
	w.must(s.Allow(w.sys(), a))
	w.must(s.Allow(w.sys(), a))
	w.wantKind(s.Allow(w.sys(), a), fault.TooMany, "the third call")
	w.must(s.Reset(w.sys(), "bob"))
	w.wantKind(s.Allow(w.sys(), a), fault.TooMany, "after another's reset")
	w.must(s.Reset(w.sys(), "ann"))
	w.must(s.Allow(w.sys(), a))
	w.must(s.Allow(w.sys(), a))
	w.must(s.Reset(w.sys(), ""))
	w.must(s.Allow(w.sys(), a))
}
