package iam

import (
	"context"

	"aerie/services/store"
)

// Enter opens a session for a user whom somebody else has vouched for: r has
// where from. Who may not sign in gets the fault of a wrong password.
func (s *Service) Enter(ctx context.Context, userID string, r LoginRequest) (Login, error) {
	ctx = store.System(ctx, "login by somebody who vouches")
	p, err := s.admit(ctx, User{Row: store.Row{ID: userID}})
	if err != nil {
		s.audit(ctx, Audit{Event: "USER.LOGIN.FAILED", Reason: err.Error(), UserID: userID, Remote: r.RemoteIP})
		return Login{}, loginFault(err)
	}
	return s.welcome(ctx, &attempt{s: s}, p, r)
}
