package iam_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
)

// signedIn is a session as a request of it sees it.
type signedIn struct {
	w     *world
	token string
	name  string
}

func (w *world) signIn(name string) *signedIn {
	w.Helper()
	w.clock.Add(time.Minute) // another code
	l, err := w.login("", name, "pw", "192.0.2.1")
	w.must(err)
	return &signedIn{w, l.Token, name}
}

func (s *signedIn) ctx() context.Context {
	s.w.Helper()
	p, err := s.w.SessionActor(s.w.Context(), s.token)
	s.w.must(err)
	return iam.WithSession(store.With(s.w.Context(), p.Actor), p.Session.ID)
}

func (s *signedIn) half() bool {
	a, _ := store.From(s.ctx())
	return a.Half
}

// give gives a code, and holds the new token as a client does.
func (s *signedIn) give(code string) error {
	s.w.Helper()
	ctx := s.ctx()
	err := s.w.VerifyTwoFactor(ctx, code)
	if token := iam.Renewed(ctx); token != "" {
		s.token = token
	}
	return err
}

func (s *signedIn) enrol() (secret string) {
	s.w.Helper()
	e, err := s.w.BeginTwoFactor(s.ctx(), iam.TOTP)
	s.w.must(err)
	s.w.must(s.give(iam.CodeAt(e.Secret, s.w.clock.Now())))
	return e.Secret
}

func TestSecondFactor(t *testing.T) {
	w := newWorld(t)
	w.account(w.root.ID, "ann", iam.RoleUser)
	s := w.signIn("ann")
	if s.half() {
		t.Fatal("owes a factor that it has not")
	}
	other, old := w.signIn("ann"), s.token
	secret := s.enrol()
	if s.token == old {
		t.Error("the session keeps its id")
	}
	for what, token := range map[string]string{"the old id": old, "another session, signed in without": other.token} {
		if _, err := w.SessionActor(t.Context(), token); err == nil {
			t.Error(what, "lives")
		}
	}
	if s.half() {
		t.Error("who has just given it owes it")
	}

	s = w.signIn("ann")
	if !s.half() {
		t.Fatal("is not asked")
	}
	_, err := w.EndTwoFactor(s.ctx(), "")
	w.wantKey(err, "error.2fa_must", "taken away before it was given")
	_, err = w.BeginTwoFactor(s.ctx(), "")
	w.wantKey(err, "error.2fa_there", "another secret before it was given")
	_, err = w.NewRecoveryCodes(s.ctx())
	w.wantKey(err, "error.2fa_none", "recovery codes before it was given")
	code := iam.CodeAt(secret, w.clock.Now())
	w.wantKey(s.give("000000"), "error.2fa_code", "a wrong code")
	w.must(s.give(code))
	if s.half() {
		t.Error("given, and still owed")
	}
	again, err := w.login("", "ann", "pw", "192.0.2.1")
	w.must(err)
	replay := &signedIn{w, again.Token, "ann"}
	w.wantKey(replay.give(code), "error.2fa_code", "a code that was used")
	w.clock.Add(30 * time.Second)
	w.must(replay.give(iam.CodeAt(secret, w.clock.Now())))

	_, err = w.EndTwoFactor(replay.ctx(), "")
	w.must(err)
	if w.signIn("ann").half() {
		t.Error("asked for what was taken away")
	}
}

func TestRecoveryCodes(t *testing.T) {
	w := newWorld(t)
	w.account(w.root.ID, "ann", iam.RoleUser)
	s := w.signIn("ann")
	s.enrol()
	codes, err := w.NewRecoveryCodes(s.ctx())
	w.must(err)
	var stored []string
	w.must(w.DB().In(w.sys()).Table("recovery_codes").Pluck("id", &stored).Error)
	if len(codes) != 10 || len(stored) != 10 || strings.Contains(strings.Join(stored, " "), codes[0]) {
		t.Error(codes, stored)
	}
	s = w.signIn("ann")
	w.must(s.give(strings.ToUpper(codes[0])))
	s = w.signIn("ann")
	w.wantKey(s.give(codes[0]), "error.2fa_code", "a recovery code twice")
	w.must(s.give(strings.ReplaceAll(codes[1], "-", "")))
	if n, err := w.RecoveryCodesLeft(s.ctx()); err != nil || n != 8 {
		t.Error(n, "are left", err)
	}
	_, err = w.NewRecoveryCodes(s.ctx())
	w.must(err)
	s = w.signIn("ann")
	w.wantKey(s.give(codes[2]), "error.2fa_code", "a code of before")
}

// TestCodesWait: guessing takes longer with each wrong code, and nobody but the
// guesser waits.
func TestCodesWait(t *testing.T) {
	w := newWorld(t)
	w.account(w.root.ID, "ann", iam.RoleUser)
	s := w.signIn("ann")
	secret := s.enrol()
	w.clock.Add(time.Minute)
	attacker, err := w.login("", "ann", "pw", "203.0.113.5")
	w.must(err)
	bad := &signedIn{w, attacker.Token, "ann"}
	refused, start := 0, w.clock.Now()
	for range 300 {
		if err := bad.give("123456"); fault.Is(err, fault.TooMany) {
			refused++
		}
		w.clock.Add(5 * time.Second)
	}
	if tried := 300 - refused; tried > 15 {
		t.Errorf("%d tries in %v", tried, w.clock.Now().Sub(start))
	}
	good, err := w.login("", "ann", "pw", "192.0.2.1")
	w.must(err)
	w.must((&signedIn{w, good.Token, "ann"}).give(iam.CodeAt(secret, w.clock.Now())))
}

func TestMandatedSecondFactor(t *testing.T) {
	w := newWorld(t)
	_, u := w.account(w.root.ID, "ann", iam.RoleUser)
	ann := w.as("", "ann")
	_, err := w.UpdateUser(ann, iam.UpdateUser{ID: u.ID, MustTwoFactor: new(false)})
	w.wantKind(err, fault.Forbidden, "a user about itself")
	_, err = w.UpdateUser(w.admin, iam.UpdateUser{ID: u.ID, MustTwoFactor: new(true)})
	w.must(err)
	s := w.signIn("ann")
	if !s.half() {
		t.Fatal("is not asked")
	}
	w.wantKey(s.give("123456"), "error.2fa_none", "a code without a secret")
	s.enrol()
	if s.half() {
		t.Error("owed after it was set up")
	}
	_, err = w.EndTwoFactor(s.ctx(), "")
	w.wantKey(err, "error.2fa_must", "taken away by who must have it")
	_, err = w.EndTwoFactor(w.admin, u.ID) // the device is lost
	w.must(err)
	if s = w.signIn("ann"); !s.half() {
		t.Error("nothing is owed any more")
	}
	w.wantKey(w.OnlySelf(w.admin, u.ID), "error.2fa_self", "a secret for somebody else")
	_, bob := w.account(w.root.ID, "bob", iam.RoleUser)
	_, err = w.EndTwoFactor(w.as("", "bob"), u.ID)
	w.wantKind(err, fault.NotFound, "a stranger takes it away")
	_ = bob
	_, err = w.BeginTwoFactor(s.ctx(), "staticpin")
	w.wantKey(err, "error.2fa_provider", "a PIN that never changes")
}
