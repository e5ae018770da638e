package netns

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// get asks by HTTP from a node and tells "status body".
func (w *world) get(node, url string, header ...string) string {
	w.t.Helper()
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(_ context.Context, _, addr string) (net.Conn, error) {
		return w.dial(node, addr)
	}}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(header) == 2 {
		req.Header[header[0]] = []string{header[1]} // as it is written, not as Go writes it
	}
	resp, err := (&http.Client{Transport: transport, Timeout: 3 * time.Second}).Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Error(err)
	}
	return resp.Status[:3] + " " + string(body)
}

func (w *world) wantGet(node, url, want string, header ...string) {
	w.t.Helper()
	if got := w.get(node, url, header...); got != want {
		w.t.Errorf("%s %v: got %q, want %q", url, header, got, want)
	}
}

func TestMetadata(t *testing.T) {
	w := newWorld(t)
	w.public()
	one, two := w.network(10), w.network(11)
	two.Hosts[0].UserData = []byte("of the other network")
	w.apply(one)
	w.apply(two)
	web, other, stranger := w.web(one), w.web(two), w.stranger(one)
	w.lease(web)
	w.lease(other)
	w.run("ip", "-n", stranger, "addr", "add", "10.1.1.150/24", "dev", "eth0")
	w.wantGet(web, "http://10.1.1.1/latest/user-data", "200 #cloud-config\n")
	w.wantGet(web, "http://169.254.169.254/2009-04-04/user-data", "200 #cloud-config\n")
	w.wantGet(web, "http://10.1.1.1/latest/meta-data/", "200 instance-id\nlocal-hostname\npublic-keys/")
	w.wantGet(web, "http://169.254.169.254/latest/meta-data/instance-id", "200 i-web")
	w.wantGet(other, "http://10.1.1.1/latest/user-data", "200 of the other network")
	w.wantGet(stranger, "http://10.1.1.1/latest/user-data", "404 404 page not found\n")
	w.wantGet(stranger, "http://10.1.1.1:8080/", "200 bad_request", "DomU_Request", "send_my_password")

	one.Hosts[0].UserData = []byte("new")
	w.apply(one)
	w.wantGet(web, "http://10.1.1.1/latest/user-data", "200 new")
}

// A guest that takes another's address must not get its secrets.
func TestMetadataOfAnother(t *testing.T) {
	w := newWorld(t)
	s := w.network(10)
	s.Public = nil
	w.apply(s)
	thief := w.stranger(s)
	w.run("ip", "-n", thief, "addr", "add", "10.1.1.101/24", "dev", "eth0")
	w.run("ip", "netns", "exec", thief, "busybox", "arping", "-U", "-c", "1", "-I", "eth0", "10.1.1.101")
	if got := w.get(thief, "http://10.1.1.1/latest/user-data"); strings.HasPrefix(got, "200") {
		t.Errorf("got %q", got)
	}
	if _, err := w.at(thief, "ip", "link", "set", "eth0", "address", s.Hosts[0].MAC); err != nil {
		t.Fatal(err)
	}
	w.wantGet(thief, "http://10.1.1.1/latest/user-data", "200 #cloud-config\n") // so it was the MAC
}

func TestPassword(t *testing.T) {
	w := newWorld(t)
	s := w.network(10)
	s.Public = nil
	w.apply(s)
	web, db := w.web(s), w.db(s)
	w.lease(web)
	w.lease(db)
	const at = "http://10.1.1.1:8080/"
	ask := func(want string) {
		t.Helper()
		w.wantGet(web, at, "200 "+want, "DomU_Request", "send_my_password")
	}
	w.wantGet(web, at, "200 bad_request")
	w.wantGet(web, at, "200 bad_request", "DomU_Request", "all_passwords")
	w.wantGet(db, at, "200 saved_password", "DomU_Request", "send_my_password") // it has none
	ask("s3cret")
	ask("s3cret") // the guest may have missed it
	w.wantGet(web, at, "200 saved_password", "DomU_Request", "saved_password")
	ask("saved_password")
	w.reopen()
	ask("saved_password")
	w.remove(s.ID)
	w.apply(s)
	web = w.web(s)
	w.lease(web)
	ask("saved_password")
	s.Hosts[0].Password, s.Hosts[0].PasswordID = "new", "two"
	w.apply(s)
	ask("new")
}

