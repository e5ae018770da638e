package image

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"aerie/services/fault"
	"aerie/services/guard"
)

func TestInternalAddressesAreRefused(t *testing.T) {
	f := fetcher{most: 1 << 20, stall: time.Second}
	for _, host := range []string{
		"127.0.0.1", "localhost", "127.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1",
		"192.0.0.1", "198.18.0.1", "203.0.113.9", "224.0.0.1", "240.0.0.1", "255.255.255.255",
		"[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]", "[fe80::1]", "[fd00::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[ff02::1]",
	} {
		_, err := f.get(t.Context(), "http://"+host+":9/x", filepath.Join(t.TempDir(), "f"), func(int64, int64) {})
		if fault.Of(err).Key != "error.url_internal" {
			t.Errorf("%s: %v", host, err)
		}
	}
	// Spellings of 127.0.0.1 that some resolvers take for it: refused or unknown,
	// but never reached.
	for _, host := range []string{"2130706433", "0x7f000001", "0177.0.0.1", "0x7f.1"} {
		if _, err := f.get(t.Context(), "http://"+host+":9/x", filepath.Join(t.TempDir(), "f"), func(int64, int64) {}); err == nil {
			t.Errorf("%s is reached", host)
		}
	}
	for _, addr := range []string{"1.1.1.1", "2606:4700::1111", "172.32.0.1", "9.9.9.9"} {
		if !f.May(netip.MustParseAddr(addr)) {
			t.Errorf("%s is refused", addr)
		}
	}
}

// TestOwnAddressesAreRefused: what listens on a public address of this machine
// may be meant for its neighbours alone.
func TestOwnAddressesAreRefused(t *testing.T) {
	address := func(list ...string) func() ([]net.Addr, error) {
		return func() (addrs []net.Addr, _ error) {
			for _, text := range list {
				ip, n, err := net.ParseCIDR(text)
				if err != nil {
					t.Fatal(err)
				}
				addrs = append(addrs, &net.IPNet{IP: ip, Mask: n.Mask})
			}
			return addrs, nil
		}
	}
	f := fetcher{most: 1, stall: time.Second, Guard: guard.Guard{Own: address("127.0.0.1/8", "9.9.9.9/24", "2606:4700::1/64")}}
	for _, host := range []string{"9.9.9.9", "[::ffff:9.9.9.9]", "[2606:4700::1]"} {
		_, err := f.get(t.Context(), "http://"+host+":9/x", filepath.Join(t.TempDir(), "f"), func(int64, int64) {})
		if fault.Of(err).Key != "error.url_internal" {
			t.Errorf("%s: %v", host, err)
		}
	}
	if !f.May(netip.MustParseAddr("9.9.9.10")) {
		t.Error("a neighbour on the internet is refused")
	}
	f.Own = address("9.9.9.10/24") // as addresses come and go
	if !f.May(netip.MustParseAddr("9.9.9.9")) || f.May(netip.MustParseAddr("9.9.9.10")) {
		t.Error("its addresses are not asked for anew")
	}
	f.Allowed = guard.ParseAllowed("9.9.9.10")
	if !f.May(netip.MustParseAddr("9.9.9.10")) {
		t.Error("what the operator trusts is refused")
	}
	f = fetcher{Guard: guard.Guard{Own: func() ([]net.Addr, error) { return nil, errors.New("no idea") }}}
	if f.May(netip.MustParseAddr("9.9.9.9")) {
		t.Error("who does not know its addresses reaches any")
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		if p := netip.MustParsePrefix(a.String()); (fetcher{}).May(p.Addr()) {
			t.Errorf("%s is not taken for this machine's", p)
		}
	}
}

// server answers, and the fetcher trusts the address it listens on alone.
func server(t *testing.T, h http.HandlerFunc) (string, fetcher) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL, fetcher{most: 1000, stall: 200 * time.Millisecond, Guard: guard.Guard{Allowed: guard.ParseAllowed("127.0.0.1")}}
}

func TestDownloads(t *testing.T) {
	for _, c := range []struct {
		name, key string
		serve     http.HandlerFunc
	}{
		{"all of it", "", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1000)) }},
		{"too much", "error.image_too_large", func(w http.ResponseWriter, _ *http.Request) {
			for range 10 {
				_, _ = w.Write(make([]byte, 200))
				w.(http.Flusher).Flush() // without a length
			}
		}},
		{"says too much", "error.image_too_large", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "1001") }},
		{"short", "error.url_unreachable", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "900")
			_, _ = w.Write(make([]byte, 100))
		}},
		{"stalls", "error.url_unreachable", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "900")
			_, _ = w.Write(make([]byte, 100))
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}},
		{"not there", "error.url_status", http.NotFound},
		{"redirect within", "error.url_internal", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
		}},
		{"redirect to a file", "error.url_redirect", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
		}},
		{"redirect without end", "error.url_redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			url, f := server(t, c.serve)
			to := filepath.Join(t.TempDir(), "f")
			n, err := f.get(t.Context(), url, to, func(int64, int64) {})
			key := ""
			if err != nil {
				key = fault.Of(err).Key
			}
			if key != c.key {
				t.Fatalf("%v, want %q", err, c.key)
			}
			if info, err := os.Stat(to); c.key == "" && (err != nil || info.Size() != n || n != 1000) {
				t.Errorf("%d bytes, file %v", n, info)
			}
		})
	}
}

// TestRebinding: a name that meant another address when it was looked at first
// is judged by the address that is dialled.
func TestRebinding(t *testing.T) {
	var asked atomic.Int64
	resolver := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		asked.Add(1)
		return nil, errors.New("no names in tests")
	}}
	f := fetcher{most: 1, stall: time.Second, Guard: guard.Guard{Resolver: resolver}}
	if _, err := f.get(t.Context(), "http://rebind.test/x", filepath.Join(t.TempDir(), "f"), func(int64, int64) {}); err == nil || asked.Load() == 0 {
		t.Errorf("%v after %d questions", err, asked.Load())
	}
	// Whatever the name said: the dialler asks again with the address itself.
	control := f.Control
	if err := control("tcp4", "10.0.0.1:80", nil); fault.Of(err).Key != "error.url_internal" {
		t.Error(err)
	}
	if err := control("tcp4", "1.1.1.1:80", nil); err != nil {
		t.Error(err)
	}
}
