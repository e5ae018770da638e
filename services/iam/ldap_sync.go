package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
	"gorm.io/gorm"

	"aerie/services/fault"
)

// What a sync does with somebody.
const (
	SyncCreate  = "create"  // a user, and its own account where a whole domain is linked
	SyncKeep    = "keep"    // nothing
	SyncMove    = "move"    // to the account of its group
	SyncDisable = "disable" // in no linked group, or in several
	SyncRefuse  = "refuse"  // no user yet, and in several groups
	SyncTaken   = "taken"   // a user of Aerie's own has the name
)

// Placement is what a sync does with one person, and why.
type Placement struct {
	Username, DN string
	Action       string
	Account      string   // where the person is to be
	From         string   // where it is
	Groups       []string // the linked groups that it is in

	who  *person
	user *User
	to   string // account's id
}

// SyncPlan is what a sync of a domain would do.
type SyncPlan struct {
	Domain     Domain
	Placements []Placement

	links links
}

// Count is how many placements have an action.
func (p SyncPlan) Count(action string) (n int) {
	for _, one := range p.Placements {
		if one.Action == action {
			n++
		}
	}
	return n
}

// PlanSync tells what a sync of a linked domain with its directories would do,
// and changes nothing. Only root may.
func (s *Service) PlanSync(ctx context.Context, domainID string) (SyncPlan, error) {
	if err := onlyRoot(ctx); err != nil {
		return SyncPlan{}, err
	}
	d, err := s.DomainByID(ctx, domainID)
	if err != nil {
		return SyncPlan{}, err
	}
	plan := SyncPlan{Domain: d}
	if plan.links, err = s.linksOf(ctx, d); err != nil {
		return plan, err
	}
	if plan.links.none() {
		return plan, fault.New(fault.Conflict, "error.ldap_unlinked", "name", d.FullName)
	}
	sides, err := s.sides(ctx, d, plan.links)
	if err != nil {
		return plan, err
	}
	plan.Placements, err = s.placements(ctx, d, plan.links, sides)
	return plan, err
}

// side are the people of one link.
type side struct {
	accountID, name string
	people          []person
}

func (s *Service) sides(ctx context.Context, d Domain, at links) ([]side, error) {
	servers, err := s.domainDirectories(ctx, d)
	if err != nil {
		return nil, err
	}
	out, err := inTurn(ctx, s, browsing, servers, func(_ context.Context, conn *ldap.Conn, l LDAPServer) (out []side, err error) {
		type link struct{ account, kind, name string }
		var all []link
		for _, a := range at.accounts {
			all = append(all, link{a.AccountID, a.Type, a.Name})
		}
		if len(all) == 0 {
			all = []link{{"", at.domain.Type, at.domain.Name}}
		}
		for _, one := range all {
			people, err := l.peopleOf(conn, one.kind, one.name)
			if err != nil {
				return nil, err
			}
			out = append(out, side{one.account, one.name, people})
		}
		return out, nil
	})
	return out, directoryFault(err)
}

func (s *Service) placements(ctx context.Context, d Domain, at links, sides []side) ([]Placement, error) {
	people := map[string]*Placement{}
	var all []person
	for _, side := range sides {
		for _, p := range side.people {
			key := fold(p.Username)
			if people[key] == nil {
				people[key] = &Placement{Username: p.Username, DN: p.DN, who: &p}
				all = append(all, p)
			}
			people[key].Groups, people[key].to = append(people[key].Groups, side.name), side.accountID
		}
	}
	here, _, err := s.namesTaken(ctx, d, all)
	if err != nil {
		return nil, err
	}
	names, err := s.accountNames(ctx, d)
	if err != nil {
		return nil, err
	}
	var out []Placement
	for key, p := range people {
		p.user = here[key]
		p.decide(len(at.accounts) > 0, names)
		out = append(out, *p)
	}
	gone, err := s.gone(ctx, d, people, at, names)
	out = append(out, gone...)
	slices.SortFunc(out, func(a, b Placement) int { return strings.Compare(fold(a.Username), fold(b.Username)) })
	return out, err
}

