// Package signon lets people in whom somebody else vouches for: OpenID Connect
// providers. Who they are here is decided once, and kept by the provider's own id
// of them; sessions are iam's.
package signon

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/config"
	"aerie/services/fault"
	"aerie/services/guard"
	"aerie/services/iam"
	"aerie/services/store"
)

// Parts is what a Service is made of.
type Parts struct {
	DB  *store.DB
	IAM *iam.Service
	// Origin is where the portal is.
	Origin func(context.Context) *url.URL
	// Guard is what providers are reached through.
	Guard guard.Guard
	// Allowed is the setting of internal addresses that providers may have.
	Allowed config.Value[string]
}

// DeclareSettings declares the settings of providers.
func DeclareSettings(c *config.Service) config.Value[string] {
	return c.String("oauth2.allowed.internal.sites", "Advanced", "")
}

// Service has the verbs and commands.
type Service struct {
	Parts
	db *store.DB
}

// New makes the service.
func New(p Parts) *Service {
	s := &Service{Parts: p, db: p.DB}
	p.IAM.OnRemove = append(p.IAM.OnRemove, s.unbind)
	return s
}

// Commands are the commands about providers.
func (s *Service) Commands() []*command.Command {
	return []*command.Command{s.registerCommand(), s.listCommand(), s.updateCommand(), s.deleteCommand(), s.verifyCommand()}
}

// Refs tell whether an id that a request names is there for the caller.
func (s *Service) Refs(add func(kind string, exists func(context.Context, string) (bool, error))) {
	add("oauthprovider", func(ctx context.Context, id string) (bool, error) { return store.Exists[Provider](ctx, s.db, id) })
}

// signIn is a sign-in that is under way elsewhere, or one that must not come
// twice. Its id is a digest, its data sealed.
type signIn struct {
	ID        string `gorm:"primaryKey"`
	CreatedAt time.Time
	ExpiresAt time.Time
	Kind      string
	Data      []byte
}

// TableName is the table of sign-ins.
func (signIn) TableName() string { return "sign_ins" }

func digest(parts ...string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(parts, "\x00"))))
}

// keep remembers data under a secret that a browser brings back.
func (s *Service) keep(ctx context.Context, kind, secret string, data any, life time.Duration) error {
	doc, err := json.Marshal(data)
	if err != nil {
		return err
	}
	sealed, err := s.db.Seal(string(doc))
	if err != nil {
		return err
	}
	now := s.db.Now()
	row := signIn{ID: digest(kind, secret), CreatedAt: now, ExpiresAt: now.Add(life), Kind: kind, Data: []byte(sealed)}
	sys := store.System(ctx, "a sign-in that is under way")
	return s.db.Tx(sys, func(ctx context.Context) error {
		// Those that nobody came back for go.
		if err := s.db.In(ctx).Where("expires_at < ?", now).Delete(&signIn{}).Error; err != nil {
			return err
		}
		return s.db.In(ctx).Create(&row).Error
	})
}

var errAnswer = fault.New(fault.Forbidden, "error.signon")

// take gives back what was kept, once.
func (s *Service) take(ctx context.Context, kind, secret string, data any) error {
	sys := store.System(ctx, "the answer to a sign-in")
	return s.db.Tx(sys, func(ctx context.Context) error {
		row, err := gorm.G[signIn](s.db.In(ctx)).Where("id = ? AND expires_at > ?", digest(kind, secret), s.db.Now()).Take(ctx)
		if store.IsAbsent(err) {
			return errAnswer.Because(fmt.Errorf("no sign-in is under way, or it was answered before"))
		}
		if err != nil {
			return err
		}
		used := s.db.In(ctx).Where("id = ?", row.ID).Delete(&signIn{})
		if used.Error != nil || used.RowsAffected == 0 {
			return errAnswer.Because(used.Error)
		}
		doc, err := s.db.Reveal(store.Secret(row.Data))
		if err != nil {
			return err
		}
		return json.Unmarshal([]byte(doc), data)
	})
}

// client reaches a provider, an internal one only if an operator allows it.
func (s *Service) client(ctx context.Context, p Provider) *http.Client {
	g := s.Guard
	g.Param = "issuer"
	if p.Internal {
		g.Allowed = append(guard.ParseAllowed(s.Allowed.Get(ctx)), g.Allowed...)
	}
	return g.Client(guard.Options{Header: 10 * time.Second, All: 20 * time.Second, Most: 1 << 20})
}

func onlyRoot(ctx context.Context) error {
	if a, ok := store.From(ctx); !ok || !a.IsSystem() && a.Rank != store.Admin {
		return fault.New(fault.Forbidden, "error.rank")
	}
	return nil
}
