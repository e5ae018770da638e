package main_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const publicURL = "https://cloud.example.org"

// TestBehindAProxy: with its proxy trusted and its public address known, the
// server treats browsers as if they had come by themselves.
func TestBehindAProxy(t *testing.T) {
	s := newServer(t, "off", "")
	s.env = []string{"AERIE_TRUSTED_PROXIES=127.0.0.1", "AERIE_PUBLIC_URL=" + publicURL}
	s.start()

	r := s.forwarded("GET", "/login", "198.51.100.1", nil)
	if c := cookieNamed(r, "__Host-aerie-form"); c == nil || !c.Secure {
		t.Errorf("the cookies of a browser at the proxy: %v", r.Cookies())
	}
	if r.Header.Get("Strict-Transport-Security") == "" {
		t.Error("HSTS is not told")
	}
	guess := func(from string) int {
		in := url.Values{"command": {"login"}, "username": {"admin"}, "password": {"wrong"}, "response": {"json"}}
		return s.forwarded("POST", "/client/api", from, in).StatusCode
	}
	for range 8 {
		guess("198.51.100.66")
	}
	in := url.Values{"command": {"login"}, "username": {"admin"}, "password": {adminPassword}, "response": {"json"}}
	if r := s.forwarded("POST", "/client/api", "198.51.100.66", in); r.StatusCode == http.StatusOK {
		t.Error("who guesses does not wait")
	}
	r = s.forwarded("POST", "/client/api", "198.51.100.7", in)
	if c := cookieNamed(r, "JSESSIONID"); r.StatusCode != http.StatusOK || c == nil || !c.Secure {
		t.Errorf("somebody else at the same proxy: %d %v", r.StatusCode, r.Cookies())
	}
	if !strings.Contains(s.output.String(), "ready at "+publicURL) {
		t.Error("the public address is not told: ", s.output)
	}
}

// TestFlagsOfTheFront: what cannot be meant is refused by the flag's name.
func TestFlagsOfTheFront(t *testing.T) {
	s := newServer(t, "off", "")
	for flag, values := range map[string][]string{
		"--trusted-proxies": {"nonsense", "10.0.0.0/64", "0.0.0.0/0", "::/0"},
		"--public-url":      {"cloud.example.org", "ftp://cloud.example.org", "https://", "https://cloud.example.org/aerie", "https://u:p@cloud.example.org", "https://cloud.example.org/?x", "https://[x"},
	} {
		for _, v := range values {
			out, err := s.run("serve", "--listen", "127.0.0.1:0", "--node", "off", flag+"="+v)
			if err == nil || !strings.Contains(out, flag) {
				t.Errorf("%s=%s: %v %s", flag, v, err, out)
			}
		}
	}
}

// request is one as a proxy on this machine passes it on.
func (s *server) request(method, path, from string, form url.Values) *http.Request {
	s.t.Helper()
	q, err := http.NewRequestWithContext(s.t.Context(), method, s.url(path), strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	if form != nil {
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	q.Header.Set("X-Forwarded-For", "203.0.113.9, "+from) // the first is what the client made up
	q.Header.Set("X-Forwarded-Proto", "https")
	return q
}

func (s *server) forwarded(method, path, from string, form url.Values) *http.Response {
	s.t.Helper()
	r := do(s.t, s.request(method, path, from, form))
	defer r.Body.Close()
	return r
}

func do(t testing.TB, q *http.Request) *http.Response {
	t.Helper()
	r, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func cookieNamed(r *http.Response, name string) *http.Cookie {
	for _, c := range r.Cookies() {
		if strings.EqualFold(c.Name, name) {
			return c
		}
	}
	return nil
}
