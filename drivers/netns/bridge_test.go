package netns

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"aerie/drivers"
)

func (w *world) bridge(s drivers.BridgeSpec) {
	w.t.Helper()
	if _, err := w.ApplyBridge(context.Background(), s); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) hasTable(name string) bool {
	w.t.Helper()
	has, err := w.Driver.host.hasTable(name)
	if err != nil {
		w.t.Fatal(err)
	}
	return has
}

func (w *world) sysctl(name string) string {
	return strings.TrimSpace(w.run("ip", "netns", "exec", w.host, "cat", "/proc/sys/"+name))
}

func TestBridgeBecomesWhatIsWanted(t *testing.T) {
	w := newWorld(t)
	addr := netip.MustParsePrefix("198.51.100.1/24")
	w.bridge(drivers.BridgeSpec{Name: "br0", MTU: 1400})
	look := func() string {
		return w.run("ip", "-n", w.host, "-d", "link", "show", "br0") + w.run("ip", "-n", w.host, "-4", "addr", "show", "br0")
	}
	if got := look(); !strings.Contains(got, "mtu 1400 ") || !strings.Contains(got, "group 4450 ") || strings.Contains(got, "inet ") {
		t.Error(got)
	}
	if got := w.run("ip", "-n", w.host, "-6", "addr", "show", "br0"); strings.Contains(got, "inet6") {
		t.Errorf("the host has an address on it: %s", got)
	}
	w.bridge(drivers.BridgeSpec{Name: "br0", Address: addr})
	if got := look(); !strings.Contains(got, "mtu 1500 ") || !strings.Contains(got, "group default ") || !strings.Contains(got, "inet 198.51.100.1/24") {
		t.Error(got)
	}
	if got := w.sysctl("net/ipv4/ip_forward"); got != "0" {
		t.Error("the host forwards, unasked")
	}
	w.bridge(drivers.BridgeSpec{Name: "br0", Address: addr, Masquerade: true})
	if !w.hasTable("aerie_br0") || w.sysctl("net/ipv4/ip_forward") != "1" {
		t.Error("no masquerade")
	}
	w.bridge(drivers.BridgeSpec{Name: "br0", Address: netip.MustParsePrefix("198.51.100.2/25")})
	if got := look(); w.hasTable("aerie_br0") || strings.Contains(got, "198.51.100.1/") || !strings.Contains(got, "198.51.100.2/25") {
		t.Error(got)
	}
}

func TestMasquerade(t *testing.T) {
	w := newWorld(t)
	w.bridge(drivers.BridgeSpec{Name: "inner", Address: netip.MustParsePrefix("198.51.100.1/24"), Masquerade: true})
	w.bridge(drivers.BridgeSpec{Name: "outer", Address: netip.MustParsePrefix("192.0.2.1/24")})
	behind := w.plugged("in", "inner", "02:00:00:00:00:01", "198.51.100.9/24")
	w.run("ip", "-n", behind, "route", "add", "default", "via", "198.51.100.1")
	beyond := w.plugged("out", "outer", "02:00:00:00:00:02", "192.0.2.9/24")
	w.echo(beyond, "192.0.2.9:7")
	if got := w.seen(behind, "192.0.2.9:7"); got != "192.0.2.1" {
		t.Errorf("seen as %q", got)
	}
	neighbour := w.plugged("in", "inner", "02:00:00:00:00:03", "198.51.100.8/24")
	w.echo(neighbour, "198.51.100.8:7")
	if got := w.seen(behind, "198.51.100.8:7"); got != "198.51.100.9" {
		t.Errorf("a neighbour sees %q", got)
	}
}

func TestOthersBridges(t *testing.T) {
	w := newWorld(t)
	w.run("ip", "-n", w.host, "link", "add", "cloudbr0", "mtu", "1450", "type", "bridge")
	w.run("ip", "-n", w.host, "addr", "add", "192.0.2.1/24", "dev", "cloudbr0")
	w.bridge(drivers.BridgeSpec{Name: "cloudbr0", Address: netip.MustParsePrefix("192.0.2.2/24")})
	got := w.run("ip", "-n", w.host, "addr", "show", "cloudbr0")
	for _, want := range []string{"mtu 1450", "192.0.2.1/24", "192.0.2.2/24", ",UP"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	if list, err := w.ListBridges(context.Background(), drivers.ListBridges{}); err != nil || len(list.Names) != 0 {
		t.Errorf("%v %v", list, err)
	}
	if _, err := w.RemoveBridge(context.Background(), drivers.BridgeRef{Name: "cloudbr0"}); err != nil {
		t.Error(err)
	}
	w.run("ip", "-n", w.host, "link", "show", "cloudbr0")
	if _, err := w.ApplyBridge(context.Background(), drivers.BridgeSpec{Name: "lo"}); drivers.KindOf(err) != drivers.Invalid {
		t.Errorf("lo as a bridge: %v", err)
	}
}

func TestBridgeInUseStays(t *testing.T) {
	w := newWorld(t)
	ref := drivers.BridgeRef{Name: "br0"}
	w.bridge(drivers.BridgeSpec{Name: "br0"})
	w.bridge(drivers.BridgeSpec{Name: "br1"})
	w.plugged("vm", "br0", "02:00:00:00:00:01")
	if _, err := w.RemoveBridge(context.Background(), ref); drivers.KindOf(err) != drivers.Busy {
		t.Errorf("removed in use: %v", err)
	}
	list, err := w.ListBridges(context.Background(), drivers.ListBridges{})
	if err != nil || !slices.Equal(list.Names, []string{"br0", "br1"}) {
		t.Errorf("%v %v", list, err)
	}
	w.run("ip", "-n", w.host, "link", "del", "port2")
	for _, name := range []string{"br0", "br1", "br1"} {
		if _, err := w.RemoveBridge(context.Background(), drivers.BridgeRef{Name: name}); err != nil {
			t.Error(err)
		}
	}
	if w.hasTable(w.guardTable()) {
		t.Error("the guard guards nothing")
	}
}

// A bridge that was asked for stays when a router that used it goes.
func TestRouterLeavesAskedBridge(t *testing.T) {
	w := newWorld(t)
	s := w.network(10)
	s.Public = nil
	w.bridge(drivers.BridgeSpec{Name: s.Guest.Bridge})
	w.apply(s)
	w.remove(s.ID)
	if _, err := w.RemoveBridge(context.Background(), drivers.BridgeRef{Name: s.Guest.Bridge}); err != nil {
		t.Error(err)
	}
	if got := w.run("ip", "-n", w.host, "-o", "link"); strings.Contains(got, s.Guest.Bridge) {
		t.Error(got)
	}
}
