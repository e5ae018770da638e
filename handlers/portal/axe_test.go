package portal_test

import (
	"net/http"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

const (
	axePath = "../../node_modules/axe-core/axe.min.js"
	// axeAll asks for every rule, axeColours for the one that colours decide.
	axeAll     = `["wcag2a","wcag2aa","wcag21a","wcag21aa","wcag22aa","best-practice"]`
	axeColours = `{type: "rule", values: ["color-contrast", "link-in-text-block"]}`
	axeRun     = `axe.run(PART, {preload: false, resultTypes: ["violations"], runOnly: RULES}).then(r =>
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

// page looks at a page in light and dark, wide and as narrow as a phone. What
// frames all pages alike is judged in every look on a dashboard only.
func (j judge) page(v visit) {
	j.t.Helper()
	part := "main"
	if strings.Contains(v.name, "dashboard") || strings.Contains(v.name, "console") {
		part = "html"
	}
	j.open(v.path, look{lang: v.lang, width: wide.width})
	j.run(chromedp.Evaluate(j.axe, nil))
	j.verdict(v.name, wide, "html", axeAll)
	j.darken(v.name, wide, part)
	narrow := look{lang: v.lang, width: phone.width}
	j.run(emulation.SetDeviceMetricsOverride(narrow.width, 900, 1, false))
	j.light(true)
	j.verdict(v.name, narrow, part, axeAll)
	if is := ask[int64](j.tab, "document.documentElement.scrollWidth"); is > narrow.width {
		j.t.Errorf("%s: the page is %d px wide at %d", v.name, is, narrow.width)
	}
	j.darken(v.name, narrow, part)
	for _, line := range j.complaints() {
		if v.name != "not-found" || !strings.Contains(line, "404") {
			j.t.Errorf("%s: console: %s", v.name, line)
		}
	}
}

// darken looks at the open page once more, in dark.
func (j judge) darken(name string, l look, part string) {
	j.t.Helper()
	l.dark = true
	j.light(false)
	j.verdict(name, l, part, axeColours)
}

// verdict is what axe finds on a part of the page as it is open.
func (j judge) verdict(name string, l look, part, rules string) {
	j.t.Helper()
	script := strings.NewReplacer("PART", strconv.Quote(part), "RULES", rules).Replace(axeRun)
	for _, violation := range ask[[]string](j.tab, script) {
		j.t.Errorf("%s %s: %s", name, l, violation)
	}
	j.shoot(name + "-" + l.String())
}

// visit is a page to look at, as somebody.
type visit struct {
	name, path, lang string
	guest            *guest
}

// built is what a page is made of: the tags of its content without their words
// and addresses. Pages that are built alike are alike to axe.
func built(p page) string {
	_, body, _ := strings.Cut(p.body, "<main")
	rows := repeated.ReplaceAllString(named.ReplaceAllString(tags.ReplaceAllStringFunc(body, func(tag string) string { return "\x00" + tag + "\x01" }), ""), "")
	return path.Base(p.shape) + strings.Join(between.FindAllString(rows, -1), "")
}

var (
	named    = regexp.MustCompile(` (?:id|href|value|name|for|action|formaction|data-[a-z-]+|datetime|title|src|aria-label|aria-labelledby|aria-describedby|popovertarget|form|hx-[a-z:]+|width|x|points|d)="[^"]*"`)
	repeated = regexp.MustCompile(`(?s)</tr>.*?</tbody>`) // one row stands for all
	between  = regexp.MustCompile(`\x00[^\x01]*\x01`)
)

