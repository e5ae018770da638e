package portal_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"aerie/handlers/console"
	"aerie/handlers/session"
	"aerie/services/iam"
	"aerie/static"
)

const (
	chromium = "/usr/bin/chromium"
	axePath  = "../../node_modules/axe-core/axe.min.js"
	axeRun   = `axe.run(document, {runOnly: ["wcag2a","wcag2aa","wcag21a","wcag21aa","wcag22aa","best-practice"]}).then(r =>
	r.violations.map(v => v.id + ": " + v.help + "\n" + v.nodes.slice(0, 4).map(n => "  " + n.target + " " + n.html.slice(0, 160)).join("\n")))`
)

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

// tab is a browser that looks at a site.
type tab struct {
	t      *testing.T
	ctx    context.Context //nolint:containedctx // chromedp keeps its browser there
	server *httptest.Server
	said   []string
	mu     sync.Mutex
}

func (s *site) browse(t *testing.T) *tab {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a browser")
	}
	skipWithout(t, chromium)
	m := &session.Manager{IAM: s.IAM}
	s.echo.Pre(m.Headers)
	s.echo.GET("/static/*", func(c echoContext) error { static.Handler().ServeHTTP(c.Response(), c.Request()); return nil })
	(&console.Handler{Compute: s.Compute, Log: quiet()}).Register(s.echo)
	server := httptest.NewServer(s.echo)
	t.Cleanup(server.CloseClientConnections)
	run, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	go func() { _ = s.pages.Run(run) }()
	go func() { _ = s.Engine.Run(run) }()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	ctx, quit := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(quit)
	ctx, quit = chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {}))
	t.Cleanup(quit)
	ctx, quit = context.WithTimeout(ctx, 15*time.Minute)
	t.Cleanup(quit)
	b := &tab{t: t, ctx: ctx, server: server}
	chromedp.ListenTarget(ctx, func(event any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			b.said = append(b.said, e.ExceptionDetails.Error())
		case *cdplog.EventEntryAdded:
			if e.Entry.Level == cdplog.LevelError {
				b.said = append(b.said, e.Entry.Text+" "+e.Entry.URL)
			}
		}
	})
	b.run(cdplog.Enable())
	return b
}

func (b *tab) run(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

func ask[T any](b *tab, script string) T {
	b.t.Helper()
	var got T
	b.run(chromedp.Evaluate(script, &got, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	return got
}

func (b *tab) eventually(script string) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, chromedp.Poll("!!("+script+")", nil, chromedp.WithPollingTimeout(20*time.Second))); err != nil {
		b.shoot("failed")
		b.t.Fatalf("never true: %s: %v", script, err)
	}
}

// complaints are what the console said since the last time.
func (b *tab) complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.said
	b.said = nil
	return list
}

// as gives the browser somebody's session.
func (b *tab) as(g *guest) {
	b.t.Helper()
	b.run(network.ClearBrowserCookies())
	for _, c := range g.cookies {
		b.run(network.SetCookie(c.Name, c.Value).WithURL(b.server.URL))
	}
}

func (b *tab) open(path string, width int64, dark bool) {
	b.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	lang := map[bool]string{false: "en", true: "de"}[dark] // so that both are looked at
	b.run(network.SetCookie("lang", lang).WithURL(b.server.URL), emulation.SetDeviceMetricsOverride(width, 900, 1, false),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
		chromedp.Navigate(b.server.URL+path))
}

