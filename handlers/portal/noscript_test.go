package portal_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"aerie/services/iam"
)

// seen is JavaScript for the first element that matches, has exactly those
// words, and is seen. The words may be any.
func seen(selector, words string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(%s)].find(e => e.checkVisibility() && (%[2]s === "" || e.innerText?.trim() === %[2]s))`,
		strconv.Quote(selector), strconv.Quote(words))
}

// press clicks with the mouse: scripts may be off.
func (b *tab) press(selector, words string) {
	b.t.Helper()
	one := seen(selector, words)
	b.eventually(one)
	at := ask[[]float64](b, `(e => { e.scrollIntoView({block: "center"}); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })(`+one+`)`)
	b.run(chromedp.MouseClickXY(at[0], at[1]))
}

// fill types into the fields of the page.
func (b *tab) fill(pairs ...string) {
	b.t.Helper()
	for i := 0; i+1 < len(pairs); i += 2 {
		field := fmt.Sprintf("main [name=%s]", strconv.Quote(pairs[i]))
		b.eventually(seen(field, ""))
		b.do(`document.querySelector(` + strconv.Quote(field) + `).select()`)
		b.run(chromedp.SendKeys(field, pairs[i+1], chromedp.ByQuery))
	}
}

// reads waits for words in the page's content, loading it again and again.
func (b *tab) reads(words ...string) {
	b.t.Helper()
	for late := time.Now().Add(aWhile); ; {
		text := ask[string](b, `document.querySelector("main")?.innerText ?? ""`)
		missing := slices.IndexFunc(words, func(w string) bool { return !strings.Contains(text, w) })
		if missing < 0 {
			return
		}
		if time.Now().After(late) {
			b.shoot("failed")
			b.t.Fatalf("no %q in %s", words[missing], text)
		}
		if err := b.try(chromedp.Sleep(100*time.Millisecond), chromedp.Reload()); err != nil && !leaving(err) {
			b.t.Fatal(err)
		}
	}
}

// TestWithoutScripts: the portal is used with scripting off.
func TestWithoutScripts(t *testing.T) {
	s := newSite(t)
	s.Account("acme", "mara", iam.RoleUser)
	s.work(t)
	b := s.browse(t)
	b.run(emulation.SetScriptExecutionDisabled(true))
	b.open("/me/instances", look{lang: "en", width: 1280})
	if on := ask[bool](b, `matchMedia("(scripting: enabled)").matches`); on {
		t.Fatal("scripting is on")
	}
	b.signInAs("acme", "mara")
	b.eventually(seen("h1", "Instances")) // where the reader wanted to go

	b.press("main a", "Create instance")
	b.fill("displayname", "Shop")
	b.press("main button", "Create instance")
	b.reads("Succeeded")
	b.press(".heading a", "")
	b.reads("Shop", "Running")
	b.press(".heading button", "Stop")
	b.press(".ask button", "Stop")
	b.reads("Stop instance", "Succeeded")
	b.press(".heading a", "")
	b.press(".heading button", "Start")
	b.reads("Start instance", "Succeeded")
	b.press(".heading a", "")
	b.press(".heading button", "Actions")
	b.press(".menu a", "Destroy")
	b.press("main button", "Destroy")
	b.reads("Destroy instance", "Succeeded")
	b.press("nav a", "Instances")
	b.reads("No instances")

	b.press("nav a", "Guest networks")
	b.press("main a", "Create network")
	b.fill("name", "front")
	b.press("main form button[type=submit]", "Create network")
	b.eventually(seen("h1", "front"))

	b.press(".avatar", "")
	b.do(`document.querySelector("#language").value = "de"`)
	b.press(".language button", "Apply")
	b.eventually(`document.documentElement.lang === "de"`)
	b.eventually(seen("nav a", "Instanzen"))
	b.press(".avatar", "")
	b.press("#user-menu button", "Abmelden")
	b.eventually(seen("input[name=password]", ""))

	b.run(network.SetCookie("lang", "en").WithURL(b.url), chromedp.Navigate(b.url+"/login"))
	b.signInAs("", "admin")
	b.press("nav a", "Global settings")
	b.press("main a", "expunge.delay")
	b.fill("value", "4711")
	b.press("main form button[type=submit]", "Save")
	b.reads("expunge.delay", "4711")
	for _, line := range b.complaints() {
		t.Errorf("console: %s", line)
	}
}

func (b *tab) signInAs(domain, name string) {
	b.t.Helper()
	if domain != "" {
		b.press("main summary", "")
		b.fill("domain", domain)
	}
	b.fill("username", name, "password", "Test-password-1")
	b.press("main button[type=submit]", "")
	b.eventually(seen(".avatar", ""))
}
