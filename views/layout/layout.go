// Package layout is the frame of every page: the document, the sign-in shell
// and the portal with its bar, navigation and live stream.
package layout

import (
	"context"
	"encoding/json"
	"io"
	"strings"

	"github.com/a-h/templ"

	"aerie/locales"
	"aerie/static"
	"aerie/views/components"
)

// Page is what a shell needs to know. The portal's middleware fills all but
// Title and Crumbs.
type Page struct {
	Title   string
	Lang    string // language of ctx unless set
	Theme   string // "light", "dark" or "" for the system's
	Density string // "compact", "" or "touch"
	Brand   string // name of the cloud; "Aerie" unless set
	Logo    string // address of the operator's logo
	Accent  string // the operator's colour, #rrggbb; "" for Aerie's
	Styles  []string
	Scripts []string // further modules of this page: static names such as "js/console.js"
	CSRF    string
	Path    string // of this page, to come back to after changing preferences
	User    User
	Scope   Scope
	Nav     []NavGroup
	Create  []NavItem
	Crumbs  components.Crumbs
	Banners []Banner
	Flash   []components.Toast // shown once after a redirect
	Links   Links
	Jobs    int // running
	Alerts  int // not acknowledged
	LiveURL string
	Version string
}

// User is who is signed in.
type User struct{ Name, Account, Domain, Role string }

// Scope is whose things the pages show: my account, a project, a domain, all.
type Scope struct {
	Label   string
	Icon    string
	Choices []NavItem
}

// NavGroup is a heading and its entries; the first group may lack a heading.
type NavGroup struct {
	Key   string
	Items []NavItem
}

// NavItem is one link. Label is for names that are not in locales.
type NavItem struct {
	Key     string
	Label   string
	Href    string
	Icon    string
	Current bool
	Count   int
}

// Banner runs across the top: a simulated data centre, an impersonation.
type Banner struct {
	Tone components.Tone
	Text string
	Link components.Link
	Do   components.Action // done from the banner; without a label none
}

// Links are the addresses of the bar; what is empty is not shown.
type Links struct {
	Home, Search, Jobs, Alerts, Profile, Help string
	Preferences                               string // POST: theme, lang, density, back
	SignOut                                   string // POST
}

func (i NavItem) text(ctx context.Context) string {
	if i.Label != "" {
		return i.Label
	}
	return locales.T(ctx, i.Key)
}

func (p Page) brand() string {
	if p.Brand != "" {
		return p.Brand
	}
	return "Aerie"
}

func (p Page) home() string {
	if p.Links.Home != "" {
		return p.Links.Home
	}
	return "/"
}

func (p Page) fullTitle() string {
	if p.Title == "" {
		return p.brand()
	}
	return p.Title + " · " + p.brand()
}

// initial is the letter of the user's button.
func (u User) initial() string {
	for _, r := range u.Name {
		return string(r)
	}
	return "?"
}

// htmxConfig turns off what a strict content policy forbids.
func htmxConfig() string {
	raw, _ := json.Marshal(map[string]any{ // a constant
		"includeIndicatorCSS": false, "extensions": "sse", "defaultFocusScroll": true,
	})
	return string(raw)
}

// words are the texts the script needs.
func words(ctx context.Context) string {
	raw, _ := json.Marshal(map[string]string{
		"copied":  locales.T(ctx, "ui.copied"),
		"offline": locales.T(ctx, "ui.offline"),
		"online":  locales.T(ctx, "ui.online"),
		"failed":  locales.T(ctx, "ui.request_failed"),
		"pages":   locales.T(ctx, "palette.pages"),
		"now":     locales.T(ctx, "time.now"),
	})
	return string(raw)
}

// scripts are the addresses of the modules that exist in this build.
func (p Page) scripts() []string {
	return urls(append([]string{"vendor/htmx.js", "vendor/htmx-sse.js", "js/app.js"}, p.Scripts...))
}

func (p Page) styles() []string {
	list := urls(append([]string{"css/app.css"}, p.Styles...))
	if p.Accent != "" {
		list = append(list, "/brand/"+strings.TrimPrefix(p.Accent, "#")+".css")
	}
	return list
}

func urls(names []string) []string {
	var list []string
	for _, name := range names {
		if url := static.URL(name); url != "" {
			list = append(list, url)
		}
	}
	return list
}

// wrap gives everything inside the page its language and its token.
func (p Page) wrap(c templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		if p.Lang != "" && p.Lang != locales.Lang(ctx) {
			ctx = locales.With(ctx, p.Lang)
		}
		if p.CSRF != "" {
			ctx = components.WithCSRF(ctx, p.CSRF)
		}
		return c.Render(ctx, w)
	})
}

// Base is the bare document around its children: a console window, an error
// before sign-in.
func Base(p Page) templ.Component { return p.wrap(base(p)) }

// SignIn is the shell of the pages before signing in.
func SignIn(p Page) templ.Component { return p.wrap(signIn(p)) }

// Portal is the shell of all other pages.
func Portal(p Page) templ.Component { return p.wrap(portal(p)) }
