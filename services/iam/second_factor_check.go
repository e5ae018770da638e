package iam

import (
	"context"
	"strings"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/store"
)

// How wrong codes make the next one wait: a code has six digits, so there are
// fewer tries than at passwords. Where the user has given a right one before,
// others' tries do not count.
var (
	codePairRule = delayRule{3, delayForget / 4}
	codeNameRule = delayRule{5, delayForget / 4}
)

// VerifyTwoFactor checks a code of the actor's device, or a recovery code, for
// the request's session: the session is then whole and has a new token (Renewed).
// The first code confirms the factor. It counts tries by itself and so belongs
// outside transactions.
func (s *Service) VerifyTwoFactor(ctx context.Context, code string) error {
	u, err := s.self(ctx)
	if err != nil {
		return err
	}
	held := heldOf(ctx)
	if held == nil {
		return fault.New(fault.Conflict, "error.2fa_session")
	}
	sys := store.System(ctx, "the second factor of who asks")
	x, err := gorm.G[Session](s.db.In(sys)).Where("id = ? AND user_id = ?", held.id, u.ID).Take(sys)
	if err != nil {
		return absent(err, "session", "")
	}
	try, err := s.attemptOf(sys, func() *attempt { return s.codeAttempt(u.ID, x.Remote) })
	if err != nil {
		return err
	}
	token, err := s.token(32)
	if err != nil {
		return err
	}
	err = s.db.Tx(sys, func(ctx context.Context) error {
		if err := s.checkCode(ctx, u, code); err != nil {
			return err
		}
		return s.renew(ctx, x, token)
	})
	if fault.Is(err, fault.Forbidden) {
		s.audit(sys, Audit{Event: "USER.2FA.FAILED", Reason: "a wrong code", User: u.Username, UserID: u.ID, Owner: u.Owner(), Remote: x.Remote})
		return err
	}
	if err != nil {
		return err
	}
	held.id, held.renewed = digest(token), token
	return try.succeeded(sys)
}

func (s *Service) codeAttempt(userID, remote string) *attempt {
	remote = network(remote)
	return &attempt{s: s, rows: []delayed{
		{loginDelay{ID: digest("code pair", userID, remote)}, codePairRule, false},
		{loginDelay{ID: digest("code", userID)}, codeNameRule, false},
	}}
}

// checkCode uses a code up, in the caller's transaction.
func (s *Service) checkCode(ctx context.Context, u User, code string) error {
	wrong := fault.New(fault.Forbidden, "error.2fa_code")
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "")
	f, err := gorm.G[SecondFactor](s.db.In(ctx)).Where("user_id = ?", u.ID).Take(ctx)
	if store.IsAbsent(err) {
		return fault.New(fault.Conflict, "error.2fa_none")
	}
	if err != nil {
		return err
	}
	if f.ConfirmedAt == nil && f.SessionID != heldOf(ctx).id {
		return fault.New(fault.Conflict, "error.2fa_none")
	}
	if len(code) > 6 {
		return s.recover(ctx, u, f, code)
	}
	secret, err := s.db.Reveal(f.Secret)
	if err != nil {
		return err
	}
	now := s.db.Now()
	step, ok := totpMatch(secret, code, now)
	if !ok {
		return wrong
	}
	set := map[string]any{"last_step": step}
	if f.ConfirmedAt == nil {
		set["confirmed_at"] = now
	}
	done := s.db.In(ctx).Model(&SecondFactor{}).Where("user_id = ? AND last_step < ?", u.ID, step).Updates(set)
	if done.Error != nil {
		return done.Error
	}
	if done.RowsAffected == 0 { // seen before
		return wrong
	}
	if f.ConfirmedAt != nil {
		return nil
	}
	s.note(ctx, "USER.2FA.ENABLE", u.Username, u.ID, u.Owner())
	if err := s.db.In(ctx).Model(&User{}).Where("id = ?", u.ID).Update("two_factor", f.Provider).Error; err != nil {
		return err
	}
	// What was signed in without it goes.
	return s.revokeWhere(ctx, "user_id = ? AND id <> ?", u.ID, heldOf(ctx).id)
}

// recover uses a recovery code up.
func (s *Service) recover(ctx context.Context, u User, f SecondFactor, code string) error {
	wrong := fault.New(fault.Forbidden, "error.2fa_code")
	if f.ConfirmedAt == nil {
		return wrong
	}
	done := s.db.In(ctx).Where("id = ?", recoveryID(u.ID, code)).Delete(&recoveryCode{})
	if done.Error == nil && done.RowsAffected == 0 {
		return wrong
	}
	if done.Error == nil {
		s.note(ctx, "USER.2FA.RECOVERY", u.Username, u.ID, u.Owner())
	}
	return done.Error
}

// renew makes a session whole, under a new token.
func (s *Service) renew(ctx context.Context, x Session, token string) error {
	done := s.db.In(ctx).Model(&Session{}).Where("id = ? AND revoked_at IS NULL", x.ID).
		Updates(map[string]any{"id": digest(token), "verified_at": s.db.Now()})
	if done.Error == nil && done.RowsAffected == 0 {
		return fault.New(fault.Unauthenticated, "error.session")
	}
	return done.Error
}
