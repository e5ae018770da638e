package iam

import (
	"context"
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"aerie/services/fault"
)

// mostPeople bounds what is read of a directory at once.
const mostPeople = 20000

// people are the users of a directory that pass a further filter, such as
// (memberOf=…); empty for all.
func (l LDAPServer) people(conn *ldap.Conn, filter string) ([]person, error) {
	all := fmt.Sprintf("(&(objectClass=%s)(%s=*)%s%s)", l.UserClass, l.AttrUsername, bracketed(l.UserFilter), filter)
	attrs := append([]string{l.AttrUsername, l.AttrEmail, l.AttrFirstName, l.AttrLastName}, stableIDs...)
	entries, err := l.search(conn, l.BaseDN, all, attrs)
	if err != nil {
		return nil, err
	}
	var out []person
	for _, e := range entries {
		name := e.GetEqualFoldAttributeValue(l.AttrUsername)
		if checkName("username", name, "") != nil {
			continue // nobody could sign in with it
		}
		out = append(out, l.personOf(e, name))
	}
	return out, nil
}

func (l LDAPServer) personOf(e *ldap.Entry, username string) person {
	return person{
		DN: e.DN, Username: username, Email: e.GetEqualFoldAttributeValue(l.AttrEmail),
		FirstName: e.GetEqualFoldAttributeValue(l.AttrFirstName), LastName: e.GetEqualFoldAttributeValue(l.AttrLastName),
		ID: entryID(e), ServerID: l.ID,
	}
}

// search reads all pages of what lies below a base.
func (l LDAPServer) search(conn *ldap.Conn, base, filter string, attrs []string) ([]*ldap.Entry, error) {
	res, err := conn.SearchWithPaging(ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, mostPeople, 0, false, filter, attrs, nil), 500)
	if ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) {
		return nil, fault.New(fault.Conflict, "error.ldap_too_many", "max", mostPeople)
	}
	if err != nil {
		return nil, fmt.Errorf("search at %s: %w", l.Host, err)
	}
	return res.Entries, nil
}

// peopleOf are those of a group or below a unit.
func (l LDAPServer) peopleOf(conn *ldap.Conn, kind, dn string) ([]person, error) {
	if kind == GroupLink && l.Nesting == NestingChain {
		return l.people(conn, fmt.Sprintf("(memberOf:%s:=%s)", inChain, ldap.EscapeFilter(dn)))
	}
	all, err := l.people(conn, "")
	if err != nil {
		return nil, err
	}
	in := func(p person) bool { return within(p.DN, dn) }
	if kind == GroupLink {
		members, err := l.closure(conn, dn)
		if err != nil {
			return nil, err
		}
		in = func(p person) bool { return members[dnKey(p.DN)] }
	}
	var out []person
	for _, p := range all {
		if in(p) {
			out = append(out, p)
		}
	}
	return out, nil
}

// closure is who and what is in a group, groups within it opened. It asks once
// for all groups; one that holds itself is opened once.
func (l LDAPServer) closure(conn *ldap.Conn, group string) (map[string]bool, error) {
	attrs := memberAttributes(l.AttrMember)
	var filter strings.Builder
	for _, attr := range attrs {
		fmt.Fprintf(&filter, "(%s=*)", attr)
	}
	groups, err := l.search(conn, l.BaseDN, "(|"+filter.String()+")", attrs)
	if err != nil {
		return nil, err
	}
	members := make(map[string][]string, len(groups))
	for _, g := range groups {
		for _, attr := range attrs {
			members[dnKey(g.DN)] = append(members[dnKey(g.DN)], g.GetEqualFoldAttributeValues(attr)...)
		}
	}
	return opened(members, dnKey(group), l.Nesting != NestingNone), nil
}

func opened(members map[string][]string, group string, nested bool) map[string]bool {
	in, todo := map[string]bool{}, []string{group}
	for len(todo) > 0 {
		at := todo[0]
		todo = todo[1:]
		for _, m := range members[at] {
			if key := dnKey(m); !in[key] {
				in[key] = true
				if nested {
					todo = append(todo, key)
				}
			}
		}
	}
	return in
}

func memberAttributes(own string) []string {
	out := []string{own}
	for _, attr := range []string{"member", "uniqueMember"} {
		if !strings.EqualFold(attr, own) {
			out = append(out, attr)
		}
	}
	return out
}

// dnKey is the form in which DNs are compared.
func dnKey(dn string) string {
	parsed, err := ldap.ParseDN(dn)
	if err != nil {
		return strings.ToLower(dn)
	}
	return strings.ToLower(parsed.String())
}

// directoryFault is what is said of directories that do not answer.
func directoryFault(err error) error {
	if _, down := err.(errDirectory); down { //nolint:errorlint // inTurn's own
		return fault.New(fault.Unavailable, "error.ldap_down").Because(err)
	}
	return err
}

// domainDirectories are a domain's directories; having none is a fault.
func (s *Service) domainDirectories(ctx context.Context, d Domain) ([]LDAPServer, error) {
	list, err := s.directories(ctx, d)
	if err == nil && len(list) == 0 {
		err = fault.New(fault.Conflict, "error.ldap_none", "name", d.FullName)
	}
	return list, err
}
