// Package components holds the parts of Aerie's pages. A component is a value
// that renders itself: @components.Pill(vm.State), @components.Menu{…}.
// Components with content are functions: @components.Card("…") { … }.
// Every string is text that was already translated, unless the field is
// called Key.
package components

import (
	"context"
	"fmt"
	"hash/fnv"
	"strings"
	"unicode"

	"github.com/a-h/templ"

	"aerie/static"
)

// CSRFField is the name of the hidden input that carries the token.
const CSRFField = "_csrf"

type csrfKey struct{}

// WithCSRF gives every form rendered with ctx its token. The session
// middleware calls it once per request, so that fragments have it too.
func WithCSRF(ctx context.Context, token string) context.Context {
	return context.WithValue(ctx, csrfKey{}, token)
}

// CSRF is the token of ctx.
func CSRF(ctx context.Context) string {
	token, _ := ctx.Value(csrfKey{}).(string)
	return token
}

// Pair is a name and its value.
type Pair struct{ Name, Value string }

// anchor makes an element id that is the same whenever the parts are.
func anchor(prefix string, parts ...string) string {
	h := fnv.New32a()
	for _, part := range parts {
		_, _ = h.Write([]byte(part + "\x00"))
	}
	return fmt.Sprintf("%s-%x", prefix, h.Sum32())
}

// slug makes any text usable inside an element id.
func slug(s string) string {
	return strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_') {
			return r
		}
		return '-'
	}, s)
}

// class joins the class names whose condition holds: class("a", true, "b", ok).
func class(pairs ...any) string {
	var names []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if on, _ := pairs[i+1].(bool); on {
			names = append(names, pairs[i].(string))
		}
	}
	return strings.Join(names, " ")
}

// href trusts only addresses of this site and of the web, as templ does.
func href(s string) templ.SafeURL { return templ.URL(s) }

func sprite(name string) string {
	url := static.URL("vendor/icons.svg")
	if url == "" || name == "" {
		return ""
	}
	return url + "#" + name
}
