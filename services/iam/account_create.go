package iam

import (
	"context"
	"encoding/json"

	"aerie/services/fault"
	"aerie/services/store"
)

// CreateAccount asks for an account with its first user. RoleID or Type says
// what it may; the account's name is the user's without one.
type CreateAccount struct {
	Name          string
	DomainID      string // the actor's own without one
	RoleID        string
	Type          *store.Rank
	NetworkDomain string
	Details       map[string]string
	ID            string // wished; otherwise made
	User          NewUser
}

// CreateAccount makes an account and its first user.
func (s *Service) CreateAccount(ctx context.Context, r CreateAccount) (Account, User, error) {
	if r.Name == "" {
		r.Name = r.User.Username
	}
	if err := checkName("account", r.Name, "/"); err != nil {
		return Account{}, User{}, err
	}
	role, err := s.roleFor(ctx, &r)
	if err != nil {
		return Account{}, User{}, err
	}
	domain, err := s.domainFor(ctx, r.DomainID)
	if err != nil {
		return Account{}, User{}, err
	}
	if role.typ.Rank() == store.Admin && !domain.IsRoot() {
		return Account{}, User{}, fault.Param("roleid", "error.admin_outside_root")
	}
	r.User.DomainID = domain.ID
	r.User, err = s.ReadyUser(ctx, r.User)
	if err != nil {
		return Account{}, User{}, err
	}
	var (
		account Account
		user    User
	)
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if account, err = s.insertAccount(ctx, domain, role, r); err != nil {
			return err
		}
		user, err = s.insertUser(ctx, account, r.User)
		return err
	})
	return account, user, err
}

// roleFor fills and checks the role of a new account.
func (s *Service) roleFor(ctx context.Context, r *CreateAccount) (*power, error) {
	if r.RoleID == "" && r.Type == nil {
		return nil, fault.Param("roleid", "error.role_missing")
	}
	if r.RoleID == "" {
		r.RoleID = defaultRoleFor(*r.Type)
	}
	role, err := s.mayGrant(ctx, r.RoleID)
	if err == nil && r.Type != nil && *r.Type != role.typ.Rank() {
		err = fault.Param("accounttype", "error.role_type")
	}
	return role, err
}

func (s *Service) domainFor(ctx context.Context, id string) (Domain, error) {
	if id != "" {
		return s.DomainByID(ctx, id)
	}
	a, err := actor(ctx)
	if err != nil {
		return Domain{}, err
	}
	if a.DomainID == "" {
		return s.Root(ctx)
	}
	return s.DomainByID(ctx, a.DomainID)
}

func (s *Service) insertAccount(ctx context.Context, d Domain, role *power, r CreateAccount) (Account, error) {
	d, err := s.lockDomain(ctx, d.ID)
	if err != nil {
		return Account{}, err
	}
	if err := s.holdRole(ctx, role); err != nil {
		return Account{}, err
	}
	number, err := s.db.Next(ctx, "account")
	if err != nil {
		return Account{}, err
	}
	details, err := json.Marshal(r.Details)
	if err != nil {
		return Account{}, err
	}
	a := Account{
		Row: s.newRow(r.ID), Number: number, Name: r.Name, NameKey: ptr(fold(r.Name)),
		DomainID: d.ID, DomainPath: d.Path, Type: role.typ.Rank(), RoleID: r.RoleID, State: Enabled,
		NetworkDomain: r.NetworkDomain, APIKeyAccess: Inherit, Details: details,
	}
	if err := s.db.In(ctx).Create(&a).Error; err != nil {
		return a, taken(err, "account", r.Name)
	}
	if err := s.createQuotas(store.System(ctx, "counters of a new account"), a.ID, a.Type == store.Admin); err != nil {
		return a, err
	}
	return a, nil
}
