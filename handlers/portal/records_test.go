package portal_test

import (
	"net/http"
	"strings"
	"testing"

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
