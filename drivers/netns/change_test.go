package netns

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"aerie/drivers"
)

// state1 is the only router's state.
func (w *world) state1() (drivers.RouterState, bool) {
	w.t.Helper()
	list, err := w.ListRouters(context.Background(), drivers.ListRouters{})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(list.Routers) != 1 {
		return drivers.RouterState{}, false
	}
	return list.Routers[0], true
}

// same tells whether two states are of the same spec; whom a router serves is
// told by the list alone.
func same(a, b drivers.RouterState) bool { return a.ID == b.ID && a.Hash == b.Hash && a.Up == b.Up }

// wantUp fails unless the only router is up or down.
func (w *world) wantUp(up bool) {
	w.t.Helper()
	if state, ok := w.state1(); !ok || state.Up != up {
		w.t.Errorf("the router is %+v, want up %v", state, up)
	}
}

// links is number, name and MAC of all links of a node.
func (w *world) links(node string) string {
	w.t.Helper()
	var b strings.Builder
	for line := range strings.Lines(w.run("ip", "-n", node, "-o", "link")) {
		f := strings.Fields(line)
		_, mac, _ := strings.Cut(line, "link/")
		fmt.Fprintln(&b, f[0], f[1], mac)
	}
	return b.String()
}

func TestUnchangedIsUntouched(t *testing.T) {
	w := newWorld(t)
	w.public()
	s := w.network(10)
	w.apply(s)
	look := func() string {
		r := w.router(s.ID)
		return strings.Join(w.dnsmasqs(), " ") + w.links(r.name) + w.run("ip", "-n", r.name, "-o", "-4", "addr") +
			w.run("ip", "netns", "exec", r.name, "nft", "-a", "list", "ruleset") + w.links(w.host)
	}
	before := look()
	s.Hosts[0], s.Hosts[1] = s.Hosts[1], s.Hosts[0]
	w.apply(s)
	if after := look(); after != before {
		t.Errorf("was\n%s\nis\n%s", before, after)
	}
}

func TestHostGoes(t *testing.T) {
	w := newWorld(t)
	w.internet()
	s := w.network(10)
	w.apply(s)
	web := w.web(s)
	w.lease(web)
	c, err := w.dial(web, "203.0.113.1:7")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	pids := strings.Join(w.dnsmasqs(), " ")
	gone := s.Hosts[0]
	s.Hosts = s.Hosts[1:]
	w.apply(s)
	if text, _ := os.ReadFile(filepath.Join(w.router(s.ID).dir, leaseFile)); strings.Contains(string(text), gone.MAC) {
		t.Errorf("its lease is there: %s", text)
	}
	if said, err := w.dhcp(web); err == nil {
		t.Errorf("it gets its lease again: %s", said)
	}
	flows := w.run("ip", "netns", "exec", w.router(s.ID).name, "cat", "/proc/net/nf_conntrack")
	if strings.Contains(flows, gone.IP.String()) {
		t.Errorf("its connections are there: %s", flows)
	}
	gone.NIC, gone.MAC, gone.Name = newID(), "02:00:00:00:00:77", "heir"
	s.Hosts = append(s.Hosts, gone)
	w.apply(s)
	heir := w.plugged("heir", s.Guest.Bridge, gone.MAC)
	if got := w.lease(heir); !strings.HasPrefix(got, "ip=10.1.1.101/24 ") || !strings.HasSuffix(got, "hostname=heir") {
		t.Errorf("the heir got %s", got)
	}
	if now := strings.Join(w.dnsmasqs(), " "); now != pids {
		t.Errorf("dnsmasq was %s, is %s", pids, now)
	}
	if got := w.lookup(heir, "10.1.1.1", "web.cs1.aerie.internal"); !strings.Contains(got, "NXDOMAIN") {
		t.Errorf("the name lives on: %s", got)
	}
}