func TestRestartKeepsService(t *testing.T) {
	w := newWorld(t)
	s := w.network(10)
	s.Public = nil
	before := w.apply(s)
	web := w.web(s)
	w.lease(web)
	pids := w.dnsmasqs()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := w.get(web, "http://10.1.1.1/latest/user-data"); strings.HasPrefix(got, "200") {
		t.Errorf("closed, but it answers %q", got)
	}
	w.lease(web) // the router works on
	w.Driver = w.open()
	w.wantGet(web, "http://10.1.1.1/latest/user-data", "200 #cloud-config\n")
	if state, ok := w.state1(); !ok || !same(state, before) {
		t.Errorf("adopted as %+v, was %+v", state, before)
	}
	if again := w.apply(s); !same(again, before) {
		t.Errorf("applied again as %+v, was %+v", again, before)
	}
	if now := w.dnsmasqs(); strings.Join(now, " ") != strings.Join(pids, " ") {
		t.Errorf("dnsmasq was %v, is %v", pids, now)
	}
}

func TestGuestsCannotHoldAllConnections(t *testing.T) {
	w := newWorld(t)
	s := w.network(10)
	s.Public = nil
	w.apply(s)
	web, db := w.web(s), w.db(s)
	w.lease(web)
	w.lease(db)
	for range 2 * mostConnsGuest {
		c, err := w.dial(web, "10.1.1.1:80")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	if got := w.get(web, "http://10.1.1.1/latest/user-data"); strings.HasPrefix(got, "200") {
		t.Errorf("a guest has more than %d connections", mostConnsGuest)
	}
	w.wantGet(db, "http://10.1.1.1/latest/meta-data/instance-id", "200 i-db")
}

func TestLookupData(t *testing.T) {
	data := map[string]string{"instance-id": "i-1", "public-keys/0/openssh-key": "ssh", "public-keys/1/openssh-key": "ssh2", "empty": ""}
	for _, test := range []struct{ at, want string }{
		{"/", "latest\n"},
		{"/latest", "meta-data\nuser-data\n"},
		{"/latest/", "meta-data\nuser-data\n"},
		{"/latest/user-data", "hello"},
		{"/1.0/user-data/", "hello"},
		{"/latest/meta-data", "empty\ninstance-id\npublic-keys/"},
		{"/2021-03-23/meta-data/", "empty\ninstance-id\npublic-keys/"},
		{"/latest/meta-data/instance-id", "i-1"},
		{"/latest/meta-data/instance-id/", "i-1"},
		{"/latest/instance-id", "i-1"},
		{"/latest/meta-data/empty", ""},
		{"/latest/meta-data/public-keys/", "0/\n1/"},
		{"/latest/meta-data/public-keys/0", "openssh-key"},
		{"/latest/meta-data/public-keys/1/openssh-key", "ssh2"},
	} {
		if got, ok := lookupData(test.at, data, []byte("hello")); !ok || got != test.want {
			t.Errorf("%s: got %q %v, want %q", test.at, got, ok, test.want)
		}
	}
	for _, at := range []string{"/x", "/newest/user-data", "/latest/meta-data/no", "/latest/meta-data/public-key", "//x", "/latest/../latest/instance-id", "/latest//instance-id"} {
		if got, ok := lookupData(at, data, nil); ok {
			t.Errorf("%s: got %q", at, got)
		}
	}
	if got, ok := lookupData("/latest/user-data", nil, nil); ok {
		t.Errorf("no user data is %q", got)
	}
	if got, ok := lookupData("/latest/meta-data/", nil, nil); !ok || got != "" {
		t.Errorf("no metadata is %q %v", got, ok)
	}
}
