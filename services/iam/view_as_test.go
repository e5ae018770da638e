package iam_test

import (
	"context"
	"testing"
	"time"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
)

func TestViewAs(t *testing.T) {
	w := newWorld(t)
	d := w.domain(w.admin, "", "d")
	_, boss := w.account(d.ID, "boss", iam.RoleDomainAdmin)
	_, ann := w.account(d.ID, "ann", iam.RoleUser)
	_, root := w.account(w.root.ID, "root2", iam.RoleRootAdmin)
	var heard []iam.Audit
	w.Audit = func(_ context.Context, a iam.Audit) { heard = append(heard, a) }
	l, err := w.login("d", "boss", "pw", "")
	w.must(err)
	in := func() (iam.Principal, context.Context) {
		p, err := w.SessionActor(w.Context(), l.Token)
		w.must(err)
		return p, iam.WithSession(store.With(w.Context(), p.Actor), p.Session.ID)
	}
	p, ctx := in()
	for what, id := range map[string]string{"root": root.ID, "absent": w.DB().NewID()} {
		_, err := w.ViewAs(ctx, id)
		w.wantKind(err, fault.NotFound, what)
	}
	_, err = w.ViewAs(ctx, boss.ID)
	w.wantKey(err, "error.self", "oneself")
	if _, err = w.ViewAs(ctx, ann.ID); err != nil {
		t.Fatal(err)
	}
	if n := len(heard); n == 0 || heard[n-1].Event != "USER.VIEW.AS" || heard[n-1].AccountID != ann.AccountID {
		t.Error("the audit hears", heard)
	}
	p, ctx = in()
	if p.UserID != ann.ID || !p.ReadOnly || p.Rank != store.User || p.Viewer == nil || p.Viewer.ID != boss.ID {
		t.Errorf("as ann: %+v", p)
	}
	if _, err := w.ViewAs(ctx, boss.ID); err == nil {
		t.Error("a view goes on to another")
	}
	w.must(w.EndView(ctx))
	if p, _ = in(); p.UserID != boss.ID || p.ReadOnly {
		t.Error("after its end:", p.UserID)
	}
	_, ctx = in()
	_, err = w.ViewAs(ctx, ann.ID)
	w.must(err)
	w.clock.Add(15 * time.Minute)
	if p, _ = in(); p.UserID != boss.ID {
		t.Error("after a quarter of an hour:", p.UserID)
	}
	_, ctx = in()
	_, err = w.ViewAs(ctx, ann.ID)
	w.must(err)
	_, err = w.DisableUser(w.admin, ann.ID)
	w.must(err)
	if p, _ = in(); p.UserID != boss.ID {
		t.Error("who is shut out is still viewed")
	}
}
