package locales

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

//go:embed */*.json
var files embed.FS

// Fallback is the language of a key that another language lacks.
const Fallback = "en"

// text is one message: plain text, or one form per plural category.
type text struct {
	plain string
	forms map[plural.Form]string
}

// tongue is one language: its messages and how it writes numbers.
type tongue struct {
	tag     language.Tag
	name    string
	texts   map[string]text
	group   string
	decimal string
}

// Catalogue holds every language.
type Catalogue struct {
	tongues map[string]*tongue
	order   []string
	matcher language.Matcher
}

// Open reads <lang>/*.json from the file systems. A later file system may add
// languages and replace messages; within one, a key may stand only once.
func Open(sources ...fs.FS) (*Catalogue, error) {
	c := &Catalogue{tongues: map[string]*tongue{}}
	for _, src := range sources {
		names, err := fs.Glob(src, "*/*.json")
		if err != nil {
			return nil, err
		}
		seen := map[string]string{} // lang/key → file
		for _, name := range names {
			if err := c.read(src, name, seen); err != nil {
				return nil, err
			}
		}
	}
	if c.tongues[Fallback] == nil {
		return nil, fmt.Errorf("locales: no %s/*.json", Fallback)
	}
	c.finish()
	return c, nil
}

func (c *Catalogue) read(src fs.FS, name string, seen map[string]string) error {
	raw, err := fs.ReadFile(src, name)
	if err != nil {
		return err
	}
	var messages map[string]json.RawMessage
	if err := json.Unmarshal(raw, &messages); err != nil {
		return fmt.Errorf("locales: %s: %w", name, err)
	}
	if err := duplicate(raw); err != nil {
		return fmt.Errorf("locales: %s: %w", name, err)
	}
	lang := path.Dir(name)
	t, err := c.tongue(lang)
	if err != nil {
		return fmt.Errorf("locales: %s: %w", name, err)
	}
	for key, value := range messages {
		if first := seen[lang+"/"+key]; first != "" {
			return fmt.Errorf("locales: %s: %q is already in %s", name, key, first)
		}
		seen[lang+"/"+key] = name
		if t.texts[key], err = parse(value); err != nil {
			return fmt.Errorf("locales: %s: %q: %w", name, key, err)
		}
	}
	return nil
}

func (c *Catalogue) tongue(lang string) (*tongue, error) {
	if t := c.tongues[lang]; t != nil {
		return t, nil
	}
	tag, err := language.Parse(lang)
	if err != nil {
		return nil, err
	}
	t := &tongue{tag: tag, texts: map[string]text{}}
	t.group, t.decimal = separators(tag)
	c.tongues[lang] = t
	return t, nil
}

// finish orders the languages, English first, and prepares the matching.
func (c *Catalogue) finish() {
	for lang, t := range c.tongues {
		c.order = append(c.order, lang)
		t.name = lang
		if own, ok := t.texts["language.name"]; ok {
			t.name = own.plain
		}
	}
	sort.Slice(c.order, func(i, j int) bool {
		if (c.order[i] == Fallback) != (c.order[j] == Fallback) {
			return c.order[i] == Fallback
		}
		return c.order[i] < c.order[j]
	})
	tags := make([]language.Tag, len(c.order))
	for i, lang := range c.order {
		tags[i] = c.tongues[lang].tag
	}
	c.matcher = language.NewMatcher(tags)
}

var formNames = map[string]plural.Form{
	"zero": plural.Zero, "one": plural.One, "two": plural.Two,
	"few": plural.Few, "many": plural.Many, "other": plural.Other,
}

func parse(raw json.RawMessage) (text, error) {
	var plain string
	if json.Unmarshal(raw, &plain) == nil {
		return text{plain: plain}, nil
	}
	var forms map[string]string
	if err := json.Unmarshal(raw, &forms); err != nil {
		return text{}, fmt.Errorf("want text or plural forms: %w", err)
	}
	t := text{forms: make(map[plural.Form]string, len(forms))}
	for name, s := range forms {
		form, ok := formNames[name]
		if !ok {
			return text{}, fmt.Errorf("no plural form is called %q", name)
		}
		t.forms[form] = s
	}
	if _, ok := t.forms[plural.Other]; !ok {
		return text{}, fmt.Errorf("the plural form %q is missing", "other")
	}
	return t, nil
}

// duplicate reports a key that stands twice in one file; encoding/json would
// silently take the later one.
func duplicate(raw []byte) error {
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	if _, err := dec.Token(); err != nil {
		return err
	}
	seen := map[string]bool{}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return err
		}
		key, _ := tok.(string)
		if seen[key] {
			return fmt.Errorf("%q stands twice", key)
		}
		seen[key] = true
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return err
		}
	}
	return nil
}

// pick returns the form for n things.
func (t *tongue) pick(m text, n int64) string {
	if m.forms == nil {
		return m.plain
	}
	if n < 0 {
		n = -n
	}
	form := plural.Cardinal.MatchPlural(t.tag, int(n%1_000_000_000), 0, 0, 0, 0)
	if s, ok := m.forms[form]; ok {
		return s
	}
	return m.forms[plural.Other]
}
