package iam

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/store"
)

// onlyRoot refuses everyone but root: a directory decides who gets in, and its
// address is one that Aerie connects to.
func onlyRoot(ctx context.Context) error {
	a, err := actor(ctx)
	if err == nil && !a.IsSystem() && a.Rank != store.Admin {
		return fault.New(fault.Forbidden, "error.rank")
	}
	return err
}

// AddLDAP adds a directory; its place is after those of the same domain.
func (s *Service) AddLDAP(ctx context.Context, l LDAPServer, bindPassword string) (LDAPServer, error) {
	l = l.withDefaults()
	if err := l.check(); err != nil {
		return l, err
	}
	if err := onlyRoot(ctx); err != nil {
		return l, err
	}
	if l.DomainID != "" {
		if _, err := s.DomainByID(ctx, l.DomainID); err != nil {
			return l, err
		}
	}
	var err error
	if l.BindPassword, err = s.db.Seal(bindPassword); err != nil {
		return l, err
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		n, err := gorm.G[LDAPServer](s.db.In(ctx)).Where("domain_id = ?", l.DomainID).Count(ctx, "*")
		if err != nil {
			return err
		}
		l.Row, l.Position = s.newRow(""), int(n)
		return s.db.In(ctx).Create(&l).Error
	})
	return l, err
}

// LDAPRef names a directory by id or by host, with port and domain when given.
type LDAPRef struct {
	ID, Host, DomainID string
	Port               int
}

// DeleteLDAP removes a directory.
func (s *Service) DeleteLDAP(ctx context.Context, r LDAPRef) (l LDAPServer, err error) {
	if err := onlyRoot(ctx); err != nil {
		return l, err
	}
	if r.ID == "" && r.Host == "" {
		return l, fault.Param("hostname", "error.ldap_host")
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		list, err := s.ldapQuery(ctx, r).Limit(2).Find(ctx)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return fault.Absent("hostname", r.Host+r.ID)
		}
		if len(list) > 1 {
			return fault.Param("hostname", "error.ldap_ambiguous", "value", r.Host)
		}
		l = list[0]
		return s.db.In(ctx).Model(&LDAPServer{}).Where("id = ?", l.ID).
			Updates(map[string]any{"removed_at": s.db.Now(), "bind_password": ""}).Error
	})
	return l, err
}

func (s *Service) ldapQuery(ctx context.Context, r LDAPRef) gorm.ChainInterface[LDAPServer] {
	q := gorm.G[LDAPServer](s.db.In(ctx)).Where("1 = 1")
	for column, v := range map[string]string{"id": r.ID, "host": r.Host, "domain_id": r.DomainID} {
		if v != "" {
			q = q.Where(column+" = ?", v)
		}
	}
	if r.Port != 0 {
		q = q.Where("port = ?", r.Port)
	}
	return q
}

// LDAPServers lists the directories that the actor may see.
func (s *Service) LDAPServers(ctx context.Context, r LDAPRef) ([]LDAPServer, error) {
	return s.ldapQuery(ctx, r).Order("domain_id, position, id").Find(ctx)
}

// LinkLDAP lets a group or organisational unit into a domain. A domain has one
// link; a new one replaces it.
func (s *Service) LinkLDAP(ctx context.Context, l LDAPLink) (LDAPLink, error) {
	if err := onlyRoot(ctx); err != nil {
		return l, err
	}
	if l.Type != GroupLink && l.Type != OULink {
		return l, fault.Param("type", "error.ldap_link_type")
	}
	if err := checkDN("ldapdomain", l.Name); err != nil || l.Name == "" {
		return l, fault.Param("ldapdomain", "error.ldap_dn", "value", l.Name)
	}
	if l.RoleID == "" {
		l.RoleID = defaultRoleFor(l.AccountType)
	}
	role, err := s.mayGrant(ctx, l.RoleID)
	if err != nil {
		return l, err
	}
	d, err := s.DomainByID(ctx, l.DomainID)
	if err != nil {
		return l, err
	}
	if role.typ.Rank() != l.AccountType || l.AccountType == store.Admin && !d.IsRoot() {
		return l, fault.Param("accounttype", "error.role_type")
	}
	l.ID, l.CreatedAt = s.db.NewID(), s.db.Now()
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.holdRole(ctx, role); err != nil {
			return err
		}
		if err := s.db.In(ctx).Where("domain_id = ?", d.ID).Delete(&LDAPLink{}).Error; err != nil {
			return err
		}
		return s.db.In(ctx).Create(&l).Error
	})
	return l, err
}

// dropDirectories removes what a domain had of directories.
func (s *Service) dropDirectories(ctx context.Context, d Domain) error {
	ctx = store.System(ctx, "directories of a removed domain")
	for _, link := range []any{&LDAPLink{}, &AccountLink{}} {
		if err := s.db.In(ctx).Where("domain_id = ?", d.ID).Delete(link).Error; err != nil {
			return err
		}
	}
	return s.db.In(ctx).Model(&LDAPServer{}).Where("domain_id = ?", d.ID).
		Updates(map[string]any{"removed_at": s.db.Now(), "bind_password": ""}).Error
}
