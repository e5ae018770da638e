package iam

import (
	"context"
	"errors"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"aerie/services/fault"
	"aerie/services/store"
)

// SecondFactor is what a user proves besides its password. Until a first code
// has confirmed it, nothing is asked.
type SecondFactor struct {
	UserID      string `gorm:"primaryKey"`
	CreatedAt   time.Time
	SessionID   string // that sees the secret until it is confirmed
	Provider    string
	Secret      store.Secret
	ConfirmedAt *time.Time
	LastStep    int64 // of the latest code; none counts twice
}

// Scope lets everyone reach its own only, root included.
func (SecondFactor) Scope(a store.Actor) clause.Expression {
	if a.IsSystem() {
		return nil
	}
	return clause.Eq{Column: store.Column("user_id"), Value: a.UserID}
}

// recoveryCode stands in for a lost device, once. Its id is a digest.
type recoveryCode struct {
	ID        string `gorm:"primaryKey"`
	UserID    string
	CreatedAt time.Time
}

// TOTP is the one provider: time-based codes of an app (RFC 6238).
const TOTP = "totp"

// owes tells whether a session lacks its user's second factor.
func (s *Service) owes(ctx context.Context, u User, verified *time.Time) bool {
	if verified != nil {
		return false
	}
	on, must := s.opts.TwoFactor(ctx, u.Owner())
	return on && (must || u.TwoFactorMust || u.TwoFactor != "")
}

// MustTwoFactor tells whether a user cannot do without a second factor.
func (s *Service) MustTwoFactor(ctx context.Context, u User) bool {
	on, must := s.opts.TwoFactor(ctx, u.Owner())
	return on && (must || u.TwoFactorMust)
}

// TwoFactorOn tells whether a user may have a second factor.
func (s *Service) TwoFactorOn(ctx context.Context, u User) bool {
	on, _ := s.opts.TwoFactor(ctx, u.Owner())
	return on
}

// Enrolment is a second factor that waits for its first code. Secret is in
// base32 and in the address of URI, which apps read as a QR code.
type Enrolment struct {
	User        User
	Secret, URI string
}

// setUpWithin is how long a secret waits for its first code.
const setUpWithin = 15 * time.Minute

// BeginTwoFactor gives the actor a secret; a code made with it, in the same
// session, confirms it. Until then the session is told the same one again: a
// wrong digit is no reason to scan anew.
func (s *Service) BeginTwoFactor(ctx context.Context, provider string) (Enrolment, error) {
	if provider != "" && !strings.EqualFold(provider, TOTP) {
		return Enrolment{}, fault.Param("provider", "error.2fa_provider", "value", provider)
	}
	u, err := s.self(ctx)
	if err != nil {
		return Enrolment{}, err
	}
	switch {
	case !s.TwoFactorOn(ctx, u):
		return Enrolment{}, fault.New(fault.Forbidden, "error.2fa_off")
	case u.TwoFactor != "":
		return Enrolment{}, fault.New(fault.Conflict, "error.2fa_there")
	}
	id := s.SessionOf(ctx)
	if id == "" {
		return Enrolment{}, fault.New(fault.Conflict, "error.2fa_session")
	}
	secret, err := s.begun(ctx, u, id)
	if err != nil || secret != "" {
		return s.enrolment(ctx, u, secret), err
	}
	raw := make([]byte, totpSecret)
	if err := s.random(raw); err != nil {
		return Enrolment{}, err
	}
	secret = base32Text(raw)
	sealed, err := s.db.Seal(secret)
	if err != nil {
		return Enrolment{}, err
	}
	sys := store.System(ctx, "a second factor of who asks")
	err = s.db.Tx(sys, func(ctx context.Context) error {
		if err := s.db.In(ctx).Where("user_id = ? AND confirmed_at IS NULL", u.ID).Delete(&SecondFactor{}).Error; err != nil {
			return err
		}
		err := s.db.In(ctx).Create(&SecondFactor{UserID: u.ID, CreatedAt: s.db.Now(), SessionID: id, Provider: TOTP, Secret: sealed}).Error
		if store.IsDuplicate(err) {
			return fault.New(fault.Conflict, "error.2fa_there")
		}
		return err
	})
	return s.enrolment(ctx, u, secret), err
}

func (s *Service) enrolment(ctx context.Context, u User, secret string) Enrolment {
	return Enrolment{User: u, Secret: secret, URI: totpURI(s.opts.Issuer(ctx), u.Username, secret)}
}

// begun is the secret that the session is setting up already, or empty.
func (s *Service) begun(ctx context.Context, u User, sessionID string) (string, error) {
	sys := store.System(ctx, "a second factor that is being set up")
	list, err := gorm.G[SecondFactor](s.db.In(sys)).
		Where("user_id = ? AND session_id = ? AND confirmed_at IS NULL AND created_at > ?", u.ID, sessionID, s.db.Now().Add(-setUpWithin)).Limit(1).Find(sys)
	if err != nil || len(list) == 0 {
		return "", err
	}
	return s.db.Reveal(list[0].Secret)
}

