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
			who := l.personOf(e, username)
			return &who, nil
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
