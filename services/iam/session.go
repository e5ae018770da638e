package iam

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"aerie/services/fault"
	"aerie/services/store"
)

// Session is a signed-in browser or API client. Its id is the hash of the token
// that the client holds: who reads the table cannot become anyone.
type Session struct {
	ID        string `gorm:"primaryKey"`
	UserID    string
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time
	RevokedAt *time.Time
	Remote    string
	Agent     string
	Data      []byte // JSON object of strings, for the portal
	ViewAs    *string
	ViewUntil *time.Time
	// VerifiedAt is when the second factor was given.
	VerifiedAt *time.Time
	User       *User `gorm:"foreignKey:UserID"`
}

// Scope lets everyone see its own sessions only, root included.
func (Session) Scope(a store.Actor) clause.Expression {
	if a.IsSystem() {
		return nil
	}
	return clause.Eq{Column: store.Column("user_id"), Value: a.UserID}
}

// Values is what the portal keeps with the session.
func (x Session) Values() map[string]string {
	m := map[string]string{}
	_ = json.Unmarshal(x.Data, &m) // what SaveValues wrote
	return m
}

// Principal is who asks: the actor, and the rows it was read from.
type Principal struct {
	store.Actor
	User    User
	Account Account
	Domain  Domain
	Session Session // without an id for API keys
	// Viewer is who looks at the portal as this user, until then.
	Viewer    *User
	ViewUntil time.Time
}

// principal makes one of a user read with its account and domain; false when
// any of them is gone or shut out.
func principal(u User) (Principal, bool) {
	a := u.Account
	if a == nil || a.Domain == nil || u.State != Enabled || u.RemovedAt.Valid || !a.usable() ||
		a.Domain.RemovedAt.Valid || a.Domain.State != active || a.Domain.Path != a.DomainPath {
		return Principal{}, false
	}
	return Principal{
		Actor: store.Actor{UserID: u.ID, Owner: a.Owner(), Rank: a.Type, RoleID: a.RoleID},
		User:  u, Account: *a, Domain: *a.Domain,
	}, true
}

// seenEvery is how often the last use is written.
const seenEvery = time.Minute

// SessionActor finds who holds a token, with one query, and one more for the
// projects of a plain user, so that logout, disabling, a new password and being
// put out of a project bite on every server at once.
func (s *Service) SessionActor(ctx context.Context, token string) (Principal, error) {
	sys := store.System(ctx, "find who is signed in")
	refused := fault.New(fault.Unauthenticated, "error.session")
	if token == "" {
		return Principal{}, refused
	}
	var x Session
	err := s.db.In(sys).Joins("User").Joins("User.Account").Joins("User.Account.Domain").
		Where("sessions.id = ?", digest(token)).Take(&x).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Principal{}, refused
	}
	if err != nil {
		return Principal{}, err
	}
	now := s.db.Now()
	if x.User == nil || !s.holds(ctx, x, now) {
		return Principal{}, refused
	}
	p, ok := principal(*x.User)
	if !ok {
		return Principal{}, refused
	}
	if p.Projects, err = s.memberships(ctx, p.Actor); err != nil {
		return Principal{}, err
	}
	p.Half = s.owes(ctx, p.User, x.VerifiedAt)
	p.Session = x
	p.Session.User = nil
	if p, err = s.viewed(sys, p, now); err != nil {
		return Principal{}, err
	}
	return p, s.touch(sys, x, now)
}

// holds tells whether a session is neither ended nor too old nor idle.
func (s *Service) holds(ctx context.Context, x Session, now time.Time) bool {
	return x.RevokedAt == nil && now.Before(x.ExpiresAt) && now.Sub(x.SeenAt) < s.opts.Idle(ctx)
}

func (s *Service) touch(ctx context.Context, x Session, now time.Time) error {
	if now.Sub(x.SeenAt) < min(seenEvery, s.opts.Idle(ctx)/10) {
		return nil
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		return s.db.In(ctx).Model(&Session{}).Where("id = ? AND revoked_at IS NULL", x.ID).Update("seen_at", now).Error
	})
}

// openSession starts a session and returns its token, which is kept nowhere.
func (s *Service) openSession(ctx context.Context, userID, remote, agent string) (token string, x Session, err error) {
	if token, err = s.token(32); err != nil {
		return "", x, err
	}
	now := s.db.Now()
	x = Session{
		ID: digest(token), UserID: userID, CreatedAt: now, SeenAt: now,
		ExpiresAt: now.Add(s.opts.Absolute(ctx)), Remote: clip(remote, 64), Agent: clip(agent, 255),
	}
	return token, x, s.db.In(ctx).Omit("User").Create(&x).Error
}

// SessionKey is the API session's sessionkey: 20 bytes that only the holder of
// the token and the server can know.
func SessionKey(token string) string { return derive(token, "sessionkey", 20) }

// CSRF is the token of the session's forms.
func CSRF(token string) string { return derive(token, "csrf", 24) }

// SameKey compares in constant time.
func SameKey(have, want string) bool {
	return want != "" && subtle.ConstantTimeCompare([]byte(have), []byte(want)) == 1
}

func derive(token, purpose string, n int) string {
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte(purpose))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:n])
}

// clip keeps what clients send within its column, and valid UTF-8.
func clip(text string, n int) string {
	out := make([]rune, 0, n)
	for _, r := range text {
		if len(out) == n {
			break
		}
		if !control(r) {
			out = append(out, r)
		}
	}
	return string(out)
}

// Idle is how long a session lives unused.
func (s *Service) Idle(ctx context.Context) time.Duration { return s.opts.Idle(ctx) }
