package iamcmd

import (
	"context"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/job"
	"aerie/services/store"
)

// Join makes the registry ask the roles, the roles know the commands, and the
// engine look at the rights of whom a job is for.
func (s *Service) Join(r *command.Registry, jobs *job.Engine) {
	s.registry = r
	r.Allowed, r.Barred, r.Narrow = s.Allowed, s.IAM.Barred, s.Narrow
	s.IAM.Commands = s.known
	jobs.Admit = s.admit
}

// known are the registered commands with the account types they are for.
func (s *Service) known() []iam.Command {
	s.list.Do(func() {
		for _, c := range s.registry.All() {
			of := iam.Command{Name: c.Name}
			for _, r := range []store.Rank{store.Admin, store.DomainAdmin, store.User} {
				if c.Roles&command.RoleOf(r) != 0 {
					of.Ranks = append(of.Ranks, r)
				}
			}
			s.commands = append(s.commands, of)
		}
	})
	return s.commands
}

// admit refuses a job, before its first step, whose asker is shut out by now or
// whose role does not allow the command any more. Aerie's own jobs, and those
// of the loopback port that knows no users, are nobody's.
func (s *Service) admit(ctx context.Context, row *job.Row) error {
	c := s.registry.Get(row.Command)
	if row.ActorWhy != "" || row.ActorUserID == "" || c == nil {
		return nil
	}
	who, err := s.IAM.Standing(ctx, row.ActorUserID)
	switch {
	case fault.Is(err, fault.Unauthenticated), err == nil && !s.Allowed(ctx, who.Actor, c):
		return fault.New(fault.Forbidden, "error.revoked", "command", row.Command)
	}
	return err
}
