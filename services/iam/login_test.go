package iam_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

func TestLogin(t *testing.T) {
	w := newWorld(t)
	d := w.domain(w.admin, "", "dept")
	w.account(d.ID, "ann", iam.RoleUser)
	l, err := w.login("dept", "Ann", "pw", "192.0.2.1")
	w.must(err)
	if l.Domain.ID != d.ID || l.Rank != store.User || l.Token == "" || l.User.Password == "" {
		t.Errorf("%+v", l)
	}
	for what, r := range map[string]iam.LoginRequest{
		"wrong password": {Username: "ann", Password: "x", DomainPath: "dept"},
		"empty password": {Username: "ann", DomainPath: "dept"},
		"wrong domain":   {Username: "ann", Password: "pw"},
		"no such domain": {Username: "ann", Password: "pw", DomainPath: "none"},
		"no such id":     {Username: "ann", Password: "pw", DomainID: "none"},
		"nobody":         {Username: "zed", Password: "pw", DomainPath: "dept"},
		"no name":        {Password: "pw", DomainPath: "dept"},
		"accent":         {Username: "ánn", Password: "pw", DomainPath: "dept"},
	} {
		_, err := w.Login(t.Context(), r)
		w.wantKey(err, "error.login", what)
	}
	if _, err := w.Login(t.Context(), iam.LoginRequest{Username: "ann", Password: "pw", DomainID: d.ID, DomainPath: "ignored"}); err != nil {
		t.Error("by domain id:", err)
	}
}

func TestStatesShutOutAtOnce(t *testing.T) {
	w := newWorld(t)
	a, u := w.account(w.root.ID, "ann", iam.RoleUser)
	ref := iam.AccountRef{ID: a.ID}
	k, err := w.RegisterKeys(w.admin, u.ID)
	w.must(err)
	facts := map[string]struct{ out, in func() error }{
		"disable the user":    {func() error { return errOf2(w.DisableUser(w.admin, u.ID)) }, func() error { return errOf2(w.EnableUser(w.admin, u.ID)) }},
		"lock the user":       {func() error { return errOf2(w.LockUser(w.admin, u.ID)) }, func() error { return errOf2(w.EnableUser(w.admin, u.ID)) }},
		"disable the account": {func() error { return errOf(w.DisableAccount(w.admin, ref)) }, func() error { return errOf(w.EnableAccount(w.admin, ref)) }},
		"lock the account":    {func() error { return errOf(w.LockAccount(w.admin, ref)) }, func() error { return errOf(w.EnableAccount(w.admin, ref)) }},
	}
	other := iam.New(storetest.Connect(t, w.dsn, w.clock.Now), iam.Options{Argon: cheap}) // a second server
	for what, f := range facts {
		w.clock.Add(2 * time.Hour)
		l, err := w.login("", "ann", "pw", "192.0.2.1")
		w.must(err)
		if _, err := other.SessionActor(t.Context(), l.Token); err != nil {
			t.Fatal(what, err)
		}
		w.must(f.out())
		if _, err := other.SessionActor(t.Context(), l.Token); !fault.Is(err, fault.Unauthenticated) {
			t.Error(what, "leaves the session:", err)
		}
		if _, _, err := other.KeyOwner(t.Context(), k.APIKey, "192.0.2.1"); !fault.Is(err, fault.Unauthenticated) {
			t.Error(what, "leaves the key:", err)
		}
		_, err = w.login("", "ann", "pw", "192.0.2.1")
		w.wantKey(err, "error.login", what)
		w.must(f.in())
		if _, err := other.SessionActor(t.Context(), l.Token); err == nil {
			t.Error("after", what, "the old session lives again")
		}
		if secret, p, err := other.KeyOwner(t.Context(), k.APIKey, "192.0.2.1"); err != nil || secret != k.Secret || p.UserID != u.ID {
			t.Error("the key does not come back:", err)
		}
	}
}

