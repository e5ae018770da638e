package locales_test

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	"aerie/locales"
)

// dynamic are the beginnings of keys that code puts together.
var dynamic = []string{
	"api.", "error.", "param.", "state.", "event.", "config.", "command.", "help.", "nav.", "role.", "limit.", "step.", "action.",
	"time.", "span.", "format.", "language.", "alert.", "job.kind.", "unit.", "hypervisor.", "create.", "dashboard.step.", "pg.",
}

// raw reads a language's files as they are.
func raw(t *testing.T, lang string) map[string]any {
	t.Helper()
	all := map[string]any{}
	files, err := filepath.Glob(filepath.Join(lang, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files of %s: %v", lang, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &all); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	return all
}

var place = regexp.MustCompile(`\{[a-z_]+\}`)

func places(s string) []string {
	list := place.FindAllString(s, -1)
	slices.Sort(list)
	return slices.Compact(list)
}

// TestLanguagesAgree: same files, same keys, same places, and the plural forms
// the language needs.
func TestLanguagesAgree(t *testing.T) {
	english := raw(t, "en")
	for _, l := range locales.Languages() {
		words := raw(t, l.Tag)
		for key := range words {
			if _, ok := english[key]; !ok {
				t.Errorf("%s: %q is not in English", l.Tag, key)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(english)) {
			value, ok := words[key]
			if !ok {
				t.Errorf("%s: %q is missing", l.Tag, key)
				continue
			}
			agree(t, l.Tag, key, english[key], value)
		}
		sameFiles(t, l.Tag)
	}
}

func sameFiles(t *testing.T, lang string) {
	t.Helper()
	want, _ := filepath.Glob("en/*.json")
	for _, file := range want {
		if _, err := os.Stat(filepath.Join(lang, filepath.Base(file))); err != nil {
			t.Errorf("%s has no %s", lang, filepath.Base(file))
		}
	}
}

func agree(t *testing.T, lang, key string, english, own any) {
	t.Helper()
	e, plain := english.(string)
	o, ownPlain := own.(string)
	if plain != ownPlain {
		t.Errorf("%s: %q is a plural in one language only", lang, key)
		return
	}
	if plain {
		if !slices.Equal(places(e), places(o)) {
			t.Errorf("%s: %q has the places %v, want %v", lang, key, places(o), places(e))
		}
		if strings.TrimSpace(o) != o || o == "" {
			t.Errorf("%s: %q is empty or has space around it", lang, key)
		}
		return
	}
	forms, want := own.(map[string]any), places(english.(map[string]any)["other"].(string))
	for _, form := range needed(lang) {
		s, ok := forms[form].(string)
		if !ok {
			t.Errorf("%s: %q lacks the plural form %q", lang, key, form)
		} else if got := places(s); !slices.Equal(got, want) && form == "other" {
			t.Errorf("%s: %q (%s) has the places %v, want %v", lang, key, form, got, want)
		}
	}
}

// needed are the plural forms a language uses for whole numbers.
func needed(lang string) []string {
	names := map[plural.Form]string{
		plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other",
	}
	used := map[string]bool{"other": true}
	for n := range 200 {
		used[names[plural.Cardinal.MatchPlural(language.Make(lang), n, 0, 0, 0, 0)]] = true
	}
	return slices.Sorted(maps.Keys(used))
}

// sources calls f with every hand-written Go and templ file of the module.
func sources(t *testing.T, f func(name, text string)) {
	t.Helper()
	for _, root := range []string{"../views", "../handlers", "../services", "../cmd", "../drivers"} {
		err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			isGo := strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_templ.go") && !strings.HasSuffix(name, "_test.go")
			if !isGo && !strings.HasSuffix(name, ".templ") {
				return nil
			}
			text, err := os.ReadFile(name)
			f(name, string(text))
			return err
		})
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
}

var (
	asked   = regexp.MustCompile(`locales\.(?:T|N|Error)\(\s*[\w.()]+,\s*"([^"]+)"\s*[,)]`)
	literal = regexp.MustCompile(`"([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+)"`)
	faulted = regexp.MustCompile(`fault\.(?:New|Param)\([^"\n]*(?:"[a-z0-9_]*",\s*)?"(error\.[a-z0-9_.]+)"`)
)

// TestKeysInUse: what the code asks for exists, and nothing lies unused.
func TestKeysInUse(t *testing.T) {
	used := map[string]bool{}
	sources(t, func(name, text string) {
		for _, m := range asked.FindAllStringSubmatch(text, -1) {
			if !locales.Has(m[1]) {
				t.Errorf("%s asks for %q, which no language has", name, m[1])
			}
		}
		for _, m := range literal.FindAllStringSubmatch(text, -1) {
			used[m[1]] = true
		}
	})
	locale, err := os.ReadFile("locales.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range literal.FindAllStringSubmatch(string(locale), -1) {
		used[m[1]] = true
	}
	for _, key := range slices.Sorted(maps.Keys(raw(t, "en"))) {
		isDynamic := slices.ContainsFunc(dynamic, func(p string) bool { return strings.HasPrefix(key, p) })
		if !used[key] && !isDynamic {
			t.Errorf("%q is not used anywhere", key)
		}
	}
}

// TestFaultsHaveWords: every fault a service names can be told to a user.
func TestFaultsHaveWords(t *testing.T) {
	lacking := map[string]bool{}
	sources(t, func(_, text string) {
		for _, m := range faulted.FindAllStringSubmatch(text, -1) {
			// A key that ends open is put together; its users test the whole.
			if open := strings.HasSuffix(m[1], ".") || strings.HasSuffix(m[1], "_"); !open && !locales.Has(m[1]) {
				lacking[m[1]] = true
			}
		}
	})
	if len(lacking) > 0 {
		t.Errorf("%d faults have no words: %s", len(lacking), strings.Join(slices.Sorted(maps.Keys(lacking)), " "))
	}
}
