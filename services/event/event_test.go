package event_test

import (
	"context"
	"testing"
	"time"

	"aerie/locales"
	"aerie/services/event"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

var (
	ann = store.Owner{AccountID: "ann", DomainID: "d1", DomainPath: "/1/"}
	bob = store.Owner{AccountID: "bob", DomainID: "d2", DomainPath: "/1/2/"}
)

func as(t *testing.T, o store.Owner, r store.Rank) context.Context {
	return store.With(t.Context(), store.Actor{UserID: o.AccountID + "'s user", Owner: o, Rank: r})
}

func TestAnEventBelongsToTheResourcesOwner(t *testing.T) {
	db := storetest.Open(t)
	row, err := event.Log(as(t, ann, store.Admin), db, event.Event{
		Type: "VM.STOP", Owner: &bob, JobID: "j",
		Resource: event.Resource{Kind: "virtualmachine", ID: "v", Name: "web"},
		Before:   map[string]any{"state": "Running"}, After: map[string]any{"state": "Stopped"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Find[event.Row](as(t, ann, store.User), db, row.ID); !store.IsAbsent(err) {
		t.Errorf("a stranger sees it: %v", err)
	}
	got, err := store.Find[event.Row](as(t, bob, store.User), db, row.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.UserID != "ann's user" || got.Level != event.Info || got.State != event.Completed || *got.BeforeChange != `{"state":"Running"}` {
		t.Errorf("got %+v", got)
	}
	if text := got.Text(t.Context()); text != event.Title(t.Context(), "VM.STOP")+": completed for web" {
		t.Errorf("got %q", text)
	}
	german := locales.With(t.Context(), "de")
	if text := got.Text(german); text != event.Title(german, "VM.STOP")+": für web abgeschlossen" {
		t.Errorf("got %q", text)
	}
}

func TestTexts(t *testing.T) {
	tests := []struct {
		name string
		e    event.Event
		want string
	}{
		{"own words keep long numbers", event.Event{Type: "X", Message: "error.too_long", Args: []any{"param", "name", "max", 12345678}}, "name is too long; 12345678 characters are the limit."},
		{"failed", event.Event{Type: "X", Level: event.Error, Resource: event.Resource{ID: "v"}}, "X: failed for v"},
		{"nothing to name", event.Event{Type: "X", State: event.Started}, "X: started"},
	}
	db := storetest.Open(t)
	for _, tt := range tests {
		row, err := event.Log(as(t, ann, store.User), db, tt.e)
		if err != nil {
			t.Fatal(err)
		}
		if got := row.Text(t.Context()); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestAnAlertStandsUntilItIsCleared(t *testing.T) {
	db := storetest.Open(t)
	ctx := store.System(t.Context(), "test")
	a := event.Alert{Kind: event.Host, Subject: "h1", Message: "alert.generated", Args: []any{"text", "gone"}, HostID: "h1"}
	steps := []struct {
		name string
		do   func() (bool, error)
		want bool
	}{
		{"the first is news", func() (bool, error) { return event.Raise(ctx, db, a) }, true},
		{"the second is not", func() (bool, error) { return event.Raise(ctx, db, a) }, false},
		{"it is cleared", func() (bool, error) { return event.Clear(ctx, db, event.Host, "h1") }, true},
		{"and is cleared then", func() (bool, error) { return event.Clear(ctx, db, event.Host, "h1") }, false},
		{"trouble comes back", func() (bool, error) { return event.Raise(ctx, db, a) }, true},
	}
	for _, s := range steps {
		if got, err := s.do(); err != nil || got != s.want {
			t.Errorf("%s: %v, %v", s.name, got, err)
		}
	}
	var rows []event.AlertRow
	if err := db.In(ctx).Order("id").Find(&rows).Error; err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2 || rows[0].Times != 2 || rows[0].ResolvedAt == nil || rows[1].Standing == nil || rows[1].Text(ctx) != "gone" {
		t.Errorf("got %+v", rows)
	}
}

func TestPrune(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	db := storetest.OpenWith(t, func() time.Time { return now })
	for range 3 {
		if _, err := event.Log(as(t, ann, store.User), db, event.Event{Type: "OLD"}); err != nil {
			t.Fatal(err)
		}
		now = now.Add(24 * time.Hour)
	}
	if n, err := event.Prune(t.Context(), db, 36*time.Hour); err != nil || n != 2 {
		t.Errorf("pruned %d, %v", n, err)
	}
}
