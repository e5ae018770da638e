package iam

import (
	"context"
	"strings"
	"time"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/store"
)

// NewUser is a user to be.
type NewUser struct {
	Username, Password         string
	FirstName, LastName, Email string
	Timezone, Language         string
	ID                         string // wished; otherwise made
	Source                     string // Native without one
	PasswordHash               string // of another system: bcrypt or argon2id
	DirectoryEntry             string // of a directory user; the first login's without one
	DomainID                   string // whose rules the password obeys; the actor's without one

	ready bool // checked, and PasswordHash is what is stored
}

// UserByID finds a user the actor may see.
func (s *Service) UserByID(ctx context.Context, id string) (User, error) {
	u, err := gorm.G[User](s.db.In(ctx)).Where("id = ?", id).Take(ctx)
	return u, absent(err, "id", id)
}

// userByName finds a user of a domain by name.
func (s *Service) userByName(ctx context.Context, domainID, name string) (*User, error) {
	list, err := gorm.G[User](s.db.In(ctx)).Where("domain_id = ? AND login_key = ?", domainID, fold(name)).Limit(1).Find(ctx)
	if err != nil || len(list) == 0 || *list[0].LoginKey != fold(name) { // MariaDB takes é for e
		return nil, err
	}
	return &list[0], nil
}

// UserByName finds a user of a domain by name, if the actor may see it.
func (s *Service) UserByName(ctx context.Context, domainID, name string) (User, error) {
	u, err := s.userByName(ctx, domainID, name)
	if err == nil && u == nil {
		err = fault.Absent("username", name)
	}
	if err != nil {
		return User{}, err
	}
	return *u, nil
}

// ReadyUser checks a new user and hashes its password. Who creates one in a
// transaction calls it before: hashing there is refused.
func (s *Service) ReadyUser(ctx context.Context, u NewUser) (NewUser, error) {
	if u.ready {
		return u, nil
	}
	if err := checkName("username", u.Username, ""); err != nil {
		return u, err
	}
	if err := checkPerson(u.Email, u.Timezone); err != nil {
		return u, err
	}
	var err error
	switch {
	case u.Source != "" && u.Source != Native:
		u.PasswordHash = ""
	case u.PasswordHash == "":
		if err = s.obeys(ctx, u); err == nil {
			u.PasswordHash, err = s.hashPassword(ctx, u.Password)
		}
	case !importable(u.PasswordHash):
		err = fault.Param("password", "error.password_hash")
	}
	u.Password, u.ready = "", err == nil
	return u, err
}

// obeys refuses a password that the domain's rules do not allow.
func (s *Service) obeys(ctx context.Context, u NewUser) error {
	d, err := s.domainFor(ctx, u.DomainID)
	if err != nil {
		return err
	}
	return s.opts.Policy(ctx, store.Owner{DomainID: d.ID, DomainPath: d.Path}).Check(u.Username, u.Password)
}

// checkPerson refuses an address that could break a mail's header and an unknown
// time zone; both may be empty. CloudStack takes any text for an address, and
// its clients' tests send such.
func checkPerson(email, timezone string) error {
	if len(email) > 255 || strings.ContainsFunc(email, control) {
		return fault.Param("email", "error.email")
	}
	if timezone == "" {
		return nil
	}
	if _, err := time.LoadLocation(timezone); err != nil || len(timezone) > 64 {
		return fault.Param("timezone", "error.timezone", "value", timezone)
	}
	return nil
}
