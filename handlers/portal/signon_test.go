package portal_test

import (
	"net/http"
	"strings"
	"testing"

	"aerie/services/iam"
	"aerie/services/signon"
	"aerie/services/webhook"
)

// TestWebhookPages: by plain forms a webhook is made, tried, changed, looked at
// and deleted, by its owner alone.
func TestWebhookPages(t *testing.T) {
	s := newSite(t)
	s.Account("acme", "mara", iam.RoleUser)
	s.Account("acme", "otto", iam.RoleUser)
	mara, otto := s.signIn(t, "acme", "mara"), s.signIn(t, "acme", "otto")
	if page := text(mara.get("/me/webhooks", http.StatusOK)); !strings.Contains(page, "No webhooks yet") {
		t.Error(page)
	}
	if page := mara.get("/me/webhooks/new", http.StatusOK); strings.Contains(page, `name="scope"`) {
		t.Error("a user may hear of others' events")
	}
	if page := mara.post("/me/webhooks/new", http.StatusUnprocessableEntity, "name", "hook", "payloadurl", "file:///etc/passwd"); !strings.Contains(page, "f-payloadurl-error") {
		t.Error("not told what is wrong:", text(page))
	}
	to := mara.post("/me/webhooks/new", http.StatusSeeOther, "name", "hook", "payloadurl", "http://127.0.0.1:9/", "secretkey", "our-secret", "sslverification", "true")
	id := s.ID(&webhook.Webhook{}, "name = ?", "hook")
	at := "/me/webhooks/" + id
	if to != at {
		t.Error("goes on to", to)
	}
	s.Finish()
	mara.post(at+"/try", http.StatusSeeOther)
	s.Finish()
	page := mara.get(at+"/deliveries", http.StatusOK)
	if !strings.Contains(page, "TEST.WEBHOOK") || !strings.Contains(page, "the address is internal") {
		t.Error(text(page))
	}
	for _, path := range []string{at, at + "/edit", at + "/deliveries", "/me/webhooks"} {
		if strings.Contains(mara.get(path, http.StatusOK), "our-secret") {
			t.Error(path, "shows the secret")
		}
	}
	delivery := s.ID(&webhook.Delivery{}, "event_type = ?", "TEST.WEBHOOK")
	mara.post(at+"/deliveries/again", http.StatusSeeOther, "delivery", delivery)
	s.Finish()
	if n := s.Count(&webhook.Delivery{}, "event_type = ?", "TEST.WEBHOOK"); n != 2 {
		t.Error(n, "deliveries")
	}
	mara.post(at+"/deliveries/delete", http.StatusSeeOther, "delivery", delivery)
	if n := s.Count(&webhook.Delivery{}, "id = ?", delivery); n != 0 {
		t.Error("the delivery is still there")
	}
	mara.post(at+"/state", http.StatusSeeOther, "state", webhook.Disabled)
	mara.post(at+"/edit", http.StatusSeeOther, "name", "renamed", "payloadurl", "https://example.org/", "description", "tells")
	if n := s.Count(&webhook.Webhook{}, "name = ? AND state = ? AND secret_key <> ''", "renamed", webhook.Disabled); n != 1 {
		t.Error("not changed, or its key is lost")
	}
	otto.get(at, http.StatusNotFound)
	otto.post(at+"/state", http.StatusNotFound, "state", webhook.Enabled)
	otto.post(at+"/delete", http.StatusNotFound)
	mara.get(at+"/delete", http.StatusOK)
	mara.post(at+"/delete", http.StatusSeeOther)
	mara.get(at, http.StatusNotFound)
}

// TestProviderPages: root adds a provider, and the sign-in page has its button.
func TestProviderPages(t *testing.T) {
	s := newSite(t)
	s.Account("acme", "mara", iam.RoleUser)
	admin, mara := s.signIn(t, "", "admin"), s.signIn(t, "acme", "mara")
	admin.get("/all/providers", http.StatusOK)
	if page := admin.get("/all/providers/new", http.StatusOK); !strings.Contains(page, "https://portal.test/sign-in/oidc") {
		t.Error("does not say what to register:", text(page))
	}
	fields := []string{"provider", "corp", "description", "Corporate", "issuer", "https://id.example.org", "clientid", "aerie", "secretkey", "our-secret", "redirecturi", "https://portal.test/sign-in/oidc", "scopes", "profile email"}
	if page := admin.post("/all/providers/new", http.StatusUnprocessableEntity, "provider", "corp", "description", "Corporate", "issuer", "x", "clientid", "aerie", "secretkey", "our-secret", "redirecturi", "https://portal.test/sign-in/oidc"); !strings.Contains(page, "f-issuer-error") {
		t.Error(text(page))
	}
	admin.post("/all/providers/new", http.StatusSeeOther, fields...)
	id := s.ID(&signon.Provider{}, "name = ?", "corp")
	if n := s.Count(&signon.Provider{}, "id = ? AND NOT auto_import AND NOT link_email AND NOT internal", id); n != 1 {
		t.Error("lets in more than was said")
	}
	at := "/all/providers/" + id
	stranger := &guest{site: s, t: t, cookies: map[string]*http.Cookie{}}
	if page := stranger.get("/login", http.StatusOK); !strings.Contains(page, "/sign-in/oidc/"+id) || !strings.Contains(page, "Corporate") {
		t.Error("no button:", text(page))
	}
	for _, path := range []string{at, at + "/edit", "/all/providers"} {
		if strings.Contains(admin.get(path, http.StatusOK), "our-secret") {
			t.Error(path, "shows the secret")
		}
	}
	mara.get("/me/providers/"+id, http.StatusNotFound)
	mara.get("/me/providers/new", http.StatusNotFound)
	mara.post("/me/providers/"+id+"/delete", http.StatusNotFound)
	admin.post(at+"/edit", http.StatusSeeOther, "description", "Ours", "issuer", "https://id.example.org", "clientid", "aerie", "redirecturi", "https://portal.test/sign-in/oidc", "linkemail", "true")
	admin.post(at+"/state", http.StatusSeeOther, "enabled", "false")
	if n := s.Count(&signon.Provider{}, "id = ? AND description = 'Ours' AND link_email AND NOT enabled", id); n != 1 {
		t.Error("not changed")
	}
	if page := stranger.get("/login", http.StatusOK); strings.Contains(page, id) {
		t.Error("a disabled provider is offered")
	}
	admin.get(at+"/delete", http.StatusOK)
	admin.post(at+"/delete", http.StatusSeeOther)
	admin.get(at, http.StatusNotFound)
}
