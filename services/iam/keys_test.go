package iam_test

import (
	"testing"
	"time"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
)

// TestSeveralKeys: each pair has its own term and places.
func TestSeveralKeys(t *testing.T) {
	w := newWorld(t)
	_, u := w.account(w.root.ID, "ann", iam.RoleUser)
	ann := w.as("", "ann")
	now := w.clock.Now()
	add := func(n iam.NewKeys) iam.Keys {
		t.Helper()
		n.UserID = u.ID
		k, err := w.AddKeys(ann, n)
		w.must(err)
		return k
	}
	first := add(iam.NewKeys{})
	ci := add(iam.NewKeys{Name: "ci", Description: "builds", StartsAt: now.Add(time.Hour), ExpiresAt: now.Add(2 * time.Hour)})
	office := add(iam.NewKeys{Name: "office", CIDRs: []string{"198.51.100.7/24", " 2001:db8::1 "}})
	works := func(k iam.Keys, from string) bool {
		secret, p, err := w.KeyOwner(t.Context(), k.APIKey, from)
		if err != nil && !fault.Is(err, fault.Unauthenticated) {
			t.Error(err)
		}
		return err == nil && secret == k.Secret && p.UserID == u.ID
	}
	for _, fact := range []struct {
		what string
		key  iam.Keys
		from string
		at   time.Duration
		want bool
	}{
		{"anywhere, any time", first, "203.0.113.9", 0, true},
		{"before its term", ci, "203.0.113.9", 59 * time.Minute, false},
		{"in its term", ci, "203.0.113.9", time.Hour, true},
		{"at its end", ci, "203.0.113.9", 2 * time.Hour, false},
		{"in the office", office, "198.51.100.200", 0, true},
		{"in the office, written otherwise", office, "::ffff:198.51.100.200", 0, true},
		{"in the office by IPv6", office, "2001:db8::1", 0, true},
		{"beside it", office, "2001:db8::2", 0, false},
		{"elsewhere", office, "198.51.101.1", 0, false},
		{"nowhere", office, "", 0, false},
	} {
		w.clock.Add(fact.at - w.clock.Now().Sub(now))
		if works(fact.key, fact.from) != fact.want {
			t.Error(fact.what)
		}
	}
	again := add(iam.NewKeys{})
	if works(first, "") || !works(again, "") || !works(office, "198.51.100.1") {
		t.Error("a new default pair ends the old one, and it alone")
	}
	_, err := w.DeleteKeys(ann, office.ID)
	w.must(err)
	if works(office, "198.51.100.1") {
		t.Error("a key that was ended lives")
	}
}

func TestKeysRefused(t *testing.T) {
	w := newWorld(t)
	_, u := w.account(w.root.ID, "ann", iam.RoleUser)
	_, other := w.account(w.root.ID, "bob", iam.RoleUser)
	ann, bob := w.as("", "ann"), w.as("", "bob")
	k, err := w.AddKeys(ann, iam.NewKeys{UserID: u.ID, Name: "ci"})
	w.must(err)
	for param, n := range map[string]iam.NewKeys{
		"name":        {Name: "ci"},
		"cidrs":       {CIDRs: []string{"10.0.0.0/33"}},
		"enddate":     {ExpiresAt: w.clock.Now()},
		"description": {Description: string(make([]rune, 1025))},
		"rules":       {Rules: []iam.KeyRule{{Pattern: "list*;"}}},
	} {
		n.UserID = u.ID
		_, err := w.AddKeys(ann, n)
		if f := fault.Of(err); err == nil || len(f.Order) != 1 || f.Order[0] != param {
			t.Errorf("%s: %v", param, err)
		}
	}
	_, err = w.AddKeys(ann, iam.NewKeys{UserID: other.ID})
	w.wantKind(err, fault.NotFound, "a key for somebody else")
	_, err = w.DeleteKeys(bob, k.ID)
	w.wantKind(err, fault.NotFound, "somebody else's key ended")
	// A second user of one account is somebody else, too.
	second, err := w.CreateUser(w.admin, iam.CreateUser{Account: iam.AccountRef{ID: u.AccountID}, User: iam.NewUser{Username: "amy", Password: "pw"}})
	w.must(err)
	amy := store.With(t.Context(), store.Actor{UserID: second.ID, Owner: u.Owner(), Rank: store.User, RoleID: iam.RoleUser})
	_, err = w.KeysByID(amy, k.ID)
	w.wantKind(err, fault.NotFound, "a colleague's key")
	w.must(w.DeleteUser(w.admin, u.ID))
	if n := w.count(&iam.KeyPair{}, "user_id = ?", u.ID); n != 0 {
		t.Error("keys of a removed user:", n)
	}
}

// TestKeyRulesOnlyRestrict: a key has no more than its user, and cannot make
// itself one that has more.
func TestKeyRulesOnlyRestrict(t *testing.T) {
	w := newWorld(t)
	_, u := w.account(w.root.ID, "ann", iam.RoleUser)
	k, err := w.AddKeys(w.as("", "ann"), iam.NewKeys{UserID: u.ID, Name: "reads", Rules: []iam.KeyRule{
		{Pattern: "listZones", Allow: false}, {Pattern: "list*", Allow: true}, {Pattern: "registerUserKeys", Allow: true}, {Pattern: "updateUser", Allow: true},
	}})
	w.must(err)
	_, p, err := w.KeyOwner(t.Context(), k.APIKey, "")
	w.must(err)
	for command, want := range map[string]bool{"listVolumes": true, "LISTVOLUMES": true, "listZones": false, "deployVirtualMachine": false} {
		if iam.KeyAllows(p.Actor, command) != want {
			t.Error(command)
		}
	}
	ctx := store.With(t.Context(), p.Actor)
	_, err = w.RegisterKeys(ctx, u.ID)
	w.wantKey(err, "error.key_limited", "a key without limits")
	_, err = w.DeleteKeys(ctx, k.ID)
	w.wantKey(err, "error.key_limited", "keys ended")
	_, err = w.UpdateUser(ctx, iam.UpdateUser{ID: u.ID, Password: new("other"), CurrentPassword: "pw"})
	w.wantKey(err, "error.key_limited", "a new password")
	_, err = w.UpdateUser(ctx, iam.UpdateUser{ID: u.ID, APIKey: new("0123456789abcdef"), SecretKey: new("0123456789abcdef")})
	w.wantKey(err, "error.key_limited", "keys by hand")
}
