package portal_test

import (
	"cmp"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

const (
	axePath = "../../node_modules/axe-core/axe.min.js"
	// axeAll asks for every rule, axeColours for the one that colours decide.
	axeAll     = `["wcag2a","wcag2aa","wcag21a","wcag21aa","wcag22aa","best-practice"]`
	axeColours = `{type: "rule", values: ["color-contrast", "link-in-text-block"]}`
	axeRun     = `axe.run(document, {preload: false, resultTypes: ["violations"], runOnly: RULES}).then(r =>
	r.violations.map(v => v.id + ": " + v.help + "\n" + v.nodes.slice(0, 4).map(n => "  " + n.target + " " + n.html.slice(0, 160)).join("\n")))`
)

// judge is axe in a tab.
type judge struct {
	*tab
	axe string
}

func newJudge(t *testing.T, b *tab) judge {
	t.Helper()
	skipWithout(t, axePath)
	axe, err := os.ReadFile(axePath)
	if err != nil {
		t.Fatal(err)
	}
	return judge{b, string(axe)}
}

// page looks at a page wide and narrow, in light and dark, in two languages.
func (j judge) page(name, path string) {
	j.t.Helper()
	for _, l := range []look{wide, phone} {
		j.open(path, l)
		j.run(chromedp.Evaluate(j.axe, nil))
		j.verdict(name, l, axeAll)
		if is := ask[int64](j.tab, "document.documentElement.scrollWidth"); is > l.width {
			j.t.Errorf("%s: the page is %d px wide at %d", name, is, l.width)
		}
		l.dark = !l.dark
		j.light(!l.dark)
		j.verdict(name, l, axeColours)
	}
	for _, line := range j.complaints() {
		if !strings.HasPrefix(name, "not-found") || !strings.Contains(line, "404") {
			j.t.Errorf("%s: console: %s", name, line)
		}
	}
}

// verdict is what axe finds on the page as it is open.
func (j judge) verdict(name string, l look, rules string) {
	j.t.Helper()
	for _, violation := range ask[[]string](j.tab, strings.Replace(axeRun, "RULES", rules, 1)) {
		j.t.Errorf("%s %s: %s", name, l, violation)
	}
	j.shoot(name + "-" + l.String())
}

// visit is a page to look at, as somebody.
type visit struct {
	name, path string
	guest      *guest
}

// visits are all that somebody can see, one page of each shape.
func visits(prefix string, g *guest, pages []page) (out []visit) {
	seen := map[string]bool{}
	for _, p := range pages {
		if only := os.Getenv("AERIE_PAGE"); seen[p.shape] || only != "" && !strings.Contains(p.shape, only) {
			continue
		}
		seen[p.shape] = true
		out = append(out, visit{prefix + strings.ReplaceAll(strings.ReplaceAll(p.shape, "/", "-"), ":", ""), p.path, g})
	}
	return out
}

// judgeAll shares the visits between two browsers.
func judgeAll(t *testing.T, b *tab, all []visit) {
	t.Helper()
	work := make(chan visit, len(all))
	for _, v := range all {
		work <- v
	}
	close(work)
	var tabs sync.WaitGroup
	for _, j := range []judge{newJudge(t, b), newJudge(t, newBrowser(t, b.url))} {
		tabs.Go(func() {
			for v := range work {
				j.as(v.guest)
				j.page(v.name, v.path)
			}
		})
	}
	tabs.Wait()
	t.Logf("%d pages", len(all))
}

// TestPagesAreAccessible: on every page that a link leads to axe finds
// nothing, nothing is wider than a phone, and nothing breaks the content
// policy; with much to show and with nothing, for operators and tenants.
func TestPagesAreAccessible(t *testing.T) {
	s := newSite(t)
	people := s.furnish()
	b := s.browse(t)
	nobody := &guest{site: s, t: t, cookies: map[string]*http.Cookie{}}
	all := []visit{{"sign-in", "/login?next=/me/instances", nobody}, {"not-found", "/me/nothing", people.mara}}
	for name, g := range map[string]*guest{"admin": people.admin, "mara": people.mara, "ella": people.ella} {
		all = append(all, visits(name, g, g.crawl(people.starts(g)...))...)
	}
	all = append(all, visits("dora", people.dora, people.dora.crawl(people.dora.home))[:1]...)
	slices.SortStableFunc(all, func(a, b visit) int { return cmp.Compare(a.name, b.name) })
	judgeAll(t, b, all)
}

// TestEmptyCloudIsAccessible: the same where nothing was set up yet.
func TestEmptyCloudIsAccessible(t *testing.T) {
	s := newSite(t)
	s.strip()
	b := s.browse(t)
	g := s.signIn(t, "", "admin")
	judgeAll(t, b, visits("bare", g, g.crawl(g.home)))
}