// self is the actor's own user. Who signs with a limited key, or looks as
// somebody else, changes no credentials.
func (s *Service) self(ctx context.Context) (User, error) {
	a, err := actor(ctx)
	if err != nil {
		return User{}, err
	}
	if err := freely(a); err != nil {
		return User{}, err
	}
	if a.ReadOnly {
		return User{}, fault.New(fault.Forbidden, "error.self")
	}
	return s.UserByID(ctx, a.UserID)
}

// EndTwoFactor takes a second factor away: the actor's own, or that of a user
// it manages who has lost the device. A mandate stays.
func (s *Service) EndTwoFactor(ctx context.Context, userID string) (User, error) {
	a, err := actor(ctx)
	if err != nil {
		return User{}, err
	}
	if err := freely(a); err != nil {
		return User{}, err
	}
	var u User
	if userID == "" || userID == a.UserID {
		if u, err = s.self(ctx); err == nil && (a.Half || s.MustTwoFactor(ctx, u)) {
			err = fault.New(fault.Forbidden, "error.2fa_must")
		}
	} else if a.Half {
		err = fault.New(fault.Forbidden, "error.second_factor")
	} else {
		u, err = s.manageUser(ctx, userID)
	}
	if err != nil {
		return u, err
	}
	sys := store.System(ctx, "a second factor that its user, or who manages it, takes away")
	err = s.db.Tx(sys, func(ctx context.Context) error { return s.dropTwoFactor(ctx, u) })
	if err == nil {
		s.note(ctx, "USER.2FA.DISABLE", u.Username, u.ID, u.Owner())
	}
	return u, err
}

func (s *Service) dropTwoFactor(ctx context.Context, u User) error {
	g := s.db.In(ctx)
	return errors.Join(
		g.Where("user_id = ?", u.ID).Delete(&SecondFactor{}).Error,
		g.Where("user_id = ?", u.ID).Delete(&recoveryCode{}).Error,
		g.Model(&User{}).Where("id = ?", u.ID).Update("two_factor", "").Error,
	)
}

// recoveries is how many recovery codes a user has.
const recoveries = 10

// NewRecoveryCodes gives the actor new codes that stand in for its device, each
// once; those before end. They are shown this once.
func (s *Service) NewRecoveryCodes(ctx context.Context) ([]string, error) {
	u, err := s.self(ctx)
	if err != nil {
		return nil, err
	}
	if a, _ := actor(ctx); a.Half || u.TwoFactor == "" {
		return nil, fault.New(fault.Conflict, "error.2fa_none")
	}
	var codes []string
	sys := store.System(ctx, "recovery codes of who asks")
	err = s.db.Tx(sys, func(ctx context.Context) error {
		codes = codes[:0]
		if err := s.db.In(ctx).Where("user_id = ?", u.ID).Delete(&recoveryCode{}).Error; err != nil {
			return err
		}
		for range recoveries {
			raw := make([]byte, 10)
			if err := s.random(raw); err != nil {
				return err
			}
			code := strings.ToLower(base32Text(raw))
			codes = append(codes, code[:4]+"-"+code[4:8]+"-"+code[8:12]+"-"+code[12:])
			if err := s.db.In(ctx).Create(&recoveryCode{ID: recoveryID(u.ID, code), UserID: u.ID, CreatedAt: s.db.Now()}).Error; err != nil {
				return err
			}
		}
		return nil
	})
	return codes, err
}

// RecoveryCodesLeft is how many the actor has.
func (s *Service) RecoveryCodesLeft(ctx context.Context) (int64, error) {
	a, err := actor(ctx)
	if err != nil {
		return 0, err
	}
	sys := store.System(ctx, "how many recovery codes the actor has")
	return gorm.G[recoveryCode](s.db.In(sys)).Where("user_id = ?", a.UserID).Count(sys, "*")
}

func recoveryID(userID, code string) string {
	plain := strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(code))
	return digest("recovery", userID, plain)
}

// OnlySelf refuses to set up a second factor for somebody else: its secret would
// be known to two.
func (s *Service) OnlySelf(ctx context.Context, userID string) error {
	a, err := actor(ctx)
	if err == nil && userID != "" && userID != a.UserID {
		err = fault.Param("userid", "error.2fa_self")
	}
	return err
}

// mayMandate refuses who does not manage the user, even the user itself.
func (s *Service) mayMandate(ctx context.Context, u User) error {
	if err := s.notPlainUser(ctx); err != nil {
		return err
	}
	account, err := s.AccountByID(ctx, u.AccountID)
	if err != nil {
		return err
	}
	return s.mayManage(ctx, account)
}

// Issuer is what apps call this cloud.
func (s *Service) Issuer(ctx context.Context) string { return s.opts.Issuer(ctx) }
