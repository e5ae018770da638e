package locales_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"aerie/locales"
)

func in(t *testing.T, lang string) context.Context {
	t.Helper()
	return locales.With(t.Context(), lang)
}

func TestT(t *testing.T) {
	en, de := in(t, "en"), in(t, "de")
	for _, c := range []struct{ name, got, want string }{
		{"a value takes its place", locales.T(en, "ui.copy_value", "value", "web-1"), "Copy web-1"},
		{"in the user's language", locales.T(de, "ui.copy_value", "value", "web-1"), "web-1 kopieren"},
		{"a value is never a pattern", locales.T(en, "ui.copy_value", "value", "{value}"), "Copy {value}"},
		{"a missing value stays visible", locales.T(en, "ui.copy_value", "other", 1), "Copy {value}"},
		{"numbers stay as they are", locales.T(en, "ui.copy_value", "value", 8080), "Copy 8080"},
		{"a key as a value is translated", locales.T(de, "ui.copy_value", "value", locales.Key("nav.hosts")), "Hosts kopieren"},
		{"an unknown key is its own word", locales.T(en, "no.such"), "no.such"},
		{"an unknown language is English", locales.T(in(t, "tlh"), "ui.cancel"), "Cancel"},
		{"no language is English", locales.T(t.Context(), "ui.cancel"), "Cancel"},
		{"one", locales.N(en, "form.problems", 1), "There is a problem with 1 entry"},
		{"many are grouped", locales.N(de, "form.problems", 12345), "12.345 Eingaben sind fehlerhaft"},
		{"or another word", locales.Or(en, "state.nonsense", "nonsense"), "nonsense"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, c.got, c.want)
		}
	}
}

