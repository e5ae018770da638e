package netns

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"aerie/drivers"
)

// fenced is a host with a public bridge, a network of its own and the internet
// behind it.
type fenced struct {
	*world
	spec   drivers.BridgeSpec
	router drivers.RouterSpec
	guest  string
}

const (
	hostService = "203.0.113.1:7"  // the host on the public bridge
	hostOther   = "192.168.7.1:7"  // the host in its own network
	hostPublic  = "198.51.100.1:7" // the host on the internet
	lanService  = "192.168.7.9:7"
	farService  = "198.51.100.9:7"  // on the internet
	nearService = "203.0.113.20:7"  // another public address of the bridge
	cgnService  = "100.64.7.9:7"    // by the provider
	linkService = "169.254.169.9:7" // such as a cloud's metadata
)

func newFenced(t *testing.T) *fenced {
	f := &fenced{world: newWorld(t), spec: drivers.BridgeSpec{
		Name: "pub0", Address: netip.MustParsePrefix("203.0.113.1/24"), Masquerade: true,
		Resolvers: []netip.Addr{netip.MustParseAddr("192.168.7.9")},
	}}
	for name, addrs := range map[string][]string{
		"lan0": {"192.168.7.1/24", "100.64.7.1/24", "169.254.169.1/24"}, "wan0": {"198.51.100.1/24"},
	} {
		f.run("ip", "-n", f.host, "link", "add", name, "type", "bridge")
		f.run("ip", "-n", f.host, "link", "set", name, "up")
		for _, a := range addrs {
			f.run("ip", "-n", f.host, "addr", "add", a, "dev", name)
		}
	}
	f.bridge(f.spec)
	lan := f.plugged("lan", "lan0", "02:00:00:00:01:01", "192.168.7.9/24", "100.64.7.9/24", "169.254.169.9/24")
	f.resolver(lan, "example.org. = 192.0.2.7")
	wan := f.plugged("wan", "wan0", "02:00:00:00:01:02", "198.51.100.9/24")
	near := f.plugged("near", "pub0", "06:00:00:00:01:14", "203.0.113.20/24")
	for at, node := range map[string]string{
		hostService: f.host, hostOther: f.host, hostPublic: f.host, nearService: near, farService: wan,
		lanService: lan, cgnService: lan, linkService: lan,
	} {
		f.echo(node, at)
	}
	f.router = f.network(10)
	f.router.Guest.Upstream = f.spec.Resolvers
	f.apply(f.router)
	f.guest = f.web(f.router)
	f.lease(f.guest)
	return f
}

// holds tells what a guest reaches and what it does not.
func (f *fenced) holds() {
	f.t.Helper()
	for at, what := range map[string]string{
		hostService: "the host on the bridge", hostOther: "the host's other address", hostPublic: "the host's public address",
		lanService: "the host's network", cgnService: "the provider's network", linkService: "link-local addresses",
	} {
		if got := f.seen(f.guest, at); got != "" {
			f.t.Errorf("a guest reaches %s at %s as %s", what, at, got)
		}
	}
	for at, want := range map[string]string{nearService: "203.0.113.10", farService: "198.51.100.1"} {
		if got := f.seen(f.guest, at); got != want {
			f.t.Errorf("%s sees a guest as %q, want %s", at, got, want)
		}
	}
	if got := f.seen(f.host, nearService); got != "203.0.113.1" {
		f.t.Errorf("the host reaches a public address as %q", got)
	}
	if got := f.lookup(f.guest, "10.1.1.1", "example.org"); !strings.Contains(got, "192.0.2.7") {
		f.t.Errorf("the resolver is out of reach: %s", got)
	}
	if said, err := f.at(f.guest, "busybox", "ping", "-c", "1", "-W", "2", "203.0.113.1"); err != nil {
		f.t.Errorf("the gateway is silent: %s", said)
	}
}

// rules are the host's tables; a table that was loaded anew is listed last.
func (f *fenced) rules() string {
	tables := strings.SplitAfter(f.run("ip", "netns", "exec", f.host, "nft", "list", "ruleset"), "\n}\n")
	slices.Sort(tables)
	return strings.Join(tables, "")
}

func TestGuestsStayOffTheHost(t *testing.T) {
	f := newFenced(t)
	f.holds()
	before := f.rules()
	f.bridge(f.spec)
	f.reopen()
	f.bridge(f.spec)
	if after := f.rules(); after != before {
		t.Errorf("was\n%s\nis\n%s", before, after)
	}
	f.run("ip", "netns", "exec", f.host, "nft", "flush", "ruleset") // as nftables.service does
	f.bridge(f.spec)
	f.holds()
}

// A resolver is for questions, and one that is given up is out of reach.
func TestFenceFollowsResolvers(t *testing.T) {
	f := newFenced(t)
	f.spec.Resolvers = nil
	f.bridge(f.spec)
	if got := f.lookup(f.guest, "10.1.1.1", "example.org"); strings.Contains(got, "192.0.2.7") {
		t.Errorf("it answers: %s", got)
	}
}

// Whoever is on the bridge itself passes no router that could hold it back.
func TestNeighboursOfTheBridgeStayOffTheHost(t *testing.T) {
	f := newFenced(t)
	mallory := f.plugged("mallory", "pub0", "06:00:00:00:01:66", "203.0.113.66/24")
	f.run("ip", "-n", mallory, "route", "add", "default", "via", "203.0.113.1")
	for _, at := range []string{hostService, hostOther, hostPublic, lanService, cgnService, linkService} {
		if got := f.seen(mallory, at); got != "" {
			t.Errorf("%s is reached as %s", at, got)
		}
	}
	if said, err := f.at(mallory, "busybox", "ping", "-c", "1", "-W", "1", "192.168.7.1"); err == nil {
		t.Errorf("the host's other address answers: %s", said)
	}
}

func TestFenceGoesWithItsBridge(t *testing.T) {
	w := newWorld(t)
	s := drivers.BridgeSpec{Name: "pub0", Address: netip.MustParsePrefix("203.0.113.1/24"), Masquerade: true}
	w.bridge(s)
	if !w.hasTable("aerie_fence_pub0") {
		t.Error("there is no fence")
	}
	s.Masquerade = false
	w.bridge(s)
	if !w.hasTable("aerie_fence_pub0") {
		t.Error("the host still has an address on it, but no fence")
	}
	w.bridge(drivers.BridgeSpec{Name: "pub0"})
	if w.hasTable("aerie_fence_pub0") || !w.hasTable(w.guardTable()) {
		t.Error("without an address the guard takes over")
	}
	w.bridge(s)
	if _, err := w.RemoveBridge(context.Background(), drivers.BridgeRef{Name: "pub0"}); err != nil {
		t.Fatal(err)
	}
	if left := w.run("ip", "netns", "exec", w.host, "nft", "list", "ruleset"); left != "" {
		t.Errorf("left: %s", left)
	}
}

// The bridge that somebody else has made is that one's to protect.
func TestOthersBridgesAreNotFenced(t *testing.T) {
	w := newWorld(t)
	w.run("ip", "-n", w.host, "link", "add", "cloudbr0", "type", "bridge")
	w.bridge(drivers.BridgeSpec{Name: "cloudbr0", Address: netip.MustParsePrefix("192.0.2.2/24")})
	if w.hasTable("aerie_fence_cloudbr0") {
		t.Error("it is fenced")
	}
}
