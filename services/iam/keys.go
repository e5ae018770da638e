package iam

import (
	"context"
	"errors"
	"strings"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/store"
)

// Whether API keys may be used.
const (
	Allow   = "ENABLED"
	Deny    = "DISABLED"
	Inherit = "INHERIT"
)

func keyAccess(v string) (string, error) {
	v = strings.ToUpper(v)
	if v != Allow && v != Deny && v != Inherit {
		return "", fault.Param("apikeyaccess", "error.key_access", "value", v)
	}
	return v, nil
}

// Keys is a user's key pair. Secret is empty when it is not for the asker.
type Keys struct {
	APIKey, Secret string
	Usable         bool
}

// RegisterKeys gives a user a new key pair, which ends the old one.
func (s *Service) RegisterKeys(ctx context.Context, userID string) (Keys, error) {
	u, err := s.UserByID(ctx, userID)
	if err != nil {
		return Keys{}, err
	}
	if err := s.mayManageUser(ctx, u); err != nil {
		return Keys{}, err
	}
	key, err := s.token(64)
	if err != nil {
		return Keys{}, err
	}
	secret, err := s.token(64)
	if err != nil {
		return Keys{}, err
	}
	sealed, err := s.db.Seal(secret)
	if err != nil {
		return Keys{}, err
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		s.note(ctx, "REGISTER.USER.KEY", u.Username, u.ID, u.Owner())
		return s.db.In(ctx).Model(&User{}).Where("id = ?", u.ID).
			Updates(map[string]any{"api_key": key, "secret_key": sealed}).Error
	})
	return Keys{APIKey: key, Secret: secret, Usable: u.APIKeyAccess != Deny}, err
}

// KeysOf shows a user's keys. The secret is shown to the user itself and to
// nobody else, whatever its rank.
func (s *Service) KeysOf(ctx context.Context, userID string) (Keys, error) {
	u, err := s.UserByID(ctx, userID)
	if err != nil {
		return Keys{}, err
	}
	if err := s.mayManageUser(ctx, u); err != nil {
		return Keys{}, err
	}
	if u.APIKey == nil {
		return Keys{}, nil
	}
	k := Keys{APIKey: *u.APIKey, Usable: u.APIKeyAccess != Deny}
	a, err := actor(ctx)
	if err != nil || a.UserID != u.ID {
		return k, err
	}
	k.Secret, err = s.db.Reveal(u.SecretKey)
	return k, err
}

// KeyOwner finds who signs with a key and the secret it signs with, in one
// query, and one more for the projects of a plain user. All that may not sign in gives the same fault.
func (s *Service) KeyOwner(ctx context.Context, apiKey string) (secret string, p Principal, err error) {
	ctx = store.System(ctx, "find who signs")
	refused := fault.New(fault.Unauthenticated, "error.api_key")
	var u User
	err = s.db.In(ctx).Joins("Account").Joins("Account.Domain").Where("users.api_key = ?", apiKey).Take(&u).Error
	if errors.Is(err, gorm.ErrRecordNotFound) || apiKey == "" {
		return "", p, refused
	}
	if err != nil {
		return "", p, err
	}
	p, ok := principal(u)
	if !ok || *u.APIKey != apiKey || !keyUsable(u) {
		return "", Principal{}, refused
	}
	if p.Projects, err = s.memberships(ctx, p.Actor); err != nil {
		return "", Principal{}, err
	}
	secret, err = s.db.Reveal(u.SecretKey)
	return secret, p, err
}

func keyUsable(u User) bool {
	if u.APIKeyAccess == Inherit {
		return u.Account.APIKeyAccess != Deny
	}
	return u.APIKeyAccess != Deny
}

// UserByKey is getUser: the user of an API key, if the actor may see it.
func (s *Service) UserByKey(ctx context.Context, apiKey string) (User, error) {
	u, err := gorm.G[User](s.db.In(ctx)).Where("api_key = ?", apiKey).Take(ctx)
	if err == nil && *u.APIKey != apiKey {
		err = gorm.ErrRecordNotFound
	}
	return u, absent(err, "userapikey", apiKey)
}

// keyChanges sets a pair by hand, as updateUser may; only managers do, and only
// both at once.
func (s *Service) keyChanges(ctx context.Context, r UpdateUser, set map[string]any) error {
	if r.APIKeyAccess != nil {
		access, err := keyAccess(*r.APIKeyAccess)
		if err != nil {
			return err
		}
		if err := s.notPlainUser(ctx); err != nil {
			return err
		}
		set["api_key_access"] = access
	}
	if r.APIKey == nil && r.SecretKey == nil {
		return nil
	}
	if r.APIKey == nil || r.SecretKey == nil || len(*r.APIKey) < 16 || len(*r.SecretKey) < 16 || len(*r.APIKey) > 128 || len(*r.SecretKey) > 255 {
		return fault.Param("userapikey", "error.key_pair")
	}
	sealed, err := s.db.Seal(*r.SecretKey)
	set["api_key"], set["secret_key"] = *r.APIKey, sealed
	return err
}

func (s *Service) notPlainUser(ctx context.Context) error {
	a, err := actor(ctx)
	if err == nil && !a.IsSystem() && a.Rank == store.User {
		return fault.New(fault.Forbidden, "error.rank")
	}
	return err
}
