package iam

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/store"
)

// Standing finds what a user is now: for what outlives a request, such as a
// console, and must end when the user's right does.
func (s *Service) Standing(ctx context.Context, userID string) (Principal, error) {
	sys := store.System(ctx, "what a user is now")
	refused := fault.New(fault.Unauthenticated, "error.session")
	var u User
	err := s.db.In(sys).Joins("Account").Joins("Account.Domain").Where("users.id = ?", userID).Take(&u).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Principal{}, refused
	}
	if err != nil {
		return Principal{}, err
	}
	p, ok := principal(u)
	if !ok {
		return Principal{}, refused
	}
	p.Projects, err = s.memberships(ctx, p.Actor)
	return p, err
}

// SessionLives tells whether the session with that id still holds; it does not
// count as using it.
func (s *Service) SessionLives(ctx context.Context, id string) (bool, error) {
	ctx = store.System(ctx, "does a session hold")
	x, err := gorm.G[Session](s.db.In(ctx)).Where("id = ?", id).Take(ctx)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return false, nil
	}
	return err == nil && s.holds(ctx, x, s.db.Now()), err
}

type sessionKey struct{}

// held is the session that a request came in, and its new token if it got one.
type held struct{ id, renewed string }

// WithSession notes which session a request came in, for what shall end with it
// and for what makes it another.
func WithSession(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, sessionKey{}, &held{id: id})
}

func heldOf(ctx context.Context) *held {
	h, _ := ctx.Value(sessionKey{}).(*held)
	return h
}

// SessionOf is the id of the request's session, or empty.
func (s *Service) SessionOf(ctx context.Context) string {
	if h := heldOf(ctx); h != nil {
		return h.id
	}
	return ""
}

// Renewed is the new token of the request's session, or empty: what the client
// holds must be replaced by it.
func Renewed(ctx context.Context) string {
	if h := heldOf(ctx); h != nil {
		return h.renewed
	}
	return ""
}
