package netns

import (
	"context"
	"math/bits"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aerie/drivers"
)

// internet is a neighbour on the public network that answers on port 7.
func (w *world) internet() string {
	w.t.Helper()
	w.public()
	node := w.plugged("net", "pub0", "06:00:00:00:00:01", "203.0.113.1/24")
	w.echo(node, "203.0.113.1:7")
	return node
}

// web and db are the guests of sample; stranger is nobody's.
func (w *world) web(s drivers.RouterSpec) string {
	return w.plugged("web", s.Guest.Bridge, s.Hosts[0].MAC)
}

func (w *world) db(s drivers.RouterSpec) string {
	return w.plugged("db", s.Guest.Bridge, s.Hosts[1].MAC)
}

func (w *world) stranger(s drivers.RouterSpec) string {
	return w.plugged("who", s.Guest.Bridge, "02:00:00:00:00:99")
}

func TestLeases(t *testing.T) {
	w := newWorld(t)
	w.public()
	s := w.network(10)
	w.apply(s)
	web, db, stranger := w.web(s), w.db(s), w.stranger(s)
	if got, want := w.lease(web), "ip=10.1.1.101/24 router=10.1.1.1 dns=10.1.1.1 mtu=1450 domain=cs1.aerie.internal hostname=web"; got != want {
		t.Errorf("default card:\n got %s\nwant %s", got, want)
	}
	if got, want := w.lease(db), "ip=10.1.1.102/24 router= dns= mtu=1450 domain=cs1.aerie.internal hostname=db"; got != want {
		t.Errorf("second card of a machine:\n got %s\nwant %s", got, want)
	}
	if said, err := w.dhcp(stranger); err == nil {
		t.Errorf("an unknown card got %s", said)
	}
	if said, err := w.dhcp(web, "-r", "10.1.1.150"); err != nil || !strings.HasPrefix(said, "ip=10.1.1.101/24 ") {
		t.Errorf("a guest that asks for another address got %s", said)
	}
}

// dnsmasq takes some words for orders where a name may stand.
func TestNamesThatAreOrders(t *testing.T) {
	w := newWorld(t)
	s := w.network(10)
	s.Public = nil
	for _, name := range []string{"ignore", "infinite", "24h", "10", "set", "id", "0x1f", "Upper-Case"} {
		s.Hosts[0].Name = name
		w.apply(s)
		web := w.web(s)
		if got := w.lease(web); !strings.HasPrefix(got, "ip=10.1.1.101/24 router=10.1.1.1 ") || !strings.HasSuffix(got, "hostname="+strings.ToLower(name)) {
			t.Errorf("%s: got %s", name, got)
		}
		if got := w.lookup(web, "10.1.1.1", name+".cs1.aerie.internal"); !strings.Contains(got, "10.1.1.101") {
			t.Errorf("%s resolves to %s", name, got)
		}
		w.run("ip", "netns", "del", web)
	}
}

func TestNames(t *testing.T) {
	w := newWorld(t)
	internet := w.internet()
	w.resolver(internet, "example.org. = 192.0.2.7")
	s := w.network(10)
	w.apply(s)
	web := w.web(s)
	w.lease(web)
	for _, test := range []struct{ name, want string }{
		{"db", "10.1.1.102"},
		{"db.cs1.aerie.internal", "10.1.1.102"},
		{"data-server.cs1.aerie.internal", "10.1.1.1"},
		{"10.1.1.102", "db.cs1.aerie.internal"},
		{"example.org", "192.0.2.7"},
	} {
		if got := w.lookup(web, "10.1.1.1", test.name); !strings.Contains(got, test.want) {
			t.Errorf("%s resolves to %s, want %s", test.name, got, test.want)
		}
	}
	for _, name := range []string{"nobody.cs1.aerie.internal", "nobody", "10.1.1.103"} {
		if got := w.lookup(web, "10.1.1.1", name); !strings.Contains(got, "NXDOMAIN") {
			t.Errorf("%s resolves to %s, want NXDOMAIN from the router itself", name, got)
		}
	}
	// A guest's own claim is nobody's name.
	if _, err := w.dhcp(web, "-x", "hostname:claimed"); err != nil {
		t.Fatal(err)
	}
	if got := w.lookup(web, "10.1.1.1", "claimed.cs1.aerie.internal"); !strings.Contains(got, "NXDOMAIN") {
		t.Errorf("a guest named itself: %s", got)
	}
	if got := w.lookup(internet, "203.0.113.10", "db.cs1.aerie.internal"); strings.Contains(got, "10.1.1.102") {
		t.Errorf("the resolver answers the public side: %s", got)
	}
}

