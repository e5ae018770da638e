package iam

import (
	"context"

	"aerie/services/fault"
	"aerie/services/store"
)

// Allowed tells whether the actor's role may call the command. ByRank says
// whether the command is made for accounts of the actor's type at all; the
// role's rules filter further. A role that cannot be read allows nothing.
func (s *Service) Allowed(ctx context.Context, a store.Actor, command string, byRank bool) bool {
	if a.IsSystem() {
		return true
	}
	if !byRank {
		return false
	}
	p, err := s.power(ctx, a.RoleID)
	if err != nil {
		if !fault.Is(err, fault.NotFound) {
			s.opts.Log.WarnContext(ctx, "a role cannot be read", "role", a.RoleID, "error", err)
		}
		return false
	}
	return !p.disabled && p.typ.Rank() == a.Rank && p.may(command)
}

// Barred tells why the actor may do nothing at all: its role is disabled.
func (s *Service) Barred(ctx context.Context, a store.Actor) error {
	if a.IsSystem() {
		return nil
	}
	p, err := s.power(ctx, a.RoleID)
	if err == nil && p.disabled {
		return fault.New(fault.Forbidden, "error.role_disabled", "role", p.name)
	}
	return nil // Allowed has refused what could not be read
}
