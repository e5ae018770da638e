package api_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func cookies(pairs ...string) func(*http.Request) {
	return func(r *http.Request) {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == "Sec-Fetch-Site" {
				r.Header.Set(pairs[i], pairs[i+1])
				continue
			}
			r.AddCookie(&http.Cookie{Name: pairs[i], Value: pairs[i+1]})
		}
	}
}

func (w *world) login(t *testing.T, name, password string) answer {
	t.Helper()
	return w.do(t, http.MethodPost, "/client/api", url.Values{
		"command": {"login"}, "response": {"json"}, "username": {name},
		"password": {password}, "domain": {"/a/b/"}, "domainId": {"d2"},
	}, nil)
}

func TestLogin(t *testing.T) {
	w := newWorld(t)
	a := w.login(t, "ann", "right")
	var doc map[string]map[string]any
	if err := json.Unmarshal([]byte(a.body), &doc); err != nil || a.code != 200 {
		t.Fatalf("got %d %s", a.code, a.body)
	}
	got := doc["loginresponse"]
	want := map[string]any{
		"username": "ann", "userid": "ann-user", "domainid": "d2", "timeout": 1800.0, "account": "ann", "firstname": "Ann",
		"lastname": "Other", "type": "0", "registered": "false", "sessionkey": "a-Key_of-20-bytes-base64", "is2faenabled": "false", "is2faverified": "true",
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s is %v, want %v", k, got[k], v)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %v", got)
	}
	set := a.head.Values("Set-Cookie")
	for _, want := range []string{"JSESSIONID=tokenann; Path=/client; HttpOnly; SameSite=Strict", "sessionkey=a-Key_of-20-bytes-base64; Path=/client; HttpOnly; SameSite=Strict"} {
		if !slices.Contains(set, want) {
			t.Errorf("no cookie %s in %v", want, set)
		}
	}
	if !slices.Equal(w.sessions.calls, []string{"login ann /a/b/ d2"}) {
		t.Errorf("asked for %v", w.sessions.calls)
	}
	if strings.Contains(w.log.String(), "right") || strings.Contains(w.log.String(), "a-Key") {
		t.Error("the log knows a secret")
	}
}

func TestLoginRefuses(t *testing.T) {
	w := newWorld(t)
	env, f := w.login(t, "ann", "wrong").failure(t)
	if f.Code != 531 || *f.CS != 4290 || env != "loginresponse" {
		t.Errorf("a wrong password: %s %+v", env, f)
	}
	a := w.do(t, http.MethodGet, "/client/api?command=login&response=json&username=ann&password=right", nil, nil)
	if env, f := a.failure(t); f.Code != 405 || env != "loginresponse" || len(w.sessions.calls) != 1 {
		t.Errorf("a GET: %s %+v", env, f)
	}
}

func TestSessions(t *testing.T) {
	const key = "a-Key_of-20-bytes-base64"
	tests := []struct {
		name, query string
		prepare     func(*http.Request)
		code        int
		alive       bool // afterwards
	}{
		{"the key as a parameter", "&sessionkey=" + key, cookies("JSESSIONID", "tokenann"), 200, true},
		{"the key as a cookie", "", cookies("JSESSIONID", "tokenann", "sessionkey", key), 200, true},
		{"the key as both", "&SessionKey=" + key, cookies("JSESSIONID", "tokenann", "sessionkey", key), 200, true},
		{"no key", "", cookies("JSESSIONID", "tokenann"), 401, false},
		{"a wrong parameter", "&sessionkey=guess", cookies("JSESSIONID", "tokenann", "sessionkey", key), 401, false},
		{"a wrong cookie", "&sessionkey=" + key, cookies("JSESSIONID", "tokenann", "sessionkey", "guess"), 401, false},
		{"no session", "&sessionkey=" + key, nil, 401, true},
		{"an unknown session", "&sessionkey=" + key, cookies("JSESSIONID", "guess"), 401, true},
		{"another site's page with the cookies", "", cookies("JSESSIONID", "tokenann", "sessionkey", key, "Sec-Fetch-Site", "cross-site"), 401, true},
		{"another site that knows the key", "&sessionkey=" + key, cookies("JSESSIONID", "tokenann", "Sec-Fetch-Site", "cross-site"), 200, true},
		{"our own page", "", cookies("JSESSIONID", "tokenann", "sessionkey", key, "Sec-Fetch-Site", "same-origin"), 200, true},
	}
	w := newWorld(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.login(t, "ann", "right")
			a := w.do(t, http.MethodGet, "/client/api?command=listZones&response=json"+tt.query, nil, tt.prepare)
			_, alive := w.sessions.live["tokenann"]
			if a.code != tt.code || alive != tt.alive {
				t.Errorf("got %d, alive %v: %s", a.code, alive, a.body)
			}
		})
	}
}

func TestLogoutAndSecondFactor(t *testing.T) {
	w := newWorld(t)
	w.login(t, "half", "right")
	held := cookies("JSESSIONID", "tokenhalf", "sessionkey", "a-Key_of-20-bytes-base64")
	a := w.do(t, http.MethodGet, "/client/api?command=listZones&response=json", nil, held)
	if _, f := a.failure(t); f.Code != 411 {
		t.Errorf("without the second factor: %+v", f)
	}
	a = w.do(t, http.MethodGet, "/client/api?command=logout&response=json", nil, held)
	if a.code != 200 || a.body != `{"logoutresponse":{"description":"success"}}` || len(w.sessions.live) != 0 {
		t.Errorf("logout: %d %s", a.code, a.body)
	}
	if !strings.Contains(strings.Join(a.head.Values("Set-Cookie"), "\n"), "JSESSIONID=; Path=/client; Max-Age=0") {
		t.Errorf("the cookies stay: %v", a.head.Values("Set-Cookie"))
	}
	a = w.do(t, http.MethodPost, "/client/api", url.Values{"command": {"logout"}, "response": {"json"}}, nil)
	if a.code != 200 {
		t.Errorf("logout without a session: %d", a.code)
	}
}
