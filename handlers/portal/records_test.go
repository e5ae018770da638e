package portal_test

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"aerie/services/config"
	"aerie/services/event"
	"aerie/services/iam"
)

// TestAScopeIsPickedForSettings: what is set for a domain is shown and changed
// there, its history told and its change undone.
func TestAScopeIsPickedForSettings(t *testing.T) {
	s := newSite(t)
	s.Account("acme", "dora", iam.RoleDomainAdmin)
	admin := s.signIn(t, "", "admin")
	domain := s.ID(&iam.Domain{}, "name = ?", "acme")
	const name = "allow.user.expunge.recover.vm"
	at := "?domainid=" + domain
	if body := admin.get("/all/settings"+at, 200); !strings.Contains(body, name) || strings.Contains(body, "expunge.interval") {
		t.Error("settings of a domain:", text(body))
	}
	admin.post("/all/settings/"+name+at, http.StatusSeeOther, "value", "true")
	body := admin.get("/all/settings/"+name+at, 200)
	if !strings.Contains(text(body), "false") || !strings.Contains(body, "/undo") {
		t.Error("no history:", text(body))
	}
	changes, err := s.Config.Changes(s.Admin, name, 1)
	s.Must(err)
	admin.post("/all/settings/"+name+"/undo", http.StatusSeeOther, "id", changes[0].ID)
	if f, err := s.Config.Find(s.Admin, name, config.Place{DomainPath: "/1/"}); err != nil || f.Value != "false" {
		t.Error(f, err)
	}
	dora := s.signIn(t, "acme", "dora")
	if body := dora.get("/d/"+domain+"/settings", 200); !strings.Contains(body, name) || strings.Contains(body, "api.throttling") {
		t.Error("a domain admin's settings:", text(body))
	}
	dora.post("/d/"+domain+"/settings/"+name+"/undo", http.StatusNotFound, "id", changes[0].ID)
}

// TestADomainHasItsLooks: on its pages and where its users sign in, and nowhere
// else.
func TestADomainHasItsLooks(t *testing.T) {
	s := newSite(t)
	s.Account("acme", "mara", iam.RoleUser)
	s.pages.Brand = config.DeclareBrand(s.Config)
	at := config.Target{Scope: config.Domain, ID: s.ID(&iam.Domain{}, "name = ?", "acme")}
	for name, value := range map[string]string{"name": "Nimbus", "accent": "#7a1f5c", "logo": "data:image/png;base64,iVBORw0KGgo=", "support": "https://help.example.com/"} {
		_, err := s.Config.SetAt(s.Sys(), "ui.brand."+name, at, value)
		s.Must(err)
	}
	mara, admin := s.signIn(t, "acme", "mara"), s.signIn(t, "", "admin")
	stranger := &guest{site: s, t: t, cookies: map[string]*http.Cookie{}}
	for what, body := range map[string]string{"a user's page": mara.get(mara.home, 200), "the sign-in": stranger.get("/login?domain=acme", 200)} {
		for _, want := range []string{"Nimbus", "/brand/7a1f5c.css", "data:image/png;base64,iVBORw0KGgo="} {
			if !strings.Contains(body, want) {
				t.Errorf("%s lacks %s", what, want)
			}
		}
	}
	for what, body := range map[string]string{"another's page": admin.get(admin.home, 200), "another sign-in": stranger.get("/login?domain=nowhere", 200)} {
		if strings.Contains(body, "Nimbus") {
			t.Error(what, "has it")
		}
	}
	if css := stranger.get("/brand/7a1f5c.css", 200); !strings.Contains(css, "--accent:light-dark(#7a1f5c") {
		t.Error(css)
	}
	stranger.get("/brand/x;}.css", 404)
}

// TestAnEventTellsWhatChanged: its page has the operation and what was before.
func TestAnEventTellsWhatChanged(t *testing.T) {
	s := newSite(t)
	s.Call(s.Admin, "updateConfiguration", "name", "expunge.delay", "value", "77777")
	admin := s.signIn(t, "", "admin")
	id := s.ID(&event.Row{}, "resource_id = ?", "expunge.delay")
	for _, want := range []string{"86400", "77777", "CONFIGURATION.VALUE.EDIT"} {
		if body := text(admin.get("/all/events/"+id, 200)); !strings.Contains(body, want) {
			t.Errorf("no %s: %s", want, body)
		}
	}
	ask := admin.get("/all/events/delete?id="+id, 200)
	if !strings.Contains(ask, id) {
		t.Error("the question forgets what was picked")
	}
	admin.post("/all/events/archive", http.StatusSeeOther, "id", id)
	if n := s.Count(&event.Row{}, "id = ? AND archived = ?", id, true); n != 1 {
		t.Error("not archived")
	}
	admin.post("/all/events/delete", http.StatusSeeOther, "id", id)
	if n := s.Count(&event.Row{}, "id = ?", id); n != 0 {
		t.Error("not deleted")
	}
}

