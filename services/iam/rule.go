package iam

import (
	"path"
	"regexp"
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

func (r Rule) matches(command string) bool {
	ok, _ := path.Match(r.Pattern, command) // only * is special in a valid pattern
	return ok
}

var pattern = regexp.MustCompile(`^[a-zA-Z0-9*]{1,100}$`)

// ValidPattern tells whether a text may be a rule's pattern.
func ValidPattern(text string) bool { return pattern.MatchString(text) }