func TestSessions(t *testing.T) {
	w := newWorld(t)
	_, u := w.account(w.root.ID, "ann", iam.RoleUser)
	ann := w.as("", "ann")
	login := func() iam.Login {
		l, err := w.login("", "ann", "pw", "192.0.2.1")
		w.must(err)
		return l
	}
	alive := func(l iam.Login) bool { _, err := w.SessionActor(t.Context(), l.Token); return err == nil }
	if one := login(); !alive(one) || one.Session.ID == one.Token {
		t.Error("a new session is dead")
	}
	one := login()
	before := w.DB().Statements()
	p, err := w.SessionActor(t.Context(), one.Token)
	w.must(err)
	if n := w.DB().Statements() - before; n != 2 || p.User.Username != "ann" || p.Domain.Name != "ROOT" || p.AccountID != u.AccountID {
		t.Errorf("%d statements, %+v", n, p.Actor)
	}
	w.must(w.Logout(t.Context(), one.Token))
	if alive(one) {
		t.Error("logout leaves it")
	}
	idle := login()
	w.clock.Add(29 * time.Minute)
	if !alive(idle) {
		t.Error("ended before its time")
	}
	w.clock.Add(29 * time.Minute)
	if !alive(idle) {
		t.Error("use does not prolong")
	}
	w.clock.Add(30 * time.Minute)
	if alive(idle) {
		t.Error("idle and alive")
	}
	long := login()
	for range 24 * 2 {
		w.clock.Add(15 * time.Minute)
		alive(long)
	}
	if alive(long) {
		t.Error("older than twelve hours")
	}
	a, b, c := login(), login(), login()
	if list, err := w.Sessions(ann); err != nil || len(list) != 3 {
		t.Error(list, err)
	}
	if list, _ := w.Sessions(w.admin); len(list) != 0 {
		t.Error("root sees sessions of others")
	}
	if err := w.EndSession(w.admin, a.Session.ID); !fault.Is(err, fault.NotFound) {
		t.Error("root ends a session as its own:", err)
	}
	w.must(w.EndSession(ann, a.Session.ID))
	if alive(a) || !alive(b) {
		t.Error("the wrong one ended")
	}
	w.must(w.EndSessions(ann, b.Session.ID))
	if !alive(b) || alive(c) {
		t.Error("all but one")
	}
	_, err = w.UpdateUser(ann, iam.UpdateUser{ID: u.ID, Password: new("new"), CurrentPassword: "no"})
	w.wantKey(err, "error.password_current", "a wrong old password")
	c = login()
	_, err = w.UpdateUser(ann, iam.UpdateUser{ID: u.ID, Password: new("new"), CurrentPassword: "pw", KeepSession: b.Session.ID})
	w.must(err)
	if !alive(b) || alive(c) {
		t.Error("a new password leaves sessions")
	}
	w.clock.Add(72 * time.Hour)
	w.must(w.Sweep(t.Context()))
	var n int64
	w.must(w.DB().In(w.sys()).Model(&iam.Session{}).Count(&n).Error)
	if n != 0 {
		t.Error(n, "sessions stay for ever")
	}
}

// TestIdleSessionsDoNotLive: what is open in a session, such as a console, ends
// with it when nobody asks anything, and does not keep it.
func TestIdleSessionsDoNotLive(t *testing.T) {
	w := newWorld(t)
	l, err := w.login("", "admin", "secret", "")
	w.must(err)
	lives := func() bool {
		ok, err := w.SessionLives(t.Context(), l.Session.ID)
		w.must(err)
		return ok
	}
	for range 2 { // a request, then an open stream that looks again and again
		_, err = w.SessionActor(t.Context(), l.Token)
		w.must(err)
		for range 29 {
			w.clock.Add(time.Minute)
			if !lives() {
				t.Fatal("ended before its time")
			}
		}
	}
	w.clock.Add(time.Minute)
	if lives() {
		t.Error("a session that nobody used lives on")
	}
	if _, err := w.SessionActor(t.Context(), l.Token); !fault.Is(err, fault.Unauthenticated) {
		t.Error("looking has kept it:", err)
	}
}

func TestSessionValues(t *testing.T) {
	w := newWorld(t)
	l, err := w.login("", "admin", "secret", "")
	w.must(err)
	w.must(w.SaveValues(t.Context(), l.Token, map[string]string{"flash": "saved"}))
	p, err := w.SessionActor(t.Context(), l.Token)
	if err != nil || p.Session.Values()["flash"] != "saved" {
		t.Error(p.Session.Values(), err)
	}
	if iam.CSRF(l.Token) == iam.SessionKey(l.Token) || !iam.SameKey(iam.CSRF(l.Token), iam.CSRF(l.Token)) || iam.SameKey("", "") {
		t.Error("keys")
	}
}

