package portal_test

import (
	"net/http"
	"os"
	"testing"

	"aerie/services/iam"
	"aerie/static"
)

func TestZZServe(t *testing.T) {
	if os.Getenv("ZZ") == "" {
		t.Skip()
	}
	s := newSite(t)
	s.Account("acme", "mara", iam.RoleUser)
	s.Account("acme", "dora", iam.RoleDomainAdmin)
	s.furnish()
	s.Try(s.Admin, "deployVirtualMachine", "name", "web-1", "zoneid", s.Zone.ID, "serviceofferingid", s.first("service_offerings"), "templateid", s.first("templates"))
	s.Try(s.Admin, "updateConfiguration", "name", "expunge.delay", "value", "3600")
	s.Try(s.Admin, "createDomain", "name", "research")
	for _, sub := range []string{"/"} { _ = sub }
	g := s.signIn(t, "", "admin")
	u := s.signIn(t, "acme", "mara")
	for k, want := range map[string]string{"zone": "zones", "host": "hosts", "pool": "storage_pools", "net": "networks", "router": "routers", "tpl": "templates", "vol": "volumes", "acct": "accounts"} {
		var id string
		s.DB.In(s.Sys()).Table(want).Order("id desc").Limit(1).Pluck("id", &id)
		os.Stdout.WriteString("ID " + k + " " + id + "\n")
	}
	http.ListenAndServe("127.0.0.1:18099", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.URL.Path) > 8 && r.URL.Path[:8] == "/static/" {
			static.Handler().ServeHTTP(w, r)
			return
		}
		who := g
		if r.URL.Query().Get("u") == "mara" { who = u }
		r.Header.Del("Cookie")
		for _, c := range who.cookies { r.AddCookie(c) }
		if th := r.URL.Query().Get("th"); th != "" { r.AddCookie(&http.Cookie{Name: "theme", Value: th}) }
		if th := r.URL.Query().Get("l"); th != "" { r.Header.Set("Accept-Language", th) }
		s.echo.ServeHTTP(w, r)
	}))
}
