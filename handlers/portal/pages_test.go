package portal_test

import (
	"context"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"aerie/locales"
	"aerie/services/compute"
	"aerie/services/iam"
	"aerie/services/store"
)

// small are the fields of a deployment by plain form.
func (s *site) small(name string) []string {
	return []string{"displayname", name, "zoneid", s.Zone.ID, "templateid", s.first("templates"), "serviceofferingid", s.first("service_offerings")}
}

// deployed makes an instance by the form and does its job.
func (g *guest) deployed(name string) (id, job string) {
	g.t.Helper()
	job = g.post("/me/instances/new", http.StatusSeeOther, g.small(name)...)
	g.Finish()
	return g.ID(&compute.VM{}, "display_name = ?", name), job
}

func TestSignIn(t *testing.T) {
	s := newSite(t)
	s.Account("acme", "mara", iam.RoleUser)
	g := &guest{site: s, t: t, cookies: map[string]*http.Cookie{}}
	g.get("/login", http.StatusOK)
	page := g.post("/login", http.StatusUnprocessableEntity, "username", "mara", "password", "wrong", "domain", "acme", "next", "/me/instances")
	for _, want := range []string{`value="mara"`, `value="acme"`, "error-summary", `value="/me/instances"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the refused form lacks %s", want)
		}
	}
	if strings.Contains(page, "wrong\"") {
		t.Error("the password comes back")
	}
	if to := g.post("/login", http.StatusSeeOther, "username", "mara", "password", "Test-password-1", "domain", "acme", "next", "https://evil.example/"); to != "/" {
		t.Errorf("goes on to %s", to)
	}
	if to := g.do(http.MethodGet, "/", nil).Header().Get("Location"); to != "/me/dashboard" {
		t.Errorf("a user begins at %s", to)
	}
	g.get("/me/dashboard", http.StatusOK)
	g.post("/logout", http.StatusSeeOther)
	if to := g.do(http.MethodGet, "/me/instances?state=Running", nil).Header().Get("Location"); to != "/login?next="+url.QueryEscape("/me/instances?state=Running") {
		t.Errorf("a stranger goes to %s", to)
	}
}

func TestStrangersAndForgeries(t *testing.T) {
	s := newSite(t)
	g := s.signIn(t, "", "admin")
	id, _ := g.deployed("web")
	w := g.do(http.MethodPost, "/all/instances/"+id+"/do/stop", url.Values{})
	if w.Code != http.StatusForbidden {
		t.Errorf("without a token: %d", w.Code)
	}
	if vm := s.VM(id); vm.State != compute.Running {
		t.Errorf("the instance is %s", vm.State)
	}
	stranger := &guest{site: s, t: t, cookies: map[string]*http.Cookie{}}
	for _, to := range []string{"/", "/all/dashboard", "/jobs/" + id, "/profile", "/events/stream", "/console?id=" + id, "/all/instances/" + id + "/screen"} {
		if w := stranger.do(http.MethodGet, to, nil); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/login") {
			t.Errorf("GET %s as a stranger: %d", to, w.Code)
		}
	}
}

func TestInstanceJourney(t *testing.T) {
	s := newSite(t)
	s.Account("acme", "mara", iam.RoleUser)
	g := s.signIn(t, "acme", "mara")
	if page := g.get("/me/dashboard", http.StatusOK); !strings.Contains(page, "/me/instances/new") {
		t.Error("an empty account is not led to its first instance")
	}
	page := g.get("/me/instances/new", http.StatusOK)
	for _, want := range []string{`name="displayname"`, `name="templateid"`, `name="serviceofferingid"`, `name="rootdisksize"`, `name="group"`, "curl", "deploy-summary"} {
		if !strings.Contains(page, want) {
			t.Errorf("the form lacks %s", want)
		}
	}
	bad := append(s.small("web 1"), "rootdisksize", "lots", userData, "#cloud-config")
	page = g.post("/me/instances/new", http.StatusUnprocessableEntity, bad...)
	for _, want := range []string{"aria-invalid", `value="web 1"`, "#cloud-config", `value="lots"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the refused form lacks %s", want)
		}
	}
	id, job := g.deployed("web 1")
	if page := g.get(job, http.StatusOK); !strings.Contains(page, "/me/instances/"+id) || !strings.Contains(page, locales.T(t.Context(), "step.place")) {
		t.Errorf("the job's page: %s", text(page))
	}
	if vm := s.VM(id); vm.Name != "web-1" || vm.State != compute.Running {
		t.Fatalf("%s is %s", vm.Name, vm.State)
	}
	for _, tab := range []string{"", "/nics", "/volumes", "/events", "/jobs", "/settings"} {
		g.get("/me/instances/"+id+tab, http.StatusOK)
	}
	at := "/me/instances/" + id
	g.post(at+"/settings", http.StatusSeeOther, "displayname", "shop", "name", "web-1", "deleteprotection", "true")
	if page := g.get(at, http.StatusOK); !strings.Contains(page, "shop") {
		t.Error("the new name is not shown")
	}
	g.post(at+"/do/destroy", http.StatusSeeOther) // refused: protected
	g.Finish()
	if vm := s.VM(id); vm.State != compute.Running || !vm.DeleteProtection {
		t.Fatalf("the protected instance is %s", vm.State)
	}
	g.post(at+"/settings", http.StatusSeeOther, "displayname", "shop", "name", "web-1")
	if to := g.post(at+"/do/stop", http.StatusSeeOther); !strings.HasPrefix(to, "/jobs/") {
		t.Errorf("stopping leads to %s", to)
	}
	if page := g.get("/me/instances", http.StatusOK); !strings.Contains(page, "/jobs/") || !strings.Contains(page, `aria-busy="true"`) {
		t.Error("the row does not link the job")
	}
	g.Finish()
	g.get(at+"/do/destroy", http.StatusOK)
	g.post(at+"/do/destroy", http.StatusSeeOther)
	g.Finish()
	if w := g.do(http.MethodGet, at, nil); w.Code != http.StatusNotFound {
		t.Errorf("a destroyed instance is still there for its user: %d", w.Code)
	}
	admin := s.signIn(t, "", "admin")
	at = "/all/instances/" + id
	admin.get(at, http.StatusOK)
	admin.get(at+"/do/expunge", http.StatusOK)
	admin.post(at+"/do/expunge", http.StatusUnprocessableEntity, "confirm", "web")
	admin.post(at+"/do/expunge", http.StatusSeeOther, "confirm", "shop")
	s.Finish()
}