// TestDelay: a thousand tries are few checks, and the victim gets in.
func TestDelay(t *testing.T) {
	w := newWorld(t)
	w.account(w.root.ID, "ann", iam.RoleUser)
	if _, err := w.login("", "ann", "pw", "198.51.100.7"); err != nil { // ann's own address
		t.Fatal(err)
	}
	tried := 0
	for range 1000 {
		_, err := w.login("", "ann", "guess", "192.0.2.66")
		if fault.Is(err, fault.Forbidden) {
			tried++
		} else {
			w.wantKind(err, fault.TooMany, "while waiting")
		}
		w.clock.Add(time.Second)
	}
	if tried < 5 || tried > 20 {
		t.Error(tried, "of 1000 guesses in 1000 s were checked")
	}
	if _, err := w.login("", "ann", "pw", "198.51.100.7"); err != nil {
		t.Error("the victim is locked out of its own address:", err)
	}
	if _, err := w.login("", "ann", "pw", "203.0.113.9"); err != nil {
		t.Error("and from a new one:", err)
	}
}

// TestDelayOfManyAddresses: a name is guessed slowly from wherever.
func TestDelayOfManyAddresses(t *testing.T) {
	w := newWorld(t)
	w.account(w.root.ID, "ann", iam.RoleUser)
	_, err := w.login("", "ann", "pw", "198.51.100.7")
	w.must(err)
	tried := 0
	for i := range 600 {
		_, err := w.login("", "ann", "guess", "10.0."+itoa(i/200)+"."+itoa(i%200))
		if fault.Is(err, fault.Forbidden) {
			tried++
		}
		w.clock.Add(time.Second)
	}
	if tried > 10+10+600/30 {
		t.Error(tried, "guesses from 600 addresses in 600 s")
	}
	_, err = w.login("", "ann", "pw", "198.51.100.7")
	if err != nil {
		t.Error("the victim waits at its own address:", err)
	}
	w.clock.Add(30 * time.Second)
	if _, err := w.login("", "ann", "pw", "203.0.113.9"); err != nil {
		t.Error("the cap of a name is too long:", err)
	}
}

// TestDelayOfAnAddress: one address does not guess at many names.
func TestDelayOfAnAddress(t *testing.T) {
	w := newWorld(t)
	tried := 0
	for i := range 300 {
		if _, err := w.login("", "user"+itoa(i), "guess", "2001:db8::"+itoa(i)); fault.Is(err, fault.Forbidden) {
			tried++
		}
		w.clock.Add(time.Second)
	}
	if tried > 32 {
		t.Error(tried, "names were tried from one network")
	}
	if _, err := w.login("", "admin", "secret", "192.0.2.1"); err != nil {
		t.Error("others wait too:", err)
	}
}

