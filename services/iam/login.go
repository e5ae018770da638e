package iam

import (
	"context"
	"errors"

	"aerie/services/fault"
	"aerie/services/store"
)

// LoginRequest is who wants in. DomainID wins over DomainPath; neither is ROOT.
type LoginRequest struct {
	Username, Password   string
	DomainPath, DomainID string
	RemoteIP, UserAgent  string
}

// Login is a session that has just begun. The token is known to nobody else.
type Login struct {
	Principal
	Token string
}

// errRefused is a login that is wrong, whatever the reason; errDirectory one
// that nobody could decide. The user learns neither.
type (
	errRefused   string
	errDirectory struct{ error }
)

func (e errRefused) Error() string { return string(e) }

// Login checks a password, here or at the domain's directory, and opens a
// session. Whatever is wrong gives the same error.login after the same work.
func (s *Service) Login(ctx context.Context, r LoginRequest) (Login, error) {
	ctx = store.System(ctx, "login")
	place, domain, err := s.loginDomain(ctx, r)
	if err != nil {
		return Login{}, err
	}
	if r.Username == "" || len(r.Username) > 1020 {
		return Login{}, loginFault(errRefused("no user name"))
	}
	try, err := s.attempt(ctx, place, r.Username, r.RemoteIP)
	if err != nil {
		return Login{}, err
	}
	user, err := s.authenticate(ctx, domain, r)
	var p Principal
	if err == nil {
		p, err = s.admit(ctx, user)
	}
	if err != nil {
		return Login{}, s.refuse(ctx, try, r, err)
	}
	return s.welcome(ctx, try, p, r)
}

// loginDomain finds the domain, or none when there is none of that name. Place
// is what the delay counts under: each domain is the same under all its names.
func (s *Service) loginDomain(ctx context.Context, r LoginRequest) (place string, d *Domain, err error) {
	var found Domain
	if r.DomainID != "" {
		place = r.DomainID
		found, err = s.DomainByID(ctx, r.DomainID)
	} else {
		place = r.DomainPath
		found, err = s.DomainByPath(ctx, r.DomainPath)
	}
	if fault.Is(err, fault.NotFound) {
		return place, nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	return found.ID, &found, nil
}

// authenticate checks the password where the user belongs. It does the work of
// one password check in every case.
func (s *Service) authenticate(ctx context.Context, d *Domain, r LoginRequest) (User, error) {
	var u *User
	if d != nil {
		var err error
		if u, err = s.userByName(ctx, d.ID, r.Username); err != nil {
			return User{}, err
		}
	}
	if d != nil && r.Password != "" && (u == nil || u.Source == LDAP) {
		found, err := s.directoryLogin(ctx, *d, u, r.Username, r.Password)
		if !errors.Is(err, errNoDirectory) {
			return found, err
		}
	}
	hash := ""
	if u != nil && u.Source == Native {
		hash = u.Password
	}
	ok, err := s.checkPassword(ctx, hash, r.Password)
	switch {
	case err != nil:
		return User{}, err
	case u == nil:
		return User{}, errRefused("unknown user")
	case !ok || u.Source != Native || r.Password == "":
		return User{}, errRefused("wrong password")
	}
	return *u, s.rehash(ctx, *u, r.Password)
}

// rehash brings a hash with other parameters, or of another system, up to date.
func (s *Service) rehash(ctx context.Context, u User, password string) error {
	if !s.opts.Argon.outdated(u.Password) {
		return nil
	}
	hash, err := s.hashPassword(ctx, password)
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		return s.db.In(ctx).Model(&User{}).Where("id = ? AND password = ?", u.ID, u.Password).Update("password", hash).Error
	})
}

// admit looks whether user, account and domain may sign in.
func (s *Service) admit(ctx context.Context, u User) (Principal, error) {
	var full User
	err := s.db.In(ctx).Joins("Account").Joins("Account.Domain").Where("users.id = ?", u.ID).Take(&full).Error
	if err != nil {
		return Principal{}, absentAsRefused(err)
	}
	p, ok := principal(full)
	if !ok {
		return p, errRefused("disabled or locked")
	}
	p.Projects, err = s.memberships(ctx, p.Actor)
	return p, err
}

func absentAsRefused(err error) error {
	if store.IsAbsent(err) {
		return errRefused("removed")
	}
	return err
}

func (s *Service) welcome(ctx context.Context, try *attempt, p Principal, r LoginRequest) (Login, error) {
	p.Half = s.owes(ctx, p.User, nil)
	out := Login{Principal: p}
	err := s.db.Tx(ctx, func(ctx context.Context) (err error) {
		out.Token, out.Session, err = s.openSession(ctx, p.UserID, r.RemoteIP, r.UserAgent)
		if err != nil {
			return err
		}
		return try.succeeded(ctx)
	})
	if err != nil {
		return Login{}, err
	}
	s.audit(ctx, Audit{Event: "USER.LOGIN", User: p.User.Username, UserID: p.UserID, Owner: p.Owner, Remote: r.RemoteIP})
	return out, nil
}

// refuse tells the log why and the user nothing. A directory that did not
// answer is nobody's failure.
func (s *Service) refuse(ctx context.Context, try *attempt, r LoginRequest, err error) error {
	var refused errRefused
	var down errDirectory
	switch {
	case errors.As(err, &down):
		s.opts.Log.WarnContext(ctx, "login: no directory answers", "user", clip(r.Username, 64), "error", err)
		if err := try.unmade(ctx); err != nil {
			return err
		}
	case !errors.As(err, &refused):
		return err
	}
	s.audit(ctx, Audit{Event: "USER.LOGIN.FAILED", Reason: err.Error(), User: clip(r.Username, 255), Remote: r.RemoteIP})
	return loginFault(err)
}

func loginFault(why error) error { return fault.New(fault.Forbidden, "error.login").Because(why) }
