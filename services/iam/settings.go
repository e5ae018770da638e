package iam

import (
	"context"
	"time"

	"aerie/services/config"
	"aerie/services/store"
)

// DeclareSettings declares the settings of accounts and sessions, and returns
// the options that follow them. The names of default limits are CloudStack's.
func DeclareSettings(c *config.Service) Options {
	accounts, projects, domains := map[Kind]config.Value[int]{}, map[Kind]config.Value[int]{}, map[Kind]config.Value[int]{}
	for _, k := range Kinds() {
		name := kinds[k].setting
		accounts[k] = c.Int("max.account."+name, "Account Defaults", int(k.Default()), Unlimited, 0)
		domains[k] = c.Int("max.domain."+name, "Domain Defaults", int(k.DomainDefault()), Unlimited, 0)
		if k != Projects { // which have none of their own
			projects[k] = c.Int("max.project."+name, "Project Defaults", int(k.Default()), Unlimited, 0)
		}
	}
	idle := c.Duration("session.idle.timeout", "Advanced", 30*time.Minute, time.Minute)
	absolute := c.Duration("session.lifetime", "Advanced", 12*time.Hour, time.Hour)
	return Options{
		Idle: idle.Get, Absolute: absolute.Get, Limits: limitsBy(accounts), ProjectLimits: limitsBy(projects), DomainLimits: limitsBy(domains),
		TwoFactor: twoFactor(c), Policy: passwordPolicy(c), Issuer: c.String("user.2fa.issuer", "Advanced", "Aerie").Get,
	}
}

// twoFactor are the settings of the second factor, which a domain may have of
// its own. The default provider is the only one there is.
func twoFactor(c *config.Service) func(context.Context, store.Owner) (on, must bool) {
	enable := c.Bool("enable.user.2fa", "Advanced", true).For(config.Domain)
	mandate := c.Bool("mandate.user.2fa", "Advanced", false).For(config.Domain)
	c.Declare(config.Setting{
		Name: "user.2fa.default.provider", Category: "Advanced", Kind: config.Text, Default: TOTP, Choices: []string{TOTP}, Dynamic: true,
		Scopes: []config.Scope{config.Domain},
	})
	return func(ctx context.Context, o store.Owner) (bool, bool) {
		at := config.Place{DomainPath: o.DomainPath}
		return enable.At(ctx, at), mandate.At(ctx, at)
	}
}

func limitsBy(settings map[Kind]config.Value[int]) func(context.Context, Kind) int64 {
	return func(ctx context.Context, k Kind) int64 {
		if v, ok := settings[k]; ok {
			return int64(v.Get(ctx))
		}
		return k.Default()
	}
}
