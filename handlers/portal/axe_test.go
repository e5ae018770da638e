package portal_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
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
	// axeShape asks for every rule but those that colours decide, axeColours
	// for these.
	axeShape   = `{runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], rules: {"color-contrast": {enabled: false}, "link-in-text-block": {enabled: false}}}`
	axeColours = `{runOnly: {type: "rule", values: ["color-contrast", "link-in-text-block"]}}`
	// axePlace asks for what the width of the window decides.
	axePlace = `{runOnly: {type: "rule", values: ["target-size", "scrollable-region-focusable"]}}`
	axeRun   = `axe.run(PART, {preload: false, resultTypes: ["violations"], ...RULES}).then(r =>
	r.violations.map(v => v.id + ": " + v.help + "\n" + v.nodes.slice(0, 4).map(n => "  " + n.target + " " + n.html.slice(0, 160)).join("\n")))`
	// paths are all that styles can tell apart: elements below elements, by
	// name, class and state. One of each is kept.
	paths = `(() => {
	const states = ["type", "aria-disabled", "aria-current", "aria-pressed", "aria-busy", "aria-invalid", "disabled", "readonly", "open"];
	const of = e => e.localName + [...e.classList].sort().map(c => "." + c).join("") + states.filter(a => e.hasAttribute(a)).map(a => "[" + a + "=" + e.getAttribute(a) + "]").join("");
	const walk = (e, above) => { const p = above + ">" + of(e); if (!kept.has(p)) kept.set(p, e); for (const c of e.children) walk(c, p); };
	window.kept = new Map();
	walk(document.body, "");
	return [...kept.keys()];
})()`
)

// judge is axe in a tab.
type judge struct {
	*tab
	axe  string
	seen *sync.Map // of paths whose colours were judged
}

func newJudge(t *testing.T, b *tab, seen *sync.Map) judge {
	t.Helper()
	skipWithout(t, axePath)
	axe, err := os.ReadFile(axePath)
	if err != nil {
		t.Fatal(err)
	}
	return judge{b, string(axe), seen}
}

// page looks at a page wide and as narrow as a phone.
func (j judge) page(v visit) {
	j.t.Helper()
	j.open(v.path, look{lang: v.lang, width: wide.width})
	j.all(v.name, wide.width)
	j.narrow()
	if is := ask[int64](j.tab, "document.documentElement.scrollWidth"); is > phone.width {
		j.t.Errorf("%s: the page is %d px wide at %d", v.name, is, phone.width)
	}
	j.verdict(v.name, phone.width, "html", axePlace)
	for _, line := range j.complaints() {
		if v.name != "not-found" || !strings.Contains(line, "404") {
			j.t.Errorf("%s: console: %s", v.name, line)
		}
	}
}

func (j judge) narrow() {
	j.run(emulation.SetDeviceMetricsOverride(phone.width, 900, 1, false))
}

// all judges the open page by every rule. Colours are judged once for each
// path, in light and dark, as wide as the page is and narrow.
func (j judge) all(name string, width int64) {
	j.t.Helper()
	j.run(chromedp.Evaluate(j.axe, nil))
	j.verdict(name, width, "html", axeShape)
	fresh := slices.DeleteFunc(ask[[]string](j.tab, paths), func(path string) bool {
		_, known := j.seen.LoadOrStore(path, true)
		return known
	})
	if len(fresh) == 0 {
		return
	}
	list, err := json.Marshal(fresh)
	if err != nil {
		j.t.Fatal(err)
	}
	j.do(`for (const path of ` + string(list) + `) kept.get(path).dataset.fresh = ""`)
	for _, w := range slices.Compact([]int64{width, phone.width}) {
		j.run(emulation.SetDeviceMetricsOverride(w, 900, 1, false))
		for _, dark := range []bool{true, false} {
			j.light(!dark)
			j.verdict(fmt.Sprintf("%s dark=%v", name, dark), w, "[data-fresh]", axeColours)
		}
	}
}

// verdict is what axe finds on a part of the page as it is open.
func (j judge) verdict(name string, width int64, part, rules string) {
	j.t.Helper()
	script := strings.NewReplacer("PART", strconv.Quote(part), "RULES", rules).Replace(axeRun)
	for _, violation := range ask[[]string](j.tab, script) {
		j.t.Errorf("%s at %d: %s", name, width, violation)
	}
}

// pictures of the open page, for AERIE_SCREENSHOTS.
func (j judge) pictures(name string) {
	j.t.Helper()
	if os.Getenv(shots) == "" {
		return
	}
	for _, l := range []look{{width: wide.width}, {width: wide.width, dark: true}, {width: phone.width}, {width: phone.width, dark: true}} {
		j.run(emulation.SetDeviceMetricsOverride(l.width, 900, 1, false))
		j.light(!l.dark)
		j.shoot(name + "-" + l.String())
	}
}

// visit is a page to look at, as somebody.
type visit struct {
	name, path, lang string
	guest            *guest
}

// visits are all that somebody can see, one page of each shape.
func visits(prefix, lang string, g *guest, pages []page) (out []visit) {
	seen := map[string]bool{}
	for _, p := range pages {
		if only := os.Getenv("AERIE_PAGE"); seen[p.shape] || only != "" && !strings.Contains(p.shape, only) {
			continue
		}
		seen[p.shape] = true
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
	seen := &sync.Map{}
	for _, j := range []judge{newJudge(t, b, seen), newJudge(t, newBrowser(t, b.url), seen)} {
		tabs.Go(func() {
			for v := range work {
				j.as(v.guest)
				j.page(v)
				j.pictures(v.name)
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
	for _, who := range []struct {
		name, lang string // German words are longer
		guest      *guest
	}{{"admin", "de", people.admin}, {"mara", "en", people.mara}, {"ella", "de", people.ella}} {
		all = append(all, visits(who.name, who.lang, who.guest, who.guest.crawl(people.starts(who.guest)...))...)
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
	judgeAll(t, b, visits("bare", "de", g, pages))
}

// TestOverlaysAreAccessible: the same for what opens above a page.
func TestOverlaysAreAccessible(t *testing.T) {
	s := newSite(t)
	people := s.furnish()
	j := newJudge(t, s.browse(t), &sync.Map{})
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
			j.all("overlay-"+overlay.name, l.width)
			j.shoot("overlay-" + overlay.name + "-" + l.String())
		}
	}
	j.open("/all/instances", wide)
	j.run(chromedp.KeyEvent("k", chromedp.KeyModifiers(input.ModifierCtrl)))
	j.eventually(`document.querySelector("#palette:modal input") === document.activeElement`)
	j.run(chromedp.KeyEvent("web"))
	j.eventually(`document.querySelector("#palette-found a[data-hit]")`)
	j.all("overlay-palette", wide.width)
	for _, line := range j.complaints() {
		t.Errorf("console: %s", line)
	}
}
