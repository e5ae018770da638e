package iam

import (
	"context"

	"aerie/services/fault"
	"aerie/services/store"
)

// UpdateUser asks for changes; nil leaves as it is.
type UpdateUser struct {
	ID                                      string
	Username, FirstName, LastName, Email    *string
	Timezone, Language, Theme, APIKeyAccess *string
	Password                                *string
	CurrentPassword                         string // needed to change one's own
	APIKey, SecretKey                       *string
	// MustTwoFactor makes a second factor compulsory; only who manages the user may.
	MustTwoFactor *bool
	// KeepSession is the session that survives a change of password.
	KeepSession string

	changed *passwordChange
	keys    *KeyPair
}

// passwordChange is a new password, checked and hashed, and the hash it replaces.
type passwordChange struct{ from, to string }

// UpdateUser changes a user: oneself, or one of an account that the actor
// manages. A new password ends the user's other sessions.
func (s *Service) UpdateUser(ctx context.Context, r UpdateUser) (User, error) {
	u, err := s.UserByID(ctx, r.ID)
	if err != nil {
		return u, err
	}
	if err := s.mayManageUser(ctx, u); err != nil {
		return u, err
	}
	if r, err = s.readyPassword(ctx, u, r); err != nil {
		return u, err
	}
	set, err := s.userChanges(ctx, u, r)
	if err != nil {
		return u, err
	}
	if r.keys, err = s.givenKeys(ctx, u, r); err != nil || len(set) == 0 && r.keys == nil {
		return u, err
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if r.keys != nil {
			if err := s.insertKeys(ctx, u, *r.keys); err != nil {
				return keysTaken(err)
			}
		}
		if len(set) == 0 {
			return nil
		}
		if err := s.setUser(ctx, u, r, set); err != nil || r.changed == nil {
			return err
		}
		s.note(ctx, "USER.PASSWORD", u.Username, u.ID, u.Owner())
		sys := store.System(ctx, "a new password ends sessions")
		return s.revokeWhere(sys, "user_id = ? AND id <> ?", u.ID, r.KeepSession)
	})
	if err != nil {
		return u, err
	}
	return s.UserByID(ctx, u.ID)
}

// setUser writes the changes; of two that change the password at once, the
// second is refused.
func (s *Service) setUser(ctx context.Context, u User, r UpdateUser, set map[string]any) error {
	q := s.db.In(ctx).Model(&User{}).Where("id = ?", u.ID)
	if r.changed != nil {
		q = q.Where("password = ?", r.changed.from)
	}
	done := q.Updates(set)
	if done.Error != nil {
		return taken(done.Error, "username", *or(r.Username, &u.Username))
	}
	if done.RowsAffected == 0 {
		return fault.New(fault.Conflict, "error.user_changed", "name", u.Username)
	}
	return nil
}

// keysTaken names the parameter whose value somebody else has.
func keysTaken(err error) error {
	if fault.Is(err, fault.Invalid) && fault.Of(err).Fields["name"] != nil {
		return fault.Param("userapikey", "error.name_taken", "value", "userapikey")
	}
	return err
}

func or[T any](v, other *T) *T {
	if v == nil {
		return other
	}
	return v
}

func (s *Service) userChanges(ctx context.Context, u User, r UpdateUser) (map[string]any, error) {
	set := map[string]any{}
	for column, v := range map[string]*string{
		"first_name": r.FirstName, "last_name": r.LastName, "email": r.Email,
		"timezone": r.Timezone, "language": r.Language, "theme": r.Theme,
	} {
		if v != nil {
			set[column] = *v
		}
	}
	if err := checkPerson(*or(r.Email, ptr("")), *or(r.Timezone, ptr(""))); err != nil {
		return nil, err
	}
	if r.Username != nil {
		if err := checkName("username", *r.Username, ""); err != nil {
			return nil, err
		}
		if u.Source == LDAP && fold(*r.Username) != fold(u.Username) {
			return nil, fault.Param("username", "error.ldap_user")
		}
		set["username"], set["login_key"] = *r.Username, fold(*r.Username)
	}
	if err := s.accessChange(ctx, r, set); err != nil {
		return nil, err
	}
	if r.MustTwoFactor != nil {
		if err := s.mayMandate(ctx, u); err != nil {
			return nil, err
		}
		set["two_factor_must"] = *r.MustTwoFactor
	}
	if r.changed != nil {
		set["password"] = r.changed.to
	}
	return set, nil
}

// ReadyUpdate checks and hashes a new password. Who updates in a transaction
// calls it before: hashing there is refused.
func (s *Service) ReadyUpdate(ctx context.Context, r UpdateUser) (UpdateUser, error) {
	if r.Password == nil {
		return r, nil
	}
	u, err := s.UserByID(ctx, r.ID)
	if err != nil {
		return r, err
	}
	if err := s.mayManageUser(ctx, u); err != nil {
		return r, err
	}
	return s.readyPassword(ctx, u, r)
}

// readyPassword asks for the old password when it is one's own: a browser left
// open must not be enough.
func (s *Service) readyPassword(ctx context.Context, u User, r UpdateUser) (UpdateUser, error) {
	if r.Password == nil || r.changed != nil {
		return r, nil
	}
	if u.Source != Native {
		return r, fault.Param("password", "error.ldap_user")
	}
	a, err := actor(ctx)
	if err != nil {
		return r, err
	}
	if err := freely(a); err != nil {
		return r, err
	}
	if !a.IsSystem() && a.UserID == u.ID && (r.CurrentPassword != "" || a.Rank == store.User) {
		ok, err := s.checkPassword(ctx, u.Password, r.CurrentPassword)
		if err != nil {
			return r, err
		}
		if !ok {
			return r, fault.Param("currentpassword", "error.password_current")
		}
	}
	if err := s.opts.Policy(ctx, u.Owner()).Check(*or(r.Username, &u.Username), *r.Password); err != nil {
		return r, err
	}
	hash, err := s.hashPassword(ctx, *r.Password)
	r.changed = &passwordChange{u.Password, hash}
	return r, err
}
