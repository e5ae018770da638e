package project

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"

	"gorm.io/gorm"

	"aerie/locales"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/mail"
	"aerie/services/store"
)

// invite asks a guest to join. Of an earlier invitation for the same guest only
// the new one counts.
func (s *Service) invite(ctx context.Context, p iam.Project, g guest) error {
	account, user := g.ids()
	sys := store.System(ctx, "an invitation to a project that the caller manages")
	earlier := s.db.In(sys).Where("project_id = ? AND account_id = ? AND user_id = ? AND email = ? AND state = ?", p.ID, account, user, g.Email, Pending)
	if err := earlier.Delete(&Invitation{}).Error; err != nil {
		return err
	}
	token, err := s.token()
	if err != nil {
		return err
	}
	i := Invitation{
		Row: store.Row{ID: s.db.NewID(), CreatedAt: s.db.Now()}, ProjectID: p.ID, DomainID: p.DomainID, DomainPath: p.DomainPath,
		AccountID: account, UserID: user, Email: g.Email, Role: g.RoleType, RoleID: g.RoleID, Token: digest(token), State: Pending,
		ExpiresAt: s.db.Now().Add(s.Settings.Expire.Get(ctx)),
	}
	if err := s.db.In(sys).Create(&i).Error; err != nil {
		return err
	}
	return s.tell(sys, p, g, i, token)
}

// token is what a link of an invitation holds: 256 bits.
func (s *Service) token() (string, error) {
	b := make([]byte, 32)
	if _, err := io.ReadFull(s.db.Rand(), b); err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

func digest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// tell sends the invitation to the address that was given, else to those of the
// guest's users. Without a mail server it stands in the portal all the same;
// only who is known by nothing but an address needs the mail.
func (s *Service) tell(ctx context.Context, p iam.Project, g guest, i Invitation, token string) error {
	if g.Email != "" {
		return s.send(ctx, p, i, token, []string{g.Email})
	}
	if !s.Mail.Ready(ctx) {
		return nil
	}
	to, err := s.addresses(ctx, g)
	if err != nil || len(to) == 0 {
		return err
	}
	return s.send(ctx, p, i, token, to)
}

func (s *Service) addresses(ctx context.Context, g guest) (to []string, err error) {
	users := []iam.User{}
	if g.user != nil {
		users = append(users, *g.user)
	} else if users, err = gorm.G[iam.User](s.db.In(ctx)).Where("account_id = ? AND state = ?", g.account.ID, iam.Enabled).Limit(20).Find(ctx); err != nil {
		return nil, err
	}
	for _, u := range users {
		if mail.Address(u.Email) {
			to = append(to, u.Email)
		}
	}
	return to, nil
}

func (s *Service) send(ctx context.Context, p iam.Project, i Invitation, token string, to []string) error {
	link := s.Origin(ctx).JoinPath("/me/invitations/join")
	link.RawQuery = url.Values{"projectid": {p.ID}, "token": {token}}.Encode()
	return s.Mail.Send(ctx, mail.Message{
		To:      to,
		Subject: locales.T(ctx, "mail.invitation.subject", "name", p.Name),
		Text: locales.T(ctx, "mail.invitation.text", "name", p.Name, "text", p.DisplayText, "link", link.String(), "token", token,
			"until", i.ExpiresAt.UTC().Format("2006-01-02 15:04 MST")),
	})
}

// overdue tells whether the time to answer is over.
func (s *Service) overdue(i Invitation) bool {
	return i.State == Pending && !s.db.Now().Before(i.ExpiresAt)
}

// answered moves a pending invitation on, once.
func (s *Service) answered(ctx context.Context, i Invitation, to string) error {
	set := s.db.In(ctx).Model(&Invitation{}).Where("id = ? AND state = ?", i.ID, Pending).Update("state", to)
	if set.Error == nil && set.RowsAffected == 0 {
		return fault.New(fault.Conflict, "error.invitation_answered")
	}
	return set.Error
}
