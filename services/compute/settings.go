package compute

import (
	"context"
	"time"

	"aerie/services/config"
	"aerie/services/store"
)

// Settings are the global settings of instances.
type Settings struct {
	expungeDelay    config.Value[time.Duration]
	expungeInterval config.Value[time.Duration]
	userRecover     config.Value[bool]
	stopGrace       config.Value[time.Duration]
	consoleTicket   config.Value[time.Duration]
	instanceName    config.Value[string]
	tagged          config.Value[bool]
	userDataMax     config.Value[int]
}

// DeclareSettings declares the settings of instances, under CloudStack's names.
func DeclareSettings(c *config.Service) *Settings {
	return &Settings{
		expungeDelay:    c.Duration("expunge.delay", "Advanced", 24*time.Hour, time.Second),
		expungeInterval: c.Duration("expunge.interval", "Advanced", 24*time.Hour, time.Second),
		userRecover:     c.Bool("allow.user.expunge.recover.vm", "Advanced", false).For(config.Domain, config.Account).Delegated(),
		stopGrace:       c.Duration("vm.stop.grace", "Advanced", time.Minute, time.Second),
		consoleTicket:   c.Duration("console.ticket.lifetime", "Advanced", time.Minute, time.Second),
		instanceName:    c.String(InstanceName, "Advanced", "VM"),
		tagged:          c.Bool("allow.domain.admins.to.create.tagged.offerings", "Advanced", false),
		userDataMax:     c.Int("vm.userdata.max.length", "Advanced", 32768, 0, 1048576), // characters of base64
	}
}

// InstanceName is the setting that ends the names of instances at their
// hypervisor, so that several installations can share one.
const InstanceName = "instance.name"

// Suffix ends the names of instances at their hypervisor.
func (s *Settings) Suffix(ctx context.Context) string { return s.instanceName.Get(ctx) }

// UserRecover tells whether the actor, a user, may recover and expunge what it
// destroyed.
func (s *Settings) UserRecover(ctx context.Context) bool {
	a, _ := store.From(ctx)
	return s.userRecover.At(ctx, config.Place{AccountID: a.AccountID, DomainPath: a.DomainPath})
}
