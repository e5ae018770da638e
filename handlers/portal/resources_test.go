package portal_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"aerie/services/iam"
	"aerie/services/infra"
)

// collections are the lists of resources.
var collections = []string{
	"/keys", "/volumes", "/networks", "/templates", "/routers", "/zones", "/pods", "/clusters", "/hosts", "/primary-storage", "/secondary-storage",
	"/domains", "/accounts", "/users", "/settings",
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
	s.furnish()
	s.Account("other", "otto", iam.RoleUser)
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
	list    string
	fields  []string
	shows   string   // in the list afterwards
	edit    []string // fields of the change; none: it cannot be changed
	becomes string
	typed   string // the name for the confirmation
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
	for _, c := range collections {
		w := g.do(http.MethodGet, "/all"+c+"?as=csv", nil)
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/csv") {
			t.Errorf("%s as CSV: %d %s", c, w.Code, w.Header().Get("Content-Type"))
		}
	}
}
