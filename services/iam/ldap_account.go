package iam

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"aerie/services/fault"
	"aerie/services/store"
)

// AccountLink says that the people of a group, or below a unit, are users of an
// account. A domain that has such links takes nobody who is in none of them, or
// in several.
type AccountLink struct {
	ID        string `gorm:"primaryKey"`
	CreatedAt time.Time
	DomainID  string
	AccountID string
	Type      string
	Name      string // DN
	NameKey   string
}

// TableName is the table of accounts' links.
func (AccountLink) TableName() string { return "ldap_account_links" }

// Scope lets root see all links and others none.
func (AccountLink) Scope(a store.Actor) clause.Expression { return rootsOnly(a) }

// Scope lets root see all links and others none.
func (LDAPLink) Scope(a store.Actor) clause.Expression { return rootsOnly(a) }

func rootsOnly(a store.Actor) clause.Expression {
	if a.IsSystem() || a.Rank == store.Admin {
		return nil
	}
	return clause.Expr{SQL: "1 = 0"}
}

// LinkAccount asks for a link between an account and a group or unit.
type LinkAccount struct {
	DomainID, Account string
	Type, Name        string
	// RoleID or Rank are those of the account when it is not there yet.
	RoleID string
	Rank   *store.Rank
	// Admin is a user of the directory who becomes a user of the account.
	Admin string
}

// LinkAccountLDAP ties an account to a group or unit. The account is made when
// it is not there, with Admin as its first user. An account has one link; a new
// one replaces it, and a group has one account.
func (s *Service) LinkAccountLDAP(ctx context.Context, r LinkAccount) (AccountLink, Account, error) {
	var none Account
	if err := onlyRoot(ctx); err != nil {
		return AccountLink{}, none, err
	}
	if r.Type == "" {
		r.Type = GroupLink
	}
	if r.Type != GroupLink && r.Type != OULink {
		return AccountLink{}, none, fault.Param("type", "error.ldap_link_type")
	}
	if err := checkDN("ldapdomain", r.Name); err != nil || r.Name == "" {
		return AccountLink{}, none, fault.Param("ldapdomain", "error.ldap_dn", "value", r.Name)
	}
	d, err := s.DomainByID(ctx, r.DomainID)
	if err != nil {
		return AccountLink{}, none, err
	}
	var a Account
	l := AccountLink{ID: s.db.NewID(), CreatedAt: s.db.Now(), DomainID: d.ID, Type: r.Type, Name: r.Name, NameKey: digest(dnKey(r.Name))}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if a, err = s.linkedAccount(ctx, d, r); err != nil {
			return err
		}
		l.AccountID = a.ID
		if err := s.lockAccount(ctx, a); err != nil {
			return err
		}
		if err := s.db.In(ctx).Where("account_id = ?", a.ID).Delete(&AccountLink{}).Error; err != nil {
			return err
		}
		if err := s.db.In(ctx).Create(&l).Error; err != nil {
			return taken(err, "ldapdomain", r.Name)
		}
		return nil
	})
	return l, a, err
}

// linkedAccount is the account of that name with Admin in it; it is made if need
// be.
func (s *Service) linkedAccount(ctx context.Context, d Domain, r LinkAccount) (Account, error) {
	admin := NewUser{Username: r.Admin, Source: LDAP}
	a, err := s.AccountByName(ctx, d.ID, r.Account)
	if store.IsAbsent(err) {
		if r.RoleID == "" && r.Rank == nil {
			r.Rank = ptr(store.User)
		}
		made := CreateAccount{Name: r.Account, DomainID: d.ID, RoleID: r.RoleID, Type: r.Rank, User: admin}
		if r.Admin == "" {
			return s.createEmptyAccount(ctx, made)
		}
		a, _, err = s.CreateAccount(ctx, made)
		return a, err
	}
	if err != nil {
		return a, err
	}
	if err := s.mayManage(ctx, a); err != nil {
		return a, err
	}
	if r.Rank != nil && *r.Rank != a.Type {
		return a, fault.Param("accounttype", "error.role_type")
	}
	if r.Admin == "" {
		return a, nil
	}
	if u, err := s.userByName(ctx, d.ID, r.Admin); err != nil || u != nil && u.AccountID == a.ID {
		return a, err
	}
	ready, err := s.ReadyUser(ctx, admin)
	if err != nil {
		return a, fault.Param("admin", fault.Of(err).Key, "value", r.Admin)
	}
	_, err = s.insertUser(ctx, a, ready)
	return a, err
}

// createEmptyAccount makes an account whose users will come from a directory.
func (s *Service) createEmptyAccount(ctx context.Context, r CreateAccount) (Account, error) {
	if err := checkName("account", r.Name, "/"); err != nil {
		return Account{}, err
	}
	role, err := s.roleFor(ctx, &r)
	if err != nil {
		return Account{}, err
	}
	d, err := s.DomainByID(ctx, r.DomainID)
	if err != nil {
		return Account{}, err
	}
	if role.typ.Rank() == store.Admin && !d.IsRoot() {
		return Account{}, fault.Param("roleid", "error.admin_outside_root")
	}
	return s.insertAccount(ctx, d, role, r)
}

// dropAccountLink removes the link of an account that goes.
func (s *Service) dropAccountLink(ctx context.Context, a Account) error {
	ctx = store.System(ctx, "the link of a removed account")
	return s.db.In(ctx).Where("account_id = ?", a.ID).Delete(&AccountLink{}).Error
}