const userData = "userdata_text"

func TestBulk(t *testing.T) {
	s := newSite(t)
	g := s.signIn(t, "", "admin")
	one, _ := g.deployed("one")
	two, _ := g.deployed("two")
	if page := g.get("/all/instances/bulk/stop?id="+one+"&id="+two, http.StatusOK); !strings.Contains(page, ">one<") || !strings.Contains(page, ">two<") {
		t.Error("the question does not name the instances")
	}
	to := g.post("/all/instances/bulk/stop", http.StatusSeeOther, "id", one, "id", two, "id", "0190b6d0-0000-7000-8000-000000000000")
	if page := g.get(to, http.StatusOK); strings.Count(page, "data-toast") != 2 {
		t.Error("two messages are wanted: what began, and what is not there")
	}
	if page := g.get(to, http.StatusOK); strings.Contains(page, "data-toast") {
		t.Error("the messages stay")
	}
	g.Finish()
	for _, id := range []string{one, two} {
		if vm := s.VM(id); vm.State != compute.Stopped {
			t.Errorf("%s is %s", vm.Name, vm.State)
		}
	}
}

func TestFragments(t *testing.T) {
	s := newSite(t)
	g := s.signIn(t, "", "admin")
	id, _ := g.deployed("web")
	ask := func(method, to string, header map[string]string, form url.Values) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, to, strings.NewReader(form.Encode()))
		r.Host = "portal.test"
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for k, v := range header {
			r.Header.Set(k, v)
		}
		for _, c := range g.cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		s.echo.ServeHTTP(w, r)
		return w
	}
	w := ask(http.MethodGet, "/all/instances?state=Running", map[string]string{"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#instances"}, nil)
	if body := w.Body.String(); strings.Contains(body, "<html") || !strings.Contains(body, `id="instances"`) || !strings.Contains(body, "web") {
		t.Errorf("the table alone: %s", text(body))
	}
	if vary := w.Header().Values("Vary"); !strings.Contains(strings.Join(vary, ","), "HX-Request-Type") {
		t.Errorf("Vary: %v", vary)
	}
	htmx := map[string]string{"HX-Request": "true", "HX-Current-URL": "http://portal.test/all/instances?cols=state"}
	w = ask(http.MethodPost, "/all/instances/"+id+"/do/stop", htmx, url.Values{"_csrf": {g.token}})
	body := w.Body.String()
	if w.Code != http.StatusAccepted || !strings.Contains(body, `hx-target="#instances-`+id) || !strings.Contains(body, `hx-target="#toasts"`) {
		t.Errorf("an action by htmx: %d %s", w.Code, body)
	}
	if strings.Contains(body, "198.18.") || strings.Contains(body, "tiny") {
		t.Error("the row has columns that the page does not show")
	}
	w = ask(http.MethodPost, "/all/instances/"+id+"/do/stop", htmx, url.Values{"_csrf": {g.token}})
	if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), `hx-target="#toasts"`) || w.Header().Get("HX-Reswap") != "none" {
		t.Errorf("a refused action by htmx: %d %s", w.Code, w.Body)
	}
}

