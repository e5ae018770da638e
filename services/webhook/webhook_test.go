package webhook_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/proof"
	"aerie/services/webhook"
)

// sink is a system that hears of events.
type sink struct {
	*httptest.Server
	mu     sync.Mutex
	got    []*http.Request
	bodies []string
	answer int
}

func newSink(t *testing.T) *sink {
	s := &sink{answer: http.StatusOK}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.got, s.bodies = append(s.got, r), append(s.bodies, string(body))
		if s.answer/100 == 3 {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(s.answer)
		_, _ = io.WriteString(w, "a secret of the inner network")
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *sink) events() (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.got {
		out = append(out, r.Header.Get("X-CS-Event"))
	}
	return out
}

func (s *sink) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got, s.bodies = nil, nil
}

func newWorld(t *testing.T) (*proof.World, *sink) {
	w := proof.New(t)
	_, err := w.Config.Set(w.Admin, "webhook.allowed.internal.sites", "127.0.0.1")
	w.Must(err)
	return w, newSink(t)
}

// happens makes an event of the tenant.
func happens(w *proof.World, ctx context.Context, name string) {
	w.JSON(ctx, "createSSHKeyPair", "name", name)
	w.Finish()
}

// TestWhoHears: a webhook hears of what its scope says, and no more.
func TestWhoHears(t *testing.T) {
	w, _ := newWorld(t)
	ann, bob := w.Account("dept", "ann", iam.RoleUser), w.Account("dept", "bob", iam.RoleUser)
	boss, far := w.Account("dept", "boss", iam.RoleDomainAdmin), w.Account("other", "far", iam.RoleUser)
	local, domain, global := newSink(t), newSink(t), newSink(t)
	w.JSON(ann, "createWebhook", "name", "local", "payloadurl", local.URL)
	w.JSON(boss, "createWebhook", "name", "domain", "payloadurl", domain.URL, "scope", webhook.Domain)
	w.JSON(w.Admin, "createWebhook", "name", "global", "payloadurl", global.URL, "scope", webhook.Global)
	w.Finish()
	for _, fact := range []struct {
		who                   context.Context
		local, domain, global bool
	}{{ann, true, true, true}, {bob, false, true, true}, {far, false, false, true}} {
		for _, s := range []*sink{local, domain, global} {
			s.forget()
		}
		happens(w, fact.who, "key")
		for s, want := range map[*sink]bool{local: fact.local, domain: fact.domain, global: fact.global} {
			if heard := len(s.events()) > 0; heard != want {
				t.Errorf("%v: local, domain, global are %v, %v, %v", fact, local.events(), domain.events(), global.events())
			}
		}
	}
	for scope, who := range map[string]context.Context{webhook.Domain: ann, webhook.Global: boss} {
		_, err := w.Try(who, "createWebhook", "name", "wide", "payloadurl", local.URL, "scope", scope)
		if fault.Of(err).Fields["scope"] == nil {
			t.Error(scope, err)
		}
	}
}

func TestDelivery(t *testing.T) {
	w, s := newWorld(t)
	ann := w.Account("dept", "ann", iam.RoleUser)
	made := w.JSON(ann, "createWebhook", "name", "hook", "payloadurl", s.URL, "secretkey", "our-secret", "description", "tells")
	if strings.Contains(made, "our-secret") {
		t.Error("the secret is shown:", made)
	}
	w.Finish()
	s.forget()
	happens(w, ann, "key")
	if len(s.got) != 1 {
		t.Fatal("heard", s.events())
	}
	r, body := s.got[0], s.bodies[0]
	var doc map[string]any
	w.Must(json.Unmarshal([]byte(body), &doc))
	if doc["event"] != r.Header.Get("X-CS-Event") || doc["eventid"] != r.Header.Get("X-CS-Event-ID") || doc["status"] != "Completed" || doc["account"] == "" {
		t.Error(body)
	}
	if r.Header.Get("X-CS-Signature") != webhook.Sign("our-secret", body) {
		t.Error("signed", r.Header.Get("X-CS-Signature"))
	}
	list := w.JSON(ann, "listWebhookDeliveries")
	if !strings.Contains(list, `"response":"200 OK"`) || strings.Contains(list, "inner network") || strings.Contains(list, "our-secret") {
		t.Error(list)
	}
	if n := w.Count(&webhook.Webhook{}, "secret_key LIKE ?", "%our-secret%"); n != 0 {
		t.Error("the secret lies open")
	}
	id := w.ID(&webhook.Webhook{}, "name = ?", "hook")
	for range 14 {
		w.JSON(ann, "executeWebhookDelivery", "webhookid", id)
	}
	w.Finish()
	if n := w.Count(&webhook.Delivery{}, "webhook_id = ?", id); n != 10 {
		t.Error(n, "deliveries are kept")
	}
	w.JSON(ann, "updateWebhook", "id", id, "state", webhook.Disabled)
	w.Finish()
	s.forget()
	happens(w, ann, "another")
	if len(s.got) != 0 {
		t.Error("a disabled webhook hears", s.events())
	}
	w.JSON(ann, "deleteWebhook", "id", id)
	if n := w.Count(&webhook.Delivery{}, "webhook_id = ?", id); n != 0 {
		t.Error("deliveries outlive their webhook:", n)
	}
}