func TestSourceNATAndNothingComesIn(t *testing.T) {
	w := newWorld(t)
	internet := w.internet()
	one, two := w.network(10), w.network(11) // both are 10.1.1.0/24
	w.apply(one)
	w.apply(two)
	webs := []string{w.web(one), w.web(two)}
	for i, want := range []string{"203.0.113.10", "203.0.113.11"} {
		w.lease(webs[i])
		if got := w.seen(webs[i], "203.0.113.1:7"); got != want {
			t.Errorf("guest %d is seen as %q, want %s", i, got, want)
		}
		w.echo(webs[i], "10.1.1.101:22")
	}
	db := w.db(one)
	w.run("ip", "-n", db, "addr", "add", "10.1.1.102/24", "dev", "eth0")
	if got := w.seen(db, "10.1.1.101:22"); got != "10.1.1.102" {
		t.Errorf("guests of a network see each other as %q", got)
	}
	w.run("ip", "-n", internet, "route", "add", "10.1.1.0/24", "via", "203.0.113.10")
	for _, to := range []string{"10.1.1.101:22", "203.0.113.10:22", "203.0.113.10:53", "203.0.113.10:80", "203.0.113.10:8080", "10.1.1.1:80", "10.1.1.1:53"} {
		if got := w.seen(internet, to); got != "" {
			t.Errorf("the internet reaches %s", to)
		}
	}
}

func TestHostIsOutOfReach(t *testing.T) {
	w := newWorld(t)
	w.internet()
	s := w.network(10)
	w.apply(s)
	web := w.web(s)
	w.run("ip", "-n", w.host, "addr", "add", "192.0.2.1/32", "dev", "lo")
	w.echo(w.host, "192.0.2.1:22")
	w.run("ip", "-n", w.host, "route", "add", "10.1.1.0/24", "dev", s.Guest.Bridge) // so that only the guard is in the way
	w.run("ip", "-n", web, "addr", "add", "10.1.1.101/24", "dev", "eth0")
	w.run("ip", "-n", web, "route", "add", "192.0.2.1", "dev", "eth0")
	mac := strings.TrimSpace(w.run("ip", "netns", "exec", w.host, "cat", "/sys/class/net/"+s.Guest.Bridge+"/address"))
	if got := w.seen(web, "192.0.2.1:22"); got != "" {
		t.Error("the host answers ARP of a guest")
	}
	w.run("ip", "-n", web, "neigh", "replace", "192.0.2.1", "lladdr", mac, "dev", "eth0")
	if got := w.seen(web, "192.0.2.1:22"); got != "" {
		t.Error("a guest reaches the host by the bridge's MAC")
	}
	w.run("ip", "netns", "exec", w.host, "nft", "flush", "ruleset")
	w.run("ip", "-n", web, "neigh", "replace", "192.0.2.1", "lladdr", mac, "dev", "eth0")
	if got := w.seen(web, "192.0.2.1:22"); got == "" {
		t.Error("without the guard it should: the test tests nothing")
	}
	w.apply(s)
	if got := w.seen(web, "192.0.2.1:22"); got != "" {
		t.Error("the guard is not mended")
	}
}

