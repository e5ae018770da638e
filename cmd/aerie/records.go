package main

import (
	"context"
	"os"
	"time"

	"aerie/services/alarm"
	"aerie/services/config"
	"aerie/services/event"
	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/reconcile"
	"aerie/services/store"
)

// recordSettings declares the settings of what operators are told and of how
// much clients may ask.
func (a *app) recordSettings() {
	host, _ := os.Hostname() // syslog has a sign for not knowing it
	a.alarm = alarm.New(a.db, a.config, a.mail.Sender(a.config, "alert", "Alert"), host, a.log)
	a.purges = []reconcile.Loop{a.purge("event", event.Prune), a.purge("alert", event.PruneAlerts)}
	a.pageSize = a.config.Int("default.page.size", "Advanced", 500, 1, 10_000)
	a.throttle = iam.NewThrottle(a.db, a.config)
	a.thresholds = infra.DeclareThresholds(a.config)
	a.iam.Tags = iam.DeclareTags(a.config)
	a.brand = config.DeclareBrand(a.config)
}

// purge is the loop that deletes what is older than a setting says, as often as
// another says. Both have CloudStack's names; 0 days keep everything.
func (a *app) purge(what string, old func(context.Context, *store.DB, time.Duration) (int64, error)) reconcile.Loop {
	keep := a.config.Duration(what+".purge.delay", "Advanced", 15*24*time.Hour, 24*time.Hour)
	every := a.config.Duration(what+".purge.interval", "Advanced", 24*time.Hour, time.Second)
	return reconcile.Loop{Name: what + "s purge", Every: time.Minute, Period: every.Get, Run: func(ctx context.Context) error {
		age := keep.Get(ctx)
		if age <= 0 {
			return nil
		}
		n, err := old(ctx, a.db, age)
		if n > 0 {
			a.log.InfoContext(ctx, "purged", "what", what, "rows", n)
		}
		return err
	}}
}
