package iam

import (
	"context"
	"slices"
	"strings"

	"aerie/services/fault"
	"aerie/services/store"
)

// ImportLDAP asks for users from a directory.
type ImportLDAP struct {
	DirectoryQuery
	// Usernames limits it to these; empty for all that the query finds.
	Usernames []string
	// Account is whom all become users of; without one each gets its own.
	Account           string
	RoleID            string
	Rank              *store.Rank
	Details           map[string]string
	Timezone, Network string
	// AccountID and UserID are the ids that are wished for one person.
	AccountID, UserID string
	// Offset and Limit take a part of what the query finds; no limit: all.
	Offset, Limit int

	people []DirectoryPerson
	ready  bool
}

// ReadyImport asks the directories; Import does it in the caller's transaction.
// A domain that is not named is one of the group's name, or of each person's
// unit, as in CloudStack; it is made below ROOT if it is not there.
func (s *Service) ReadyImport(ctx context.Context, r ImportLDAP) (ImportLDAP, error) {
	if r.ready {
		return r, nil
	}
	if r.Filter == "" {
		r.Filter = NoFilter
	}
	people, err := s.DirectoryPeople(ctx, r.DirectoryQuery)
	if err != nil {
		return r, err
	}
	if len(r.Usernames) > 0 {
		people = slices.DeleteFunc(people, func(p DirectoryPerson) bool {
			return !slices.ContainsFunc(r.Usernames, func(n string) bool { return fold(n) == fold(p.Username) })
		})
		if len(people) == 0 {
			return r, fault.Param("username", "error.ldap_nobody", "value", strings.Join(r.Usernames, ", "))
		}
	}
	people = people[min(r.Offset, len(people)):]
	if r.Limit > 0 {
		people = people[:min(r.Limit, len(people))]
	}
	r.people, r.ready = people, true
	return r, checkPerson("", r.Timezone)
}

// Import makes users of the people that ReadyImport found, and returns those
// who were made. Who is a user already, here or in the directory, is left as it
// is.
func (s *Service) Import(ctx context.Context, r ImportLDAP) (made []DirectoryPerson, err error) {
	if !r.ready {
		return nil, errNoDirectory
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		made = nil
		for _, p := range r.people {
			d, err := s.importDomain(ctx, r, p)
			if err != nil {
				return err
			}
			u, err := s.userByName(ctx, d.ID, p.Username)
			if err != nil {
				return err
			}
			if u != nil {
				continue
			}
			if err := s.importInto(ctx, d, r, p); err != nil {
				return err
			}
			made = append(made, p)
		}
		return nil
	})
	return made, err
}

// ImportOne is Import for one person who must not be a user yet.
func (s *Service) ImportOne(ctx context.Context, r ImportLDAP) (Account, error) {
	if len(r.people) != 1 {
		return Account{}, fault.Param("username", "error.ldap_nobody", "value", strings.Join(r.Usernames, ", "))
	}
	var a Account
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		d, err := s.domainFor(ctx, r.DomainID)
		if err != nil {
			return err
		}
		if err := s.importInto(ctx, d, r, r.people[0]); err != nil {
			return err
		}
		a, err = s.AccountByName(ctx, d.ID, accountOf(r, r.people[0]))
		return err
	})
	return a, err
}

func accountOf(r ImportLDAP, p DirectoryPerson) string {
	if r.Account != "" {
		return r.Account
	}
	return p.Username
}

func (s *Service) importInto(ctx context.Context, d Domain, r ImportLDAP, p DirectoryPerson) error {
	n := p.who.user()
	n.Timezone, n.ID = r.Timezone, r.UserID
	n, err := s.ReadyUser(ctx, n)
	if err != nil {
		return err
	}
	a, err := s.AccountByName(ctx, d.ID, accountOf(r, p))
	if store.IsAbsent(err) {
		_, _, err = s.CreateAccount(ctx, CreateAccount{
			Name: accountOf(r, p), DomainID: d.ID, RoleID: r.RoleID, Type: r.Rank, Details: r.Details, NetworkDomain: r.Network, ID: r.AccountID, User: n,
		})
		return err
	}
	if err != nil {
		return err
	}
	if r.Account == "" { // a stranger's account of the person's name
		return fault.Param("username", "error.ldap_account_taken", "value", p.Username)
	}
	_, err = s.CreateUser(ctx, CreateUser{Account: AccountRef{ID: a.ID}, User: n})
	return err
}

// importDomain is the domain that somebody is imported into.
func (s *Service) importDomain(ctx context.Context, r ImportLDAP, p DirectoryPerson) (Domain, error) {
	if r.DomainID != "" {
		return s.DomainByID(ctx, r.DomainID)
	}
	name := p.Unit
	if r.Group != "" {
		name = r.Group
		if i := strings.IndexByte(name, '='); i >= 0 {
			name, _, _ = strings.Cut(name[i+1:], ",")
		}
	}
	root, err := s.Root(ctx)
	if err != nil || name == "" {
		return root, err
	}
	d, err := s.DomainByPath(ctx, name)
	if store.IsAbsent(err) {
		return s.CreateDomain(ctx, CreateDomain{Name: name, ParentID: root.ID})
	}
	return d, err
}
