package portal_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/labstack/echo/v4"

	"aerie/handlers/console"
	"aerie/handlers/session"
	"aerie/static"
)

const chromium = "/usr/bin/chromium"

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

// needsVendor skips where the browser libraries are not bundled.
func needsVendor(t *testing.T, file string) {
	t.Helper()
	if static.URL("vendor/"+file) != "" {
		return
	}
	if os.Getenv("AERIE_TEST_REQUIRE") == "all" {
		t.Fatalf("static/vendor has no %s: make vendor", file)
	}
	t.Skipf("static/vendor has no %s: make vendor", file)
}

// tab is a browser that looks at a site.
type tab struct {
	t    *testing.T
	ctx  context.Context //nolint:containedctx // chromedp keeps its browser there
	url  string
	said []string
	mu   sync.Mutex
}

func (s *site) browse(t *testing.T) *tab {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a browser")
	}
	skipWithout(t, chromium)
	m := &session.Manager{IAM: s.IAM}
	s.echo.Pre(m.Headers)
	s.echo.GET("/static/*", func(c echo.Context) error { static.Handler().ServeHTTP(c.Response(), c.Request()); return nil })
	(&console.Handler{Compute: s.Compute, Log: slog.New(slog.DiscardHandler)}).Register(s.echo)
	server := httptest.NewServer(s.echo)
	t.Cleanup(server.CloseClientConnections)
	run, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	go func() { _ = s.pages.Run(run) }()
	return newBrowser(t, server.URL)
}

// work does jobs as they come. What is to be there before must be: a test that
// lets time pass takes their leases away.
func (s *site) work(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { _ = s.Engine.Run(ctx); close(ended) }()
	t.Cleanup(func() { stop(); <-ended })
}

// newBrowser is a tab in a browser of its own.
func newBrowser(t *testing.T, url string) *tab {
	t.Helper()
	ctx, quit := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.WSURLReadTimeout(aWhile),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))...)
	t.Cleanup(quit)
	ctx, quit = chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {})) // what is newer in the protocol is no error
	t.Cleanup(quit)
	b := &tab{t: t, ctx: ctx, url: url}
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
	if err := chromedp.Run(ctx, cdplog.Enable()); err != nil { // the browser lives as long as the context of the first run
		t.Fatal(err)
	}
	return b
}

// aWhile is more than anything takes on a busy machine.
const aWhile = time.Minute

func (b *tab) run(actions ...chromedp.Action) {
	b.t.Helper()
	if err := b.try(actions...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) try(actions ...chromedp.Action) error {
	ctx, cancel := context.WithTimeout(b.ctx, aWhile)
	defer cancel()
	return chromedp.Run(ctx, actions...)
}

// ask is what a script says, of the next page where this one goes just now.
func ask[T any](b *tab, script string) T {
	b.t.Helper()
	for tries := 0; ; tries++ {
		var got T
		err := b.try(chromedp.Evaluate(script, &got, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
		if err == nil {
			return got
		}
		if tries == 20 || !leaving(err) {
			b.t.Fatalf("%s: %v", script, err)
		}
		b.run(chromedp.Sleep(50 * time.Millisecond))
	}
}

// leaving tells the errors of Chromium for a page that is being left.
func leaving(err error) bool {
	return strings.Contains(err.Error(), "Not attached to an active page") || strings.Contains(err.Error(), "Cannot find context") ||
		strings.Contains(err.Error(), "Inspected target navigated")
}

// do runs a script for what it does.
func (b *tab) do(script string) {
	b.t.Helper()
	b.run(chromedp.Evaluate(script, nil))
}

// eventually waits until the script is true, over changes of the page.
func (b *tab) eventually(script string) {
	b.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	late := time.After(aWhile)
	for {
		var yes bool
		err := chromedp.Run(b.ctx, chromedp.Evaluate("!!("+script+")", &yes))
		if yes {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			b.shoot("failed")
			b.t.Fatalf("never true: %s: %v", script, err)
		}
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
		b.run(network.SetCookie(c.Name, c.Value).WithURL(b.url))
	}
}

// look is how a page is looked at.
type look struct {
	lang  string
	width int64
	dark  bool
}

var (
	wide  = look{lang: "en", width: 1440}
	phone = look{lang: "de", width: 390} // the other language, too
)

func (l look) String() string {
	return fmt.Sprintf("%s-%d", map[bool]string{false: "light", true: "dark"}[l.dark], l.width)
}

func (b *tab) open(path string, l look) {
	b.t.Helper()
	b.run(network.SetCookie("lang", l.lang).WithURL(b.url), emulation.SetDeviceMetricsOverride(l.width, 900, 1, false))
	b.light(!l.dark)
	b.run(chromedp.Navigate(b.url + path))
}

// light switches the colours of the open page.
func (b *tab) light(on bool) {
	b.t.Helper()
	scheme := map[bool]string{false: "dark", true: "light"}[on]
	b.run(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}))
}

// shots names the folder for pictures of pages, to be looked at.
const shots = "AERIE_SCREENSHOTS"

// shoot saves a picture.
func (b *tab) shoot(name string) {
	b.t.Helper()
	folder := os.Getenv(shots)
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
