package portal_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"aerie/handlers/portal"
	"aerie/handlers/session"
	"aerie/locales"
	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/proof"
)

// site is the portal of a simulated cloud.
type site struct {
	*proof.World
	echo  *echo.Echo
	pages *portal.Portal
}

func newSite(t *testing.T) *site {
	t.Helper()
	w := proof.New(t)
	s := &site{World: w, echo: echo.New()}
	m := &session.Manager{IAM: w.IAM}
	p := portal.New(portal.Parts{
		DB: w.DB, Sessions: m, Registry: w.Registry, Jobs: w.Engine, IAM: w.IAM, Infra: w.Infra, Compute: w.Compute,
		Net: w.Net, Storage: w.Storage, Images: w.Image, Config: w.Config,
	})
	s.echo.HTTPErrorHandler = func(err error, c echo.Context) { p.Fail(c, err) }
	s.pages = p
	p.Register(s.echo.Group("", m.Load, m.Protect))
	return s
}

// guest is a browser without scripts.
type guest struct {
	*site
	t       *testing.T
	cookies map[string]*http.Cookie
	token   string
	home    string
}

func (s *site) signIn(t *testing.T, domain, user string) *guest {
	t.Helper()
	g := &guest{site: s, t: t, cookies: map[string]*http.Cookie{}}
	g.get("/login", http.StatusOK)
	g.post("/login", http.StatusSeeOther, "username", user, "password", "Test-password-1", "domain", domain)
	g.home = g.do(http.MethodGet, "/", nil).Header().Get("Location")
	g.get(g.home, http.StatusOK) // has the session's token
	return g
}

func (g *guest) do(method, to string, form url.Values) *httptest.ResponseRecorder {
	g.t.Helper()
	r := httptest.NewRequestWithContext(g.t.Context(), method, to, strings.NewReader(form.Encode()))
	r.Host = "portal.test"
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range g.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	g.echo.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 || c.Value == "" {
			delete(g.cookies, c.Name)
		} else {
			g.cookies[c.Name] = c
		}
	}
	if m := tokenOf.FindStringSubmatch(w.Body.String()); m != nil {
		g.token = html.UnescapeString(m[1])
	}
	return w
}

var (
	tokenOf = regexp.MustCompile(`name="_csrf" value="([^"]+)"`)
	links   = regexp.MustCompile(`(?:href|data-dialog)="(/[^"#]*)"`)
	actions = regexp.MustCompile(`<form[^>]* method="post"[^>]*action="(/[^"]*)"`)
)

func (g *guest) get(to string, want int) string {
	g.t.Helper()
	w := g.do(http.MethodGet, to, nil)
	if w.Code != want {
		g.t.Fatalf("GET %s: %d, want %d: %s", to, w.Code, want, text(w.Body.String()))
	}
	return w.Body.String()
}

// post sends a plain form and returns where it leads.
func (g *guest) post(to string, want int, fields ...string) string {
	g.t.Helper()
	v := url.Values{"_csrf": {g.token}}
	for i := 0; i+1 < len(fields); i += 2 {
		v.Add(fields[i], fields[i+1])
	}
	w := g.do(http.MethodPost, to, v)
	if w.Code != want {
		g.t.Fatalf("POST %s %v: %d, want %d: %s", to, fields, w.Code, want, text(w.Body.String()))
	}
	if want == http.StatusSeeOther {
		return w.Header().Get("Location")
	}
	return w.Body.String()
}

var tags = regexp.MustCompile(`(?s)<head.*?</head>|<nav.*?</nav>|<[^>]*>`)

func text(page string) string {
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(page, " "))), " ")
}

// resources are the collections of this file's pages.
var resources = []string{
	"/keys", "/volumes", "/networks", "/templates", "/routers", "/zones", "/pods", "/clusters", "/hosts", "/primary-storage", "/secondary-storage",
	"/physical-networks", "/domains", "/accounts", "/users", "/settings", "/offerings",
}

func ofResources(path string) bool {
	return slices.ContainsFunc(resources, func(c string) bool { return strings.Contains(path, c) })
}

// crawl follows every link and answers every page it saw.
func (g *guest) crawl(from string) map[string]string {
	g.t.Helper()
	pages, queue := map[string]string{}, []string{from}
	for len(queue) > 0 && len(pages) < 700 {
		to := queue[0]
		queue = queue[1:]
		if _, seen := pages[to]; seen {
			continue
		}
		w := g.do(http.MethodGet, to, nil)
		pages[to] = w.Body.String()
		if w.Code != http.StatusOK {
			g.t.Errorf("GET %s: %d: %s", to, w.Code, text(w.Body.String()))
			continue
		}
		for _, m := range links.FindAllStringSubmatch(w.Body.String(), -1) {
			next := html.UnescapeString(m[1])
			if ofResources(next) && !strings.Contains(next, "as=csv") && !strings.Contains(next, "size=") && !strings.Contains(next, "state=") {
				queue = append(queue, next)
			}
		}
	}
	return pages
}

