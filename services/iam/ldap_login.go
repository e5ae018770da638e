package iam

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-ldap/ldap/v3"
	"gorm.io/gorm"

	"aerie/services/fault"
)

// directoryLogin checks a password at the domain's directories. u is the user
// that is known already, or nil; who is new gets an account, or a place in one,
// if the domain or its accounts are linked. errNoDirectory says that this is no
// domain for it.
func (s *Service) directoryLogin(ctx context.Context, d Domain, u *User, name, password string) (User, error) {
	links, err := s.linksOf(ctx, d)
	if err != nil {
		return User{}, err
	}
	if u == nil && links.none() {
		return User{}, errNoDirectory
	}
	servers, err := s.directories(ctx, d)
	if err != nil {
		return User{}, err
	}
	if len(servers) == 0 {
		return User{}, errNoDirectory
	}
	who, err := inTurn(ctx, s, s.opts.LDAPTimeout, servers, func(_ context.Context, conn *ldap.Conn, l LDAPServer) (known, error) {
		return l.authenticate(conn, links, name, password)
	})
	if err != nil {
		return User{}, err
	}
	if len(links.accounts) > 0 {
		return s.synced(ctx, d, u, who)
	}
	if u != nil {
		if err := s.bindEntry(ctx, *u, who.person); err != nil {
			return User{}, err
		}
		return *u, s.refresh(ctx, *u, who.person)
	}
	return s.importPerson(ctx, d, *links.domain, who.person)
}

// links are what ties a domain to directories.
type links struct {
	domain   *LDAPLink
	accounts []AccountLink
}

func (l links) none() bool { return l.domain == nil && len(l.accounts) == 0 }

func (s *Service) linksOf(ctx context.Context, d Domain) (out links, err error) {
	list, err := gorm.G[LDAPLink](s.db.In(ctx)).Where("domain_id = ?", d.ID).Limit(1).Find(ctx)
	if err != nil {
		return out, err
	}
	if len(list) > 0 {
		out.domain = &list[0]
	}
	out.accounts, err = gorm.G[AccountLink](s.db.In(ctx)).Where("domain_id = ?", d.ID).Order("name, id").Find(ctx)
	return out, err
}

// known is a person whose password was right, and which of the accounts' links
// it is in.
type known struct {
	person
	in []AccountLink
}

// directories are the domain's own servers, or those for all domains.
func (s *Service) directories(ctx context.Context, d Domain) ([]LDAPServer, error) {
	list, err := gorm.G[LDAPServer](s.db.In(ctx)).Where("domain_id IN ?", []string{d.ID, ""}).Order("position, id").Find(ctx)
	if err != nil {
		return nil, err
	}
	var own, common []LDAPServer
	for _, l := range list {
		if l.DomainID == d.ID {
			own = append(own, l)
		} else {
			common = append(common, l)
		}
	}
	if len(own) > 0 {
		return own, nil
	}
	return common, nil
}

// authenticate checks a password at one server.
func (l LDAPServer) authenticate(conn *ldap.Conn, at links, name, password string) (known, error) {
	who, err := l.admitted(conn, at, name)
	if err != nil {
		return known{}, err
	}
	dn := "cn=nobody," + l.BaseDN // who is not admitted costs a bind as well
	if who != nil {
		dn = who.DN
	}
	in, err := l.groupsIn(conn, at.accounts, who)
	if err != nil {
		return known{}, err
	}
	switch err := l.bind(conn, dn, password); {
	case err != nil:
		return known{}, err
	case who == nil:
		return known{}, errRefused("not in the directory, or not in the group")
	}
	return known{*who, in}, nil
}

// groupsIn are the links that have the person. They are asked for before its
// password is: the searching user may see more.
func (l LDAPServer) groupsIn(conn *ldap.Conn, list []AccountLink, who *person) (in []AccountLink, err error) {
	if who == nil {
		return nil, nil
	}
	for _, link := range list {
		has := within(who.DN, link.Name)
		if link.Type == GroupLink {
			if has, err = l.member(conn, who.DN, link.Name); err != nil {
				return nil, err
			}
		}
		if has {
			in = append(in, link)
		}
	}
	return in, nil
}

