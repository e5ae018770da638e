package iam

import (
	"encoding/json"
	"net/netip"
	"strings"
	"time"

	"gorm.io/gorm/clause"

	"aerie/services/fault"
	"aerie/services/store"
)

// KeyPair is an API key with its secret. A user may have several, each with its
// own term, the addresses that it may be used from, and rules that take from
// what its user may, never add to it.
type KeyPair struct {
	ID        string `gorm:"primaryKey"`
	CreatedAt time.Time
	store.Owned
	UserID      string
	Name        string
	Description string
	APIKey      string
	SecretKey   store.Secret
	StartsAt    *time.Time
	ExpiresAt   *time.Time
	CIDRs       string `gorm:"column:cidrs"` // divided by commas; empty for anywhere
	Rules       []byte // JSON, see KeyRules; empty for all that the user may
	UsedAt      *time.Time
	User        *User `gorm:"foreignKey:UserID"`
}

// TableName is the table of key pairs.
func (KeyPair) TableName() string { return "api_keys" }

// Scope lets plain users see their own keys, not those of others in their
// account.
func (KeyPair) Scope(a store.Actor) clause.Expression {
	if !a.IsSystem() && a.Rank == store.User {
		return clause.Eq{Column: store.Column("user_id"), Value: a.UserID}
	}
	return store.OwnedScope(a)
}

// KeyRule is one of a key's rules, in order.
type KeyRule struct {
	Pattern     string
	Allow       bool
	Description string
}

// KeyRules are the rules of a key; none leave it all that its user may.
func (k KeyPair) KeyRules() (out []KeyRule) {
	_ = json.Unmarshal(k.Rules, &out) // what was written by insertKeys
	return out
}

// Prefixes are where the key may be used from; none: anywhere.
func (k KeyPair) Prefixes() []string {
	if k.CIDRs == "" {
		return nil
	}
	return strings.Split(k.CIDRs, ",")
}

// limited tells whether the key may less than its user, or for a time only.
func (k KeyPair) limited() bool {
	return k.ExpiresAt != nil || k.StartsAt != nil || k.CIDRs != "" || len(k.Rules) > 0
}

// within tells whether the key may be used at a time from an address.
func (k KeyPair) within(now time.Time, remote string) bool {
	if k.StartsAt != nil && now.Before(*k.StartsAt) || k.ExpiresAt != nil && !now.Before(*k.ExpiresAt) {
		return false
	}
	if k.CIDRs == "" {
		return true
	}
	ip, err := netip.ParseAddr(remote)
	if err != nil {
		return false
	}
	for _, text := range k.Prefixes() {
		if p, err := netip.ParsePrefix(text); err == nil && p.Contains(ip.Unmap().WithZone("")) {
			return true
		}
	}
	return false
}

// limits are the key's rules as the actor carries them.
func (k KeyPair) limits() *store.Key {
	if !k.limited() {
		return nil
	}
	out := &store.Key{ID: k.ID}
	for _, r := range k.KeyRules() {
		out.Rules = append(out.Rules, store.KeyRule{Pattern: r.Pattern, Allow: r.Allow})
	}
	return out
}

// KeyAllows tells whether the key that the actor signs with leaves it a command.
func KeyAllows(a store.Actor, command string) bool {
	if a.Key == nil || len(a.Key.Rules) == 0 {
		return true
	}
	rules := make(Rules, len(a.Key.Rules))
	for i, r := range a.Key.Rules {
		rules[i] = Rule{Pattern: r.Pattern, Allow: r.Allow}
	}
	return rules.Allow(command)
}

// freely refuses who signs with a limited key: it must not make itself a key,
// or a password, without its limits.
func freely(a store.Actor) error {
	if a.Key != nil && !a.IsSystem() {
		return fault.New(fault.Forbidden, "error.key_limited")
	}
	return nil
}

// parsePrefixes reads addresses and CIDRs, and writes them in one way.
func parsePrefixes(list []string) (string, error) {
	var out []string
	for _, text := range list {
		p, err := netip.ParsePrefix(strings.TrimSpace(text))
		if err != nil {
			ip, err := netip.ParseAddr(strings.TrimSpace(text))
			if err != nil || ip.Zone() != "" {
				return "", fault.Param("cidrs", "error.key_cidr", "value", clip(text, 64))
			}
			p = netip.PrefixFrom(ip, ip.BitLen())
		}
		if p.Addr().Is4In6() {
			return "", fault.Param("cidrs", "error.key_cidr", "value", clip(text, 64))
		}
		out = append(out, p.Masked().String())
	}
	all := strings.Join(out, ",")
	if len(all) > 2000 {
		return "", fault.Param("cidrs", "error.too_long", "max", 2000)
	}
	return all, nil
}
