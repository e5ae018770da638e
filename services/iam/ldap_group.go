package iam

import (
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// How groups within groups are found.
const (
	NestingNone     = "none"     // not at all
	NestingSearch   = "search"   // upwards, group by group; works everywhere
	NestingMemberOf = "memberof" // by the memberOf that the directory keeps
	NestingChain    = "chain"    // by Active Directory's own rule
)

// inChain is the matching rule by which Active Directory opens groups itself
// (LDAP_MATCHING_RULE_IN_CHAIN).
const inChain = "1.2.840.113556.1.4.1941"

// groupDepth is how deep groups may nest.
const groupDepth = 16

// member tells whether a DN is in a group, by itself or through groups within.
func (l LDAPServer) member(conn *ldap.Conn, dn, group string) (bool, error) {
	if l.Nesting == NestingChain {
		return l.inChain(conn, dn, group)
	}
	depth := groupDepth
	if l.Nesting == NestingNone {
		depth = 1
	}
	seen, level := map[string]bool{dnKey(dn): true}, []string{dn}
	for range depth {
		above, err := l.above(conn, level)
		if err != nil {
			return false, err
		}
		level = nil
		for _, g := range above {
			if sameDN(g, group) {
				return true, nil
			}
			if key := dnKey(g); !seen[key] {
				seen[key] = true
				level = append(level, g)
			}
		}
		if len(level) == 0 {
			break
		}
	}
	return false, nil
}

// inChain asks the directory whether a group has the DN at any depth.
func (l LDAPServer) inChain(conn *ldap.Conn, dn, group string) (bool, error) {
	filter := fmt.Sprintf("(member:%s:=%s)", inChain, ldap.EscapeFilter(dn))
	res, err := conn.Search(ldap.NewSearchRequest(group, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, filter, []string{"1.1"}, nil))
	if ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("group at %s: %w", l.Host, err)
	}
	return len(res.Entries) == 1, nil
}

// above are the groups that have one of the DNs as a member.
func (l LDAPServer) above(conn *ldap.Conn, members []string) ([]string, error) {
	if l.Nesting == NestingMemberOf {
		return l.memberOf(conn, members)
	}
	return l.groupsOf(conn, members)
}

// memberOf reads what the directory itself keeps at each DN.
func (l LDAPServer) memberOf(conn *ldap.Conn, dns []string) (out []string, err error) {
	for _, dn := range dns {
		res, err := conn.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, "(objectClass=*)", []string{"memberOf"}, nil))
		if ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("memberOf at %s: %w", l.Host, err)
		}
		for _, e := range res.Entries {
			out = append(out, e.GetEqualFoldAttributeValues("memberOf")...)
		}
	}
	return out, nil
}

func (l LDAPServer) groupsOf(conn *ldap.Conn, members []string) ([]string, error) {
	var b strings.Builder
	for _, dn := range members {
		for _, attr := range memberAttributes(l.AttrMember) {
			fmt.Fprintf(&b, "(%s=%s)", attr, ldap.EscapeFilter(dn))
		}
	}
	entries, err := l.search(conn, l.BaseDN, "(|"+b.String()+")", []string{"1.1"})
	if err != nil {
		return nil, fmt.Errorf("groups: %w", err)
	}
	list := make([]string, len(entries))
	for i, e := range entries {
		list[i] = e.DN
	}
	return list, nil
}