// visits are all that somebody can see, one page of each shape; those that are
// built like one that was seen before are left out.
func visits(prefix string, g *guest, pages []page, seen map[string]bool) (out []visit) {
	shapes := map[string]bool{}
	lang := phone.lang // the longer words
	if prefix == "mara" {
		lang = wide.lang
	}
	for _, p := range pages {
		only := os.Getenv("AERIE_PAGE")
		if shapes[p.shape] || seen[built(p)] || only != "" && !strings.Contains(p.shape, only) {
			continue
		}
		shapes[p.shape], seen[built(p)] = true, true
		out = append(out, visit{prefix + strings.NewReplacer("/", "-", ":", "").Replace(p.shape), p.path, lang, g})
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
				j.page(v)
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
	all := []visit{{"sign-in", "/login?next=/me/instances", "de", nobody}, {"not-found", "/me/nothing", "de", people.mara}}
	seen := map[string]bool{}
	for _, who := range []struct {
		name  string
		guest *guest
	}{{"admin", people.admin}, {"mara", people.mara}, {"ella", people.ella}} {
		all = append(all, visits(who.name, who.guest, who.guest.crawl(people.starts(who.guest)...), seen)...)
	}
	all = append(all, visit{"dora-dashboard", people.dora.home, "de", people.dora})
	judgeAll(t, b, all)
}

// TestEmptyCloudIsAccessible: the same where nothing was set up yet.
func TestEmptyCloudIsAccessible(t *testing.T) {
	s := newSite(t)
	s.strip()
	b := s.browse(t)
	g := s.signIn(t, "", "admin")
	pages := slices.DeleteFunc(g.crawl(g.home), func(p page) bool {
		return !strings.Contains(p.body, `class="empty"`) && !strings.HasSuffix(p.shape, "/new") && p.shape != "/dashboard"
	})
	judgeAll(t, b, visits("bare", g, pages, map[string]bool{}))
}

// TestOverlaysAreAccessible: the same for what opens above a page.
func TestOverlaysAreAccessible(t *testing.T) {
	s := newSite(t)
	people := s.furnish()
	j := newJudge(t, s.browse(t))
	j.as(people.admin)
	the := func(selector string) string { return "document.querySelector(" + strconv.Quote(selector) + ")" }
	for _, overlay := range []struct{ name, opens, shown string }{
		{"row-menu", the(`#instances tbody [data-menu]`), `#instances .menu:popover-open`},
		{"ask", "document.querySelector(`[popovertarget=\"${" + the(`.row-actions .ask:not(.menu *)`) + ".id}\"]`)", `.ask:popover-open`},
		{"columns", the(`[popovertarget=instances-view]`), `.view:popover-open`},
		{"destroy", the(`#instances a[data-dialog]`), `#modal:modal .dialog-body`},
		{"create", the(`[data-create]`), `#create-menu:popover-open`},
		{"scope", the(`[popovertarget=scope-menu]`), `#scope-menu:popover-open`},
		{"user", the(`.avatar`), `#user-menu:popover-open`},
		{"keys", the(`[data-keys]`), `#keys:modal`},
		{"drawer", the(`[popovertarget=nav]`), `#nav`},
		{"selection", the(`#instances .pick input`), `.bulk`},
	} {
		for _, l := range []look{wide, phone} {
			j.open("/all/instances", l)
			j.do(overlay.opens + `.click()`)
			j.eventually(the(overlay.shown) + `?.checkVisibility()`)
			j.run(chromedp.Evaluate(j.axe, nil))
			j.verdict("overlay-"+overlay.name, l, "html", axeAll)
			j.darken("overlay-"+overlay.name, l, "html")
		}
	}
	j.open("/all/instances", wide)
	j.run(chromedp.KeyEvent("k", chromedp.KeyModifiers(input.ModifierCtrl)))
	j.eventually(`document.querySelector("#palette:modal input") === document.activeElement`)
	j.run(chromedp.KeyEvent("web"))
	j.eventually(`document.querySelector("#palette-found a[data-hit]")`)
	j.run(chromedp.Evaluate(j.axe, nil))
	j.verdict("overlay-palette", wide, "html", axeAll)
	for _, line := range j.complaints() {
		t.Errorf("console: %s", line)
	}
}
