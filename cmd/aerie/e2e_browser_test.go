package main_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"aerie/cmd/tinylinux"
)

const chromium = "/usr/bin/chromium"

// shotsVar names the folder that keeps the browser's pictures.
const shotsVar = "AERIE_SCREENSHOTS"

// browser is a person with a browser at the portal.
type browser struct {
	t     *testing.T
	s     *server
	ctx   context.Context
	shots string

	mu         sync.Mutex
	complaints []string
}

func (s *server) browser(t *testing.T) *browser {
	t.Helper()
	_, err := os.Stat(chromium)
	require(t, "a browser", err)
	b := &browser{t: t, s: s, shots: os.Getenv(shotsVar)}
	if b.shots == "" {
		b.shots = t.TempDir()
	} else if err := os.MkdirAll(b.shots, 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, stop := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.WSURLReadTimeout(aWhile),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))...)
	t.Cleanup(stop)
	ctx, quit := chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {})) // events this version does not know
	t.Cleanup(quit)
	b.ctx = ctx
	chromedp.ListenTarget(ctx, func(event any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			b.complaints = append(b.complaints, e.ExceptionDetails.Error())
		case *cdplog.EventEntryAdded:
			if e.Entry.Level == cdplog.LevelError {
				b.complaints = append(b.complaints, e.Entry.Text+" "+e.Entry.URL)
			}
		}
	})
	if err := chromedp.Run(ctx); err != nil { // the browser lives as long as the context of the first run
		t.Fatal(err)
	}
	b.run(cdplog.Enable(), emulation.SetDeviceMetricsOverride(1440, 900, 1, false))
	return b
}

func (b *browser) run(actions ...chromedp.Action) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, aWhile)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		b.t.Fatalf("%v\n%s", err, b.where())
	}
}

// where is what a failure tells of the page.
func (b *browser) where() string {
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	var at, text string
	_ = chromedp.Run(ctx, chromedp.Location(&at), chromedp.Evaluate(`document.body.innerText`, &text))
	return fmt.Sprintf("at %s\n%.3000s", at, text)
}

func (b *browser) open(path string) {
	b.t.Helper()
	b.run(chromedp.Navigate(b.s.url(path)))
}

