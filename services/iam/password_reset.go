package iam

import (
	"context"
	"net/url"
	"time"

	"gorm.io/gorm"

	"aerie/locales"
	"aerie/services/config"
	"aerie/services/fault"
	"aerie/services/mail"
	"aerie/services/store"
)

// Resets are what the reset of a forgotten password needs.
type Resets struct {
	Enabled config.Value[bool]
	TTL     config.Value[time.Duration]
	Mail    *mail.Sender
	// Origin is where the portal is. The link in the mail is made of it and of
	// nothing that the asker sent.
	Origin func(context.Context) *url.URL
}

// DeclareResets declares the settings of resets, under CloudStack's names.
func DeclareResets(c *config.Service) Resets {
	return Resets{
		Enabled: c.Bool("user.password.reset.enabled", "Advanced", false).For(config.Domain),
		TTL:     c.Duration("user.password.reset.ttl", "Advanced", 30*time.Minute, time.Minute),
	}
}

// passwordReset is a token that was mailed. Its id is a digest.
type passwordReset struct {
	ID        string `gorm:"primaryKey"`
	CreatedAt time.Time
	UserID    string
	ExpiresAt time.Time
}

// ResetPage is the portal's page for the token of a mail.
const ResetPage = "/reset-password"

// MayReset tells whether passwords can be reset anywhere: for the sign-in page.
func (s *Service) MayReset(ctx context.Context) bool {
	return s.Resets != nil && s.Resets.Enabled.Get(ctx) && s.Resets.Mail != nil && s.Resets.Mail.Ready(ctx)
}

// Who forgot a password, or where it belongs.
type Who struct{ Username, Domain, Remote string }

// Forgot mails a link by which a user of Aerie's own sets a new password. Nobody
// learns whether there is such a user; who asks often must wait.
func (s *Service) Forgot(ctx context.Context, who Who) error {
	if !s.MayReset(ctx) {
		return fault.New(fault.Conflict, "error.reset_off")
	}
	ctx = store.System(ctx, "a forgotten password")
	try := func() *attempt { return s.resetAttempt(who) }
	if _, err := s.attemptOf(ctx, try); err != nil {
		return err
	}
	u, err := s.resetUser(ctx, who)
	if err != nil || u == nil {
		return err
	}
	token, err := s.token(32)
	if err != nil {
		return err
	}
	ttl := max(s.Resets.TTL.Get(ctx), time.Minute)
	row := passwordReset{ID: digest(token), CreatedAt: s.db.Now(), UserID: u.ID, ExpiresAt: s.db.Now().Add(ttl)}
	link := s.Resets.Origin(ctx).JoinPath(ResetPage)
	link.RawQuery = url.Values{"token": {token}, "username": {u.Username}, "domain": {who.Domain}}.Encode()
	words := locales.With(ctx, locales.Match("", u.Language))
	m := mail.Message{
		To: []string{u.Email}, Subject: locales.T(words, "mail.reset.subject"),
		Text: locales.T(words, "mail.reset.text", "name", u.Username, "link", link.String(), "minutes", int(ttl/time.Minute)),
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		// The latest link alone works.
		if err := s.db.In(ctx).Where("user_id = ?", u.ID).Delete(&passwordReset{}).Error; err != nil {
			return err
		}
		if err := s.db.In(ctx).Create(&row).Error; err != nil {
			return err
		}
		s.note(ctx, "USER.PASSWORD.FORGOT", u.Username, u.ID, u.Owner())
		return s.Resets.Mail.Send(ctx, m)
	})
}

// resetUser is who may be mailed: enabled, of Aerie's own, with an address, and
// where resets are on.
func (s *Service) resetUser(ctx context.Context, who Who) (*User, error) {
	_, d, err := s.loginDomain(ctx, LoginRequest{DomainPath: who.Domain})
	if err != nil || d == nil || who.Username == "" {
		return nil, err
	}
	u, err := s.userByName(ctx, d.ID, who.Username)
	if err != nil || u == nil || u.Source != Native || !mail.Address(u.Email) || !s.Resets.Enabled.At(ctx, config.Place{DomainPath: d.Path}) {
		return nil, err
	}
	if _, err := s.admit(ctx, *u); err != nil {
		return nil, nil //nolint:nilerr // who may not sign in is not told so
	}
	return u, nil
}

func (s *Service) resetAttempt(who Who) *attempt {
	name := fold(who.Domain) + "\x00" + fold(who.Username)
	return &attempt{s: s, rows: []delayed{
		{loginDelay{ID: digest("reset pair", name, network(who.Remote))}, delayRule{3, 15 * time.Minute}, false},
		{loginDelay{ID: digest("reset", name)}, delayRule{5, 15 * time.Minute}, false},
	}}
}

// Reset sets a new password by the token of a mail, which it uses up, and ends
// the user's sessions. Whatever is wrong with the token gives the same fault.
func (s *Service) Reset(ctx context.Context, who Who, token, password string) error {
	if !s.MayReset(ctx) {
		return fault.New(fault.Conflict, "error.reset_off")
	}
	ctx = store.System(ctx, "a new password by a token")
	wrong := fault.New(fault.Forbidden, "error.reset_token")
	u, err := s.resetUser(ctx, who)
	if err != nil {
		return err
	}
	row, err := gorm.G[passwordReset](s.db.In(ctx)).Where("id = ?", digest(token)).Take(ctx)
	if store.IsAbsent(err) || err == nil && (u == nil || row.UserID != u.ID || !s.db.Now().Before(row.ExpiresAt)) {
		return wrong
	}
	if err != nil {
		return err
	}
	if err := s.opts.Policy(ctx, u.Owner()).Check(u.Username, password); err != nil {
		return err
	}
	hash, err := s.hashPassword(ctx, password)
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		used := s.db.In(ctx).Where("id = ?", row.ID).Delete(&passwordReset{})
		if used.Error != nil {
			return used.Error
		}
		if used.RowsAffected == 0 {
			return wrong
		}
		if err := s.db.In(ctx).Model(&User{}).Where("id = ?", u.ID).Update("password", hash).Error; err != nil {
			return err
		}
		s.note(ctx, "USER.PASSWORD", u.Username, u.ID, u.Owner())
		return s.revokeWhere(ctx, "user_id = ?", u.ID)
	})
}
