package portal_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aerie/locales"
)

// page is a page that a crawl came by.
type page struct {
	path  string
	shape string // see shapeOf
	body  string
}

// crawl follows every link and every question before a bulk action, and
// returns the pages it came by in that order.
func (g *guest) crawl(from ...string) (pages []page) {
	g.t.Helper()
	seen, queue := map[string]bool{}, from
	for len(queue) > 0 && len(pages) < 1000 {
		to := queue[0]
		queue = queue[1:]
		path, query, _ := strings.Cut(to, "?")
		kind := path + valuesOf.ReplaceAllString(query, "=")
		if seen[kind] || g.shapeOf(path) == "" {
			continue
		}
		seen[kind] = true
		w := g.do(http.MethodGet, to, nil)
		if w.Code == http.StatusSeeOther {
			continue
		}
		if w.Code != http.StatusOK {
			g.t.Errorf("GET %s: %d: %s", to, w.Code, text(w.Body.String()))
			continue
		}
		if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			continue
		}
		pages = append(pages, page{path: to, shape: g.shapeOf(path), body: w.Body.String()})
		queue = append(queue, linksOf(w.Body.String())...)
	}
	return pages
}

var (
	// valuesOf is what may differ between two addresses of one page.
	valuesOf = regexp.MustCompile(`=[^&]*`)

	links   = regexp.MustCompile(`(?:href|data-dialog)="(/[^"#]*)"`)
	bulk    = regexp.MustCompile(`formaction="(/[^"]*)" formmethod="get"`)
	picks   = regexp.MustCompile(`name="id" value="([^"]+)" form=`)
	actions = regexp.MustCompile(`<form[^>]* method="post"[^>]*action="(/[^"]*)"`)
)

func linksOf(body string) (out []string) {
	for _, m := range links.FindAllStringSubmatch(body, -1) {
		if to := html.UnescapeString(m[1]); !strings.Contains(to, "as=csv") && !strings.HasPrefix(to, "/static/") {
			out = append(out, to)
		}
	}
	if pick := picks.FindStringSubmatch(body); pick != nil {
		for _, m := range bulk.FindAllStringSubmatch(body, -1) {
			out = append(out, m[1]+"?id="+pick[1])
		}
	}
	return out
}

// shapeOf is what pages of one kind share: their route below the scope, with
// the tab or the deed that it names; empty without a route.
func (g *guest) shapeOf(path string) string { return g.routeOf(http.MethodGet, path) }

func (g *guest) routeOf(method, path string) string {
	c := g.echo.NewContext(httptest.NewRequest(method, path, nil), httptest.NewRecorder())
	g.echo.Router().Find(method, path, c)
	if strings.HasSuffix(c.Path(), "*") {
		return ""
	}
	shape := unscoped(c.Path())
	for _, name := range []string{"tab", "verb"} {
		if value := c.Param(name); value != "" {
			shape = strings.Replace(shape, ":"+name, value, 1)
		}
	}
	return shape
}

// unscoped is a route without its scope.
func unscoped(route string) string {
	for _, scope := range []string{"/me", "/all", "/d/:domain", "/p/:project"} {
		if rest, ok := strings.CutPrefix(route, scope+"/"); ok {
			return "/" + rest
		}
	}
	return route
}

// noPages are routes whose answer is not a page.
var noPages = []string{"/", "/events/stream", "/instances/:id/screen", "/instances/new/check", "/brand/:colour"}

// waiting are pages that show when the command behind them is there.
var waiting = map[string]string{
	"/volumes/new": "createVolume", "/volumes/delete": "deleteVolume", "/volumes/:id/delete": "deleteVolume",
	"/volumes/:id/edit": "updateVolume", "/volumes/:id/resize": "resizeVolume", "/volumes/:id/attach": "attachVolume",
}

// strangers are pages on the way in: nobody is led there who is in.
var strangers = []string{"/forgot-password", "/reset-password", "/second-factor", "/sign-in/oidc", "/sign-in/oidc/:id"}

// TestEveryPageIsLinked: whoever clicks finds every page that there is, none
// of its links is dead, nobody's form goes nowhere, and no page shows a key.
func TestEveryPageIsLinked(t *testing.T) {
	s := newSite(t)
	people := s.furnish()
	reached := map[string]bool{"/login": true}
	for _, stranger := range strangers {
		reached[stranger] = true
	}
	for _, who := range []struct {
		name  string
		guest *guest
		least int
	}{{"admin", people.admin, 150}, {"dora", people.dora, 60}, {"mara", people.mara, 60}} {
		t.Run(who.name, func(t *testing.T) {
			g := who.guest.in(t)
			pages := g.crawl(people.starts(g)...)
			if len(pages) < who.least {
				t.Errorf("%d pages were found, want %d", len(pages), who.least)
			}
			for _, p := range pages {
				reached[p.shape] = true
				g.alive(p)
			}
		})
	}
	for _, route := range s.echo.Routes() {
		shape := unscoped(route.Path)
		if route.Method != http.MethodGet || slices.Contains(noPages, shape) {
			continue
		}
		_, err := s.Registry.Find(s.Admin, waiting[shape])
		if born, linked := err == nil || waiting[shape] == "", reachedBy(reached, shape); born != linked {
			t.Errorf("%s: a link leads there is %v, and it can work is %v", shape, linked, born)
		}
	}
	for key := range locales.Missing() {
		t.Errorf("no text for %s", key)
	}
}

// reachedBy tells whether a page of the route was seen, whatever its tab.
func reachedBy(reached map[string]bool, shape string) bool {
	for _, name := range []string{":tab", ":verb"} {
		if before, ok := strings.CutSuffix(shape, name); ok {
			for seen := range reached {
				if rest, is := strings.CutPrefix(seen, before); is && !strings.Contains(rest, "/") {
					return true
				}
			}
			return false
		}
	}
	return reached[shape]
}

// wordKey is a key of locales that stands on a page in place of its words.
var wordKey = regexp.MustCompile(`(?:^|[\s>"])((?:pg|nav|col|action|state|step|deploy|instance|dashboard|job|jobs|portal|param|error|limit|event|events|layout|table|ui|role|config)\.[a-z_]+[a-z_.]*)(?:$|[\s<"])`)

// alive: every form of a page is taken by a route, and every text is there.
func (g *guest) alive(p page) {
	g.t.Helper()
	for _, m := range actions.FindAllStringSubmatch(p.body, -1) {
		path, _, _ := strings.Cut(html.UnescapeString(m[1]), "?")
		c := g.echo.NewContext(httptest.NewRequest(http.MethodPost, path, nil), httptest.NewRecorder())
		g.echo.Router().Find(http.MethodPost, path, c)
		if c.Path() == "" || strings.HasSuffix(c.Path(), "/*") {
			g.t.Errorf("%s: nobody takes the form %s", p.path, path)
		}
	}
	if strings.HasPrefix(p.shape, "/settings") {
		return // the names of settings look like keys
	}
	for _, m := range wordKey.FindAllStringSubmatch(text(p.body), -1) {
		g.t.Errorf("%s shows the key %s", p.path, m[1])
	}
}

// TestEventsAreWorded: people read what a command does, not its event's type.
func TestEventsAreWorded(t *testing.T) {
	s := newSite(t)
	for _, c := range s.Registry.All() {
		if key := "event.type." + c.Event; c.Event != "" && !locales.Has(key) {
			t.Errorf("%s: no text for %s", c.Name, key)
		}
	}
}
