package config_test

import (
	"context"
	"testing"

	"aerie/services/config"
	"aerie/services/fault"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

func TestBrandOfADomain(t *testing.T) {
	s := config.New(storetest.Open(t))
	s.Domains = func(_ context.Context, path string) ([]string, error) {
		return map[string][]string{"/1/": {"acme"}, "/1/2/": {"lab", "acme"}, "/3/": {"rival"}}[path], nil
	}
	b := config.DeclareBrand(s)
	ctx := store.System(t.Context(), "test")
	for name, value := range map[string]string{
		"name": "Nimbus", "accent": "#7a1f5c", "support": "mailto:help@example.com", "logo": "data:image/png;base64,iVBORw0KGgo=",
	} {
		if _, err := s.SetAt(ctx, "ui.brand."+name, config.Target{Scope: config.Domain, ID: "acme"}, value); err != nil {
			t.Error(name, err)
		}
	}
	for path, want := range map[string]string{"/1/": "Nimbus", "/1/2/": "Nimbus", "/3/": "", "/": ""} {
		if got := b.For(ctx, path); got.Name != want || (got.Accent == "") != (want == "") {
			t.Errorf("%s: %+v", path, got)
		}
	}
	for _, bad := range [][2]string{
		{"accent", "red"},
		{"accent", "#ffff00"},
		{"accent", "#12345"},
		{"logo", "https://example.com/x.png"},
		{"logo", "data:text/html;base64,aGk="},
		{"logo", "data:image/png;base64,???"},
		{"support", "javascript:alert(1)"},
		{"support", "https:"},
		{"name", "two\nlines"},
	} {
		if _, err := s.Set(ctx, "ui.brand."+bad[0], bad[1]); !fault.Is(err, fault.Invalid) {
			t.Error(bad, err)
		}
	}
}