// TestRetries: a system that is down hears later, and then no more.
func TestRetries(t *testing.T) {
	w, s := newWorld(t)
	ann := w.Account("dept", "ann", iam.RoleUser)
	w.JSON(ann, "createWebhook", "name", "hook", "payloadurl", s.URL)
	w.Finish()
	s.forget()
	s.answer = http.StatusServiceUnavailable
	w.JSON(ann, "createSSHKeyPair", "name", "key")
	w.Work()
	if n := len(s.events()); n != 1 {
		t.Fatal(n, "tries at once")
	}
	w.Clock.Add(9 * time.Second)
	w.Work()
	if n := len(s.events()); n != 1 {
		t.Error("tried again without a pause")
	}
	w.Clock.Add(2 * time.Second)
	s.answer = http.StatusOK
	w.Work()
	var d webhook.Delivery
	w.Must(w.DB.In(w.Sys()).Where("event_type = ?", s.events()[0]).Order("id DESC").Take(&d).Error)
	if len(s.events()) != 2 || !d.Success || d.Attempts != 2 {
		t.Errorf("%v %+v", s.events(), d)
	}
	s.answer = http.StatusFound
	s.forget()
	happens(w, ann, "more")
	if n := len(s.events()); n != 3 {
		t.Error(n, "tries of a redirect")
	}
	d = webhook.Delivery{}
	w.Must(w.DB.In(w.Sys()).Order("id DESC").Take(&d).Error)
	if d.Success || d.EndedAt == nil || d.Response != "302 Found" {
		t.Errorf("%+v", d)
	}
	// What is delivered again has the same event.
	s.answer = http.StatusOK
	s.forget()
	w.JSON(ann, "executeWebhookDelivery", "id", d.ID)
	w.Finish()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.ContainsFunc(s.got, func(r *http.Request) bool { return r.Header.Get("X-CS-Event-ID") == d.EventID }) {
		t.Error("not redelivered; heard of", len(s.got), "others")
	}
}

// TestInternalAddresses: nobody reaches the inner network by a webhook.
func TestInternalAddresses(t *testing.T) {
	w, s := newWorld(t)
	_, err := w.Config.Set(w.Admin, "webhook.allowed.internal.sites", "")
	w.Must(err)
	ann := w.Account("dept", "ann", iam.RoleUser)
	_, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "http://"), ":")
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433", "0x7f000001", "169.254.169.254", "10.0.0.1", "192.168.1.1", "[fe80::1]", "[fd00::1]"} {
		w.JSON(ann, "executeWebhookDelivery", "payloadurl", "http://"+host+":"+port+"/")
	}
	w.Finish()
	if len(s.got) != 0 {
		t.Error("reached", s.events())
	}
	list := w.JSON(ann, "listWebhookDeliveries")
	if strings.Contains(list, "refused") || strings.Contains(list, "timeout") {
		t.Error("tells of the inner network:", list)
	}
	for _, bad := range []string{"file:///etc/passwd", "gopher://x/", "http://", "http://user:pass@example.com/", "http://a b/", "x"} {
		_, err := w.Try(ann, "createWebhook", "name", "bad", "payloadurl", bad)
		if fault.Of(err).Fields["payloadurl"] == nil {
			t.Error(bad, err)
		}
	}
}

func TestForeignWebhooks(t *testing.T) {
	w, s := newWorld(t)
	ann, bob := w.Account("dept", "ann", iam.RoleUser), w.Account("dept", "bob", iam.RoleUser)
	w.JSON(ann, "createWebhook", "name", "hook", "payloadurl", s.URL)
	id := w.ID(&webhook.Webhook{}, "name = ?", "hook")
	if list := w.JSON(bob, "listWebhooks", "listall", "true"); strings.Contains(list, id) {
		t.Error(list)
	}
	for _, c := range []string{"updateWebhook", "deleteWebhook"} {
		if _, err := w.Try(bob, c, "id", id); err == nil {
			t.Error(c, "of somebody else's")
		}
	}
	if _, err := w.Try(bob, "executeWebhookDelivery", "webhookid", id); err == nil {
		t.Error("somebody else's is tried")
	}
	if _, err := w.Try(ann, "createWebhook", "name", "HOOK", "payloadurl", s.URL); fault.Of(err).Fields["name"] == nil {
		t.Error("a name twice:", err)
	}
	w.Call(w.Admin, "deleteAccount", "id", w.ID(&iam.Account{}, "name = ?", "ann"))
	if n := w.Count(&webhook.Webhook{}, "id = ? AND removed_at IS NULL", id); n != 0 {
		t.Error("a webhook outlives its account")
	}
}