func TestNoDeadLinksForAnyRole(t *testing.T) {
	s := newSite(t)
	s.Account("acme", "mara", iam.RoleUser)
	s.Account("acme", "dora", iam.RoleDomainAdmin)
	s.furnish()
	for _, who := range []struct {
		domain, name string
		least        int
	}{{"", "admin", 60}, {"acme", "dora", 15}, {"acme", "mara", 10}} {
		t.Run(who.name, func(t *testing.T) {
			g := s.signIn(t, who.domain, who.name)
			pages := g.crawl(g.home)
			if len(pages) < who.least {
				t.Errorf("%d pages were found, want %d", len(pages), who.least)
			}
			for to, page := range pages {
				g.alive(to, page)
			}
			t.Logf("%d pages", len(pages))
		})
	}
	for key := range locales.Missing() {
		if strings.HasPrefix(key, "pg.") { // other tests of the package leave theirs
			t.Errorf("no text for %s", key)
		}
	}
}

// furnish puts one of each kind there.
func (s *site) furnish() {
	mara := s.As("acme", "mara")
	s.Call(mara, "createSSHKeyPair", "name", "laptop")
	s.Call(s.Admin, "createDiskOffering", "name", "data", "disksize", "5")
	s.Call(mara, "createNetwork", "name", "front", "zoneid", s.Zone.ID, "networkofferingid", s.first("network_offerings"))
}

func (s *site) first(table string) string {
	s.Helper()
	var ids []string
	s.Must(s.DB.In(s.Sys()).Table(table).Order("id").Limit(1).Pluck("id", &ids).Error)
	if len(ids) == 0 {
		s.Fatalf("nothing in %s", table)
	}
	return ids[0]
}

// alive: every form of a page is taken by a route, and every text is there.
func (g *guest) alive(to, page string) {
	g.t.Helper()
	for _, m := range actions.FindAllStringSubmatch(page, -1) {
		path, _, _ := strings.Cut(html.UnescapeString(m[1]), "?")
		c := g.echo.NewContext(httptest.NewRequest(http.MethodPost, path, nil), httptest.NewRecorder())
		g.echo.Router().Find(http.MethodPost, path, c)
		if c.Path() == "" || strings.HasSuffix(c.Path(), "/*") {
			g.t.Errorf("%s: nobody takes the form %s", to, path)
		}
	}
	for _, word := range strings.Fields(text(page)) {
		if strings.HasPrefix(word, "pg.") {
			g.t.Errorf("%s shows the key %s", to, word)
		}
	}
}

func TestRootPagesAreNotForOthers(t *testing.T) {
	s := newSite(t)
	s.Account("acme", "mara", iam.RoleUser)
	g := s.signIn(t, "acme", "mara")
	host := s.ID(&infra.Host{}, "name = ?", "sim-1")
	for _, to := range []string{
		"/me/zones", "/me/zones/" + s.Zone.ID, "/me/zones/new", "/me/pods", "/me/clusters", "/me/hosts", "/me/hosts/" + host, "/me/hosts/new", "/me/primary-storage",
		"/me/secondary-storage", "/me/routers", "/me/settings", "/me/settings/expunge.delay", "/me/accounts", "/me/accounts/new", "/me/users", "/me/users/new", "/me/domains",
		"/me/offerings/compute/new", "/me/offerings/disk/new", "/me/offerings/network/new", "/all/volumes",
	} {
		if w := g.do(http.MethodGet, to, nil); w.Code != http.StatusNotFound {
			t.Errorf("GET %s: %d, want 404", to, w.Code)
		}
	}
}

func TestForeignThingsAreAbsent(t *testing.T) {
	s := newSite(t)
	s.Account("acme", "mara", iam.RoleUser)
	s.Account("other", "otto", iam.RoleUser)
	s.furnish()
	g := s.signIn(t, "other", "otto")
	for _, to := range []string{
		"/me/networks/" + s.first("networks"), "/me/networks/" + s.first("networks") + "/edit", "/me/keys/" + s.first("ssh_keys") + "/delete",
		"/me/volumes/0190b6d0-0000-7000-8000-000000000000", "/me/volumes/nonsense", "/me/templates/nonsense", "/me/networks/nonsense",
	} {
		if w := g.do(http.MethodGet, to, nil); w.Code != http.StatusNotFound {
			t.Errorf("GET %s: %d, want 404", to, w.Code)
		}
	}
}

