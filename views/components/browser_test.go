package components_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"aerie/static"
)

const (
	chromium = "/usr/bin/chromium"
	axePath  = "../../node_modules/axe-core/axe.min.js"
)

// skipWithout leaves a test out where its tools are missing, unless the run
// demands everything.
func skipWithout(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); err == nil {
		return
	}
	if os.Getenv("AERIE_TEST_REQUIRE") == "all" {
		t.Fatalf("%s is missing", path)
	}
	t.Skipf("%s is missing", path)
}

func browser(t *testing.T) (ctx context.Context, complaints func() []string) {
	t.Helper()
	skipWithout(t, chromium)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, quit := chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {})) // events this version does not know
	t.Cleanup(quit)
	ctx, cancel := context.WithTimeout(ctx, 4*time.Minute)
	t.Cleanup(cancel)

	var mu sync.Mutex
	var said []string
	chromedp.ListenTarget(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			said = append(said, e.ExceptionDetails.Error())
		case *cdplog.EventEntryAdded:
			if e.Entry.Level == cdplog.LevelError {
				said = append(said, e.Entry.Text+" "+e.Entry.URL)
			}
		}
	})
	run(t, ctx, cdplog.Enable())
	return ctx, func() []string {
		mu.Lock()
		defer mu.Unlock()
		list := said
		said = nil
		return list
	}
}

func run(t *testing.T, ctx context.Context, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

func eval[T any](t *testing.T, ctx context.Context, script string) T {
	t.Helper()
	var got T
	run(t, ctx, chromedp.Evaluate(script, &got, func(p *runtime.EvaluateParams) *runtime.EvaluateParams {
		return p.WithAwaitPromise(true)
	}))
	return got
}

// eventually waits until the script is true. It asks by the clock: frames may
// be long in coming while the machine compiles.
func eventually(t *testing.T, ctx context.Context, script string) {
	t.Helper()
	if err := chromedp.Run(ctx, chromedp.Poll(script, nil, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(time.Minute))); err != nil {
		t.Fatalf("never true: %s: %v; the page is %s", script, err, eval[string](t, ctx, "document.visibilityState + ' ' + document.readyState"))
	}
}

// shoot saves a picture of the page, into AERIE_TEST_SHOTS if it is set, to be
// looked at.
func shoot(t *testing.T, ctx context.Context, folder, name string) {
	t.Helper()
	if own := os.Getenv("AERIE_TEST_SHOTS"); own != "" {
		folder = own
	}
	var png []byte
	run(t, ctx, chromedp.FullScreenshot(&png, 100))
	if err := os.WriteFile(filepath.Join(folder, name+".png"), png, 0o600); err != nil {
		t.Fatal(err)
	}
}

const axeRun = `axe.run(document, {runOnly: ["wcag2a","wcag2aa","wcag21a","wcag21aa","wcag22aa","best-practice"]}).then(r =>
	r.violations.map(v => v.id + ": " + v.help + "\n" + v.nodes.slice(0, 4).map(n => "  " + n.target + " " + n.html.slice(0, 160) + "\n    " + (n.any.concat(n.all, n.none)[0]||{}).message).join("\n")))`

// TestAccessible: axe finds nothing on any page, in both themes, wide and
// narrow; and no page breaks the content policy.
func TestAccessible(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a browser")
	}
	skipWithout(t, axePath)
	axe, err := os.ReadFile(axePath)
	if err != nil {
		t.Skip(err)
	}
	server := httptest.NewServer(kitchen())
	t.Cleanup(server.Close) // after the browser, which holds the live stream
	ctx, complaints := browser(t)
	shots := t.TempDir()
	for _, page := range []string{"list", "parts", "form", "dashboard", "sign-in", "empty", "ask"} {
		for _, theme := range []string{"light", "dark"} {
			for _, width := range []int64{1440, 390} {
				name := fmt.Sprintf("%s-%s-%d", page, theme, width)
				lang := map[string]string{"light": "en", "dark": "de"}[theme]
				run(t, ctx, emulation.SetDeviceMetricsOverride(width, 900, 1, false),
					chromedp.Navigate(server.URL+"/"+page+"?theme="+theme+"&lang="+lang), chromedp.Evaluate(string(axe), nil))
				for _, violation := range eval[[]string](t, ctx, axeRun) {
					t.Errorf("%s: %s", name, violation)
				}
				if wide := eval[int64](t, ctx, "document.documentElement.scrollWidth"); wide > width {
					t.Errorf("%s: the page is %d px wide", name, wide)
				}
				for _, line := range complaints() {
					t.Errorf("%s: console: %s", name, line)
				}
				shoot(t, ctx, shots, name)
			}
		}
	}
}

