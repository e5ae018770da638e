package iam

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

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

// DefaultKeys is the name of the pair that is made, and replaced, without one.
const DefaultKeys = "default"

const mostKeys = 50 // a user

func keyAccess(v string) (string, error) {
	v = strings.ToUpper(v)
	if v != Allow && v != Deny && v != Inherit {
		return "", fault.Param("apikeyaccess", "error.key_access", "value", v)
	}
	return v, nil
}

// Keys is a key pair. Secret is empty but in the answer that made it.
type Keys struct {
	KeyPair
	Secret string
	Usable bool // API keys are not denied to the user
}

// NewKeys is a key pair to be.
type NewKeys struct {
	UserID, Name, Description string
	StartsAt, ExpiresAt       time.Time // zero for no bound
	CIDRs                     []string
	Rules                     []KeyRule
}

// RegisterKeys gives a user a new default key pair, which ends the old one.
func (s *Service) RegisterKeys(ctx context.Context, userID string) (Keys, error) {
	return s.AddKeys(ctx, NewKeys{UserID: userID})
}

// AddKeys gives a user a key pair. Without a name it is the default one, which
// ends the one before; another name must be free.
func (s *Service) AddKeys(ctx context.Context, n NewKeys) (Keys, error) {
	u, err := s.keysUser(ctx, n.UserID)
	if err != nil {
		return Keys{}, err
	}
	k, err := s.readyKeys(u, n)
	if err != nil {
		return Keys{}, err
	}
	if k.APIKey, err = s.token(64); err != nil {
		return Keys{}, err
	}
	secret, err := s.token(64)
	if err != nil {
		return Keys{}, err
	}
	if k.SecretKey, err = s.db.Seal(secret); err != nil {
		return Keys{}, err
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		s.note(ctx, "REGISTER.USER.KEY", u.Username, u.ID, u.Owner())
		return s.insertKeys(ctx, u, k)
	})
	return Keys{KeyPair: k, Secret: secret, Usable: u.APIKeyAccess != Deny}, err
}

// keysUser is a user whose keys the actor may change.
func (s *Service) keysUser(ctx context.Context, id string) (User, error) {
	u, err := s.UserByID(ctx, id)
	if err != nil {
		return u, err
	}
	if err := s.mayManageUser(ctx, u); err != nil {
		return u, err
	}
	a, err := actor(ctx)
	if err != nil {
		return u, err
	}
	return u, freely(a)
}

func (s *Service) readyKeys(u User, n NewKeys) (k KeyPair, err error) {
	if n.Name == "" {
		n.Name = DefaultKeys
	}
	if err := checkName("name", n.Name, ""); err != nil {
		return k, err
	}
	k = KeyPair{ID: s.db.NewID(), CreatedAt: s.db.Now(), Owned: store.Owned(u.Owner()), UserID: u.ID, Name: n.Name, Description: n.Description}
	if len([]rune(n.Description)) > 1024 {
		return k, fault.Param("description", "error.too_long", "max", 1024)
	}
	if !n.StartsAt.IsZero() {
		k.StartsAt = &n.StartsAt
	}
	if !n.ExpiresAt.IsZero() {
		k.ExpiresAt = &n.ExpiresAt
		if !n.ExpiresAt.After(s.db.Now()) || !n.ExpiresAt.After(n.StartsAt) {
			return k, fault.Param("enddate", "error.key_term")
		}
	}
	if k.CIDRs, err = parsePrefixes(n.CIDRs); err != nil {
		return k, err
	}
	if len(n.Rules) == 0 {
		return k, nil
	}
	rules := make([]NewRule, len(n.Rules))
	for i, r := range n.Rules {
		rules[i] = NewRule{Pattern: r.Pattern, Allow: r.Allow}
	}
	if err := checkRules("rules", nil, rules...); err != nil {
		return k, err
	}
	k.Rules, err = json.Marshal(n.Rules)
	return k, err
}

