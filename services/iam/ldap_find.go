package iam

import (
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// person is who a directory knows by a user name.
type person struct {
	DN, Username, Email, FirstName, LastName string

	ID, ServerID string // see entry
}

// person finds the one entry of a user name; nil when there is none.
func (l LDAPServer) person(conn *ldap.Conn, base, name string) (*person, error) {
	filter := fmt.Sprintf("(&(objectClass=%s)(%s=%s)%s)", l.UserClass, l.AttrUsername, ldap.EscapeFilter(name), bracketed(l.UserFilter))
	attrs := append([]string{l.AttrUsername, l.AttrEmail, l.AttrFirstName, l.AttrLastName}, stableIDs...)
	res, err := conn.Search(ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 2, 0, false, filter, attrs, nil))
	if err != nil && !(ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) && res != nil) {
		return nil, fmt.Errorf("search at %s: %w", l.Host, err)
	}
	if len(res.Entries) != 1 { // nobody, or nobody knows who
		return nil, nil
	}
	e := res.Entries[0]
	for _, username := range e.GetEqualFoldAttributeValues(l.AttrUsername) {
		// The directory compares more loosely than the table of users does.
		if fold(username) == fold(name) {
			return &person{
				DN: e.DN, Username: username, Email: e.GetEqualFoldAttributeValue(l.AttrEmail),
				FirstName: e.GetEqualFoldAttributeValue(l.AttrFirstName), LastName: e.GetEqualFoldAttributeValue(l.AttrLastName),
				ID: entryID(e), ServerID: l.ID,
			}, nil
		}
	}
	return nil, nil
}

func bracketed(filter string) string {
	if filter == "" || strings.HasPrefix(filter, "(") {
		return filter
	}
	return "(" + filter + ")"
}

// groupDepth is how deep groups may nest.
const groupDepth = 5

// member tells whether a DN is in a group, by itself or through groups within.
func (l LDAPServer) member(conn *ldap.Conn, dn, group string) (bool, error) {
	seen, level := map[string]bool{}, []string{dn}
	for range groupDepth {
		above, err := l.groupsOf(conn, level)
		if err != nil {
			return false, err
		}
		level = nil
		for _, g := range above {
			if sameDN(g, group) {
				return true, nil
			}
			if key := strings.ToLower(g); !seen[key] {
				seen[key] = true
				level = append(level, g)
			}
		}
		if len(level) == 0 {
			return false, nil
		}
	}
	return false, nil
}

func (l LDAPServer) groupsOf(conn *ldap.Conn, members []string) ([]string, error) {
	var b strings.Builder
	for _, dn := range members {
		for _, attr := range []string{l.AttrMember, "member", "uniqueMember"} {
			fmt.Fprintf(&b, "(%s=%s)", attr, ldap.EscapeFilter(dn))
		}
	}
	res, err := conn.SearchWithPaging(ldap.NewSearchRequest(l.BaseDN, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
		"(|"+b.String()+")", []string{"1.1"}, nil), 500)
	if err != nil {
		return nil, fmt.Errorf("groups at %s: %w", l.Host, err)
	}
	list := make([]string, len(res.Entries))
	for i, e := range res.Entries {
		list[i] = e.DN
	}
	return list, nil
}

func sameDN(a, b string) bool {
	x, err := ldap.ParseDN(a)
	if err != nil {
		return false
	}
	y, err := ldap.ParseDN(b)
	return err == nil && x.EqualFold(y)
}

// within tells whether a DN is below another.
func within(dn, unit string) bool {
	x, err := ldap.ParseDN(dn)
	if err != nil {
		return false
	}
	y, err := ldap.ParseDN(unit)
	return err == nil && y.AncestorOfFold(x)
}