// shoot saves a picture to be looked at, into AERIE_SCREENSHOTS.
func (b *tab) shoot(name string) {
	b.t.Helper()
	folder := os.Getenv("AERIE_SCREENSHOTS")
	if folder == "" {
		return
	}
	var png []byte
	b.run(chromedp.FullScreenshot(&png, 100))
	if err := os.MkdirAll(folder, 0o750); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// TestPagesAreAccessible: axe finds nothing, no page is wider than its window,
// and none breaks the content policy.
func TestPagesAreAccessible(t *testing.T) {
	skipWithout(t, axePath)
	s := newSite(t)
	b := s.browse(t)
	axe, err := os.ReadFile(axePath)
	if err != nil {
		t.Skip(err)
	}
	s.Account("acme", "mara", iam.RoleUser)
	s.Account("acme", "dora", iam.RoleDomainAdmin)
	s.Account("empty", "ella", iam.RoleUser)
	admin, mara, dora, ella := s.signIn(t, "", "admin"), s.signIn(t, "acme", "mara"), s.signIn(t, "acme", "dora"), s.signIn(t, "empty", "ella")
	id, job := mara.deployed("web 1")
	stopped, _ := mara.deployed("database")
	mara.deployed("build")
	mara.post("/me/instances/"+stopped+"/do/stop", http.StatusSeeOther)
	s.Finish()
	failed := s.failing(mara)
	nobody := &guest{site: s, t: t, cookies: map[string]*http.Cookie{}}
	at := "/me/instances/" + id
	for _, page := range []struct {
		name, path string
		who        *guest
	}{
		{"sign-in", "/login?next=/me/instances", nobody},
		{"dashboard", "/me/dashboard", mara},
		{"dashboard-empty", "/me/dashboard", ella},
		{"dashboard-domain", "/", dora},
		{"dashboard-root", "/all/dashboard", admin},
		{"instances", "/me/instances", mara},
		{"instances-root", "/all/instances?state=Running", admin},
		{"instances-empty", "/me/instances", ella},
		{"instance", at, mara},
		{"instance-nics", at + "/nics", mara},
		{"instance-volumes", at + "/volumes", mara},
		{"instance-events", at + "/events", mara},
		{"instance-jobs", at + "/jobs", mara},
		{"instance-settings", at + "/settings", mara},
		{"instance-destroy", at + "/do/destroy", mara},
		{"deploy", "/me/instances/new", mara},
		{"jobs", "/me/jobs", mara},
		{"job", job, mara},
		{"job-failed", failed, admin},
		{"events", "/me/events", mara},
		{"alerts", "/all/alerts", admin},
		{"profile", "/profile", mara},
		{"search", "/search?q=web", mara},
		{"not-found", "/me/nothing", mara},
		{"console", "/console?id=" + id, mara},
		{"serial", "/console/serial?id=" + id, mara},
	} {
		b.as(page.who)
		for _, dark := range []bool{false, true} {
			for _, width := range []int64{1440, 390} {
				if only := os.Getenv("AERIE_PAGE"); only != "" && !strings.HasPrefix(page.name, only) {
					continue
				}
				name := fmt.Sprintf("%s-%v-%d", page.name, map[bool]string{false: "light", true: "dark"}[dark], width)
				b.open(page.path, width, dark)
				b.run(chromedp.Evaluate(string(axe), nil))
				for _, violation := range ask[[]string](b, axeRun) {
					t.Errorf("%s: %s", name, violation)
				}
				if wide := ask[int64](b, "document.documentElement.scrollWidth"); wide > width {
					t.Errorf("%s: the page is %d px wide", name, wide)
				}
				for _, line := range b.complaints() {
					if page.name == "not-found" && strings.Contains(line, "404") {
						continue
					}
					t.Errorf("%s: console: %s", name, line)
				}
				b.shoot(name)
			}
		}
	}
}

// failing is a job that found no room.
func (s *site) failing(g *guest) string {
	s.Helper()
	job := g.post("/me/instances/new", http.StatusSeeOther, append(g.small("too-big"), "stopped", "")...)
	s.Finish()
	return job
}

// TestLive: what happens elsewhere shows on an open page, and what the user
// has ticked and opened stays.
func TestLive(t *testing.T) {
	s := newSite(t)
	b := s.browse(t)
	if static.URL("vendor/htmx.js") == "" {
		t.Skip("static/vendor is empty: npm run vendor")
	}
	s.Account("acme", "mara", iam.RoleUser)
	g := s.signIn(t, "acme", "mara")
	id, _ := g.deployed("web")
	b.as(g)
	row := `document.querySelector("#instances-` + id + `")`
	b.open("/me/instances", 1440, false)
	b.run(chromedp.Evaluate(row+`.querySelector(".pick input").click()`, nil))
	b.run(chromedp.Sleep(500 * time.Millisecond))
	g.post("/me/instances/"+id+"/do/stop", http.StatusSeeOther)
	b.eventually(row + `.querySelector(".pill").textContent.includes("Stopped")`)
	b.eventually(row + `.querySelector(".pick input").checked`)
	b.eventually(`document.querySelectorAll(".toast").length > 0`)
	start := `[...` + row + `.querySelectorAll(".row-actions form button")].find(x => x.textContent.includes("Start"))`
	b.eventually(start) // the job has ended, too
	b.run(chromedp.Evaluate(start+`.click()`, nil))
	b.eventually(`[...document.querySelectorAll(".toast")].some(x => x.textContent.includes("Starting"))`)
	b.eventually(row + `.querySelector(".pill").textContent.includes("Running")`)
	b.shoot("live-list")

	b.open("/me/instances/"+id, 1440, false)
	b.run(chromedp.Sleep(500 * time.Millisecond))
	g.post("/me/instances/"+id+"/do/stop", http.StatusSeeOther)
	b.eventually(`document.querySelector(".heading .pill").textContent.includes("Stopped")`)

	b.open("/me/instances/new", 1440, false)
	b.run(chromedp.SendKeys(`input[name=rootdisksize]`, "99999"))
	b.eventually(`document.querySelector("#deploy-summary .notice.bad")`)
	b.shoot("deploy-over-limit")

	b.open("/me/instances", 1440, false)
	b.run(chromedp.Evaluate(`document.querySelector("#instances [data-menu][popovertarget$=-menu]").click()`, nil),
		chromedp.Evaluate(`document.querySelector("#instances .menu a[data-dialog]").click()`, nil))
	b.eventually(`document.querySelector("#modal").matches(":modal")`)
	b.shoot("destroy-dialog")
	b.run(chromedp.Evaluate(`document.querySelector("#modal form").requestSubmit()`, nil))
	b.eventually(`[...document.querySelectorAll(".toast")].some(x => x.textContent.includes("Destroying"))`)
	for _, line := range b.complaints() {
		t.Errorf("console: %s", line)
	}
}

// TestConsole: the screen connects with a ticket and comes back after a loss.
func TestConsole(t *testing.T) {
	s := newSite(t)
	b := s.browse(t)
	if static.URL("vendor/novnc.js") == "" {
		t.Skip("static/vendor is empty: npm run vendor")
	}
	s.Account("acme", "mara", iam.RoleUser)
	g := s.signIn(t, "acme", "mara")
	id, _ := g.deployed("web")
	b.as(g)
	for _, path := range []string{"/console?id=", "/console/serial?id="} {
		b.open(path+id, 1200, false)
		b.eventually(`document.querySelector("[data-status]").textContent === "Connected"`)
		b.run(chromedp.Sleep(700 * time.Millisecond))
		b.shoot("console-connected" + strings.ReplaceAll(strings.Trim(path, "?id="), "/", "-"))
		b.run(chromedp.Click(`[data-tool=reconnect]`))
		b.eventually(`document.querySelector("[data-status]").textContent === "Connected"`)
	}
	b.open("/console?id="+id, 1200, false)
	b.eventually(`document.querySelector("[data-status]").textContent === "Connected"`)
	g.post("/me/instances/"+id+"/do/stop", http.StatusSeeOther)
	b.eventually(`!document.querySelector("[data-status]").classList.contains("ok")`)
	said := b.complaints()
	said = slices.DeleteFunc(said, func(line string) bool { return strings.Contains(line, "/console/") }) // refused tickets
	for _, line := range said {
		t.Errorf("console: %s", line)
	}
}
