package iam

import (
	"context"
	"encoding/json"
	"time"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/store"
)

// Logout ends the session of a token. A token that is none is no error.
func (s *Service) Logout(ctx context.Context, token string) error {
	ctx = store.System(ctx, "logout by token")
	if p, err := s.SessionActor(ctx, token); err == nil {
		s.audit(ctx, Audit{Event: "USER.LOGOUT", User: p.User.Username, UserID: p.UserID, Owner: p.Owner, Remote: p.Session.Remote})
	}
	return s.db.Tx(ctx, func(ctx context.Context) error { return s.revokeWhere(ctx, "id = ?", digest(token)) })
}

// Sessions lists the actor's own living sessions, the latest first.
func (s *Service) Sessions(ctx context.Context) ([]Session, error) {
	now := s.db.Now()
	return gorm.G[Session](s.db.In(ctx)).
		Where("revoked_at IS NULL AND expires_at > ? AND seen_at > ?", now, now.Add(-s.opts.Idle(ctx))).
		Order("seen_at DESC").Find(ctx)
}

// EndSession ends one of the actor's own sessions by its id.
func (s *Service) EndSession(ctx context.Context, id string) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		set := s.db.In(ctx).Model(&Session{}).Where("id = ? AND revoked_at IS NULL", id).Update("revoked_at", s.db.Now())
		if set.Error == nil && set.RowsAffected == 0 {
			return fault.Absent("id", id)
		}
		return set.Error
	})
}

// EndSessions ends all of the actor's own sessions but the one to keep.
func (s *Service) EndSessions(ctx context.Context, keep string) error {
	return s.db.Tx(ctx, func(ctx context.Context) error { return s.revokeWhere(ctx, "id <> ?", keep) })
}

// EndSessionsOf ends all sessions of a user that the actor manages.
func (s *Service) EndSessionsOf(ctx context.Context, userID string) error {
	u, err := s.manageUser(ctx, userID)
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		return s.revokeWhere(store.System(ctx, "end the sessions of a managed user"), "user_id = ?", u.ID)
	})
}

// revokeWhere ends sessions within ctx's scope and transaction.
func (s *Service) revokeWhere(ctx context.Context, where string, args ...any) error {
	return s.db.In(ctx).Model(&Session{}).Where("revoked_at IS NULL").Where(where, args...).
		Update("revoked_at", s.db.Now()).Error
}

// maxData bounds what the portal keeps with a session.
const maxData = 16 << 10

// SaveValues keeps the portal's values with the session of a token.
func (s *Service) SaveValues(ctx context.Context, token string, values map[string]string) error {
	data, err := json.Marshal(values)
	if err != nil {
		return err
	}
	if len(data) > maxData {
		return fault.New(fault.Invalid, "error.session_full")
	}
	ctx = store.System(ctx, "values of a session by its token")
	return s.db.Tx(ctx, func(ctx context.Context) error {
		return s.db.In(ctx).Model(&Session{}).Where("id = ? AND revoked_at IS NULL", digest(token)).Update("data", data).Error
	})
}

// Sweep forgets sessions and login delays that are long over; a loop calls it.
func (s *Service) Sweep(ctx context.Context) error {
	ctx = store.System(ctx, "sweep")
	now := s.db.Now()
	return s.db.Tx(ctx, func(ctx context.Context) error {
		g := s.db.In(ctx)
		old := now.Add(-24 * time.Hour)
		if err := g.Where("expires_at < ? OR revoked_at < ?", old, old).Delete(&Session{}).Error; err != nil {
			return err
		}
		if err := g.Where("expires_at < ?", now).Delete(&passwordReset{}).Error; err != nil {
			return err
		}
		return g.Where("last_at < ? AND wait_until < ? AND (trusted_until IS NULL OR trusted_until < ?)", old, now, now).
			Delete(&loginDelay{}).Error
	})
}