// insertKeys writes a pair; a default one replaces the one before.
func (s *Service) insertKeys(ctx context.Context, u User, k KeyPair) error {
	ctx = store.System(ctx, "keys of a user that the actor manages")
	g := s.db.In(ctx)
	// The user's row is held, so that two at once count one after the other.
	held := g.Model(&User{}).Where("id = ?", u.ID).Update("is_default", u.IsDefault)
	if held.Error != nil || held.RowsAffected == 0 {
		return errors.Join(held.Error, absentIf(held.RowsAffected == 0, u.ID))
	}
	if k.Name == DefaultKeys {
		if err := g.Where("user_id = ? AND name = ?", u.ID, DefaultKeys).Delete(&KeyPair{}).Error; err != nil {
			return err
		}
	}
	n, err := gorm.G[KeyPair](g).Where("user_id = ?", u.ID).Count(ctx, "*")
	if err != nil {
		return err
	}
	if n >= mostKeys {
		return fault.Param("id", "error.keys_many", "max", mostKeys)
	}
	return taken(g.Omit("User").Create(&k).Error, "name", k.Name)
}

func absentIf(is bool, id string) error {
	if is {
		return fault.Absent("id", id)
	}
	return nil
}

// DeleteKeys ends a key pair.
func (s *Service) DeleteKeys(ctx context.Context, id string) (KeyPair, error) {
	k, err := s.KeysByID(ctx, id)
	if err != nil {
		return k, err
	}
	if _, err := s.keysUser(ctx, k.UserID); err != nil {
		return k, err
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		done := s.db.In(ctx).Where("id = ?", k.ID).Delete(&KeyPair{})
		return errors.Join(done.Error, absentIf(done.Error == nil && done.RowsAffected == 0, id))
	})
	return k, err
}

// KeysByID finds a key pair that the actor may see.
func (s *Service) KeysByID(ctx context.Context, id string) (KeyPair, error) {
	k, err := gorm.G[KeyPair](s.db.In(ctx)).Where("id = ?", id).Take(ctx)
	return k, absent(err, "id", id)
}

// KeysOf shows the latest of a user's key pairs, without the secret.
func (s *Service) KeysOf(ctx context.Context, userID string) (Keys, error) {
	u, err := s.UserByID(ctx, userID)
	if err != nil {
		return Keys{}, err
	}
	if err := s.mayManageUser(ctx, u); err != nil {
		return Keys{}, err
	}
	list, err := gorm.G[KeyPair](s.db.In(ctx)).Where("user_id = ?", u.ID).Order("created_at DESC, id DESC").Limit(1).Find(ctx)
	if err != nil || len(list) == 0 {
		return Keys{}, err
	}
	return Keys{KeyPair: list[0], Usable: u.APIKeyAccess != Deny}, nil
}

// APIKeys are the latest API keys of users that the actor found.
func (s *Service) APIKeys(ctx context.Context, userIDs []string) (map[string]string, error) {
	out := map[string]string{}
	for chunk := range slices.Chunk(userIDs, 500) {
		var rows []KeyPair
		err := s.db.In(ctx).Where("user_id IN ?", chunk).Select("user_id, api_key").Order("created_at, id").Find(&rows).Error
		if err != nil {
			return nil, err
		}
		for _, k := range rows {
			out[k.UserID] = k.APIKey
		}
	}
	return out, nil
}

// usedEvery is how often the last use of a key is written.
const usedEvery = 10 * time.Minute