func TestNoEgress(t *testing.T) {
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
	s.Guest.EgressAll = false
	w.apply(s)
	if got := w.seen(web, "203.0.113.1:7"); got != "" {
		t.Error("a guest may go out")
	}
	_ = c.SetDeadline(time.Now().Add(time.Second))
	_, _ = c.Write([]byte("x"))
	_, _ = c.Read(make([]byte, 64)) // what was said before
	if n, err := c.Read(make([]byte, 1)); err == nil && n > 0 {
		t.Error("an old connection lives on")
	}
	s.Guest.EgressAll, s.Public.SourceNAT = true, false
	w.apply(s)
	if got := w.seen(web, "203.0.113.1:7"); got != "" {
		t.Error("the answer found its way without source NAT")
	}
}

func TestAnnouncement(t *testing.T) {
	w := newWorld(t)
	internet := w.internet()
	s := w.network(10)
	heard := make(chan []byte, 1)
	var fd int
	err := w.inside(internet, func() (err error) {
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, int(bits.ReverseBytes16(etherARP)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 5}); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer unix.Close(fd)
		frame := make([]byte, 100)
		n, _, err := unix.Recvfrom(fd, frame, 0)
		if err != nil {
			n = 0
		}
		heard <- frame[:max(n, 0)]
	}()
	w.apply(s)
	mac, _ := net.ParseMAC(s.Public.MAC)
	if got, want := <-heard, arpAnnouncement(mac, s.Public.Address.Addr()); string(got) != string(want) {
		t.Errorf("heard\n%x, want\n%x", got, want)
	}
}

func TestServicesThatAreOff(t *testing.T) {
	w := newWorld(t)
	s := w.network(10)
	s.Public = nil
	s.Guest.NoDNS = true
	w.apply(s)
	web := w.web(s)
	if got := w.lease(web); !strings.Contains(got, " dns=203.0.113.1 ") {
		t.Errorf("without a resolver of its own: %s", got)
	}
	s.Guest.NoData = true
	w.apply(s)
	if _, err := w.dial(web, "10.1.1.1:80"); err == nil {
		t.Error("metadata is served")
	}
	s.Guest.NoDHCP = true
	w.apply(s)
	if said, err := w.dhcp(web); err == nil {
		t.Errorf("got %s", said)
	}
	if got := w.dnsmasqs(); len(got) != 0 {
		t.Errorf("dnsmasq runs for nothing: %v", got)
	}
	s.Guest = sample().Guest
	s.Guest.Bridge = w.router(s.ID).name // any other name
	w.apply(s)
	web = w.web(s)
	w.lease(web)
	if r, _ := w.ListRouters(context.Background(), drivers.ListRouters{}); len(r.Routers) != 1 || !r.Routers[0].Up {
		t.Errorf("%+v", r)
	}
}

// resolver answers queries for "name. = address" in a node and nothing else.
func (w *world) resolver(node, known string) {
	w.t.Helper()
	name, addr, _ := strings.Cut(known, ". = ")
	var c net.PacketConn
	if err := w.inside(node, func() (err error) { c, err = net.ListenPacket("udp4", ":53"); return err }); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = c.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = c.WriteTo(answerDNS(buf[:n], name, netip.MustParseAddr(addr)), from)
		}
	}()
}

// answerDNS makes the answer to a query: an address, or no such thing.
func answerDNS(q []byte, name string, addr netip.Addr) []byte {
	var labels []string
	at := 12
	for q[at] != 0 {
		labels = append(labels, string(q[at+1:at+1+int(q[at])]))
		at += 1 + int(q[at])
	}
	end := at + 5
	a := append([]byte{}, q[:end]...)
	copy(a[2:], []byte{0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0})
	isA := q[end-4] == 0 && q[end-3] == 1
	switch {
	case strings.Join(labels, ".") != name:
		a[3] |= 3
	case isA:
		a[7] = 1
		a = append(a, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4)
		a = append(a, addr.AsSlice()...)
	}
	return a
}

// dnsmasqs is the process numbers of this world's dnsmasqs.
func (w *world) dnsmasqs() []string {
	out, _ := exec.Command("pgrep", "-f", "dnsmasq --conf-file="+w.state+"/").Output()
	return strings.Fields(string(out))
}
