package signon

import (
	"context"
	"net/url"
	"strings"

	"gorm.io/gorm/clause"

	"aerie/services/fault"
	"aerie/services/store"
)

// Provider is an OpenID Connect provider, for a domain or for all.
type Provider struct {
	store.Row
	DomainID     string // empty for all domains
	Name         string
	NameKey      *string
	Description  string
	Issuer       string
	ClientID     string
	ClientSecret store.Secret
	RedirectURI  string
	Scopes       string // besides openid
	Enabled      bool
	// LinkEmail lets who has a user's address, verified by the provider, in as
	// that user the first time; AutoImport makes an account for a newcomer.
	LinkEmail, AutoImport bool
	// Internal providers may be at addresses that the operator allows.
	Internal bool
}

// TableName is the table of providers.
func (Provider) TableName() string { return "oauth_providers" }

// Scope lets root see all providers, and others none but by the sign-in page.
func (Provider) Scope(a store.Actor) clause.Expression {
	if a.IsSystem() || a.Rank == store.Admin {
		return nil
	}
	return clause.Expr{SQL: "1 = 0"}
}

// CallbackPath is the portal's page that providers send browsers back to.
const CallbackPath = "/sign-in/oidc"

// google is the issuer of the one provider that needs no other.
const google = "https://accounts.google.com"

// check refuses what could not work.
func (p *Provider) check() error {
	if p.Issuer == "" && strings.EqualFold(p.Name, "google") {
		p.Issuer = google
	}
	for param, text := range map[string]string{"issuer": p.Issuer, "redirecturi": p.RedirectURI} {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.Fragment != "" || len(text) > 500 {
			return fault.Param(param, "error.url", "param", param)
		}
	}
	if u, _ := url.Parse(p.Issuer); u.RawQuery != "" {
		return fault.Param("issuer", "error.url", "param", "issuer")
	}
	p.Issuer = strings.TrimSuffix(p.Issuer, "/.well-known/openid-configuration")
	if p.Name = strings.TrimSpace(p.Name); p.Name == "" {
		return fault.Param("provider", "error.name_empty")
	}
	key := strings.ToLower(p.Name)
	p.NameKey = &key
	return nil
}

// Register adds a provider. Only root may: it decides who gets in.
func (s *Service) Register(ctx context.Context, p Provider, secret string) (Provider, error) {
	if err := onlyRoot(ctx); err != nil {
		return p, err
	}
	if err := p.check(); err != nil {
		return p, err
	}
	if p.DomainID != "" {
		if _, err := s.IAM.DomainByID(ctx, p.DomainID); err != nil {
			return p, err
		}
	}
	var err error
	if p.ClientSecret, err = s.db.Seal(secret); err != nil {
		return p, err
	}
	p.Row = store.Row{ID: s.db.NewID(), CreatedAt: s.db.Now()}
	err = s.db.Tx(ctx, func(ctx context.Context) error { return s.db.In(ctx).Create(&p).Error })
	if store.IsDuplicate(err) {
		err = fault.Param("provider", "error.name_taken", "value", p.Name)
	}
	return p, err
}

// Change asks for changes of a provider; nil leaves as it is.
type Change struct {
	ID                                                         string
	Description, ClientID, Secret, RedirectURI, Issuer, Scopes *string
	Enabled, LinkEmail, AutoImport, Internal                   *bool
}

// Update changes a provider. A secret stays with the issuer that it was given
// for: another issuer needs it again.
func (s *Service) Update(ctx context.Context, c Change) (Provider, error) {
	if err := onlyRoot(ctx); err != nil {
		return Provider{}, err
	}
	p, err := store.Find[Provider](ctx, s.db, c.ID)
	if err != nil {
		return p, err
	}
	old := p.Issuer
	for to, v := range map[*string]*string{&p.Description: c.Description, &p.ClientID: c.ClientID, &p.RedirectURI: c.RedirectURI, &p.Issuer: c.Issuer, &p.Scopes: c.Scopes} {
		if v != nil {
			*to = *v
		}
	}
	for to, v := range map[*bool]*bool{&p.Enabled: c.Enabled, &p.LinkEmail: c.LinkEmail, &p.AutoImport: c.AutoImport, &p.Internal: c.Internal} {
		if v != nil {
			*to = *v
		}
	}
	if err := p.check(); err != nil {
		return p, err
	}
	if p.Issuer != old && c.Secret == nil {
		return p, fault.Param("secretkey", "error.oauth_secret_again")
	}
	set := map[string]any{
		"description": p.Description, "client_id": p.ClientID, "redirect_uri": p.RedirectURI, "issuer": p.Issuer, "scopes": p.Scopes,
		"enabled": p.Enabled, "link_email": p.LinkEmail, "auto_import": p.AutoImport, "internal": p.Internal,
	}
	if c.Secret != nil {
		if p.ClientSecret, err = s.db.Seal(*c.Secret); err != nil {
			return p, err
		}
		set["client_secret"] = p.ClientSecret
	}
	return p, s.db.Tx(ctx, func(ctx context.Context) error {
		return s.db.In(ctx).Model(&Provider{}).Where("id = ?", p.ID).Updates(set).Error
	})
}

// Delete removes a provider. Who came by it stays, and does not come by it again.
func (s *Service) Delete(ctx context.Context, id string) error {
	if err := onlyRoot(ctx); err != nil {
		return err
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		done := s.db.In(ctx).Model(&Provider{}).Where("id = ?", id).
			Updates(map[string]any{"removed_at": s.db.Now(), "name_key": nil, "client_secret": "", "enabled": false})
		if done.Error == nil && done.RowsAffected == 0 {
			return fault.Absent("id", id)
		}
		return done.Error
	})
}

// Offered are the providers of the sign-in page.
func (s *Service) Offered(ctx context.Context) (list []Provider, err error) {
	sys := store.System(ctx, "the providers of the sign-in page")
	err = s.db.In(sys).Where("enabled = ?", true).Order("name, id").Find(&list).Error
	return list, err
}
