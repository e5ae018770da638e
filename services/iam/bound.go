package iam

import (
	"slices"
	"strings"

	"aerie/services/fault"
	"aerie/services/store"
)

// Command is what permission checks know of a registered command.
type Command struct {
	Name  string
	Ranks []store.Rank // the account types that it is made for
}

func (c Command) open(r store.Rank) bool { return slices.Contains(c.Ranks, r) }

func (s *Service) commands() []Command {
	if s.Commands == nil {
		return nil
	}
	return s.Commands()
}

// allows tells whether a role's accounts could call the command, were the role
// enabled.
func (p *power) allows(c Command) bool { return c.open(p.typ.Rank()) && p.may(c.Name) }

// excess are the commands that a role allows and another does not.
func (s *Service) excess(of, over *power) (names []string) {
	if of == over || over.id == RoleRootAdmin {
		return nil
	}
	for _, c := range s.commands() {
		if of.allows(c) && !over.allows(c) {
			names = append(names, c.Name)
		}
	}
	return names
}

// within refuses a role that could do what the actor's own cannot: nobody
// gives, or takes over, more than it has. Without the commands being known, only
// default roles can be compared, by their level.
func (s *Service) within(of, own *power) error {
	if of.level > own.level || own.typ == UserRole {
		return fault.New(fault.Forbidden, "error.rank")
	}
	if s.Commands == nil && own.id != RoleRootAdmin && (builtin[of.id] == nil || builtin[own.id] == nil) {
		return fault.New(fault.Forbidden, "error.rank")
	}
	if more := s.excess(of, own); len(more) > 0 {
		return fault.New(fault.Forbidden, "error.role_exceeds", "role", of.name, "commands", some(more), "n", len(more))
	}
	return nil
}

// some are the first of many names.
func some(names []string) string {
	const enough = 5
	if len(names) <= enough {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:enough], ", ") + " …"
}
