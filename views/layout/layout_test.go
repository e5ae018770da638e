package layout_test

import (
	"strings"
	"testing"

	"github.com/a-h/templ"

	"aerie/locales"
	"aerie/views/components"
	"aerie/views/layout"
)

func render(t *testing.T, lang string, c templ.Component) string {
	t.Helper()
	inner := components.Action{Label: "Go", Post: "/go"}
	ctx := templ.WithChildren(locales.With(t.Context(), lang), inner)
	var b strings.Builder
	if err := c.Render(ctx, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPages(t *testing.T) {
	full := layout.Page{
		Title: `<b>&`, Theme: "dark", Density: "compact", CSRF: "secret", Path: "/me/instances", LiveURL: "/live", Version: "1.0",
		User:    layout.User{Name: "Ünal", Account: "ops", Domain: "ROOT", Role: "Root admin"},
		Nav:     []layout.NavGroup{{Key: "nav.compute", Items: []layout.NavItem{{Key: "nav.instances", Href: "/me/instances", Icon: "server", Current: true, Count: 1200}}}},
		Crumbs:  components.Crumbs{{Label: "Compute", Href: "/me"}, {Label: "Instances"}},
		Banners: []layout.Banner{{Text: "Simulated"}},
		Links:   layout.Links{Search: "/search", Jobs: "/jobs", Preferences: "/preferences", SignOut: "/sign-out"},
		Jobs:    2,
	}
	for _, c := range []struct {
		name  string
		page  templ.Component
		parts []string
	}{
		{"the document", layout.Portal(full), []string{
			`<html lang="de" dir="ltr" data-theme="dark" data-density="compact">`, "<title>&lt;b&gt;&amp; · Aerie</title>",
			`&#34;includeIndicatorCSS&#34;:false`, `href="#main"`, `hx-sse:connect="/live"`,
		}},
		{"what is current", layout.Portal(full), []string{`aria-current="page"`, "Instanzen", "1.200", `aria-label="Hauptnavigation"`}},
		{"forms inside get the token", layout.Portal(full), []string{`action="/go"`, `name="_csrf" value="secret"`, `action="/sign-out"`, `name="back" value="/me/instances"`}},
		{"the user's initial is a letter", layout.Portal(full), []string{">Ü<"}},
		{"what has no address is not there", layout.Portal(layout.Page{}), []string{"!palette", "!hx-sse", "!user-menu", "!create-menu", "!<aside", "!crumbs", "<title>Aerie</title>"}},
		{"the system's theme", layout.Portal(layout.Page{}), []string{"!data-theme="}},
		{"the page's own language", layout.Portal(layout.Page{Lang: "en"}), []string{`lang="en"`, "Skip to content"}},
		{"before signing in", layout.SignIn(full), []string{`<main class="sign-in"`, `action="/go"`, "!<nav", "!hx-sse"}},
		{"the bare document", layout.Base(full), []string{`action="/go"`, "!<main"}},
		{"another brand", layout.SignIn(layout.Page{Brand: "Nimbus", Logo: "/logo.svg"}), []string{"Nimbus", `src="/logo.svg"`, "!logo-wing"}},
	} {
		text := render(t, "de", c.page)
		for _, part := range c.parts {
			if bare, not := strings.CutPrefix(part, "!"); not == strings.Contains(text, bare) {
				t.Errorf("%s: want %s in\n%s", c.name, part, text)
			}
		}
	}
}
