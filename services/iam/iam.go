// Package iam knows who there is and what they may: domains, accounts, users,
// roles, keys, sessions, limits and directories. Its verbs run for the actor in
// the context; whom an actor cannot see does not exist for it, and whom it
// outranks not, it does not touch.
package iam

import (
	"context"
	"log/slog"
	"time"

	"aerie/services/store"
)

// States of accounts and users.
const (
	Enabled  = "enabled"
	Disabled = "disabled"
	Locked   = "locked"
)

// Options are the settings of a Service; the zero value gives the defaults.
type Options struct {
	// Idle ends a session that nobody used for so long, Absolute every session.
	Idle, Absolute func(context.Context) time.Duration
	// Limits are the limits of an account that has none of its own.
	Limits func(context.Context, Kind) int64
	// ProjectLimits are the same for projects.
	ProjectLimits func(context.Context, Kind) int64
	// DomainLimits are the same for domains, when none above has one either.
	DomainLimits func(context.Context, Kind) int64
	// Argon is the cost of new password hashes.
	Argon Argon
	// LDAPTimeout bounds a login at directories, all servers together.
	LDAPTimeout time.Duration
	// TwoFactor tells whether an owner's users may have a second factor, and
	// whether they must.
	TwoFactor func(ctx context.Context, o store.Owner) (on, must bool)
	// Policy is what new passwords of an owner's users must be like.
	Policy func(context.Context, store.Owner) Policy
	// Issuer is what apps call this cloud.
	Issuer func(context.Context) string
	Log    *slog.Logger
}

// Service holds the verbs. Its hooks are set before the first call.
type Service struct {
	db      *store.DB
	opts    Options
	hashing chan struct{} // bounds the memory that password hashes take at once
	dummy   string        // the hash that an unknown user's password is compared with

	// Audit hears of logins, refusals and changes of access.
	Audit func(context.Context, Audit)
	// OnDeleteAccount runs in the transaction that deletes an account, which owns
	// nothing any more that a Wiper knows of.
	OnDeleteAccount []func(ctx context.Context, a Account) error
	// OnRemove runs in the transaction that removes domains, accounts and users,
	// with their ids.
	OnRemove []func(ctx context.Context, ids ...string) error
	counters map[Kind]Counter
	// Tags are the limits that go by tags; nil: there are none.
	Tags   *Tags
	wipers []Wiper
	// Commands are all that the registry knows; what a role allows is reckoned
	// over them.
	Commands func() []Command
	// Resets are how forgotten passwords are reset; nil: not at all.
	Resets *Resets
	powers powers
}

// Audit is something worth remembering about access.
type Audit struct {
	Event  string // USER.LOGIN, USER.LOGIN.FAILED, USER.LOGOUT …
	Reason string // for the log: wrong password, disabled, directory unreachable …
	User   string // name as it was given
	UserID string
	store.Owner
	Remote string
	At     time.Time
}

// New makes the service.
func New(db *store.DB, o Options) *Service {
	o = o.withDefaults()
	s := &Service{db: db, opts: o, hashing: make(chan struct{}, 4), counters: map[Kind]Counter{}}
	s.Count(Projects, s.countProjects)
	s.dummy = o.Argon.hash("nobody's password", make([]byte, saltSize))
	return s
}

func (o Options) withDefaults() Options {
	if o.Idle == nil {
		o.Idle = func(context.Context) time.Duration { return 30 * time.Minute }
	}
	if o.Absolute == nil {
		o.Absolute = func(context.Context) time.Duration { return 12 * time.Hour }
	}
	if o.Limits == nil {
		o.Limits = func(_ context.Context, k Kind) int64 { return k.Default() }
	}
	if o.DomainLimits == nil {
		o.DomainLimits = func(_ context.Context, k Kind) int64 { return k.DomainDefault() }
	}
	if o.ProjectLimits == nil {
		o.ProjectLimits = func(_ context.Context, k Kind) int64 { return k.Default() }
	}
	if o.Argon == (Argon{}) {
		o.Argon = DefaultArgon
	}
	if o.LDAPTimeout == 0 {
		o.LDAPTimeout = 5 * time.Second
	}
	if o.TwoFactor == nil {
		o.TwoFactor = func(context.Context, store.Owner) (bool, bool) { return true, false }
	}
	if o.Policy == nil {
		o.Policy = func(context.Context, store.Owner) Policy { return Policy{Username: true} }
	}
	if o.Issuer == nil {
		o.Issuer = func(context.Context) string { return "Aerie" }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// DB is the database the service works on.
func (s *Service) DB() *store.DB { return s.db }

func (s *Service) audit(ctx context.Context, a Audit) {
	a.At = s.db.Now()
	if s.Audit != nil {
		s.Audit(ctx, a)
	}
}

// note audits what the actor did to a user or account.
func (s *Service) note(ctx context.Context, event, name, userID string, o store.Owner) {
	s.db.AfterCommit(ctx, func() { s.audit(ctx, Audit{Event: event, User: name, UserID: userID, Owner: o}) })
}