// decide says what becomes of a person who is in the groups.
func (p *Placement) decide(byAccount bool, names map[string]string) {
	if p.user != nil {
		p.From = names[p.user.AccountID]
	}
	if byAccount {
		p.Account = names[p.to]
	} else {
		p.Account = p.Username
	}
	switch u := p.user; {
	case u != nil && u.Source != LDAP:
		p.Action, p.Account = SyncTaken, ""
	case u != nil && !p.who.is(*u):
		p.Action, p.Account = SyncTaken, ""
	case byAccount && len(p.Groups) > 1 && u == nil:
		p.Action, p.Account = SyncRefuse, ""
	case byAccount && len(p.Groups) > 1:
		p.Action, p.Account = disabling(*u), ""
	case u == nil:
		p.Action = SyncCreate
	case byAccount && u.AccountID != p.to:
		p.Action = SyncMove
	default:
		p.Action, p.Account = SyncKeep, p.From
	}
}

// disabling is nothing to do when the user is out already.
func disabling(u User) string {
	if u.State != Enabled {
		return SyncKeep
	}
	return SyncDisable
}

// gone are the directory's users in the domain whom no linked group has any
// more. Where the domain as a whole is linked they are refused at sign-in.
func (s *Service) gone(ctx context.Context, d Domain, people map[string]*Placement, at links, names map[string]string) (out []Placement, err error) {
	users, err := gorm.G[User](s.db.In(ctx)).Where("domain_id = ? AND source = ?", d.ID, LDAP).Order("id").Find(ctx)
	for _, u := range users {
		if people[fold(u.Username)] != nil {
			continue
		}
		p := Placement{Username: u.Username, Action: SyncRefuse, From: names[u.AccountID], user: &u}
		if len(at.accounts) > 0 {
			p.Action = disabling(u)
		}
		out = append(out, p)
	}
	return out, err
}

func (s *Service) accountNames(ctx context.Context, d Domain) (map[string]string, error) {
	rows, err := gorm.G[Account](s.db.In(ctx)).Where("domain_id = ?", d.ID).Find(ctx)
	out := make(map[string]string, len(rows))
	for _, a := range rows {
		out[a.ID] = a.Name
	}
	return out, err
}

// Sync does what a plan says. A directory that knows none of the people that it
// should is taken to be wrong, not empty. What changed since the plan was made
// stays as it is.
func (s *Service) Sync(ctx context.Context, plan SyncPlan) error {
	if err := onlyRoot(ctx); err != nil {
		return err
	}
	out := plan.Count(SyncDisable)
	if out > 0 && !slices.ContainsFunc(plan.Placements, func(p Placement) bool { return len(p.Groups) > 0 }) {
		return fault.New(fault.Conflict, "error.ldap_empty", "name", plan.Domain.FullName, "n", out)
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		for _, p := range plan.Placements {
			if err := s.place(ctx, plan, p); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) place(ctx context.Context, plan SyncPlan, p Placement) error {
	switch p.Action {
	case SyncCreate:
		u, err := s.userByName(ctx, plan.Domain.ID, p.Username)
		if err != nil || u != nil {
			return err
		}
		if p.to != "" {
			_, err = s.CreateUser(ctx, CreateUser{Account: AccountRef{ID: p.to}, User: p.who.user()})
			return err
		}
		_, _, err = s.CreateAccount(ctx, CreateAccount{Name: p.Username, DomainID: plan.Domain.ID, RoleID: plan.links.domain.RoleID, User: p.who.user()})
		return err
	case SyncMove:
		return s.moveUser(ctx, *p.user, p.to)
	case SyncDisable:
		return s.putOut(ctx, *p.user)
	}
	return nil
}