// TestAlertsOfOperators: what stands and what is over, the page of each, and
// their end; nobody else knows that there are any.
func TestAlertsOfOperators(t *testing.T) {
	s := newSite(t)
	s.Account("acme", "dora", iam.RoleDomainAdmin)
	s.Account("acme", "mara", iam.RoleUser)
	host := s.first("hosts")
	raise := func(text string) {
		t.Helper()
		_, err := event.Raise(s.Sys(), s.DB, event.Alert{Kind: event.Host, Subject: host, Message: "alert.generated", Args: []any{"text", text}, ZoneID: s.Zone.ID, HostID: host})
		s.Must(err)
	}
	raise("It was silent.")
	s.Clock.Add(5 * time.Minute)
	_, err := event.Clear(s.Sys(), s.DB, event.Host, host)
	s.Must(err)
	s.Clock.Add(time.Hour)
	raise("It is silent.")
	raise("It is silent.")
	over, stands := s.ID(&event.AlertRow{}, "standing IS NULL"), s.ID(&event.AlertRow{}, "standing IS NOT NULL")
	admin := s.signIn(t, "", "admin")
	for query, want := range map[string][2]bool{
		"": {true, true}, "?state=standing": {true, false}, "?state=over": {false, true}, "?type=7": {true, true}, "?type=0": {false, false},
		"?archived=true": {false, false}, "?as=csv": {true, true}, "?as=csv&state=over": {false, true},
	} {
		body := admin.get("/all/alerts"+query, 200)
		if got := [2]bool{strings.Contains(body, "It is silent."), strings.Contains(body, "It was silent.")}; got != want {
			t.Errorf("%q has what stands and what is over: %v, want %v", query, got, want)
		}
	}
	for _, want := range []string{"It is silent.", "Standing", "Lasted", "It was silent.", "ALERT.COMPUTE.HOST", "A mail waits", "A line for syslog waits"} {
		if body := text(admin.get("/all/alerts/"+stands, 200)); !strings.Contains(body, want) {
			t.Errorf("the alert's page lacks %q: %s", want, body)
		}
	}
	if body := admin.get("/all/alerts/"+stands, 200); !strings.Contains(body, "/hosts/"+host) || !strings.Contains(body, "/zones/"+s.Zone.ID) {
		t.Error("the alert's page does not lead to where it is")
	}
	admin.post("/all/alerts/archive", http.StatusSeeOther, "id", over)
	if body := admin.get("/all/alerts", 200); strings.Contains(body, over) || !strings.Contains(admin.get("/all/alerts?archived=true", 200), over) {
		t.Error("it was not archived")
	}
	admin.post("/all/alerts/delete", http.StatusSeeOther, "id", over)
	admin.get("/all/alerts/"+over, http.StatusNotFound)
	admin.post("/all/alerts/new", http.StatusSeeOther, "type", "14", "description", "Power is cut tonight.")
	s.Finish()
	if n := s.Count(&event.AlertRow{}, "name = ? AND type = 14", "ALERT.MANAGEMENT"); n != 1 {
		t.Error(n, "alerts were raised")
	}
	admin.post("/all/alerts/new", http.StatusUnprocessableEntity, "type", "14", "description", "")
	for _, name := range []string{"dora", "mara"} {
		g := s.signIn(t, "acme", name)
		if strings.Contains(g.get(g.home, 200), "/alerts") {
			t.Error(name, "is led to alerts")
		}
		g.get(g.scope()+"/alerts/"+stands, http.StatusNotFound)
		g.get(g.scope()+"/alerts/new", http.StatusNotFound)
		g.post(g.scope()+"/alerts/delete", http.StatusNotFound, "id", stands)
	}
	if n := s.Count(&event.AlertRow{}, "id = ?", stands); n != 1 {
		t.Error("it was deleted by who must not")
	}
}