// journey is the life of a thing by plain forms.
type journey struct {
	list, form string
	fields     []string
	shows      string   // in the list afterwards
	edit       []string // fields of the change; none: it cannot be changed
	becomes    string
	typed      string // the name for the confirmation
}

func TestJourneys(t *testing.T) {
	s := newSite(t)
	g := s.signIn(t, "", "admin")
	root := s.first("domains")
	for _, j := range []journey{
		{list: "/all/offerings/compute", fields: []string{"name", "Huge", "cpunumber", "8", "memory", "16384", "cpuspeed", "2000"}, shows: "Huge", edit: []string{"name", "Enormous"}, becomes: "Enormous"},
		{list: "/all/offerings/disk", fields: []string{"name", "Fast", "disksize", "20", "storagetype", "shared"}, shows: "Fast", edit: []string{"name", "Faster"}, becomes: "Faster"},
		{list: "/all/offerings/network", fields: []string{"name", "Plain", "supportedservices", "Dhcp", "supportedservices", "SourceNat", "availability", "Optional", "enable", "true"}, shows: "Plain", edit: []string{"name", "Plainer"}, becomes: "Plainer"},
		{list: "/all/zones", fields: []string{"name", "east", "dns1", "9.9.9.9", "internaldns1", "9.9.9.9"}, shows: "east", edit: []string{"name", "far-east", "dns1", "9.9.9.9", "internaldns1", "9.9.9.9"}, becomes: "far-east", typed: "far-east"},
		{list: "/all/pods", fields: []string{"name", "row-7", "zoneid", s.Zone.ID, "gateway", "172.20.0.1", "netmask", "255.255.0.0", "startip", "172.20.1.1", "endip", "172.20.1.20"}, shows: "row-7", edit: []string{"name", "row-8"}, becomes: "row-8"},
		{list: "/all/domains", fields: []string{"name", "acme", "parentdomainid", root}, shows: "acme", edit: []string{"name", "acme-2"}, becomes: "acme-2", typed: "acme-2"},
	} {
		t.Run(j.list, func(t *testing.T) { g.in(t).live(j) })
	}
}

func (g *guest) in(t *testing.T) *guest {
	sub := *g
	sub.t = t
	return &sub
}

func (g *guest) live(j journey) {
	g.t.Helper()
	page := g.get(j.list+"/new", http.StatusOK)
	if !strings.Contains(page, `data-copy="curl`) {
		g.t.Error("the form does not show its call")
	}
	if bad := g.post(j.list+"/new", http.StatusUnprocessableEntity, "name", ""); !strings.Contains(bad, "aria-invalid") {
		g.t.Error("an empty form comes back without marks")
	}
	g.post(j.list+"/new", http.StatusSeeOther, j.fields...)
	id := g.find(j.list, j.shows)
	g.get(j.list+"/"+id, http.StatusOK)
	g.post(j.list+"/"+id+"/edit", http.StatusSeeOther, j.edit...)
	if again := g.find(j.list, j.becomes); again != id {
		g.t.Errorf("%s is %s, want %s", j.becomes, again, id)
	}
	g.get(j.list+"/"+id+"/delete", http.StatusOK)
	if j.typed != "" {
		g.post(j.list+"/"+id+"/delete", http.StatusUnprocessableEntity, "confirm", "something else")
	}
	g.post(j.list+"/"+id+"/delete", http.StatusSeeOther, "confirm", j.typed)
	g.Finish()
	if strings.Contains(g.get(j.list, http.StatusOK), ">"+j.becomes+"<") {
		g.t.Errorf("%s is still in %s", j.becomes, j.list)
	}
}

// find is the id behind a name in a list.
func (g *guest) find(list, name string) string {
	g.t.Helper()
	page := g.get(list, http.StatusOK)
	m := regexp.MustCompile(`href="` + regexp.QuoteMeta(list) + `/([^"/?]+)">` + regexp.QuoteMeta(name) + `</a>`).FindStringSubmatch(page)
	if m == nil {
		g.t.Fatalf("%s is not in %s: %s", name, list, text(page))
	}
	return m[1]
}