// TestDelayHoldsAgainstManyAtOnce: parallel guesses on two servers are counted
// one by one.
func TestDelayHoldsAgainstManyAtOnce(t *testing.T) {
	w := newWorld(t)
	other := iam.New(storetest.Connect(t, w.dsn, w.clock.Now), iam.Options{Argon: cheap})
	var wg sync.WaitGroup
	var mu sync.Mutex
	tried := 0
	for i := range 100 {
		s := w.Service
		if i%2 == 0 {
			s = other
		}
		wg.Go(func() {
			_, err := s.Login(t.Context(), iam.LoginRequest{Username: "admin", Password: "guess", RemoteIP: "192.0.2.1"})
			mu.Lock()
			defer mu.Unlock()
			if fault.Is(err, fault.Forbidden) {
				tried++
			} else if !fault.Is(err, fault.TooMany) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if tried != 3 {
		t.Error(tried, "guesses at once were checked, 3 are free")
	}
}

func TestImportedHashes(t *testing.T) {
	w := newWorld(t)
	hash, err := bcrypt.GenerateFromPassword([]byte("old"), bcrypt.MinCost)
	w.must(err)
	_, u, err := w.CreateAccount(w.admin, iam.CreateAccount{RoleID: iam.RoleUser, User: iam.NewUser{Username: "ann", PasswordHash: string(hash)}})
	w.must(err)
	_, err = w.login("", "ann", "wrong", "")
	w.wantKey(err, "error.login", "wrong")
	_, err = w.login("", "ann", "old", "")
	w.must(err)
	now, err := w.UserByID(w.admin, u.ID)
	if err != nil || now.Password[:10] != "$argon2id$" {
		t.Error("not brought up to date:", now.Password, err)
	}
	_, err = w.login("", "ann", "old", "")
	w.must(err)
	_, _, err = w.CreateAccount(w.admin, iam.CreateAccount{RoleID: iam.RoleUser, User: iam.NewUser{Username: "bob", PasswordHash: "5f4dcc3b5aa765d61d8327deb882cf99"}})
	w.wantKey(err, "error.password_hash", "an MD5")
}

func TestKeys(t *testing.T) {
	w := newWorld(t)
	a, u := w.account(w.root.ID, "ann", iam.RoleUser)
	ann := w.as("", "ann")
	k, err := w.RegisterKeys(ann, u.ID)
	w.must(err)
	before := w.DB().Statements()
	secret, p, err := w.KeyOwner(t.Context(), k.APIKey, "192.0.2.1")
	if n := w.DB().Statements() - before; err != nil || secret != k.Secret || p.AccountID != a.ID || n != 3 { // one of them notes the use
		t.Error(n, "statements", err)
	}
	if own, err := w.KeysOf(ann, u.ID); err != nil || own.Secret != "" || own.APIKey != k.APIKey {
		t.Error("a secret is shown twice:", err)
	}
	if theirs, err := w.KeysOf(w.admin, u.ID); err != nil || theirs.Secret != "" || theirs.APIKey != k.APIKey {
		t.Error("root reads the secret of another:", err)
	}
	for _, key := range []string{"", "x", k.APIKey + " ", swapCase(k.APIKey)} {
		if _, _, err := w.KeyOwner(t.Context(), key, "192.0.2.1"); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("key %q: %v", key, err)
		}
	}
	again, err := w.RegisterKeys(w.admin, u.ID)
	w.must(err)
	if _, _, err := w.KeyOwner(t.Context(), k.APIKey, "192.0.2.1"); err == nil {
		t.Error("the old key lives")
	}
	_, err = w.UpdateAccount(w.admin, iam.UpdateAccount{AccountRef: iam.AccountRef{ID: a.ID}, APIKeyAccess: new("disabled")})
	w.must(err)
	if _, _, err := w.KeyOwner(t.Context(), again.APIKey, "192.0.2.1"); err == nil {
		t.Error("the account forbids keys")
	}
	var stored string
	w.must(w.DB().In(w.sys()).Raw("SELECT secret_key FROM api_keys WHERE user_id = ?", u.ID).Scan(&stored).Error)
	if stored == "" || stored == again.Secret {
		t.Error("the secret lies open")
	}
}

// TestPasswordsAreHashedOutsideTransactions: hashing takes its time, and a
// transaction's locks, on SQLite all writing, would take as long.
func TestPasswordsAreHashedOutsideTransactions(t *testing.T) {
	w := newWorld(t)
	root, err := w.Root(w.sys())
	w.must(err)
	_, u := w.account(root.ID, "ann", iam.RoleUser)
	within := func(fn func(ctx context.Context) error) error { return w.DB().Tx(w.admin, fn) }

	add := iam.CreateUser{Account: iam.AccountRef{Name: "ann"}, User: iam.NewUser{Username: "bob", Password: "pw"}}
	if err := within(func(ctx context.Context) error { return second(w.CreateUser(ctx, add)) }); err == nil {
		t.Error("a user was hashed inside a transaction")
	}
	add.User, err = w.ReadyUser(w.admin, add.User)
	w.must(err)
	w.must(within(func(ctx context.Context) error { return second(w.CreateUser(ctx, add)) }))
	_, err = w.login("", "bob", "pw", "192.0.2.1")
	w.must(err)

	first, err := w.ReadyUpdate(w.admin, iam.UpdateUser{ID: u.ID, Password: new("first")})
	w.must(err)
	other, err := w.ReadyUpdate(w.admin, iam.UpdateUser{ID: u.ID, Password: new("other")})
	w.must(err)
	w.must(within(func(ctx context.Context) error { return second(w.UpdateUser(ctx, first)) }))
	if err := within(func(ctx context.Context) error { return second(w.UpdateUser(ctx, other)) }); !fault.Is(err, fault.Conflict) {
		t.Error("a password changed meanwhile was overwritten:", err)
	}
	_, err = w.login("", "ann", "first", "192.0.2.1")
	w.must(err)
}