func TestCSV(t *testing.T) {
	s := newSite(t)
	g := s.signIn(t, "", "admin")
	g.deployed("=cmd|' /C calc'!A1")
	w := g.do(http.MethodGet, "/all/instances?as=csv", nil)
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/csv") {
		t.Fatalf("%d %s", w.Code, w.Header().Get("Content-Type"))
	}
	lines := strings.Split(strings.TrimSpace(w.Body.String()), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[1], "'=cmd") {
		t.Errorf("the CSV: %q", lines)
	}
}

func TestEverythingOfOthersIsAbsent(t *testing.T) {
	s := newSite(t)
	s.Account("acme", "mara", iam.RoleUser)
	s.Account("other", "otto", iam.RoleUser)
	mara := s.signIn(t, "acme", "mara")
	id, job := mara.deployed("web")
	otto := s.signIn(t, "other", "otto")
	for _, to := range []string{
		"/me/instances/" + id, "/me/instances/" + id + "/nics", "/me/instances/" + id + "/events", "/me/instances/" + id + "/screen", job,
		"/me/instances/" + id + "/do/stop", "/console?id=" + id, "/all/instances", "/d/" + s.first("domains") + "/instances", "/me/instances/nonsense", "/me/nothing",
	} {
		if w := otto.do(http.MethodGet, to, nil); w.Code != http.StatusNotFound {
			t.Errorf("GET %s: %d", to, w.Code)
		}
	}
	otto.post("/me/instances/"+id+"/do/stop", http.StatusNotFound)
	otto.post(job+"/cancel", http.StatusNotFound)
	if w := otto.do(http.MethodPost, "/console/ticket", url.Values{"_csrf": {otto.token}, "id": {id}}); w.Code == http.StatusOK {
		t.Error("a ticket for somebody else's screen")
	}
	for _, to := range []string{"/me/jobs", "/me/events", "/me/instances", "/search?q=web"} {
		if page := otto.get(to, http.StatusOK); strings.Contains(page, id) {
			t.Errorf("%s shows somebody else's", to)
		}
	}
}

func TestSearchFinds(t *testing.T) {
	s := newSite(t)
	g := s.signIn(t, "", "admin")
	id, _ := g.deployed("web-7")
	var ip []string
	s.Must(s.DB.In(s.Sys()).Table("nics").Where("vm_id = ?", id).Pluck("ip", &ip).Error)
	for _, word := range []string{"web-7", "eb-", id, ip[0]} {
		if page := g.get("/search?q="+url.QueryEscape(word), http.StatusOK); !strings.Contains(page, "/instances/"+id) {
			t.Errorf("%s is not found", word)
		}
	}
}

