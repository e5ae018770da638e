package iam

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-ldap/ldap/v3"
	"gorm.io/gorm"

	"aerie/services/fault"
)

// directoryLogin checks a password at the domain's directories. u is the user
// that is known already, or nil; who is new gets an account if the domain is
// linked. errNoDirectory says that this is no domain for it.
func (s *Service) directoryLogin(ctx context.Context, d Domain, u *User, name, password string) (User, error) {
	links, err := gorm.G[LDAPLink](s.db.In(ctx)).Where("domain_id = ?", d.ID).Limit(1).Find(ctx)
	if err != nil {
		return User{}, err
	}
	if u == nil && len(links) == 0 {
		return User{}, errNoDirectory
	}
	servers, err := s.directories(ctx, d)
	if err != nil {
		return User{}, err
	}
	if len(servers) == 0 {
		return User{}, errNoDirectory
	}
	var link *LDAPLink
	if len(links) > 0 {
		link = &links[0]
	}
	who, err := s.askDirectories(ctx, servers, link, name, password)
	if err != nil {
		return User{}, err
	}
	if u != nil {
		if err := s.bindEntry(ctx, *u, *who); err != nil {
			return User{}, err
		}
		return *u, s.refresh(ctx, *u, *who)
	}
	return s.importPerson(ctx, d, *link, *who)
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

// askDirectories asks one server after the other until one decides. All of them
// together have LDAPTimeout; each gets its share of what is left.
func (s *Service) askDirectories(ctx context.Context, servers []LDAPServer, link *LDAPLink, name, password string) (*person, error) {
	ctx, cancel := context.WithTimeout(ctx, s.opts.LDAPTimeout)
	defer cancel()
	var failed []error
	for i, l := range servers {
		share, done := context.WithTimeout(ctx, timeLeft(ctx)/time.Duration(len(servers)-i))
		who, err := s.ask(share, l, link, name, password)
		done()
		var refused errRefused
		if err == nil || errors.As(err, &refused) {
			return who, err
		}
		failed = append(failed, err)
	}
	return nil, errDirectory{errors.Join(failed...)}
}

func timeLeft(ctx context.Context) time.Duration {
	deadline, _ := ctx.Deadline()
	return time.Until(deadline)
}

func (s *Service) ask(ctx context.Context, l LDAPServer, link *LDAPLink, name, password string) (*person, error) {
	secret, err := s.db.Reveal(l.BindPassword)
	if err != nil {
		return nil, err
	}
	conn, err := l.dial(ctx, secret)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	who, err := l.admitted(conn, link, name)
	if err != nil {
		return nil, err
	}
	dn := "cn=nobody," + l.BaseDN // who is not admitted costs a bind as well
	if who != nil {
		dn = who.DN
	}
	switch err := l.bind(conn, dn, password); {
	case err != nil:
		return nil, err
	case who == nil:
		return nil, errRefused("not in the directory, or not in the group")
	}
	return who, nil
}

// admitted finds the person and sees whether the directory's group and the
// domain's link have it; nil when not.
func (l LDAPServer) admitted(conn *ldap.Conn, link *LDAPLink, name string) (*person, error) {
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
