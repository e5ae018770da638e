package iam_test

import (
	"context"
	"testing"

	"aerie/services/fault"
	"aerie/services/iam"
)

func TestADomainMovesWithAllItOwns(t *testing.T) {
	w := newWorld(t)
	east, west := w.domain(w.admin, "", "east"), w.domain(w.admin, "", "west")
	team := w.domain(w.admin, east.ID, "team")
	sub := w.domain(w.admin, team.ID, "sub")
	ann, _ := w.account(sub.ID, "ann", iam.RoleUser)
	w.account(east.ID, "eve", iam.RoleDomainAdmin)
	w.account(west.ID, "wes", iam.RoleDomainAdmin)
	w.must(w.reserve(ann.Owner(), iam.Instances, 3))

	moved, err := w.MoveDomain(w.admin, team.ID, west.ID)
	w.must(err)
	if moved.FullName != "ROOT/west/team" || moved.ParentID != west.ID || moved.Path != "/3/4/" || moved.Level != 2 {
		t.Errorf("moved: %+v", moved)
	}
	below, err := w.DomainByPath(w.admin, "west/team/sub")
	w.must(err)
	if below.ID != sub.ID || below.Path != "/3/4/5/" || below.Level != 3 {
		t.Errorf("below: %+v", below)
	}
	if _, err := w.DomainByPath(w.admin, "east/team"); !fault.Is(err, fault.NotFound) {
		t.Error("the old name is still there:", err)
	}
	if _, err := w.AccountByID(w.as("east", "eve"), ann.ID); !fault.Is(err, fault.NotFound) {
		t.Error("the old admin still sees what moved:", err)
	}
	if a, err := w.AccountByID(w.as("west", "wes"), ann.ID); err != nil || a.DomainPath != below.Path {
		t.Error("the new admin:", a.DomainPath, err)
	}
	if _, err := w.login("west/team/sub", "ann", "pw", ""); err != nil {
		t.Error("who moved signs in:", err)
	}
	for what, c := range map[string]struct {
		of   iam.Domain
		want int64
	}{"above before": {east, 0}, "above now": {west, 3}, "itself": {moved, 3}, "below": {below, 3}} {
		if n := w.used(iam.Subject{Domain: c.of}, iam.Instances); n != c.want {
			t.Errorf("%s: %d are counted", what, n)
		}
	}
	drifts, err := w.RecountAll(w.sys(), false)
	if err != nil || len(drifts) != 0 {
		t.Error(drifts, err)
	}
}

// TestWorkUnderAMoveIsCountedAndFollows: what was begun with the old path
// counts at the new place, and its rows are moved after it.
func TestWorkUnderAMoveIsCountedAndFollows(t *testing.T) {
	w := newWorld(t)
	east, west := w.domain(w.admin, "", "east"), w.domain(w.admin, "", "west")
	team := w.domain(w.admin, east.ID, "team")
	ann, u := w.account(team.ID, "ann", iam.RoleUser)
	before := ann.Owner()
	w.must(w.reserve(before, iam.Instances, 2))
	_, err := w.MoveDomain(w.admin, team.ID, west.ID)
	w.must(err)

	w.must(w.release(before, iam.Instances, 1))
	w.must(w.reserve(before, iam.Volumes, 5))
	if n := w.used(iam.Subject{Domain: east}, iam.Instances); n != 0 {
		t.Error(n, "instances where nothing is any more")
	}
	if n := w.used(iam.Subject{Domain: west}, iam.Instances); n != 1 {
		t.Error(n, "instances at the new place")
	}
	if n := w.used(iam.Subject{Domain: west}, iam.Volumes); n != 5 {
		t.Error(n, "volumes at the new place")
	}
	w.must(w.DB().Tx(w.sys(), func(ctx context.Context) error {
		return w.DB().In(ctx).Model(&iam.User{}).Where("id = ?", u.ID).Update("domain_path", before.DomainPath).Error
	}))
	w.must(w.FollowMoves(w.Context()))
	if got, err := w.UserByID(w.sys(), u.ID); err != nil || got.DomainPath != "/3/4/" {
		t.Error("a straggler stays at", got.DomainPath, err)
	}
	_, err = w.MoveDomain(w.admin, team.ID, east.ID)
	w.must(err)
	w.must(w.FollowMoves(w.Context()))
	if got, err := w.UserByID(w.sys(), u.ID); err != nil || got.DomainPath != before.DomainPath {
		t.Error("after the way back:", got.DomainPath, err)
	}
}

func TestMovesThatAreRefused(t *testing.T) {
	w := newWorld(t)
	east, west := w.domain(w.admin, "", "east"), w.domain(w.admin, "", "west")
	team := w.domain(w.admin, east.ID, "team")
	w.domain(w.admin, west.ID, "Team")
	full := w.domain(w.admin, "", "full")
	ann, _ := w.account(team.ID, "ann", iam.RoleUser)
	w.account(w.root.ID, "boss", iam.RoleDomainAdmin)
	w.must(w.reserve(ann.Owner(), iam.Instances, 2))
	_, err := w.SetLimit(w.admin, iam.Subject{Domain: full}, iam.Instances, 1)
	w.must(err)
	for what, c := range map[string]struct{ id, to, key string }{
		"ROOT":              {w.root.ID, east.ID, "error.domain_root"},
		"below itself":      {east.ID, team.ID, "error.domain_cycle"},
		"into itself":       {east.ID, east.ID, "error.domain_cycle"},
		"where it is":       {team.ID, east.ID, "error.domain_there"},
		"the name is taken": {team.ID, west.ID, "error.name_taken"},
		"over the limit":    {team.ID, full.ID, "error.limit_domain"},
		"absent":            {w.DB().NewID(), east.ID, "error.absent"},
		"absent parent":     {team.ID, w.DB().NewID(), "error.absent"},
	} {
		_, err := w.MoveDomain(w.admin, c.id, c.to)
		if c.key == "error.absent" {
			w.wantKind(err, fault.NotFound, what)
			continue
		}
		w.wantKey(err, c.key, what)
	}
	_, err = w.MoveDomain(w.as("", "boss"), team.ID, full.ID)
	w.wantKind(err, fault.Forbidden, "a domain admin")
	if d, err := w.DomainByID(w.admin, team.ID); err != nil || d.Path != team.Path || w.used(iam.Subject{Domain: east}, iam.Instances) != 2 {
		t.Error("a refused move left something:", d, err)
	}
}