// admitted finds the person and sees whether the directory's group and the
// domain's link have it; nil when not.
func (l LDAPServer) admitted(conn *ldap.Conn, at links, name string) (*person, error) {
	link := at.domain
	if len(at.accounts) > 0 {
		link = nil // its accounts' links decide
	}
	who, err := l.person(conn, l.BaseDN, name)
	if err != nil || who == nil {
		return nil, err
	}
	groups := []string{l.GroupDN}
	if link != nil && link.Type == GroupLink {
		groups = append(groups, link.Name)
	}
	if link != nil && link.Type == OULink && !within(who.DN, link.Name) {
		return nil, nil
	}
	for _, group := range groups {
		if group == "" {
			continue
		}
		if in, err := l.member(conn, who.DN, group); err != nil || !in {
			return nil, err
		}
	}
	return who, nil
}

// undecided are the answers of a server that could not look.
var undecided = []uint16{
	ldap.LDAPResultOperationsError, ldap.LDAPResultProtocolError, ldap.LDAPResultTimeLimitExceeded, ldap.LDAPResultAdminLimitExceeded,
	ldap.LDAPResultConfidentialityRequired, ldap.LDAPResultBusy, ldap.LDAPResultUnavailable, ldap.LDAPResultOther,
	ldap.LDAPResultReferral, ldap.ErrorNetwork, ldap.ErrorFilterCompile, ldap.ErrorUnexpectedMessage, ldap.ErrorUnexpectedResponse,
}

// bind checks the password. An empty one would be an anonymous bind, which any
// directory grants.
func (l LDAPServer) bind(conn *ldap.Conn, dn, password string) error {
	if password == "" {
		return errRefused("empty password")
	}
	err := conn.Bind(dn, password)
	if err == nil {
		return nil
	}
	var known *ldap.Error
	if !errors.As(err, &known) || ldap.IsErrorAnyOf(err, undecided...) {
		return fmt.Errorf("bind at %s: %w", l.Host, err)
	}
	return errRefused("the directory says " + ldap.LDAPResultCodeMap[known.ResultCode])
}

// refresh brings names and address up to date.
func (s *Service) refresh(ctx context.Context, u User, who person) error {
	set := map[string]any{}
	for column, v := range map[string][2]string{"email": {u.Email, who.Email}, "first_name": {u.FirstName, who.FirstName}, "last_name": {u.LastName, who.LastName}} {
		if v[1] != "" && v[0] != v[1] {
			set[column] = clip(v[1], 255)
		}
	}
	if len(set) == 0 {
		return nil
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		return s.db.In(ctx).Model(&User{}).Where("id = ?", u.ID).Updates(set).Error
	})
}

// importPerson gives a newcomer an account of its own. Several first logins at
// once make one.
func (s *Service) importPerson(ctx context.Context, d Domain, link LDAPLink, who person) (User, error) {
	_, u, err := s.CreateAccount(ctx, CreateAccount{Name: who.Username, DomainID: d.ID, RoleID: link.RoleID, User: NewUser{
		Username: who.Username, FirstName: clip(who.FirstName, 255), LastName: clip(who.LastName, 255), Email: clip(who.Email, 255), Source: LDAP,
		DirectoryEntry: who.entry(),
	}})
	if err == nil {
		return u, nil
	}
	if !fault.Is(err, fault.Invalid) {
		return User{}, err
	}
	if other, lookup := s.userByName(ctx, d.ID, who.Username); lookup == nil && other != nil && other.Source == LDAP {
		return *other, s.bindEntry(ctx, *other, who)
	}
	return User{}, errRefused("cannot import: " + err.Error())
}
