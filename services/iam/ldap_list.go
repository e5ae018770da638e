package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/store"
)

// Which people of a directory are listed, by CloudStack's names.
const (
	NoFilter        = "NoFilter"        // all
	LocalDomain     = "LocalDomain"     // who is no user of the domain
	AnyDomain       = "AnyDomain"       // who is no user of any domain
	PotentialImport = "PotentialImport" // who could be imported into the domain, or whose name is taken there
)

// DirectoryQuery asks for people of a domain's directories.
type DirectoryQuery struct {
	DomainID string // the actor's own without one
	Group    string // a group's DN, or its name
	Keyword  string
	Filter   string // NoFilter without one
}

// DirectoryPerson is somebody in a directory. Taken is where the user of that
// name in the domain signs in, when there is one: native or ldap.
type DirectoryPerson struct {
	DN, Username, Email, FirstName, LastName string
	// Unit is the organisational unit, from the nearest to the farthest.
	Unit  string
	Taken string

	who person
}

// DirectoryPeople lists people of a domain's directories. It asks them, and so
// belongs outside transactions. Only root may.
func (s *Service) DirectoryPeople(ctx context.Context, q DirectoryQuery) ([]DirectoryPerson, error) {
	if err := onlyRoot(ctx); err != nil {
		return nil, err
	}
	d, err := s.domainFor(ctx, q.DomainID)
	if err != nil {
		return nil, err
	}
	people, err := s.askPeople(ctx, d, q.Group)
	if err != nil {
		return nil, err
	}
	return s.sift(ctx, d, people, q)
}

// askPeople are all of a domain's directories, or those of a group.
func (s *Service) askPeople(ctx context.Context, d Domain, group string) ([]person, error) {
	servers, err := s.domainDirectories(ctx, d)
	if err != nil {
		return nil, err
	}
	out, err := inTurn(ctx, s, browsing, servers, func(_ context.Context, conn *ldap.Conn, l LDAPServer) ([]person, error) {
		if group == "" {
			return l.people(conn, "")
		}
		dn, err := l.groupDN(conn, group)
		if err != nil {
			return nil, err
		}
		return l.peopleOf(conn, GroupLink, dn)
	})
	return out, directoryFault(err)
}

// groupDN finds the one group of a name; a DN stays as it is.
func (l LDAPServer) groupDN(conn *ldap.Conn, name string) (string, error) {
	if _, err := ldap.ParseDN(name); err == nil && strings.Contains(name, "=") {
		return name, nil
	}
	var has strings.Builder
	for _, attr := range memberAttributes(l.AttrMember) {
		has.WriteString("(" + attr + "=*)")
	}
	found, err := l.search(conn, l.BaseDN, "(&(cn="+ldap.EscapeFilter(name)+")(|"+has.String()+"))", []string{"1.1"})
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fault.Param("group", "error.ldap_group", "value", name, "n", len(found))
	}
	return found[0].DN, nil
}

func (s *Service) sift(ctx context.Context, d Domain, people []person, q DirectoryQuery) (out []DirectoryPerson, err error) {
	here, anywhere, err := s.namesTaken(ctx, d, people)
	if err != nil {
		return nil, err
	}
	for _, p := range people {
		u, name := here[fold(p.Username)], fold(p.Username)
		switch {
		case !matches(p, q.Keyword),
			q.Filter == LocalDomain && u != nil,
			q.Filter == AnyDomain && anywhere[name],
			q.Filter == PotentialImport && u != nil && u.Source == LDAP:
			continue
		}
		one := DirectoryPerson{
			DN: p.DN, Username: p.Username, Email: p.Email, FirstName: p.FirstName, LastName: p.LastName, Unit: unitOf(p.DN), who: p,
		}
		if u != nil {
			one.Taken = u.Source
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b DirectoryPerson) int { return strings.Compare(fold(a.Username), fold(b.Username)) })
	return out, nil
}

func matches(p person, word string) bool {
	if word == "" {
		return true
	}
	for _, text := range []string{p.Username, p.Email, p.FirstName, p.LastName, p.DN} {
		if strings.Contains(strings.ToLower(text), strings.ToLower(word)) {
			return true
		}
	}
	return false
}

// namesTaken are the users of a domain by their names, and which names any
// domain has.
func (s *Service) namesTaken(ctx context.Context, d Domain, people []person) (here map[string]*User, anywhere map[string]bool, err error) {
	here, anywhere = map[string]*User{}, map[string]bool{}
	sys := store.System(ctx, "names that a directory's people have already")
	for chunk := range slices.Chunk(people, 500) {
		keys := make([]string, len(chunk))
		for i, p := range chunk {
			keys[i] = fold(p.Username)
		}
		rows, err := gorm.G[User](s.db.In(sys)).Where("login_key IN ?", keys).Find(ctx)
		if err != nil {
			return nil, nil, err
		}
		for _, u := range rows {
			anywhere[*u.LoginKey] = true
			if u.DomainID == d.ID {
				here[*u.LoginKey] = &u
			}
		}
	}
	return here, anywhere, nil
}

// unitOf are the organisational units of a DN.
func unitOf(dn string) string {
	parsed, err := ldap.ParseDN(dn)
	if err != nil {
		return ""
	}
	var units []string
	for _, rdn := range parsed.RDNs {
		for _, a := range rdn.Attributes {
			if strings.EqualFold(a.Type, "ou") {
				units = append(units, a.Value)
			}
		}
	}
	return strings.Join(units, ".")
}
