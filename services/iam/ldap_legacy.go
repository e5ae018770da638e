package iam

import (
	"context"
	"regexp"
	"strings"

	"aerie/services/fault"
)

// LegacyLDAP is the one directory of all domains as ldapConfig knew it. Query is
// a filter in which %u stands for the user's name, such as (&(uid=%u)).
type LegacyLDAP struct {
	Host, BaseDN, Query, BindDN string
	BindPassword                *string
	Port                        int
	SSL                         bool
}

var byName = regexp.MustCompile(`\(([A-Za-z0-9.;-]+)=%u\)`)

// split takes the attribute of user names out of the query; the rest is a
// filter for people.
func (r LegacyLDAP) split() (attr, rest string, err error) {
	at := byName.FindAllStringSubmatchIndex(r.Query, -1)
	if len(at) != 1 {
		return "", "", fault.Param("queryfilter", "error.ldap_query")
	}
	attr = r.Query[at[0][2]:at[0][3]]
	rest = r.Query[:at[0][0]] + "(objectClass=*)" + r.Query[at[0][1]:]
	if strings.Contains(rest, "%") {
		return "", "", fault.Param("queryfilter", "error.ldap_query")
	}
	if rest == "(objectClass=*)" {
		rest = ""
	}
	return attr, rest, nil
}

// SetLegacyLDAP makes it the directory of all domains: the one there is, or a
// new one. Where there are several, they are changed one by one.
func (s *Service) SetLegacyLDAP(ctx context.Context, r LegacyLDAP) (LDAPServer, error) {
	attr, rest, err := r.split()
	if err != nil {
		return LDAPServer{}, err
	}
	l := LDAPServer{Host: r.Host, Port: r.Port, BaseDN: r.BaseDN, BindDN: r.BindDN, AttrUsername: attr, UserFilter: rest}
	if r.SSL {
		l.Security = LDAPS
	}
	old, err := s.legacy(ctx)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return LDAPServer{}, err
	}
	if old == nil {
		return s.AddLDAP(ctx, l, *or(r.BindPassword, ptr("")))
	}
	l.ID, l.CAPEM, l.UserClass, l.GroupDN, l.Nesting = old.ID, old.CAPEM, old.UserClass, old.GroupDN, old.Nesting
	l.AttrEmail, l.AttrFirstName, l.AttrLastName, l.AttrMember = old.AttrEmail, old.AttrFirstName, old.AttrLastName, old.AttrMember
	return s.UpdateLDAP(ctx, l, r.BindPassword)
}

// Legacy is the one directory of all domains.
func (s *Service) Legacy(ctx context.Context) (LDAPServer, error) {
	l, err := s.legacy(ctx)
	if err != nil {
		return LDAPServer{}, err
	}
	return *l, nil
}

func (s *Service) legacy(ctx context.Context) (*LDAPServer, error) {
	if err := onlyRoot(ctx); err != nil {
		return nil, err
	}
	list, err := s.ldapQuery(ctx, LDAPRef{}).Where("domain_id = ?", "").Limit(2).Find(ctx)
	switch {
	case err != nil:
		return nil, err
	case len(list) == 0:
		return nil, fault.New(fault.NotFound, "error.ldap_none", "name", "ROOT")
	case len(list) > 1:
		return nil, fault.New(fault.Conflict, "error.ldap_several")
	}
	return &list[0], nil
}

// LegacyQuery is a directory's filter as ldapConfig writes it.
func (l LDAPServer) LegacyQuery() string {
	one := "(" + l.AttrUsername + "=%u)"
	if l.UserFilter == "" {
		return one
	}
	return "(&" + one + bracketed(l.UserFilter) + ")"
}
