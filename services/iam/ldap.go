package iam

import (
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
	"gorm.io/gorm/clause"

	"aerie/services/fault"
	"aerie/services/store"
)

// How a directory is spoken to.
const (
	Plain    = "none"
	StartTLS = "starttls"
	LDAPS    = "ldaps"
)

// LDAPServer is a directory that checks passwords for a domain, or for every
// domain without one of its own. A domain's servers are asked in their order.
type LDAPServer struct {
	store.Row
	DomainID      string // empty for all domains
	Position      int
	Host          string
	Port          int
	Security      string
	CAPEM         []byte `gorm:"column:ca_pem"` // empty: the system's authorities
	BindDN        string
	BindPassword  store.Secret
	BaseDN        string
	UserClass     string
	UserFilter    string // further filter for users, such as (!(locked=TRUE))
	GroupDN       string // only members sign in
	AttrUsername  string
	AttrEmail     string
	AttrFirstName string
	AttrLastName  string
	AttrMember    string
	Nesting       string
}

// TableName is the table of directories.
func (LDAPServer) TableName() string { return "ldap_servers" }

// Scope lets root see all and a domain admin its own domain's.
func (LDAPServer) Scope(a store.Actor) clause.Expression {
	switch {
	case a.IsSystem(), a.Rank == store.Admin:
		return nil
	case a.Rank == store.DomainAdmin:
		return clause.Eq{Column: store.Column("domain_id"), Value: a.DomainID}
	default:
		return clause.Eq{Column: store.Column("id"), Value: "-"}
	}
}

// Kinds of links.
const (
	GroupLink = "GROUP"
	OULink    = "OU"
)

// LDAPLink lets the people of a group or an organisational unit into a domain;
// who signs in for the first time gets an account.
type LDAPLink struct {
	ID          string `gorm:"primaryKey"`
	CreatedAt   time.Time
	DomainID    string
	Type        string
	Name        string // DN
	AccountType store.Rank
	RoleID      string
}

// TableName is the table of links.
func (LDAPLink) TableName() string { return "ldap_links" }

// withDefaults fills what OpenLDAP's usual schema has.
func (l LDAPServer) withDefaults() LDAPServer {
	set := func(v *string, d string) {
		if *v == "" {
			*v = d
		}
	}
	set(&l.Security, Plain)
	set(&l.UserClass, "inetOrgPerson")
	set(&l.AttrUsername, "uid")
	set(&l.AttrEmail, "mail")
	set(&l.AttrFirstName, "givenName")
	set(&l.AttrLastName, "sn")
	set(&l.AttrMember, "uniqueMember")
	set(&l.Nesting, NestingSearch)
	if l.Port == 0 {
		l.Port = 389
		if l.Security == LDAPS {
			l.Port = 636
		}
	}
	return l
}

// check refuses what could not work or would change the meaning of a filter.
func (l LDAPServer) check() error {
	switch {
	case l.Host == "" || strings.ContainsAny(l.Host, "/@ ?#"):
		return fault.Param("hostname", "error.ldap_host")
	case l.Port < 1 || l.Port > 65535:
		return fault.Param("port", "error.ldap_port")
	case l.Security != Plain && l.Security != StartTLS && l.Security != LDAPS:
		return fault.Param("security", "error.ldap_security")
	case !slices.Contains([]string{NestingNone, NestingSearch, NestingMemberOf, NestingChain}, l.Nesting):
		return fault.Param("nesting", "error.ldap_nesting")
	}
	if len(l.CAPEM) > 0 && !x509.NewCertPool().AppendCertsFromPEM(l.CAPEM) {
		return fault.Param("cacertificate", "error.ldap_ca")
	}
	for param, dn := range map[string]string{"basedn": l.BaseDN, "binddn": l.BindDN, "groupdn": l.GroupDN} {
		if err := checkDN(param, dn); err != nil {
			return err
		}
	}
	for _, name := range []string{l.UserClass, l.AttrUsername, l.AttrEmail, l.AttrFirstName, l.AttrLastName, l.AttrMember} {
		if strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789-.;") != "" {
			return fault.Param("usernameattribute", "error.ldap_attribute", "value", name)
		}
	}
	if l.UserFilter != "" {
		if _, err := ldap.CompileFilter(l.UserFilter); err != nil {
			return fault.Param("userfilter", "error.ldap_filter")
		}
	}
	return nil
}

func checkDN(param, dn string) error {
	if _, err := ldap.ParseDN(dn); err != nil {
		return fault.Param(param, "error.ldap_dn", "value", dn)
	}
	return nil
}

var errNoDirectory = errors.New("iam: the domain has no directory")
