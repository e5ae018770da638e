package iam

import (
	"path"
	"regexp"
	"strings"
)

// Rule of a role allows or denies the commands that its Pattern names: a
// command's name, in which * stands for any letters (list*, *VirtualMachine).
type Rule struct {
	Pattern string
	Allow   bool
}

// Rules are asked in their order; the first that matches decides.
type Rules []Rule

// Allow tells whether the rules let a command pass. What none of them names is
// denied.
func (r Rules) Allow(command string) bool {
	for _, rule := range r {
		if rule.matches(command) {
			return rule.Allow
		}
	}
	return false
}

// matches in any case, as CloudStack does: a denial with a wrong letter must not
// deny nothing.
func (r Rule) matches(command string) bool {
	if r.Pattern == "*" {
		return true
	}
	ok, _ := path.Match(strings.ToLower(r.Pattern), strings.ToLower(command)) // only * is special in a valid pattern
	return ok
}

var pattern = regexp.MustCompile(`^[a-zA-Z0-9*]{1,100}$`)

// ValidPattern tells whether a text may be a rule's pattern.
func ValidPattern(text string) bool { return pattern.MatchString(text) }
