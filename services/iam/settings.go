package iam

import (
	"context"
	"strings"
	"time"

	"aerie/services/config"
	"aerie/services/store"
)

// limited are the kinds whose default limits are settings, under CloudStack's
// names: those that can be had.
var limited = map[Kind]string{
	Instances: "max.account.user.vms", Addresses: "max.account.public.ips", Volumes: "max.account.volumes",
	Templates: "max.account.templates", Networks: "max.account.networks", CPUs: "max.account.cpus", Memory: "max.account.memory",
	PrimaryStorage: "max.account.primary.storage", SecondaryStorage: "max.account.secondary.storage", Projects: "max.account.projects",
}

// ofProject is the setting of a project's limit that goes with an account's.
func ofProject(setting string) string {
	return strings.Replace(setting, "max.account.", "max.project.", 1)
}

// DeclareSettings declares the settings of accounts and sessions, and returns
// the options that follow them.
func DeclareSettings(c *config.Service) Options {
	limits, shared := make(map[Kind]config.Value[int], len(limited)), make(map[Kind]config.Value[int], len(limited))
	for _, k := range Kinds() {
		name := limited[k]
		if name == "" {
			continue
		}
		limits[k] = c.Int(name, "Account Defaults", int(k.Default()), Unlimited, 0)
		if k != Projects { // which have none of their own
			shared[k] = c.Int(ofProject(name), "Project Defaults", int(k.Default()), Unlimited, 0)
		}
	}
	idle := c.Duration("session.idle.timeout", "Advanced", 30*time.Minute, time.Minute)
	absolute := c.Duration("session.lifetime", "Advanced", 12*time.Hour, time.Hour)
	return Options{
		Idle: idle.Get, Absolute: absolute.Get, Limits: limitsBy(limits), ProjectLimits: limitsBy(shared),
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