func evaluate[T any](b *browser, script string) (got T) {
	b.t.Helper()
	b.run(chromedp.Evaluate(script, &got, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	return got
}

// until waits until the script is true, over changes of the page.
func (b *browser) until(what, script string) {
	b.t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	late := time.After(aWhile)
	for {
		ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
		var yes bool
		err := chromedp.Run(ctx, chromedp.Evaluate("!!("+script+")", &yes))
		cancel()
		if yes {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			b.shoot("failure")
			b.t.Fatalf("never: %s: %v\n%s", what, err, b.where())
		}
	}
}

// visibly is JavaScript for the first element that is seen, matches and has
// exactly the text.
func visibly(selector, text string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(%s)].find(e => e.innerText?.trim() === %s && e.checkVisibility() && !e.disabled && e.ariaDisabled !== "true")`,
		strconv.Quote(selector), strconv.Quote(text))
}

// press presses a button or follows a link by its words.
func (b *browser) press(within, text string) {
	b.t.Helper()
	one := visibly(within+" button, "+within+" a, "+within+" summary", text)
	b.until("a button "+text, one)
	evaluate[bool](b, "("+one+").click() || true")
}

// choose ticks the option of a radio group or check list by its words.
func (b *browser) choose(text string) {
	b.t.Helper()
	b.until("a choice "+text, fmt.Sprintf(`[...document.querySelectorAll("label")].some(l => l.innerText.trim().startsWith(%s))`, strconv.Quote(text)))
	evaluate[bool](b, fmt.Sprintf(`[...document.querySelectorAll("label")].find(l => l.innerText.trim().startsWith(%s)).click() || true`, strconv.Quote(text)))
}

func (b *browser) fill(name, value string) {
	b.t.Helper()
	field := fmt.Sprintf(`document.querySelector('main [name=%q]')`, name)
	b.until("a field "+name, field+"?.checkVisibility()")
	evaluate[bool](b, fmt.Sprintf("(f => { f.focus(); f.select(); return true })(%s)", field))
	b.run(chromedp.KeyEvent(value))
}

// says waits until the page shows a text.
func (b *browser) says(text string) {
	b.t.Helper()
	b.until("the page says "+text, fmt.Sprintf(`document.body.innerText.includes(%s)`, strconv.Quote(text)))
}

// state waits until the head of an instance's page shows the state; the page
// follows by itself.
func (b *browser) state(text string) {
	b.t.Helper()
	b.until("it is "+text, visibly("main header *, main .heading *, main .pill, main .state", text))
}

func (b *browser) shoot(name string) {
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	var png []byte
	if err := chromedp.Run(ctx, chromedp.CaptureScreenshot(&png)); err != nil {
		b.t.Logf("picture %s: %v", name, err)
		return
	}
	if err := os.WriteFile(filepath.Join(b.shots, name+".png"), png, 0o644); err != nil {
		b.t.Log(err)
	}
}

// picture keeps the page in light, in dark and on a phone.
func (b *browser) picture(name string) {
	b.t.Helper()
	scheme := func(v string) chromedp.Action {
		return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: v}})
	}
	b.run(scheme("light"))
	b.shoot(name + "-light")
	b.run(scheme("dark"))
	b.shoot(name + "-dark")
	b.run(scheme("light"), emulation.SetDeviceMetricsOverride(390, 844, 2, true))
	if wide := evaluate[int](b, `document.documentElement.scrollWidth`); wide > 390 {
		b.t.Errorf("%s is %d px wide on a phone", name, wide)
	}
	b.shoot(name + "-phone")
	b.run(emulation.SetDeviceMetricsOverride(1440, 900, 1, false))
}

// quiet fails when scripts complained.
func (b *browser) quiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.complaints {
		b.t.Errorf("the browser's console: %s", c)
	}
	b.complaints = nil
}

// terminal is the text of the serial window.
const terminal = `(document.querySelector(".xterm-accessibility")?.innerText ?? "").replaceAll("\u00a0", " ")`

// serial opens an instance's serial window, signs in and leaves a shell.
func (b *browser) serial(id, password string) {
	b.t.Helper()
	b.open("/console/serial?id=" + id)
	b.until("a login", terminal+`.includes(" login: ")`)
	b.line(tinylinux.User)
	b.until("a question for the password", terminal+`.includes("Password: ")`)
	<-time.After(500 * time.Millisecond) // login forgets what was typed before it hides the echo
	b.line(password)
	b.until("a shell", terminal+`.includes("`+tinylinux.User+`@")`)
}

// line types into what has the focus, as a keyboard does: a capital letter is a
// key and Shift.
func (b *browser) line(text string) {
	b.t.Helper()
	shift := func(kind input.KeyType) chromedp.Action {
		return input.DispatchKeyEvent(kind).WithKey("Shift").WithCode("ShiftLeft").WithWindowsVirtualKeyCode(16)
	}
	for _, c := range text {
		if unicode.IsUpper(c) || strings.ContainsRune(shifted, c) {
			b.run(shift(input.KeyRawDown), chromedp.KeyEvent(string(c)), shift(input.KeyUp))
		} else {
			b.run(chromedp.KeyEvent(string(c)))
		}
	}
	b.run(chromedp.KeyEvent(kb.Enter))
}

// shifted are the signs that need Shift on a US keyboard.
const shifted = `~!@#$%^&*()_+{}|:"<>?`

// bright counts the pixels of the screen that are not black.
const bright = `(() => { const c = document.querySelector(".console canvas"); if (!c || !c.width) return 0;
	const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data; let n = 0;
	for (let i = 0; i < d.length; i += 4) if (d[i] + d[i+1] + d[i+2] > 150) n++; return n; })()`

// brightens waits until the screen has changed, and is still again.
func (b *browser) brightens(what string, was int) int {
	b.t.Helper()
	b.until(what, fmt.Sprintf("%s !== %d", bright, was))
	for last := -1; ; {
		now := evaluate[int](b, bright)
		if now == last {
			return now
		}
		last = now
		<-time.After(700 * time.Millisecond)
	}
}

// deploys makes an instance on the portal's page and returns its id and the
// password that the job's page shows.
func (b *browser) deploys(name, picture string) (id, password string) {
	b.t.Helper()
	b.open("/me/instances/new")
	b.fill("displayname", name)
	b.choose("Tiny")
	if picture != "" {
		b.picture(picture)
	}
	b.press("main form", "Create instance")
	b.until("the job's page", `location.pathname.startsWith("/jobs/")`)
	b.until("the password", `document.querySelector('input[id^="secret-"]')`) // the page follows by itself
	password = evaluate[string](b, `document.querySelector('input[id^="secret-"]').value`)
	b.press("main", name)
	b.until("the instance's page", `/\/instances\/[0-9a-f-]{36}$/.test(location.pathname)`)
	id = evaluate[string](b, `location.pathname.split("/").pop()`)
	b.state("Running")
	return id, password
}

// TestBrowserJourney is the first hour of a person with the portal: two
// guests that talk to each other, their consoles, and their end.
func TestBrowserJourney(t *testing.T) {
	realParts(t)
	guestImageBuilt(t)
	s := newServer(t, "auto", "")
	s.start()
	admin := s.admin()
	hostsUp(t, admin)
	small(t, s)
	before := s.traces(t)
	b := s.browser(t)

	b.open("/")
	b.until("the sign-in page", `location.pathname === "/login"`)
	b.picture("sign-in")
	b.fill("username", "admin")
	b.fill("password", adminPassword)
	b.press("main form", "Sign in")
	b.until("the portal", `location.pathname !== "/login"`)
	b.picture("dashboard")

	web, webPassword := b.deploys("web", "deploy")
	db, dbPassword := b.deploys("db", "")

	b.serial(web, webPassword)
	b.line("echo h'i' $(hostname)")
	b.until("an answer", terminal+`.includes("hi web")`)
	b.shoot("serial")

	b.open("/console?id=" + web)
	b.until("the screen is connected", `document.querySelector("[data-status]")?.innerText.trim() === "Connected"`)
	lit := b.brightens("the guest's login is on the screen", 0)
	b.run(chromedp.Click(".console canvas", chromedp.ByQuery))
	for _, step := range []struct{ what, text string }{{"the name is typed", tinylinux.User}, {"the password is taken", webPassword}, {"the guest answers", "echo hi | tee /tmp/said"}} {
		b.line(step.text)
		lit = b.brightens(step.what, lit)
		<-time.After(2 * time.Second) // login takes its time
	}
	b.shoot("console")
	b.open("/console/serial?id=" + web)
	b.until("what the line said before", terminal+`.includes("hi web")`)
	b.line("sed 's/^/it said /' /tmp/said")
	b.until("the guest answered on its screen", terminal+`.includes("it said hi")`)

	b.serial(db, dbPassword)
	b.line("wget -qO- http://web/ | sed 's/^/answer from /'")
	b.until("the other guest's answer", terminal+`.includes("answer from web")`)
	b.shoot("serial-wget")

	b.open("/me/instances")
	b.says("web")
	b.picture("instances")
	b.open("/all/instances/" + web)
	b.state("Running")
	b.picture("instance")
	b.press("main", "Stop")
	b.press("main .popover.ask", "Stop")
	b.state("Stopped")
	b.press("main", "Start")
	b.state("Running")
	for _, one := range []struct{ id, name string }{{web, "web"}, {db, "db"}} {
		b.open("/all/instances/" + one.id)
		b.press("main", "Actions")
		b.press("main .popover.menu", "Destroy")
		b.press("form .dialog-foot, main form .buttons, form", "Destroy")
		b.until("the end", visibly("main header *, main .heading *, main .pill, main .state", "Destroyed"))
		b.press("main", "Actions")
		b.press("main .popover.menu", "Expunge")
		b.until("the question for the name", `document.querySelector('[name="confirm"]')`)
		b.run(chromedp.SendKeys(`[name="confirm"]`, one.name, chromedp.ByQuery))
		b.press("form", "Expunge")
		shows(t, admin, one.id, "", aWhile)
	}
	b.quiet()

	networks, err := admin.Network.ListNetworks(admin.Network.NewListNetworksParams())
	if err != nil || networks.Count != 1 {
		t.Fatalf("networks: %+v, %v", networks, err)
	}
	if _, err := admin.Network.DeleteNetwork(admin.Network.NewDeleteNetworkParams(networks.Networks[0].Id)); err != nil {
		t.Error(err)
	}
	s.clean(t)
	if after := s.traces(t); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if files, err := filepath.Glob(filepath.Join(b.shots, "*.png")); err == nil {
		t.Logf("%d pictures in %s: %s", len(files), b.shots, strings.Join(names(files), " "))
	}
}

func names(files []string) (out []string) {
	for _, f := range files {
		out = append(out, strings.TrimSuffix(filepath.Base(f), ".png"))
	}
	return out
}