func TestHostMoves(t *testing.T) {
	w := newWorld(t)
	s := w.network(10)
	s.Public = nil
	w.apply(s)
	web, db := w.web(s), w.db(s)
	w.lease(web)
	w.lease(db)
	s.Hosts[0].IP, s.Hosts[1].IP = s.Hosts[1].IP, s.Hosts[0].IP
	w.apply(s)
	for node, want := range map[string]string{web: "ip=10.1.1.102/24 ", db: "ip=10.1.1.101/24 "} {
		if got := w.lease(node); !strings.HasPrefix(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	w.wantGet(db, "http://10.1.1.1/latest/meta-data/instance-id", "200 i-db")
}

// Everything about a router may change while it runs.
func TestNetworkChanges(t *testing.T) {
	w := newWorld(t)
	internet := w.internet()
	s := w.network(10)
	w.apply(s)
	old := s.Guest.Bridge
	s.Guest.Bridge = drivers.BridgeName(newID())
	s.Guest.Gateway = netip.MustParsePrefix("10.9.0.1/16")
	s.Guest.MTU = 1400
	s.Guest.Domain = "other.internal"
	s.Hosts[0].IP, s.Hosts[1].IP = netip.MustParseAddr("10.9.3.4"), netip.MustParseAddr("10.9.3.5")
	s.Public.Address, s.Public.MAC = netip.MustParsePrefix("203.0.113.20/24"), "06:00:00:00:01:20"
	w.apply(s)
	web := w.web(s)
	if got := w.lease(web); got != "ip=10.9.3.4/16 router=10.9.0.1 dns=10.9.0.1 mtu=1400 domain=other.internal hostname=web" {
		t.Error(got)
	}
	if got := w.seen(web, "203.0.113.1:7"); got != "203.0.113.20" {
		t.Errorf("seen as %q", got)
	}
	w.wantGet(web, "http://10.9.0.1/latest/meta-data/instance-id", "200 i-web")
	w.wantGet(web, "http://169.254.169.254/latest/meta-data/instance-id", "200 i-web")
	if got := w.run("ip", "-n", internet, "neigh", "show", "203.0.113.20"); !strings.Contains(got, s.Public.MAC) {
		t.Errorf("the internet knows it as %s", got)
	}
	if _, err := w.try("ip", "-n", w.host, "link", "show", old); err == nil {
		t.Error("the old bridge is there")
	}
	s.Public = nil
	w.apply(s)
	if got := w.seen(web, "203.0.113.1:7"); got != "" {
		t.Error("there is a way out")
	}
	w.wantUp(true)
}

func TestOvertakenSpec(t *testing.T) {
	w := newWorld(t)
	s := w.network(10)
	s.Public = nil
	s.Generation = 5
	newer := w.apply(s)
	late := s
	late.Generation, late.Hosts = 4, nil
	if got := w.apply(late); !same(got, newer) {
		t.Errorf("an older spec made %+v of %+v", got, newer)
	}
	web := w.web(s)
	w.lease(web)
	late.Generation = 6
	if got := w.apply(late); same(got, newer) {
		t.Error("a newer spec is not applied")
	}
}

func TestHeals(t *testing.T) {
	w := newWorld(t)
	w.internet()
	s := w.network(10)
	w.apply(s)
	web := w.web(s)
	w.lease(web)
	r := w.router(s.ID)
	for _, harm := range []struct {
		name string
		do   func()
		up   bool // is not noticed by a look at the surface
	}{
		{"dnsmasq killed", func() { w.run(append([]string{"kill", "-9"}, w.dnsmasqs()...)...); w.gone() }, false},
		{"rules flushed", func() { w.run("ip", "netns", "exec", r.name, "nft", "flush", "ruleset") }, false},
		{"a rule added", func() {
			w.run("ip", "netns", "exec", r.name, "nft", "insert", "rule", "inet", "aerie", "forward", "drop")
		}, false},
		{"guest leg deleted", func() { w.run("ip", "-n", w.host, "link", "del", r.guest) }, false},
		{"public leg deleted", func() { w.run("ip", "-n", r.name, "link", "del", publicLink) }, false},
		{"guest leg unplugged", func() { w.run("ip", "-n", w.host, "link", "set", r.guest, "nomaster") }, false},
		{"guest leg down", func() { w.run("ip", "-n", r.name, "link", "set", guestLink, "down") }, false},
		{"addresses flushed", func() { w.run("ip", "-n", r.name, "addr", "flush", "dev", guestLink) }, true},
		{"route deleted", func() { w.run("ip", "-n", r.name, "route", "del", "default") }, true},
		{"namespace deleted", func() { w.run("ip", "netns", "del", r.name) }, false},
	} {
		t.Run(harm.name, func(t *testing.T) {
			w.wantUp(true)
			harm.do()
			w.wantUp(harm.up)
			w.apply(s)
			w.wantUp(true)
			w.lease(web)
			if got := w.seen(web, "203.0.113.1:7"); got != "203.0.113.10" {
				t.Errorf("seen as %q", got)
			}
			w.wantGet(web, "http://169.254.169.254/latest/user-data", "200 #cloud-config\n")
			if n := len(w.dnsmasqs()); n != 1 {
				t.Errorf("%d dnsmasqs run", n)
			}
		})
	}
}

// gone waits until the world's dnsmasqs have ended.
func (w *world) gone() {
	w.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 400 {
		if len(w.dnsmasqs()) == 0 {
			return
		}
		<-tick.C
	}
	w.t.Error("dnsmasq does not end")
}

func TestRemoveLeavesNothing(t *testing.T) {
	w := newWorld(t)
	w.public()
	look := func() string {
		var files []string
		_ = filepath.WalkDir(w.state, func(path string, _ os.DirEntry, _ error) error { files = append(files, path); return nil })
		return fmt.Sprint(files, w.dnsmasqs()) + w.links(w.host) +
			w.run("ip", "netns", "exec", w.host, "nft", "list", "ruleset") + spaces(w.prefix)
	}
	before := look()
	s := w.network(10)
	for range 3 { // at once again, under the same names
		w.apply(s)
		w.remove(s.ID)
	}
	if after := look(); after != before {
		t.Errorf("was\n%s\nis\n%s", before, after)
	}
	w.remove(s.ID)

	w.apply(s)
	web := w.web(s)
	w.remove(s.ID)
	if _, err := w.try("ip", "-n", w.host, "link", "show", s.Guest.Bridge); err != nil {
		t.Error("a bridge in use is removed")
	}
	w.apply(s)
	w.lease(web)

	// The files are lost, the rest is not.
	if err := os.RemoveAll(w.router(s.ID).dir); err != nil {
		t.Fatal(err)
	}
	w.run("ip", "netns", "del", web)
	w.gonePorts(s.Guest.Bridge)
	w.remove(s.ID)
	if after := look(); after != before {
		t.Errorf("with its files lost: was\n%s\nis\n%s", before, after)
	}
}

// gonePorts waits until only routers are plugged into the bridge.
func (w *world) gonePorts(bridge string) {
	w.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 500 {
		if !strings.Contains(w.run("ip", "-n", w.host, "-br", "link", "show", "master", bridge), "port") {
			return
		}
		<-tick.C
	}
	w.t.Error("the guest's port stays")
}

// spaces is the names of namespaces that begin so.
func spaces(prefix string) string {
	names, _ := filepath.Glob(filepath.Join(spaceDir, prefix+"*"))
	return strings.Join(names, " ")
}

func TestMissingPublicBridge(t *testing.T) {
	w := newWorld(t)
	s := w.network(10)
	_, err := w.ApplyRouter(context.Background(), s)
	if drivers.KindOf(err) != drivers.NotFound {
		t.Errorf("without its bridge: %v", err)
	}
	if state, ok := w.state1(); !ok || state.Up || state.Hash != "" {
		t.Errorf("half a router is %+v", state)
	}
	w.public()
	w.apply(s)
	w.wantUp(true)
}

func TestShortNamesCollide(t *testing.T) {
	w := newWorld(t)
	s := w.network(10)
	s.Public = nil
	w.apply(s)
	twin := s
	twin.ID = "aaaaaaaa" + s.ID[8:]
	if _, err := w.ApplyRouter(context.Background(), twin); drivers.KindOf(err) != drivers.Busy {
		t.Errorf("a router of the same short name: %v", err)
	}
	if _, err := w.RemoveRouter(context.Background(), drivers.RouterRef{ID: twin.ID}); err == nil {
		t.Error("it removes the other")
	}
	w.wantUp(true)
}

func TestManyAtOnce(t *testing.T) {
	w := newWorld(t)
	w.public()
	var all sync.WaitGroup
	for i := range 8 {
		s := w.network(10 + i)
		all.Go(func() {
			for range 2 {
				if _, err := w.ApplyRouter(context.Background(), s); err != nil {
					t.Error(err)
				}
			}
			if i%2 == 0 {
				if _, err := w.RemoveRouter(context.Background(), drivers.RouterRef{ID: s.ID}); err != nil {
					t.Error(err)
				}
			}
		})
		all.Go(func() {
			if _, err := w.ListRouters(context.Background(), drivers.ListRouters{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	list, err := w.ListRouters(context.Background(), drivers.ListRouters{})
	if err != nil || len(list.Routers) != 4 {
		t.Errorf("%+v %v", list, err)
	}
	for _, r := range list.Routers {
		if !r.Up {
			t.Errorf("%+v", r)
		}
	}
}
