package portal_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"aerie/services/iam"
)

// TestLive: what happens elsewhere shows on an open page, and what the user
// has ticked and opened stays.
func TestLive(t *testing.T) {
	s := newSite(t)
	needsVendor(t, "htmx.js")
	s.Account("acme", "mara", iam.RoleUser)
	g := s.signIn(t, "acme", "mara")
	id, _ := g.deployed("web")
	s.work(t)
	b := s.browse(t)
	b.as(g)
	row := `document.querySelector("#instances-` + id + `")`
	b.open("/me/instances", wide)
	b.do(row + `.querySelector(".pick input").click()`)
	g.post("/me/instances/"+id+"/do/stop", http.StatusSeeOther)
	b.eventually(row + `.querySelector(".pill").textContent.includes("Stopped")`)
	b.eventually(row + `.querySelector(".pick input").checked`)
	b.eventually(`document.querySelectorAll(".toast").length > 0`)
	start := `[...` + row + `.querySelectorAll(".row-actions form button")].find(x => x.textContent.includes("Start"))`
	b.eventually(start) // the job has ended, too
	b.do(start + `.click()`)
	b.eventually(`[...document.querySelectorAll(".toast")].some(x => x.textContent.includes("Starting"))`)
	b.eventually(row + `.querySelector(".pill").textContent.includes("Running")`)
	b.shoot("live-list")

	b.open("/me/instances/"+id, wide)
	g.post("/me/instances/"+id+"/do/stop", http.StatusSeeOther)
	b.eventually(`document.querySelector(".heading .pill").textContent.includes("Stopped")`)

	b.open("/me/instances/new", wide)
	b.run(chromedp.SendKeys(`input[name=rootdisksize]`, "99999"))
	b.eventually(`document.querySelector("#deploy-summary .notice.bad")`)
	b.shoot("deploy-over-limit")

	b.open("/me/instances", wide)
	b.do(`document.querySelector("#instances [data-menu][popovertarget$=-menu]").click()`)
	b.do(`document.querySelector("#instances .menu a[data-dialog]").click()`)
	b.eventually(`document.querySelector("#modal").matches(":modal")`)
	b.shoot("destroy-dialog")
	b.do(`document.querySelector("#modal form").requestSubmit()`)
	b.eventually(`[...document.querySelectorAll(".toast")].some(x => x.textContent.includes("Destroying"))`)
	for _, line := range b.complaints() {
		t.Errorf("console: %s", line)
	}
}

// TestConsole: the screen connects with a ticket and comes back after a loss.
func TestConsole(t *testing.T) {
	s := newSite(t)
	needsVendor(t, "novnc.js")
	s.Account("acme", "mara", iam.RoleUser)
	g := s.signIn(t, "acme", "mara")
	id, _ := g.deployed("web")
	s.work(t)
	b := s.browse(t)
	b.as(g)
	for _, path := range []string{"/console?id=", "/console/serial?id="} {
		b.open(path+id, wide)
		b.eventually(`document.querySelector("[data-status]").textContent === "Connected"`)
		b.shoot("console-connected" + strings.ReplaceAll(strings.Trim(path, "?id="), "/", "-"))
		b.run(chromedp.KeyEvent("a"))
		b.eventually(`performance.getEntriesByType("resource").some(e => e.name.endsWith("/console/used") && e.responseStatus === 204)`)
		b.run(chromedp.Click(`[data-tool=reconnect]`))
		b.eventually(`document.querySelector("[data-status]").textContent === "Connected"`)
	}
	b.open("/console?id="+id, wide)
	b.eventually(`document.querySelector("[data-status]").textContent === "Connected"`)
	g.post("/me/instances/"+id+"/do/stop", http.StatusSeeOther)
	b.eventually(`!document.querySelector("[data-status]").classList.contains("ok")`)
	said := b.complaints()
	said = slices.DeleteFunc(said, func(line string) bool { return strings.Contains(line, "/console/") }) // refused tickets
	for _, line := range said {
		t.Errorf("console: %s", line)
	}
}
