package static

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/andybalholm/brotli"
)

func get(t *testing.T, url string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func TestServesForEver(t *testing.T) {
	url := URL("css/app.css")
	if !strings.HasPrefix(url, Prefix) || !strings.HasSuffix(url, "/css/app.css") {
		t.Fatalf("URL is %q", url)
	}
	r := get(t, url)
	want := map[string]string{
		"Content-Type": "text/css; charset=utf-8", "Cache-Control": "public, max-age=31536000, immutable",
		"X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding", "Content-Encoding": "",
	}
	for name, value := range want {
		if got := r.Header.Get(name); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
	if again := get(t, url, "If-None-Match", r.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("the same file again: %s", again.Status)
	}
}

func TestAnOldAddressIsNotCached(t *testing.T) {
	r := get(t, Prefix+"aaaaaaaaaa/css/app.css")
	if r.StatusCode != http.StatusOK || r.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("%s, %s", r.Status, r.Header.Get("Cache-Control"))
	}
}

func TestWhatIsNotThere(t *testing.T) {
	for _, url := range []string{"", "x", "x/static.go", "x/../static.go", "x/vendor.mjs", "x/css", "x/css/"} {
		if r := get(t, Prefix+url); r.StatusCode != http.StatusNotFound {
			t.Errorf("%q: %s", url, r.Status)
		}
	}
	if URL("css/none.css") != "" {
		t.Error("a file that is not there has an address")
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, URL("css/app.css"), nil)
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}

func TestCompression(t *testing.T) {
	plain, _ := io.ReadAll(get(t, URL("css/app.css")).Body)
	for _, c := range []struct {
		accept, coding string
	}{
		{"gzip, deflate, br", "br"},
		{"gzip", "gzip"},
		{"br;q=0, gzip;q=0.5", "gzip"},
		{"GZIP", "gzip"},
		{"identity", ""},
		{"", ""},
	} {
		r := get(t, URL("css/app.css"), "Accept-Encoding", c.accept)
		if got := r.Header.Get("Content-Encoding"); got != c.coding {
			t.Errorf("%q: got %q, want %q", c.accept, got, c.coding)
			continue
		}
		if got := unpack(t, c.coding, r.Body); !bytes.Equal(got, plain) {
			t.Errorf("%q: the content differs", c.accept)
		}
	}
}

func unpack(t *testing.T, coding string, body io.Reader) []byte {
	t.Helper()
	switch coding {
	case "br":
		body = brotli.NewReader(body)
	case "gzip":
		z, err := gzip.NewReader(body)
		if err != nil {
			t.Fatal(err)
		}
		body = z
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestTheHashFollowsTheContent(t *testing.T) {
	one, err := collect(fstest.MapFS{"js/a.js": {Data: []byte("1")}})
	if err != nil {
		t.Fatal(err)
	}
	two, _ := collect(fstest.MapFS{"js/a.js": {Data: []byte("2")}})
	if one["js/a.js"].hash == two["js/a.js"].hash {
		t.Error("another content has the same hash")
	}
}

// TestBudget holds the weights of the design: 16 KB of styles, 10 KB of script.
func TestBudget(t *testing.T) {
	for name, budget := range map[string]int{"css/app.css": 16 << 10, "js/app.js": 10 << 10} {
		_, gz := assets()[name].packed()
		if len(gz) > budget {
			t.Errorf("%s weighs %d bytes, the budget is %d", name, len(gz), budget)
		}
	}
}