func TestProfile(t *testing.T) {
	s := newSite(t)
	s.Account("acme", "mara", iam.RoleUser)
	g := s.signIn(t, "acme", "mara")
	g.get("/profile", http.StatusOK)
	page := g.post("/profile/keys", http.StatusOK)
	if strings.Count(page, `class="mono"`) < 2 {
		t.Error("the new keys are not shown")
	}
	if page := g.get("/profile", http.StatusOK); strings.Contains(page, `class="mono" type="text" readonly`) {
		t.Error("the secret is shown twice")
	}
	g.post("/profile/password", http.StatusUnprocessableEntity, "currentpassword", "Test-password-1", "password", "New-password-2", "again", "New-password-3")
	g.post("/profile/password", http.StatusUnprocessableEntity, "currentpassword", "wrong", "password", "New-password-2", "again", "New-password-2")
	g.post("/preferences", http.StatusSeeOther, "lang", "de", "theme", "dark", "back", "/profile")
	if page := g.get("/profile", http.StatusOK); !strings.Contains(page, `lang="de"`) || !strings.Contains(page, `data-theme="dark"`) || !strings.Contains(page, "Sitzungen") {
		t.Error("the preferences are not kept")
	}
	g.post("/profile/sessions", http.StatusSeeOther, "all", "true")
	g.get("/profile", http.StatusOK)
}

// TestOldPages: what is not there is told in the reader's words.
func TestErrorsAreWorded(t *testing.T) {
	s := newSite(t)
	g := s.signIn(t, "", "admin")
	w := g.do(http.MethodGet, "/all/nothing", nil)
	page := html.UnescapeString(w.Body.String())
	if w.Code != http.StatusNotFound || !strings.Contains(page, locales.T(t.Context(), "portal.not_found")) || !strings.Contains(page, "/all/dashboard") {
		t.Errorf("%d %s", w.Code, text(page))
	}
	stranger := &guest{site: s, t: t, cookies: map[string]*http.Cookie{}}
	if w := stranger.do(http.MethodPost, "/logout", url.Values{}); w.Code != http.StatusForbidden {
		t.Errorf("a stranger's forgery: %d", w.Code)
	}
}

// TestStream: a row changes on every open page that may show it, and on no
// other.
func TestStream(t *testing.T) {
	s := newSite(t)
	s.Account("acme", "mara", iam.RoleUser)
	s.Account("other", "otto", iam.RoleUser)
	mara, otto := s.signIn(t, "acme", "mara"), s.signIn(t, "other", "otto")
	id, _ := mara.deployed("web")
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	go func() { _ = s.pages.Run(ctx) }()
	server := httptest.NewServer(s.echo)
	defer server.Close()
	read := func(g *guest) *strings.Builder {
		return g.follow(ctx, server, "/events/stream?watch=virtualmachine&page=/me/instances")
	}
	hers, his := read(mara), read(otto)
	time.Sleep(300 * time.Millisecond)
	mara.post("/me/instances/"+id+"/do/stop", http.StatusSeeOther)
	s.Finish()
	deadline := time.Now().Add(40 * time.Second)
	for time.Now().Before(deadline) && !strings.Contains(s.read(hers), locales.T(ctx, "state.stopped")) {
		time.Sleep(50 * time.Millisecond)
	}
	got := s.read(hers)
	for _, want := range []string{`hx-target="#instances-` + id, locales.T(ctx, "state.stopped"), "event: refresh", "id: "} {
		if !strings.Contains(got, want) {
			t.Errorf("the stream lacks %q: %s", want, got)
		}
	}
	if strings.Contains(s.read(his), id) {
		t.Error("somebody else hears of it")
	}
	stop()
}

func TestListsAskConstantly(t *testing.T) {
	s := newSite(t)
	g := s.signIn(t, "", "admin")
	g.deployed("a1")
	few := s.queries(func() { g.get("/all/instances", http.StatusOK) })
	for _, name := range []string{"a2", "a3", "a4", "a5"} {
		g.deployed(name)
	}
	if many := s.queries(func() { g.get("/all/instances", http.StatusOK) }); many > few {
		t.Errorf("1 instance takes %d queries, 5 take %d", few, many)
	}
}

// queries counts the statements that fn makes.
func (s *site) queries(fn func()) int {
	n := 0
	s.Must(s.DB.In(store.System(s.Context(), "test")).Callback().Query().After("gorm:query").Register("count", func(*gormDB) { n++ }))
	fn()
	s.Must(s.DB.In(store.System(s.Context(), "test")).Callback().Query().Remove("count"))
	return n
}
