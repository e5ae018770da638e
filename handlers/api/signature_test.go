package api_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"testing"
	"time"
)

// The ways in which clients escape values and order names.
func sdkEscape(s string) string {
	return strings.NewReplacer("+", "%20", "%2A", "*").Replace(url.QueryEscape(s))
}

func javaEscape(s string) string { return strings.ReplaceAll(sdkEscape(s), "~", "%7E") }

func pythonEscape(s string) string { // urllib.parse.quote(s, safe="*")
	var b strings.Builder
	for _, c := range []byte(s) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_.-~*", c) >= 0 {
			b.WriteByte(c)
		} else {
			const hex = "0123456789ABCDEF"
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

func byName(a, b string) bool      { return a < b }
func byLowerName(a, b string) bool { return strings.ToLower(a) < strings.ToLower(b) }

// sign returns the query with its signature.
func sign(t testing.TB, query string, escape func(string) string, less func(a, b string) bool) string {
	t.Helper()
	v, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, 0, len(v))
	for name := range v {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool { return less(names[i], names[j]) })
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = name + "=" + escape(v.Get(name))
	}
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(strings.ToLower(strings.Join(parts, "&"))))
	return query + "&signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

func TestSignatures(t *testing.T) {
	w := newWorld(t)
	odd := "apiKey=user-key&command=listZones&response=json&listall=True&keyword=" + url.QueryEscape("a b~c*d+e/ü&=%")
	mixed := "apiKey=user-key&command=listZones&response=json&Zone=1&domainId=x&details[0].Key=a&signatureVersion=3&expires=" +
		url.QueryEscape(w.now.UTC().Add(time.Minute).Format("2006-01-02T15:04:05-0700"))
	tests := []struct {
		name, query string
		code        int
	}{
		{"cloudstack-go and cmk", sign(t, odd, sdkEscape, byName), 200},
		{"the reference server", sign(t, odd, javaEscape, byName), 200},
		{"Python", sign(t, odd, pythonEscape, byName), 200},
		{"csbench", sign(t, odd, url.QueryEscape, byName), 200},
		{"names in byte order", sign(t, mixed, sdkEscape, byName), 200},
		{"names without case", sign(t, mixed, sdkEscape, byLowerName), 200},
		{"a parameter was changed", strings.Replace(sign(t, odd, sdkEscape, byName), "True", "False", 1), 401},
		{"a parameter was added", sign(t, odd, sdkEscape, byName) + "&id=1", 401},
		{"no signature", odd, 401},
		{"an empty signature", odd + "&signature=", 401},
		{"no Base64", odd + "&signature=%25%25", 401},
		{"too short", odd + "&signature=AAAA", 401},
		{"zeros", odd + "&signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(make([]byte, 20))), 401},
		{"an unknown key", sign(t, strings.Replace(odd, "user-key", "no-key", 1), sdkEscape, byName), 401},
		{"an unknown key without a signature", "apikey=no-key&command=listZones&response=json", 401},
		{"a signature without a key", "command=listZones&response=json&signature=AAAA", 401},
		{"the database is away", sign(t, strings.Replace(odd, "user-key", "broken-key", 1), sdkEscape, byName), 530},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := w.do(t, http.MethodGet, "/client/api?"+tt.query, nil, nil)
			if a.code != tt.code {
				t.Fatalf("got %d %s", a.code, a.body)
			}
			if tt.code != 401 {
				return
			}
			env, f := a.failure(t)
			if env != "listzonesresponse" || f.Text != unknown || f.CS != nil {
				t.Errorf("got %s", a.body)
			}
		})
	}
}

func TestASignatureInAForm(t *testing.T) {
	w := newWorld(t)
	v, err := url.ParseQuery(sign(t, "apiKey=user-key&command=listZones&response=json&keyword=x y", sdkEscape, byName))
	if err != nil {
		t.Fatal(err)
	}
	if a := w.do(t, http.MethodPost, "/client/api/", v, nil); a.code != 200 {
		t.Errorf("got %d %s", a.code, a.body)
	}
	// What is in the query wins over the form, for the signature too.
	v.Set("keyword", "other")
	if a := w.do(t, http.MethodPost, "/client/api?keyword=x+y", v, nil); a.code != 200 {
		t.Errorf("got %d %s", a.code, a.body)
	}
}

func TestExpires(t *testing.T) {
	w := newWorld(t)
	w.now = time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	tests := []struct {
		version, expires string
		loose, strict    int
	}{
		{"", "", 200, 401},
		{"", "1999-01-01T00:00:00Z", 200, 401},
		{"3", "", 401, 401},
		{"3", "2026-11-22T07:10:00Z", 200, 200},
		{"3", "2026-11-22T07:10:00+0000", 200, 200},
		{"3", "2026-11-22T08:10:00+01:00", 200, 200},
		{"3", "2026-11-22T07:10:00.123Z", 200, 200},
		{"3", "2026-11-22T07:10:00.123+0000", 200, 200},
		{"3", "2026-11-22T07:00:00Z", 401, 401},
		{"3", "2026-11-22T06:59:59Z", 401, 401},
		{"3", "2026-11-22T07:10:00+0100", 401, 401},
		{"3", "2036-11-22T07:10:00Z", 200, 401},
		{"3", "tomorrow", 401, 401},
	}
	for _, tt := range tests {
		q := "apikey=user-key&command=listZones&response=json"
		if tt.version != "" {
			q += "&signatureVersion=" + tt.version
		}
		if tt.expires != "" {
			q += "&expires=" + url.QueryEscape(tt.expires)
		}
		for strict, want := range map[bool]int{false: tt.loose, true: tt.strict} {
			w.h.Strict = func(ctxT) bool { return strict }
			if a := w.do(t, http.MethodGet, "/client/api?"+sign(t, q, sdkEscape, byName), nil, nil); a.code != want {
				t.Errorf("version %q, expires %q, strict %v: got %d", tt.version, tt.expires, strict, a.code)
			}
		}
	}
}
