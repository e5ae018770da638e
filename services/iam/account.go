package iam

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/store"
)

// AccountByID finds an account the actor may see.
func (s *Service) AccountByID(ctx context.Context, id string) (Account, error) {
	a, err := gorm.G[Account](s.db.In(ctx)).Where("id = ?", id).Take(ctx)
	return a, absent(err, "id", id)
}

// AccountByName finds an account of a domain by name.
func (s *Service) AccountByName(ctx context.Context, domainID, name string) (Account, error) {
	a, err := gorm.G[Account](s.db.In(ctx)).Where("domain_id = ? AND name_key = ?", domainID, fold(name)).Take(ctx)
	if err == nil && *a.NameKey != fold(name) { // MariaDB takes é for e
		err = gorm.ErrRecordNotFound
	}
	return a, absent(err, "account", name)
}

// LookupAccount finds the owner that a request names by account and domain; it
// is the command registry's directory.
func (s *Service) LookupAccount(ctx context.Context, domainID, name string) (store.Owner, error) {
	a, err := s.AccountByName(ctx, domainID, name)
	return a.Owner(), err
}

// LookupDomain finds a domain's path; it is the command registry's directory.
func (s *Service) LookupDomain(ctx context.Context, id string) (string, error) {
	d, err := s.DomainByID(ctx, id)
	return d.Path, err
}

// OwnerByID is the owner that an account is.
func (s *Service) OwnerByID(ctx context.Context, id string) (store.Owner, error) {
	a, err := s.AccountByID(ctx, id)
	return a.Owner(), err
}

// LookupProject finds a project; it is the command registry's directory.
func (s *Service) LookupProject(ctx context.Context, id string) (store.Project, error) {
	p, err := store.Find[Project](ctx, s.db, id)
	return store.Project{Owner: p.Owner(), Suspended: p.State != ProjectActive}, err
}

// AccountRef names an account: by id, or by name and domain (the actor's own
// when none is given).
type AccountRef struct{ ID, Name, DomainID string }

// FindAccount finds what the reference names.
func (s *Service) FindAccount(ctx context.Context, r AccountRef) (Account, error) {
	if r.ID != "" {
		return s.AccountByID(ctx, r.ID)
	}
	if r.Name == "" {
		return Account{}, fault.Param("id", "error.account_unnamed")
	}
	if r.DomainID == "" {
		a, err := actor(ctx)
		if err != nil {
			return Account{}, err
		}
		r.DomainID = a.DomainID
	}
	return s.AccountByName(ctx, r.DomainID, r.Name)
}

// usable tells whether the account's users may sign in and start new work.
func (a Account) usable() bool { return a.State == Enabled && !a.RemovedAt.Valid }

// keepAnAdmin refuses to take away the last enabled root administrator. It
// holds ROOT until the transaction ends, so that two do not leave at once.
func (s *Service) keepAnAdmin(ctx context.Context, leaving Account) error {
	if leaving.RoleID != RoleRootAdmin {
		return nil
	}
	ctx = store.System(ctx, "count the root administrators")
	if err := s.db.In(ctx).Model(&Domain{}).Where("path = ?", "/").Update("state", active).Error; err != nil {
		return err
	}
	admins := s.db.In(ctx).Model(&Account{}).
		Where("role_id = ? AND state = ? AND id <> ?", RoleRootAdmin, Enabled, leaving.ID).Select("id")
	n, err := gorm.G[User](s.db.In(ctx)).Where("state = ? AND account_id IN (?)", Enabled, admins).Count(ctx, "*")
	if err == nil && n == 0 {
		return fault.New(fault.Conflict, "error.last_admin")
	}
	return err
}
