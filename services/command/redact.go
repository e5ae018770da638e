package command

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// secretName finds parameters that are secret even when the tag was forgotten.
var secretName = regexp.MustCompile(`(?i)(password|passwd|secret|secretkey|privatekey|privkey|token|psk|sharedkey|sessionkey|signature|userdata|codefor2fa)$`)

const (
	redacted   = "•••"
	loggedMost = 255 // of one value in jobs and events
)

// Redact returns the command's own parameters as jobs and events may keep them:
// without secrets and not too long. What the command does not know is dropped.
func (c *Command) Redact(v url.Values) map[string]string {
	out := map[string]string{}
	for name, values := range v {
		if len(values) == 0 || values[0] == "" {
			continue
		}
		base, rest, bracket := strings.Cut(name, "[")
		i, known := c.byName[strings.ToLower(base)]
		if !known {
			continue
		}
		key := strings.ToLower(base)
		if bracket {
			key += "[" + rest
		}
		out[key] = shorten(values[0])
		if c.Params[i].hides(rest, v, name) {
			out[key] = redacted
		}
	}
	return out
}

// hides tells whether a value is secret. In a map the key may say so, which
// stands in the field's name or in the value of its twin [i].key.
func (p Param) hides(rest string, v url.Values, name string) bool {
	if p.Secret {
		return true
	}
	_, field, _ := strings.Cut(rest, "].")
	if field == "" {
		return false
	}
	i := slices.IndexFunc(p.Fields, func(f Param) bool { return strings.EqualFold(f.Name, field) })
	if i >= 0 && p.Fields[i].Secret || secretName.MatchString(field) {
		return true
	}
	twin := strings.TrimSuffix(name, field) + "key"
	return field == "value" && secretName.MatchString(v.Get(twin))
}

func shorten(s string) string {
	if len(s) <= loggedMost {
		return s
	}
	cut := loggedMost
	for cut > 0 && s[cut]&0xc0 == 0x80 {
		cut--
	}
	return s[:cut] + "…"
}
