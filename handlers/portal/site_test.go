package portal_test

import (
	"context"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"aerie/handlers/portal"
	"aerie/handlers/session"
	"aerie/services/command"
	"aerie/services/compute"
	"aerie/services/event"
	"aerie/services/iam"
	"aerie/services/proof"
	"aerie/services/store"
)

// site is the portal of a simulated cloud.
type site struct {
	*proof.World
	echo  *echo.Echo
	pages *portal.Portal
}

func newSite(t testing.TB) *site {
	t.Helper()
	w := proof.New(t)
	s := &site{World: w, echo: echo.New()}
	m := &session.Manager{IAM: w.IAM}
	p := portal.New(portal.Parts{
		DB: w.DB, Sessions: m, Registry: w.Registry, Jobs: w.Engine, IAM: w.IAM, Infra: w.Infra, Compute: w.Compute,
		Net: w.Net, Storage: w.Storage, Images: w.Image, Config: w.Config, SignOn: w.SignOn,
	})
	s.echo.HTTPErrorHandler = func(err error, c echo.Context) { p.Fail(c, err) }
	s.pages = p
	p.Register(s.echo.Group("", m.Load, m.Protect))
	return s
}

// guest is a browser without scripts.
type guest struct {
	*site
	t       testing.TB
	cookies map[string]*http.Cookie
	token   string
	home    string
}

func (s *site) signIn(t testing.TB, domain, user string) *guest {
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

var tokenOf = regexp.MustCompile(`name="_csrf" value="([^"]+)"`)

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

// people are those who look at a furnished site.
type people struct {
	admin, dora, mara, ella *guest // ella has nothing
}

// furnish puts some of each kind there.
func (s *site) furnish() people {
	s.Helper()
	s.Account("acme", "mara", iam.RoleUser)
	s.Account("acme", "dora", iam.RoleDomainAdmin)
	s.Call(s.Admin, "importRole", "name", "helpers", "type", "User", "rules[0].rule", "list*", "rules[0].permission", "allow", "rules[1].rule", "*", "rules[1].permission", "deny")
	s.Account("empty", "ella", iam.RoleUser)
	mara := s.As("acme", "mara")
	s.Call(mara, "createSSHKeyPair", "name", "laptop")
	s.Call(s.Admin, "createDiskOffering", "name", "data", "disksize", "5")
	s.Call(s.Admin, "createServiceOffering", "name", "Colossal", "displaytext", "Colossal", "cpunumber", "36", "cpuspeed", "4000", "memory", "32768")
	s.Call(s.Admin, "createStoragePool", "name", "spare", "zoneid", s.Zone.ID, "clusterid", s.first("clusters"), "url", "SharedMountPoint:///spare")
	s.Call(mara, "createNetwork", "name", "front", "zoneid", s.Zone.ID, "networkofferingid", s.first("network_offerings"))
	_, err := event.Raise(s.Sys(), s.DB, event.Alert{Kind: event.Host, Subject: s.first("hosts"), Message: "alert.generated", Args: []any{"text", "Host sim-2 does not answer."}, ZoneID: s.Zone.ID, HostID: s.first("hosts")})
	s.Must(err)
	s.Deploy(mara, "web-1")
	s.Call(mara, "createAffinityGroup", "name", "apart", "type", compute.ApartIfCan)
	s.Call(mara, "registerUserData", "name", "base", "userdata", "I2Nsb3VkLWNvbmZpZwo=")
	database := s.Deploy(mara, "database", "group", "store", "affinitygroupids", s.first("affinity_groups"), "userdataid", s.first("user_data"))
	s.Call(mara, "stopVirtualMachine", "id", database)
	_, err = s.Try(mara, "deployVirtualMachine", "zoneid", s.Zone.ID, "name", "too-big", "templateid", s.Tiny(), "serviceofferingid", s.ID(&compute.Offering{}, "name = ?", "Colossal"))
	if err == nil {
		s.Fatal("36 CPUs found room")
	}
	s.Call(mara, "createWebhook", "name", "hook", "payloadurl", "https://hooks.example.org/aerie")
	s.Call(mara, "executeWebhookDelivery", "webhookid", s.first("webhooks"), "payloadurl", "http://127.0.0.1:9/")
	s.Call(s.Admin, "registerOauthProvider", "provider", "corp", "description", "Corporate", "issuer", "https://id.example.org", "clientid", "aerie", "secretkey", "s3cret", "redirecturi", "https://portal.test/sign-in/oidc")
	s.share(mara)
	_, err = s.IAM.SaveView(mara, "jobs", "What failed", "status=failed")
	s.Must(err)
	s.Finish()
	return people{admin: s.signIn(s.TB, "", "admin"), dora: s.signIn(s.TB, "acme", "dora"), mara: s.signIn(s.TB, "acme", "mara"), ella: s.signIn(s.TB, "empty", "ella")}
}

// share makes a project of mara's with everything that one has.
func (s *site) share(mara context.Context) {
	s.Helper()
	s.Account("acme", "otto", iam.RoleUser)
	id := s.Call(mara, "createProject", "name", "apollo", "displaytext", "to the moon").(command.Accepted).ID
	actor, _ := store.From(mara)
	now, err := s.IAM.Standing(s.Context(), actor.UserID)
	s.Must(err)
	mara = store.With(s.Context(), now.Actor)
	s.Call(mara, "createProjectRole", "projectid", id, "name", "looks")
	s.Call(mara, "createProjectRolePermission", "projectid", id, "projectroleid", s.first("project_roles"), "rule", "list*", "permission", "allow")
	s.Call(mara, "addAccountToProject", "projectid", id, "account", "otto", "projectroleid", s.first("project_roles"))
	s.Deploy(mara, "shared-1", "projectid", id, "startvm", "false")
}

// strip leaves a cloud in which nothing was set up yet.
func (s *site) strip() {
	s.Helper()
	s.Must(s.DB.Tx(s.Sys(), func(ctx context.Context) error {
		for _, table := range tablesOfCloud {
			if err := s.DB.In(ctx).Exec("DELETE FROM " + table).Error; err != nil {
				return err
			}
		}
		return nil
	}))
}

// tablesOfCloud hold what an operator sets up, those that refer to others first.
var tablesOfCloud = []string{
	"zones", "pods", "clusters", "hosts", "storage_pools", "image_stores", "physical_networks", "templates", "networks",
	"service_offerings", "disk_offerings", "network_offerings", "vpc_offerings", "events", "alerts", "webhook_deliveries", "webhooks", "oauth_providers",
}

// starts are the pages that a crawl begins at: what forms lead to, and home.
func (people) starts(g *guest) []string { return []string{g.home, "/search?q=web"} }

func (s *site) first(table string) string {
	s.Helper()
	var ids []string
	q := s.DB.In(s.Sys()).Table(table)
	if table == "network_offerings" { // some wait for what cannot be made yet
		q = q.Where("state = ?", "Enabled")
	}
	s.Must(q.Order("id").Limit(1).Pluck("id", &ids).Error)
	if len(ids) == 0 {
		s.Fatalf("nothing in %s", table)
	}
	return ids[0]
}