// KeyOwner finds who signs with a key from an address and the secret it signs
// with, in one query, and one more for the projects of a plain user. All that may
// not sign in gives the same fault.
func (s *Service) KeyOwner(ctx context.Context, apiKey, remote string) (secret string, p Principal, err error) {
	ctx = store.System(ctx, "find who signs")
	refused := fault.New(fault.Unauthenticated, "error.api_key")
	var k KeyPair
	err = s.db.In(ctx).Joins("User").Joins("User.Account").Joins("User.Account.Domain").Where("api_keys.api_key = ?", apiKey).Take(&k).Error
	if errors.Is(err, gorm.ErrRecordNotFound) || apiKey == "" {
		return "", p, refused
	}
	if err != nil {
		return "", p, err
	}
	now := s.db.Now()
	if k.User == nil || k.APIKey != apiKey || !k.within(now, remote) { // MariaDB takes A for a
		return "", p, refused
	}
	p, ok := principal(*k.User)
	if !ok || !keyUsable(*k.User) {
		return "", Principal{}, refused
	}
	p.Key = k.limits()
	if p.Projects, err = s.memberships(ctx, p.Actor); err != nil {
		return "", Principal{}, err
	}
	if secret, err = s.db.Reveal(k.SecretKey); err != nil {
		return "", Principal{}, err
	}
	return secret, p, s.used(ctx, k, now)
}

// used notes the last use of a key, now and then.
func (s *Service) used(ctx context.Context, k KeyPair, now time.Time) error {
	if k.UsedAt != nil && now.Sub(*k.UsedAt) < usedEvery {
		return nil
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		return s.db.In(ctx).Model(&KeyPair{}).Where("id = ?", k.ID).Update("used_at", now).Error
	})
}

func keyUsable(u User) bool {
	if u.APIKeyAccess == Inherit {
		return u.Account.APIKeyAccess != Deny
	}
	return u.APIKeyAccess != Deny
}

// UserByKey is getUser: the user of an API key, if the actor may see it.
func (s *Service) UserByKey(ctx context.Context, apiKey string) (User, error) {
	k, err := gorm.G[KeyPair](s.db.In(ctx)).Where("api_key = ?", apiKey).Take(ctx)
	if err == nil && k.APIKey != apiKey {
		err = gorm.ErrRecordNotFound
	}
	if err != nil {
		return User{}, absent(err, "userapikey", apiKey)
	}
	return s.UserByID(ctx, k.UserID)
}

// givenKeys is a pair set by hand, as updateUser may; only both at once.
func (s *Service) givenKeys(ctx context.Context, u User, r UpdateUser) (*KeyPair, error) {
	if r.APIKey == nil && r.SecretKey == nil {
		return nil, nil
	}
	a, err := actor(ctx)
	if err != nil {
		return nil, err
	}
	if err := freely(a); err != nil {
		return nil, err
	}
	if r.APIKey == nil || r.SecretKey == nil || len(*r.APIKey) < 16 || len(*r.SecretKey) < 16 || len(*r.APIKey) > 128 || len(*r.SecretKey) > 255 {
		return nil, fault.Param("userapikey", "error.key_pair")
	}
	k, err := s.readyKeys(u, NewKeys{})
	if err != nil {
		return nil, err
	}
	k.APIKey = *r.APIKey
	k.SecretKey, err = s.db.Seal(*r.SecretKey)
	return &k, err
}

// accessChange is the change of whether a user's keys may be used.
func (s *Service) accessChange(ctx context.Context, r UpdateUser, set map[string]any) error {
	if r.APIKeyAccess == nil {
		return nil
	}
	access, err := keyAccess(*r.APIKeyAccess)
	if err != nil {
		return err
	}
	set["api_key_access"] = access
	return s.notPlainUser(ctx)
}

// dropKeys ends all keys of a user.
func (s *Service) dropKeys(ctx context.Context, userID string) error {
	ctx = store.System(ctx, "keys of a user that goes or moves")
	return s.db.In(ctx).Where("user_id = ?", userID).Delete(&KeyPair{}).Error
}

func (s *Service) notPlainUser(ctx context.Context) error {
	a, err := actor(ctx)
	if err == nil && !a.IsSystem() && a.Rank == store.User {
		return fault.New(fault.Forbidden, "error.rank")
	}
	return err
}