// TestScripts: what the script adds works under the strict content policy.
func TestScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a browser")
	}
	if static.URL("vendor/htmx.js") == "" && os.Getenv("AERIE_TEST_REQUIRE") != "all" {
		t.Skip("static/vendor is empty: npm run vendor")
	}
	server := httptest.NewServer(kitchen())
	t.Cleanup(server.Close) // after the browser, which holds the live stream
	ctx, complaints := browser(t)
	visit := func(path string) {
		run(t, ctx, emulation.SetDeviceMetricsOverride(1440, 900, 1, false), chromedp.Navigate(server.URL+path))
	}
	shots := t.TempDir()
	steps := []struct {
		name, page, do, want string
	}{
		{"the stream updates the jobs sign", "/list", ``, `document.querySelector("#jobs-count").textContent === "4"`},
		{"selecting rows shows the bulk bar with a count", "/list", `document.querySelector("[data-all]").click()`, `document.querySelector(".bulk-count").textContent === "7 selected" && document.querySelector(".bulk").offsetHeight > 0`},
		{"an action swaps its row and reports", "/list", `document.querySelectorAll("#instances tbody tr")[1].querySelector("form.action button").click()`, `document.querySelectorAll(".toast").length === 2 && document.querySelectorAll("#instances tbody tr")[1].querySelector(".pill").textContent.includes("Starting")`},
		{"the row menu opens beside its button", "/list", `document.querySelectorAll("#instances tbody tr")[2].querySelector("[data-menu]").click()`, `document.querySelector(".menu:popover-open").getBoundingClientRect().width > 100`},
		{"a disruptive action asks in a popover, focus on Cancel", "/list", `document.querySelector("#instances tbody tr [popovertarget^=ask]").click()`, `document.querySelector(".ask:popover-open") && document.activeElement.textContent === "Cancel"`},
		{"a page that asks opens as a dialog", "/list", `document.querySelector("a[data-dialog]").click()`, `document.querySelector("#modal").matches(":modal") && document.querySelector("#modal h1").textContent === "Destroy db-1?"`},
		{"the wrong name does not pass", "/ask", `document.querySelector("input[name=confirm]").value = "db-2"`, `!document.querySelector("form.action:has([name=confirm])").checkValidity()`},
		{"a destructive action opens a modal dialog", "/parts", `document.querySelector("[data-modal]").click()`, `document.querySelector("dialog:modal") && document.activeElement.textContent === "Cancel"`},
		{"ctrl-k opens the palette with pages", "/list", `document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "k", ctrlKey: true, bubbles: true}))`, `document.querySelector("#palette").open && document.querySelectorAll("#palette-pages a").length > 2`},
		{"j walks the rows", "/list", `for (const k of "jj") document.body.dispatchEvent(new KeyboardEvent("keydown", {key: k, bubbles: true}))`, `document.querySelectorAll("tbody tr")[1].matches(".on")`},
		{"the theme changes at once", "/list", `document.querySelector("[data-theme-choice=dark]").click()`, `document.documentElement.dataset.theme === "dark"`},
		{"sorting swaps the table and the address", "/list", `document.querySelector(".sort").click()`, `location.search.includes("sort=")`},
		{"the refused form has the focus on its summary", "/form", ``, `document.activeElement.matches(".error-summary")`},
	}
	for _, s := range steps {
		t.Run(s.name, func(t *testing.T) {
			visit(s.page)
			run(t, ctx, chromedp.Evaluate(s.do, nil))
			eventually(t, ctx, "!!("+s.want+")")
			shoot(t, ctx, shots, strings.ReplaceAll(s.name, " ", "-"))
			for _, line := range complaints() {
				t.Errorf("console: %s", line)
			}
		})
	}
}

// TestWithoutScript: a portal without scripts still asks, opens its menus and
// posts its forms.
func TestWithoutScript(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a browser")
	}
	server := httptest.NewServer(kitchen())
	t.Cleanup(server.Close)
	ctx, _ := browser(t)
	shots := t.TempDir()
	run(t, ctx, emulation.SetScriptExecutionDisabled(true), emulation.SetDeviceMetricsOverride(1440, 900, 1, false))
	for _, s := range []struct{ name, page, click, want string }{
		{"no-script menu", "/list", "#instances tbody tr:nth-child(3) [popovertarget$=-menu]", ".menu:popover-open"},
		{"no-script question", "/list", "#instances tbody tr [popovertarget^=ask]", ".ask:popover-open"},
		{"no-script dialog", "/parts", "[data-modal]", "dialog:popover-open"},
		{"no-script selection", "/list", "#instances tbody tr .pick label", ".bulk"},
		{"no-script page that asks", "/ask", "h1", ".asking input[name=confirm]"},
		{"no-script filter button", "/list", "h1", ".filters button[type=submit]"},
	} {
		t.Run(s.name, func(t *testing.T) {
			run(t, ctx, chromedp.Navigate(server.URL+s.page), chromedp.Click(s.click, chromedp.ByQuery),
				chromedp.WaitVisible(s.want, chromedp.ByQuery))
			shoot(t, ctx, shots, strings.ReplaceAll(s.name, " ", "-"))
		})
	}
}

// TestNarrowAndMirrored: the drawer, the rail and right-to-left hold together.
func TestNarrowAndMirrored(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a browser")
	}
	server := httptest.NewServer(kitchen())
	t.Cleanup(server.Close)
	ctx, _ := browser(t)
	shots := t.TempDir()
	for _, s := range []struct {
		name  string
		width int64
		do    string
	}{
		{"drawer", 390, `document.querySelector(".top-menu").click()`},
		{"rail", 1000, ``},
		{"mirrored", 1440, `document.documentElement.dir = "rtl"`},
		{"mirrored-narrow", 390, `document.documentElement.dir = "rtl"`},
		{"zoomed", 320, ``},
	} {
		run(t, ctx, emulation.SetDeviceMetricsOverride(s.width, 900, 1, false), chromedp.Navigate(server.URL+"/list"), chromedp.Evaluate(s.do, nil))
		if wide := eval[int64](t, ctx, "document.documentElement.scrollWidth"); wide > s.width {
			t.Errorf("%s: the page is %d px wide", s.name, wide)
		}
		shoot(t, ctx, shots, s.name)
	}
}
