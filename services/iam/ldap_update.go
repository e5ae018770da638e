package iam

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/fault"
)

// LDAPByID finds a directory that the actor may see.
func (s *Service) LDAPByID(ctx context.Context, id string) (LDAPServer, error) {
	l, err := gorm.G[LDAPServer](s.db.In(ctx)).Where("id = ?", id).Take(ctx)
	return l, absent(err, "id", id)
}

// UpdateLDAP changes a directory. A nil password stays as it is.
func (s *Service) UpdateLDAP(ctx context.Context, l LDAPServer, bindPassword *string) (LDAPServer, error) {
	if err := onlyRoot(ctx); err != nil {
		return l, err
	}
	old, err := s.LDAPByID(ctx, l.ID)
	if err != nil {
		return l, err
	}
	l = l.withDefaults()
	if err := l.check(); err != nil {
		return l, err
	}
	// What a password was given for, it goes to: a new address must be given it
	// again.
	if bindPassword == nil && l.BindDN != "" && len(old.BindPassword) > 0 && (l.Host != old.Host || l.Port != old.Port || weaker(old.Security, l.Security)) {
		return l, fault.Param("bindpassword", "error.ldap_password_again")
	}
	set := map[string]any{
		"host": l.Host, "port": l.Port, "security": l.Security, "ca_pem": l.CAPEM, "bind_dn": l.BindDN, "base_dn": l.BaseDN,
		"user_class": l.UserClass, "user_filter": l.UserFilter, "group_dn": l.GroupDN, "attr_username": l.AttrUsername,
		"attr_email": l.AttrEmail, "attr_first_name": l.AttrFirstName, "attr_last_name": l.AttrLastName, "attr_member": l.AttrMember,
		"nesting": l.Nesting,
	}
	if bindPassword != nil {
		if set["bind_password"], err = s.db.Seal(*bindPassword); err != nil {
			return l, err
		}
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		done := s.db.In(ctx).Model(&LDAPServer{}).Where("id = ?", l.ID).Updates(set)
		if done.Error == nil && done.RowsAffected == 0 {
			return fault.Absent("id", l.ID)
		}
		return done.Error
	})
	if err != nil {
		return l, err
	}
	return s.LDAPByID(ctx, l.ID)
}

// weaker tells that a password would go out in the clear where it did not.
func weaker(from, to string) bool { return from != Plain && to == Plain }

// TestLDAP connects to a directory and counts the people that it shows, at most
// 20000. Only root may.
func (s *Service) TestLDAP(ctx context.Context, id string) (n int, err error) {
	if err := onlyRoot(ctx); err != nil {
		return 0, err
	}
	l, err := s.LDAPByID(ctx, id)
	if err != nil {
		return 0, err
	}
	people, err := inTurn(ctx, s, browsing, []LDAPServer{l}, peopleOfAll)
	return len(people), directoryFault(err)
}
