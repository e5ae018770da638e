package iam

import "context"

// Why a role may, or may not, call a command.
const (
	ByRule     = "rule"     // a rule decided
	ByNone     = "none"     // no rule names it
	ByType     = "type"     // it is not made for accounts of the role's type
	ByDisabled = "disabled" // the role is disabled
)

// Verdict is what a role has of a command.
type Verdict struct {
	Command string
	Allowed bool
	Why     string
	Rule    string // the pattern that decided
}

// Simulate tells for every command whether a role that the actor may see has it.
// Nobody's rights change.
func (s *Service) Simulate(ctx context.Context, roleID string) ([]Verdict, error) {
	if _, err := s.RoleByID(ctx, roleID); err != nil {
		return nil, err
	}
	p, err := s.power(ctx, roleID)
	if err != nil {
		return nil, err
	}
	var out []Verdict
	for _, c := range s.commands() {
		out = append(out, p.verdict(c))
	}
	return out, nil
}

func (p *power) verdict(c Command) Verdict {
	v := Verdict{Command: c.Name, Why: ByNone}
	switch {
	case p.disabled:
		v.Why = ByDisabled
	case !c.open(p.typ.Rank()):
		v.Why = ByType
	default:
		for _, r := range p.rules {
			if r.matches(c.Name) {
				v.Allowed, v.Why, v.Rule = r.Allow, ByRule, r.Pattern
				break
			}
		}
	}
	return v
}
