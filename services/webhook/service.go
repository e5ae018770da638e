// Package webhook tells other systems of events: a signed POST for each, as a
// durable job that is tried again, through the guard that keeps users from
// reaching the cloud's own network.
package webhook

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"time"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/config"
	"aerie/services/fault"
	"aerie/services/guard"
	"aerie/services/iam"
	"aerie/services/job"
	"aerie/services/store"
)

// Whose events a webhook hears of.
const (
	Local  = "Local"  // its account's
	Domain = "Domain" // its domain's, and those of the domains below
	Global = "Global" // all
)

// States of a webhook.
const (
	Enabled  = "Enabled"
	Disabled = "Disabled"
)

// Webhook is an address that hears of events.
type Webhook struct {
	store.Row
	store.Owned
	Name            string
	NameKey         *string
	Description     string
	State           string
	Scope           string
	PayloadURL      string
	SecretKey       store.Secret
	SSLVerification bool `gorm:"column:ssl_verification"`
}

// Delivery is one event on its way to a webhook, or there.
type Delivery struct {
	ID        string `gorm:"primaryKey"`
	CreatedAt time.Time
	store.Owned
	WebhookID string // empty for a try without one
	EventID   string
	EventType string
	Payload   string
	Headers   string
	Response  string // the status alone: a body may tell what is not for the user
	Success   bool
	Attempts  int
	Server    string
	StartedAt *time.Time
	EndedAt   *time.Time
}

// TableName is the table of deliveries.
func (Delivery) TableName() string { return "webhook_deliveries" }

// Parts is what a Service is made of.
type Parts struct {
	DB       *store.DB
	Jobs     *job.Engine
	IAM      *iam.Service
	Settings Settings
	Server   string // this server's name, for deliveries
	// Guard is what deliveries are made through; its Allowed comes from Settings.
	Guard guard.Guard
}

// Settings are what the operator decides about webhooks.
type Settings struct {
	Tries   config.Value[int]
	Timeout config.Value[time.Duration]
	Keep    config.Value[int] // deliveries of a webhook
	Allowed config.Value[string]
}

// DeclareSettings declares the settings of webhooks, under CloudStack's names.
func DeclareSettings(c *config.Service) Settings {
	return Settings{
		Tries:   c.Int("webhook.delivery.tries", "Advanced", 3, 1, 20).For(config.Domain),
		Timeout: c.Duration("webhook.delivery.timeout", "Advanced", 10*time.Second, time.Second).For(config.Domain),
		Keep:    c.Int("webhook.deliveries.limit", "Advanced", 10, 1, 1000),
		Allowed: c.String("webhook.allowed.internal.sites", "Advanced", ""),
	}
}

// Service has the commands and delivers.
type Service struct {
	Parts
	db *store.DB

	mu     sync.Mutex
	hooks  []Webhook // that are enabled, as they were at readAt
	readAt time.Time
	read   bool
}

// New makes the service, tells the engine its job and listens to events.
func New(p Parts) *Service {
	s := &Service{Parts: p, db: p.DB}
	job.Define(p.Jobs, kind, job.Do("send", s.deliver, nil)).Timeout(5 * time.Minute)
	p.DB.AfterCreate("events", s.feed)
	p.IAM.OnDeleteAccount = append(p.IAM.OnDeleteAccount, s.dropAll)
	return s
}

// Commands are the commands about webhooks.
func (s *Service) Commands() []*command.Command {
	return []*command.Command{
		s.createCommand(), s.listCommand(), s.updateCommand(), s.deleteCommand(),
		s.listDeliveriesCommand(), s.deleteDeliveryCommand(), s.executeCommand(),
	}
}

// Refs tell whether an id that a request names is there for the caller.
func (s *Service) Refs(add func(kind string, exists func(context.Context, string) (bool, error))) {
	add("webhook", func(ctx context.Context, id string) (bool, error) { return store.Exists[Webhook](ctx, s.db, id) })
	add("webhookdelivery", func(ctx context.Context, id string) (bool, error) {
		n, err := gorm.G[Delivery](s.db.In(ctx)).Where("id = ?", id).Count(ctx, "*")
		return n > 0, err
	})
}

// checkURL refuses what is no address to post to. Where it leads is looked at
// when it is dialled.
func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || len(text) > 2000 || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return fault.Param("payloadurl", "error.url", "param", "payloadurl")
	}
	return nil
}

// mayHear refuses a scope that is wider than what its account sees.
func (s *Service) mayHear(ctx context.Context, scope, accountID string) error {
	if scope == Local {
		return nil
	}
	a, err := s.IAM.AccountByID(store.System(ctx, "what the owner of a webhook is"), accountID)
	if err != nil {
		return err
	}
	if a.Type == store.Admin || a.Type == store.DomainAdmin && scope == Domain {
		return nil
	}
	return fault.Param("scope", "error.webhook_scope", "scope", scope)
}

// dropAll removes what an account, or a project, that goes has of webhooks.
func (s *Service) dropAll(ctx context.Context, a iam.Account) error {
	ctx = store.System(ctx, "webhooks of an account that goes")
	if err := s.db.In(ctx).Where("account_id = ?", a.ID).Delete(&Delivery{}).Error; err != nil {
		return err
	}
	s.db.AfterCommit(ctx, s.forget)
	return s.db.In(ctx).Model(&Webhook{}).Where("account_id = ?", a.ID).
		Updates(map[string]any{"removed_at": s.db.Now(), "name_key": nil, "secret_key": ""}).Error
}
