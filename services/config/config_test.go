package config_test

import (
	"context"
	"testing"
	"time"

	"aerie/services/config"
	"aerie/services/fault"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

func TestSettings(t *testing.T) {
	dsn := storetest.DSN(t)
	now := time.Now()
	clock := func() time.Time { return now }
	a, b := config.New(storetest.Connect(t, dsn, clock)), config.New(storetest.Connect(t, dsn, clock))
	var read []config.Value[time.Duration]
	for _, s := range []*config.Service{a, b} {
		read = append(read, s.Duration("expunge.delay", "Advanced", 24*time.Hour, time.Second))
	}
	ctx := store.With(t.Context(), store.Actor{UserID: "u", Rank: store.Admin})
	if got := read[1].Get(ctx); got != 24*time.Hour {
		t.Fatal("default", got)
	}
	heard := ""
	a.OnChange(func(name string) { heard = name })
	if old, err := a.Set(ctx, "expunge.delay", " 60 "); err != nil || old != "86400" || heard != "expunge.delay" {
		t.Fatal(old, err, heard)
	}
	if got := read[0].Get(ctx); got != time.Minute {
		t.Error("the server that changed it reads", got)
	}
	now = now.Add(2 * time.Second)
	if got := read[1].Get(ctx); got != time.Minute {
		t.Error("another server reads", got)
	}
	for _, bad := range []string{"-1", "x", "1.5"} {
		if _, err := a.Set(ctx, "expunge.delay", bad); !fault.Is(err, fault.Invalid) {
			t.Error(bad, err)
		}
	}
	if _, err := a.Set(ctx, "no.such", "1"); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	if _, err := a.Set(ctx, "expunge.delay", ""); err != nil || read[0].Get(ctx) != 24*time.Hour {
		t.Error("the empty text does not bring the default back:", err)
	}
}

func TestSetIsUndoneWithItsTransaction(t *testing.T) {
	db := storetest.Open(t)
	s := config.New(db)
	v := s.Bool("x.y", "Advanced", false)
	ctx := store.System(t.Context(), "test")
	_ = db.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.Set(ctx, "x.y", "true"); err != nil {
			t.Error(err)
		}
		return context.Canceled
	})
	if v.Get(ctx) {
		t.Error("a change that was rolled back is read")
	}
}
