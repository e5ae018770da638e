package portal_test

import (
	"net/http"
	"strings"
	"testing"

	"aerie/services/iam"
)

// TestViewAs: what a tenant sees, with a banner, and nothing to be changed.
func TestViewAs(t *testing.T) {
	s := newSite(t)
	s.Account("acme", "mara", iam.RoleUser)
	g := s.signIn(t, "", "admin")
	mara := s.ID(&iam.User{}, "username = ?", "mara")
	if page := g.get("/all/users/"+mara, http.StatusOK); !strings.Contains(page, "/all/users/"+mara+"/view-as") {
		t.Error("the user's page has no way to it")
	}
	g.post("/all/users/"+mara+"/view-as", http.StatusSeeOther)
	if to := g.do(http.MethodGet, "/", nil).Header().Get("Location"); to != "/me/dashboard" {
		t.Errorf("it begins at %s", to)
	}
	page := g.get("/me/dashboard", http.StatusOK)
	for want, is := range map[string]bool{"as mara does": true, `action="/view-as/end"`: true, "/hosts": false, "/me/instances/new": false} {
		if strings.Contains(page, want) != is {
			t.Errorf("%q on the page: %v", want, !is)
		}
	}
	g.do(http.MethodGet, "/all/hosts", nil)
	for _, form := range []string{"/profile/password", "/preferences", "/me/instances/new", "/profile/sessions"} {
		g.post(form, http.StatusForbidden, "lang", "de")
	}
	g.get("/me/instances/new", http.StatusNotFound)
	if to := g.post("/view-as/end", http.StatusSeeOther); to != "/all/users/"+mara {
		t.Errorf("its end leads to %s", to)
	}
	if page := g.get("/all/hosts", http.StatusOK); strings.Contains(page, "/view-as/end") {
		t.Error("the banner stays")
	}
}
