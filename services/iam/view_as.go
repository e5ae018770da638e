package iam

import (
	"context"
	"time"

	"aerie/services/fault"
	"aerie/services/store"
)

// viewing is how long an administrator sees the portal as someone else.
const viewing = 15 * time.Minute

// ViewAs lets the actor's session see what a user that it manages sees, and
// change nothing, until EndView or for a quarter of an hour.
func (s *Service) ViewAs(ctx context.Context, userID string) (User, error) {
	u, err := s.manageUser(ctx, userID)
	if err != nil {
		return u, err
	}
	a, err := actor(ctx)
	if err != nil {
		return u, err
	}
	if a.UserID == u.ID || a.ReadOnly {
		return u, fault.New(fault.Forbidden, "error.self")
	}
	now, err := s.Standing(ctx, u.ID)
	if err != nil {
		return u, fault.New(fault.Conflict, "error.view_as_out", "name", u.Username)
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		until := s.db.Now().Add(viewing)
		set := s.db.In(ctx).Model(&Session{}).Where("id = ? AND revoked_at IS NULL", s.SessionOf(ctx)).
			Updates(map[string]any{"view_as": u.ID, "view_until": until})
		if set.Error == nil && set.RowsAffected == 0 { // with an API key
			return fault.New(fault.Unauthenticated, "error.session")
		}
		s.note(ctx, "USER.VIEW.AS", u.Username, u.ID, now.Owner)
		return set.Error
	})
	return u, err
}

// EndView makes the session of the request its owner's again.
func (s *Service) EndView(ctx context.Context) error {
	sys := store.System(ctx, "the actor is whom is viewed, not the session's owner")
	return s.db.Tx(sys, func(ctx context.Context) error {
		return s.db.In(ctx).Model(&Session{}).Where("id = ?", s.SessionOf(ctx)).Updates(map[string]any{"view_as": nil, "view_until": nil}).Error
	})
}

// viewed makes of who holds a session whom it is viewed as, if it is. Both are
// looked at anew each time: who is shut out, or no longer below, is not viewed.
func (s *Service) viewed(ctx context.Context, p Principal, now time.Time) (Principal, error) {
	x := p.Session
	if x.ViewAs == nil || x.ViewUntil == nil || !now.Before(*x.ViewUntil) {
		return p, nil
	}
	other, err := s.Standing(ctx, *x.ViewAs)
	if err == nil {
		err = s.mayManage(store.With(ctx, p.Actor), other.Account)
	}
	if k := fault.Of(err).Kind; err != nil && (k == fault.Unauthenticated || k == fault.NotFound || k == fault.Forbidden) {
		return p, nil
	}
	if err != nil { // nobody knows, so it is not the administrator that asks
		return Principal{}, err
	}
	other.ReadOnly, other.Half, other.Session = true, p.Half, x
	other.Viewer, other.ViewUntil = &p.User, *x.ViewUntil
	return other, nil
}
