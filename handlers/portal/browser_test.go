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