func TestAccountJourney(t *testing.T) {
	s := newSite(t)
	g := s.signIn(t, "", "admin")
	to := g.post("/all/accounts/new", http.StatusSeeOther, "account", "lab", "domainid", s.first("domains"), "roleid", iam.RoleUser,
		"username", "lena", "password", "Test-password-1", "firstname", "Lena", "lastname", "L", "email", "lena@example.org")
	page := g.get(to, http.StatusOK)
	if !strings.Contains(page, "lab") {
		t.Fatal("the account's page does not name it")
	}
	g.get(to+"/users", http.StatusOK)
	g.get(to+"/limits", http.StatusOK)
	g.post(to+"/limits/edit", http.StatusSeeOther, g.limitsOf(to)...)
	if !strings.Contains(g.get(to+"/limits", http.StatusOK), "/ 7") && !strings.Contains(g.get(to+"/limits/edit", http.StatusOK), `value="7"`) {
		t.Error("the limit was not kept")
	}
	g.post(to+"/state", http.StatusSeeOther, "state", "locked")
	g.get(to, http.StatusOK)
	g.post(to+"/state", http.StatusSeeOther, "state", "enabled")
	user := g.find("/all/users", "lena")
	keys := g.post("/all/users/"+user+"/keys", http.StatusOK)
	if strings.Count(keys, `class="mono"`) < 2 {
		t.Error("the keys are not shown")
	}
	g.post("/all/users/"+user+"/edit", http.StatusSeeOther, "username", "lena", "firstname", "Magda", "lastname", "L", "email", "lena@example.org", "apikeyaccess", "inherit")
	g.post(to+"/delete", http.StatusUnprocessableEntity, "confirm", "wrong")
	g.post(to+"/delete", http.StatusSeeOther, "confirm", "lab")
	g.Finish()
	if w := g.do(http.MethodGet, to, nil); w.Code != http.StatusNotFound {
		t.Errorf("the account is still there: %d", w.Code)
	}
}

// limitsOf are the fields of the limits' form, all 7.
func (g *guest) limitsOf(account string) (fields []string) {
	page := g.get(account+"/limits/edit", http.StatusOK)
	for _, m := range regexp.MustCompile(`name="(limit-\d+)"`).FindAllStringSubmatch(page, -1) {
		fields = append(fields, m[1], "7")
	}
	return fields
}

func TestKeyPairJourney(t *testing.T) {
	s := newSite(t)
	s.Account("acme", "mara", iam.RoleUser)
	g := s.signIn(t, "acme", "mara")
	page := g.post("/me/keys/new", http.StatusOK, "name", "laptop")
	if !strings.Contains(page, "PRIVATE KEY") {
		t.Error("the private key is not shown")
	}
	if list := g.get("/me/keys", http.StatusOK); strings.Contains(list, "PRIVATE KEY") || !strings.Contains(list, "laptop") {
		t.Error("the list must show the name and no secret")
	}
	id := s.first("ssh_keys")
	g.get("/me/keys/"+id+"/delete", http.StatusOK)
	g.post("/me/keys/"+id+"/delete", http.StatusSeeOther)
	if strings.Contains(g.get("/me/keys", http.StatusOK), "/keys/"+id) {
		t.Error("the key pair is still there")
	}
}

func TestNetworkJourney(t *testing.T) {
	s := newSite(t)
	s.Account("acme", "mara", iam.RoleUser)
	g := s.signIn(t, "acme", "mara")
	to := g.post("/me/networks/new", http.StatusSeeOther, "name", "front", "zoneid", s.Zone.ID, "networkofferingid", s.first("network_offerings"))
	for _, tab := range []string{"", "/instances", "/addresses", "/events"} {
		g.get(to+tab, http.StatusOK)
	}
	g.post(to+"/edit", http.StatusSeeOther, "name", "outer")
	g.Finish()
	if !strings.Contains(g.get("/me/networks", http.StatusOK), ">outer<") {
		t.Error("the new name is not in the list")
	}
	g.post(to+"/delete", http.StatusSeeOther)
	g.Finish()
	if strings.Contains(g.get("/me/networks", http.StatusOK), ">outer<") {
		t.Error("the network is still there")
	}
}

func TestSettingJourney(t *testing.T) {
	s := newSite(t)
	g := s.signIn(t, "", "admin")
	if !strings.Contains(g.get("/all/settings", http.StatusOK), "expunge.delay") {
		t.Fatal("a setting is missing from the list")
	}
	g.get("/all/settings/expunge.delay", http.StatusOK)
	g.post("/all/settings/expunge.delay", http.StatusUnprocessableEntity, "value", "soon")
	g.post("/all/settings/expunge.delay", http.StatusSeeOther, "value", "4711")
	if !strings.Contains(g.get("/all/settings/expunge.delay", http.StatusOK), "4711") {
		t.Error("the value was not kept")
	}
	g.post("/all/settings/expunge.delay/reset", http.StatusSeeOther)
	if strings.Contains(g.get("/all/settings", http.StatusOK), "4711") {
		t.Error("the default is not back")
	}
}

func TestListsAreFilesToo(t *testing.T) {
	s := newSite(t)
	g := s.signIn(t, "", "admin")
	for _, c := range resources {
		if c == "/physical-networks" || c == "/offerings" {
			continue
		}
		w := g.do(http.MethodGet, "/all"+c+"?as=csv", nil)
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/csv") {
			t.Errorf("%s as CSV: %d %s", c, w.Code, w.Header().Get("Content-Type"))
		}
	}
}
