package iam

import (
	"context"
	"regexp"
	"strings"
	"unicode"

	"aerie/services/config"
	"aerie/services/fault"
	"aerie/services/store"
)

// Policy is what a new password must be like.
type Policy struct {
	Length, Upper, Lower, Digits, Special int
	// Username tells whether the user's name may be in it.
	Username bool
	Regex    string // it must match as a whole; empty for any
}

// Check refuses a password that the policy does not allow, naming the rule.
func (p Policy) Check(username, password string) error {
	var upper, lower, digits, special int
	for _, r := range password {
		switch {
		case unicode.IsUpper(r):
			upper++
		case unicode.IsLower(r):
			lower++
		case unicode.IsDigit(r):
			digits++
		case !unicode.IsLetter(r):
			special++
		}
	}
	for _, rule := range []struct {
		have, want int
		key        string
	}{
		{len([]rune(password)), p.Length, "error.password_length"},
		{upper, p.Upper, "error.password_upper"},
		{lower, p.Lower, "error.password_lower"},
		{digits, p.Digits, "error.password_digits"},
		{special, p.Special, "error.password_special"},
	} {
		if rule.have < rule.want {
			return fault.Param("password", rule.key, "n", rule.want)
		}
	}
	if !p.Username && username != "" && strings.Contains(strings.ToLower(password), fold(username)) {
		return fault.Param("password", "error.password_username")
	}
	return p.match(password)
}

// match refuses also when the operator's expression cannot be read: no password
// is better than one that was not looked at.
func (p Policy) match(password string) error {
	if p.Regex == "" {
		return nil
	}
	re, err := regexp.Compile("^(?:" + p.Regex + ")$")
	if err != nil || !re.MatchString(password) {
		return fault.Param("password", "error.password_regex", "regex", p.Regex).Because(err)
	}
	return nil
}

// passwordPolicy are the settings of passwords, under CloudStack's names, which a
// domain may have of its own.
func passwordPolicy(c *config.Service) func(context.Context, store.Owner) Policy {
	number := func(name string) config.Value[int] {
		return c.Int("user.password.policy."+name, "Advanced", 0, 0, maxPassword).For(config.Domain)
	}
	length, upper, lower := number("minimum.length"), number("minimum.uppercase.letters"), number("minimum.lowercase.letters")
	digits, special := number("minimum.digits"), number("minimum.special.characters")
	name := c.Bool("user.password.policy.allowPasswordToContainUsername", "Advanced", true).For(config.Domain)
	regex := c.String("user.password.policy.regex", "Advanced", "").For(config.Domain)
	return func(ctx context.Context, o store.Owner) Policy {
		at := config.Place{DomainPath: o.DomainPath}
		return Policy{
			Length: length.At(ctx, at), Upper: upper.At(ctx, at), Lower: lower.At(ctx, at), Digits: digits.At(ctx, at),
			Special: special.At(ctx, at), Username: name.At(ctx, at), Regex: regex.At(ctx, at),
		}
	}
}
