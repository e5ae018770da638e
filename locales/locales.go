// Package locales holds every word a user reads and knows how each language
// writes plurals, numbers, sizes and times. Messages live in <lang>/*.json:
// flat keys, {name} for a value, an object of CLDR forms for a plural.
package locales

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/text/language"
)

var active atomic.Pointer[Catalogue]

func catalogue() *Catalogue {
	if c := active.Load(); c != nil {
		return c
	}
	c, err := Open(files)
	if err != nil {
		panic(err) // the embedded files are tested
	}
	active.CompareAndSwap(nil, c)
	return active.Load()
}

// Add lays an operator's folder of <lang>/*.json over the built-in languages.
// Call it before serving.
func Add(own fs.FS) error {
	c, err := Open(files, own)
	if err != nil {
		return err
	}
	active.Store(c)
	return nil
}

type (
	langKey struct{}
	zoneKey struct{}
	nowKey  struct{}
)

// With sets the language of everything rendered with ctx.
func With(ctx context.Context, lang string) context.Context {
	return context.WithValue(ctx, langKey{}, lang)
}

// WithZone sets the time zone in which ctx writes times; UTC without it.
func WithZone(ctx context.Context, zone *time.Location) context.Context {
	return context.WithValue(ctx, zoneKey{}, zone)
}

// WithNow fixes the present for relative times, as tests and replays need.
func WithNow(ctx context.Context, now time.Time) context.Context {
	return context.WithValue(ctx, nowKey{}, now)
}

// Lang is the language of ctx.
func Lang(ctx context.Context) string {
	if lang, ok := ctx.Value(langKey{}).(string); ok && catalogue().tongues[lang] != nil {
		return lang
	}
	return Fallback
}

func of(ctx context.Context) *tongue { return catalogue().tongues[Lang(ctx)] }

// Language is one choice of the language menu.
type Language struct {
	Tag  string // de
	Name string // Deutsch
}

// Languages lists what a user can choose, English first.
func Languages() []Language {
	c := catalogue()
	list := make([]Language, len(c.order))
	for i, lang := range c.order {
		list[i] = Language{Tag: lang, Name: c.tongues[lang].name}
	}
	return list
}

// Match chooses the language: the user's own choice if there is such a
// language, else the best for the browser's Accept-Language.
func Match(acceptLanguage, preferred string) string {
	c := catalogue()
	if c.tongues[preferred] != nil {
		return preferred
	}
	wanted, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil || len(wanted) == 0 {
		return Fallback
	}
	_, i, confidence := c.matcher.Match(wanted...)
	if confidence == language.No {
		return Fallback
	}
	return c.order[i]
}

// Dir is "rtl" for languages written from right to left, else "ltr".
func Dir(ctx context.Context) string {
	script, _ := of(ctx).tag.Script()
	switch script.String() {
	case "Arab", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm":
		return "rtl"
	}
	return "ltr"
}

// Key as an argument of T is translated itself.
type Key string

// T translates a key. Args are name, value pairs for the {name} places:
//
//	locales.T(ctx, "vm.title", "name", vm.Name)
func T(ctx context.Context, key string, args ...any) string {
	m, t, ok := lookup(ctx, key)
	if !ok {
		return key
	}
	return fill(ctx, t.pick(m, 0), args)
}

// N translates a key that has plural forms; {n} is the number, grouped.
func N[I int | int32 | int64](ctx context.Context, key string, n I, args ...any) string {
	m, t, ok := lookup(ctx, key)
	if !ok {
		return key
	}
	s := strings.ReplaceAll(t.pick(m, int64(n)), "{n}", t.number(int64(n)))
	return fill(ctx, s, args)
}

// Error words a fault: as T, but a "param" argument shows the label of that
// parameter (param.<name>) when there is one.
func Error(ctx context.Context, key string, args ...any) string {
	named := make([]any, len(args))
	copy(named, args)
	for i := 0; i+1 < len(named); i += 2 {
		name, isName := named[i].(string)
		value, isText := named[i+1].(string)
		if isName && isText && name == "param" && Has("param."+value) {
			named[i+1] = Key("param." + value)
		}
	}
	return T(ctx, key, named...)
}

// Has reports whether there is such a key.
func Has(key string) bool {
	_, ok := catalogue().tongues[Fallback].texts[key]
	return ok
}

// Or translates the key if there is one and returns other if not.
func Or(ctx context.Context, key, other string) string {
	if !Has(key) {
		return other
	}
	return T(ctx, key)
}

func lookup(ctx context.Context, key string) (text, *tongue, bool) {
	c := catalogue()
	t := c.tongues[Lang(ctx)]
	if m, ok := t.texts[key]; ok {
		return m, t, true
	}
	t = c.tongues[Fallback]
	m, ok := t.texts[key]
	if !ok {
		missed.note(ctx, key)
	}
	return m, t, ok
}

// fill puts the values in their places.
func fill(ctx context.Context, s string, args []any) string {
	if len(args) == 0 || !strings.Contains(s, "{") {
		return s
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		if value, ok := argument(args, name); closed && ok {
			b.WriteString(show(ctx, value))
			s = after
			continue
		}
		b.WriteByte('{')
		s = rest
	}
}

func argument(args []any, name string) (any, bool) {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == name {
			return args[i+1], true
		}
	}
	return nil, false
}

func show(ctx context.Context, value any) string {
	switch v := value.(type) {
	case string:
		return v
	case Key:
		return T(ctx, string(v))
	}
	return fmt.Sprint(value)
}

// missed counts keys that no language has; each is logged once.
var missed = missing{count: map[string]int{}}

type missing struct {
	sync.Mutex
	count map[string]int
}

const missingLimit = 1000 // keys may come from outside; do not collect them all

func (m *missing) note(ctx context.Context, key string) {
	m.Lock()
	first := m.count[key] == 0 && len(m.count) < missingLimit
	if first || m.count[key] > 0 {
		m.count[key]++
	}
	m.Unlock()
	if first {
		slog.WarnContext(ctx, "locales: no such key", "key", key)
	}
}

// Missing returns the unknown keys that were asked for and how often.
func Missing() map[string]int {
	missed.Lock()
	defer missed.Unlock()
	list := make(map[string]int, len(missed.count))
	for key, n := range missed.count {
		list[key] = n
	}
	return list
}