func TestMissingKeysAreCounted(t *testing.T) {
	locales.T(t.Context(), "test.missing")
	locales.T(t.Context(), "test.missing")
	if n := locales.Missing()["test.missing"]; n != 2 {
		t.Errorf("counted %d, want 2", n)
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct{ name, accept, preferred, want string }{
		{"the user's choice wins", "en", "de", "de"},
		{"the browser's best", "fr;q=0.9, de-AT;q=0.8, en;q=0.1", "", "de"},
		{"a choice that was withdrawn", "de", "tlh", "de"},
		{"nothing known", "ja", "", "en"},
		{"nonsense", ";;;", "", "en"},
		{"nothing", "", "", "en"},
	} {
		if got := locales.Match(c.accept, c.preferred); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestFormats(t *testing.T) {
	en, de := in(t, "en"), in(t, "de")
	at := time.Date(2026, 3, 14, 9, 26, 0, 0, time.UTC)
	berlin := locales.WithZone(de, time.FixedZone("CET", 3600))
	for _, c := range []struct{ name, got, want string }{
		{"count", locales.Number(en, 1234567), "1,234,567"},
		{"count in German", locales.Number(de, int64(-1234567)), "-1.234.567"},
		{"small count", locales.Number(en, 999), "999"},
		{"decimals", locales.Decimal(de, 1234.56, 1), "1.234,6"},
		{"below nothing", locales.Decimal(en, -0.04, 1), "0.0"},
		{"share", locales.Percent(en, 0.754), "75%"},
		{"share in German", locales.Percent(de, 0.754), "75\u00a0%"},
		{"money", locales.Money(de, 1234.5, "EUR"), "1.234,50\u00a0EUR"},
		{"bytes", locales.Bytes(en, 512), "512\u00a0B"},
		{"whole gigabytes", locales.Bytes(en, 4<<30), "4\u00a0GiB"},
		{"part of one", locales.Bytes(de, 3<<29), "1,5\u00a0GiB"},
		{"no 1024", locales.Bytes(en, 1<<30-1), "1\u00a0GiB"},
		{"large", locales.Bytes(en, 300<<40), "300\u00a0TiB"},
		{"date", locales.Date(de, at), "14.03.2026"},
		{"time in a zone", locales.DateTime(berlin, at), "14.03.2026, 10:26 CET"},
		{"time", locales.DateTime(en, at), "14 Mar 2026, 09:26 UTC"},
		{"short span", locales.Duration(en, 40*time.Millisecond), "40 ms"},
		{"seconds", locales.Duration(de, 1200*time.Millisecond), "1,2 s"},
		{"minutes", locales.Duration(en, 125*time.Second), "2 min 5 s"},
		{"hours", locales.Duration(en, 125*time.Minute), "2 h 5 min"},
		{"days", locales.Duration(de, 50*time.Hour), "2 T. 2 Std."},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, c.got, c.want)
		}
	}
}

func TestRelative(t *testing.T) {
	now := time.Date(2026, 3, 14, 9, 26, 0, 0, time.UTC)
	en := locales.WithNow(in(t, "en"), now)
	de := locales.WithNow(in(t, "de"), now)
	for _, c := range []struct {
		ago    time.Duration
		en, de string
	}{
		{5 * time.Second, "just now", "gerade eben"},
		{time.Minute, "1 minute ago", "vor 1 Minute"},
		{59 * time.Minute, "59 minutes ago", "vor 59 Minuten"},
		{26 * time.Hour, "1 day ago", "vor 1 Tag"},
		{70 * 24 * time.Hour, "2 months ago", "vor 2 Monaten"},
		{800 * 24 * time.Hour, "2 years ago", "vor 2 Jahren"},
		{-3 * time.Hour, "in 3 hours", "in 3 Stunden"},
		{-5 * time.Second, "just now", "gerade eben"},
	} {
		if got := locales.Relative(en, now.Add(-c.ago)); got != c.en {
			t.Errorf("%s: got %q, want %q", c.ago, got, c.en)
		}
		if got := locales.Relative(de, now.Add(-c.ago)); got != c.de {
			t.Errorf("%s: got %q, want %q", c.ago, got, c.de)
		}
	}
}

// Words for tests that no built-in file has.
var own = fstest.MapFS{
	"en/x.json": {Data: []byte(`{"test.things": {"one": "{n} thing", "other": "{n} things"}, "error.test": "{param} is wrong", "param.test": "Colour"}`)},
	"pl/x.json": {Data: []byte(`{"language.name": "Polski", "test.things": {"one": "{n} rzecz", "few": "{n} rzeczy", "many": "{n} rzeczy-wiele", "other": "{n} rzeczy"}}`)},
	"ar/x.json": {Data: []byte(`{"language.name": "العربية"}`)},
}

func TestAnOperatorAddsALanguage(t *testing.T) {
	if err := locales.Add(own); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = locales.Add(fstest.MapFS{}) })
	pl := in(t, "pl")
	for _, c := range []struct{ name, got, want string }{
		{"few", locales.N(pl, "test.things", 3), "3 rzeczy"},
		{"many", locales.N(pl, "test.things", 5), "5 rzeczy-wiele"},
		{"a key it lacks is English", locales.T(pl, "ui.cancel"), "Cancel"},
		{"left to right", locales.Dir(pl), "ltr"},
		{"right to left", locales.Dir(in(t, "ar")), "rtl"},
		{"a parameter by its label", locales.Error(pl, "error.test", "param", "test"), "Colour is wrong"},
		{"a parameter without one", locales.Error(pl, "error.test", "param", "other"), "other is wrong"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, c.got, c.want)
		}
	}
	if list := locales.Languages(); list[0].Tag != "en" || len(list) != 4 {
		t.Errorf("languages: %v", list)
	}
}

func TestBadFilesAreRefused(t *testing.T) {
	file := func(names ...string) fstest.MapFS {
		list := fstest.MapFS{}
		for i := 0; i < len(names); i += 2 {
			list[names[i]] = &fstest.MapFile{Data: []byte(names[i+1])}
		}
		return list
	}
	for _, c := range []struct {
		name  string
		files fstest.MapFS
		want  string
	}{
		{"the same key in two files", file("en/a.json", `{"k": "x"}`, "en/b.json", `{"k": "y"}`), "already in en/a.json"},
		{"the same key twice in one", file("en/a.json", `{"k": "x", "k": "y"}`), "stands twice"},
		{"no such plural form", file("en/a.json", `{"k": {"some": "x", "other": "y"}}`), "no plural form"},
		{"no other", file("en/a.json", `{"k": {"one": "x"}}`), `"other" is missing`},
		{"not text", file("en/a.json", `{"k": 7}`), "want text"},
		{"not JSON", file("en/a.json", `{`), "en/a.json"},
		{"no such language", file("x!/a.json", `{}`, "en/a.json", `{}`), "language"},
		{"no English", file("de/a.json", `{}`), "no en/"},
	} {
		if _, err := locales.Open(c.files); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func BenchmarkT(b *testing.B) {
	ctx := locales.With(b.Context(), "de")
	for b.Loop() {
		locales.T(ctx, "ui.cancel")
	}
}