// TestJobsOfThreeRoles: each sees the jobs of what is theirs, who looks after
// others sees whose they are, and all find them by what was done.
func TestJobsOfThreeRoles(t *testing.T) {
	s := newSite(t)
	s.Account("acme", "dora", iam.RoleDomainAdmin)
	s.Account("rival", "eve", iam.RoleUser)
	s.Account("acme", "mara", iam.RoleUser)
	s.Call(s.As("acme", "mara"), "stopVirtualMachine", "id", s.Deploy(s.As("acme", "mara"), "web-1"))
	s.Deploy(s.As("rival", "eve"), "store-1")
	for _, who := range []struct {
		domain, name string
		sees         [2]bool // web-1, store-1
		owner        bool
	}{{"", "admin", [2]bool{true, true}, true}, {"acme", "dora", [2]bool{true, false}, true}, {"acme", "mara", [2]bool{true, false}, false}, {"rival", "eve", [2]bool{false, true}, false}} {
		t.Run(who.name, func(t *testing.T) {
			g := s.signIn(t, who.domain, who.name)
			list := g.scope() + "/jobs"
			body := g.get(list, 200)
			if got := [2]bool{strings.Contains(body, "web-1"), strings.Contains(body, "store-1")}; got != who.sees {
				t.Errorf("sees %v, want %v", got, who.sees)
			}
			if owner := strings.Contains(body, `data-label="Owner"`); owner != who.owner {
				t.Error("shows whose they are:", owner)
			}
			if who.sees[0] {
				stops := g.get(list+"?command=stopVirtualMachine", 200)
				if !strings.Contains(stops, "web-1") || strings.Contains(stops, "store-1") || strings.Count(stops, `scope="row"`) != 1 {
					t.Error("what was stopped:", text(stops))
				}
			}
			if csv := g.get(list+"?as=csv&command=deployVirtualMachine", 200); !strings.Contains(csv, "deployVirtualMachine") || strings.Contains(csv, "stopVirtualMachine") {
				t.Error(csv)
			}
			if failed := g.get(list+"?status=failed", 200); strings.Contains(failed, "web-1") {
				t.Error("what succeeded is among what failed")
			}
		})
	}
}

// scope is the part of addresses that says whose things are meant.
func (g *guest) scope() string { return strings.TrimSuffix(g.home, "/dashboard") }

// TestAViewIsFoundAgain: what a list shows is saved under a name, led to from
// then on, and forgotten; by its reader alone.
func TestAViewIsFoundAgain(t *testing.T) {
	s := newSite(t)
	s.Account("acme", "mara", iam.RoleUser)
	s.Account("acme", "dora", iam.RoleDomainAdmin)
	mara, dora := s.signIn(t, "acme", "mara"), s.signIn(t, "acme", "dora")
	list := mara.scope() + "/events"
	if body := mara.get(list, 200); strings.Contains(body, "/views/new") {
		t.Error("there is nothing to save")
	}
	body := mara.get(list+"?level=ERROR&cols=event&cols=type&page=1", 200)
	href := regexp.MustCompile(`href="(/[^"]*/views/new[^"]*)"`).FindStringSubmatch(body)
	if href == nil {
		t.Fatal("no way to save it")
	}
	form := html.UnescapeString(href[1])
	if body := mara.get(form, 200); !strings.Contains(body, `name="query"`) {
		t.Error(text(body))
	}
	save := []string{"list", "events", "at", "/events", "query", "cols=event&cols=type&level=ERROR"}
	mara.post(mara.scope()+"/views/new", http.StatusUnprocessableEntity, append(save, "name", "")...)
	mara.post(mara.scope()+"/views/new", http.StatusSeeOther, append(save, "name", "What failed")...)
	mara.post(mara.scope()+"/views/new", http.StatusNotFound, "list", "events", "at", "//evil.example/", "query", "a=b", "name", "x")
	if body := mara.get(list, 200); !strings.Contains(body, "What failed") || !strings.Contains(body, "/events?cols=event&amp;cols=type&amp;level=ERROR") {
		t.Error("the view is not led to")
	}
	if body := dora.get(dora.scope()+"/events", 200); strings.Contains(body, "What failed") {
		t.Error("another sees it")
	}
	id := s.ID(&iam.SavedView{}, "name = ?", "What failed")
	dora.post(dora.scope()+"/views/"+id+"/delete", http.StatusNotFound, "list", "events", "at", "/events")
	if body := mara.get(list+"?cols=event&cols=type&level=ERROR", 200); !strings.Contains(body, "/views/"+id+"/delete") {
		t.Error("it cannot be forgotten")
	}
	if body := mara.get(mara.scope()+"/views/"+id+"/delete?list=events&at=%2Fevents", 200); !strings.Contains(body, "What failed") {
		t.Error(text(body))
	}
	mara.post(mara.scope()+"/views/"+id+"/delete", http.StatusSeeOther, "list", "events", "at", "/events")
	if n := s.Count(&iam.SavedView{}, "id = ?", id); n != 0 {
		t.Error("it is still there")
	}
}
