package iam_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

// cheap keeps tests quick.
var cheap = iam.Argon{Memory: 64, Time: 1, Threads: 1}

// clock is the time, which tests hold.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type world struct {
	*testing.T
	*iam.Service
	clock *clock
	dsn   string
	root  iam.Domain
	admin context.Context
}

func newWorld(t *testing.T) *world {
	t.Helper()
	c := &clock{now: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)}
	dsn := storetest.DSN(t)
	db := storetest.Connect(t, dsn, c.Now)
	s := iam.New(db, iam.Options{Argon: cheap})
	w := &world{T: t, Service: s, clock: c, dsn: dsn}
	created, err := s.Bootstrap(t.Context(), "secret")
	w.must(err)
	if !created {
		t.Fatal("nothing was created")
	}
	w.root, err = s.Root(t.Context())
	w.must(err)
	w.admin = w.as("", "admin")
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) sys() context.Context { return store.System(w.Context(), "test") }

// as is a context of an account's first user.
func (w *world) as(domainPath, account string) context.Context {
	w.Helper()
	d, err := w.DomainByPath(w.sys(), domainPath)
	w.must(err)
	a, err := w.AccountByName(w.sys(), d.ID, account)
	w.must(err)
	var u iam.User
	w.must(w.DB().In(w.sys()).Where("account_id = ?", a.ID).Order("id").Take(&u).Error)
	return store.With(w.Context(), store.Actor{UserID: u.ID, Owner: a.Owner(), Rank: a.Type, RoleID: a.RoleID})
}

func (w *world) domain(ctx context.Context, parent, name string) iam.Domain {
	w.Helper()
	d, err := w.CreateDomain(ctx, iam.CreateDomain{Name: name, ParentID: parent})
	w.must(err)
	return d
}

// account makes an account with a user of the same name and the password "pw".
func (w *world) account(domainID, name, role string) (iam.Account, iam.User) {
	w.Helper()
	a, u, err := w.CreateAccount(w.admin, iam.CreateAccount{
		DomainID: domainID, RoleID: role,
		User: iam.NewUser{Username: name, Password: "pw"},
	})
	w.must(err)
	return a, u
}

func (w *world) login(domain, name, password, ip string) (iam.Login, error) {
	return w.Login(w.Context(), iam.LoginRequest{Username: name, Password: password, DomainPath: domain, RemoteIP: ip, UserAgent: "test"})
}

func (w *world) wantKind(err error, k fault.Kind, what string) {
	w.Helper()
	if !fault.Is(err, k) {
		w.Errorf("%s: %v, want %s", what, err, k.Name)
	}
}

func (w *world) wantKey(err error, key, what string) {
	w.Helper()
	if err == nil || fault.Of(err).Key != key {
		w.Errorf("%s: %v, want %s", what, err, key)
	}
}
