package main

import (
	"os"
	"time"

	"aerie/services/alarm"
	"aerie/services/config"
	"aerie/services/iam"
	"aerie/services/infra"
)

// recordSettings declares the settings of what operators are told and of how
// much clients may ask.
func (a *app) recordSettings() {
	host, _ := os.Hostname() // syslog has a sign for not knowing it
	a.alarm = alarm.New(a.db, a.config, a.mail.Sender(a.config, "alert", "Alert"), host, a.log)
	a.keepAlerts = a.config.Duration("alert.purge.delay", "Alert", 15*24*time.Hour, 24*time.Hour)
	a.pageSize = a.config.Int("default.page.size", "Advanced", 500, 1, 10_000)
	a.throttle = iam.NewThrottle(a.db, a.config)
	a.thresholds = infra.DeclareThresholds(a.config)
	a.iam.Tags = iam.DeclareTags(a.config)
	a.brand = config.DeclareBrand(a.config)
}
