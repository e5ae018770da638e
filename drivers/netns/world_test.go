package netns

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"aerie/drivers"
)

// world is a host of its own: a namespace that has the bridges, a driver on it
// and further namespaces that play the guests and the internet.
type world struct {
	*Driver
	t      testing.TB
	prefix string
	host   string // namespace
	state  string
	script string // of udhcpc
	nodes  int
}

// need skips where real namespaces cannot be had, unless they are demanded.
func need(t testing.TB, tools ...string) {
	t.Helper()
	miss := t.Skipf
	if os.Getenv("AERIE_TEST_REQUIRE") == "all" {
		miss = t.Fatalf
	}
	if os.Geteuid() != 0 {
		miss("network namespaces need root")
	}
	for _, tool := range append(tools, "ip", "nft", "dnsmasq") {
		if _, err := findTool(tool); err != nil {
			miss("%v", err)
		}
	}
}

func newWorld(t testing.TB) *world {
	t.Helper()
	need(t, "busybox")
	w := &world{t: t, prefix: "t" + strings.ToLower(rand.Text()[:3]), state: t.TempDir()}
	w.host = w.node("host")
	// A new namespace inherits this machine's setting.
	w.run("ip", "netns", "exec", w.host, "sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_forward")
	w.Driver = w.open()
	w.script = filepath.Join(w.state, "udhcpc.sh")
	text := `#!/bin/sh
case "$1" in bound|renew)
	ip addr flush dev $interface
	ip addr add $ip/$mask dev $interface
	[ -n "$mtu" ] && ip link set $interface mtu $mtu
	[ -n "$router" ] && ip route replace default via $router
	echo "ip=$ip/$mask router=$router dns=$dns mtu=$mtu domain=$domain hostname=$hostname";;
esac
`
	if err := os.WriteFile(w.script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return w
}

// open opens one more driver on the same host.
func (w *world) open() *Driver {
	w.t.Helper()
	d, err := Open(Config{StateDir: w.state, Prefix: w.prefix, Namespace: w.host, Log: slog.New(slog.NewTextHandler(logger{w.t}, nil))})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = d.Close() })
	return d
}

type logger struct{ t testing.TB }

func (l logger) Write(b []byte) (int, error) { l.t.Logf("%s", b); return len(b), nil }

// reopen is what a restart of the server does.
func (w *world) reopen() {
	w.t.Helper()
	if err := w.Close(); err != nil {
		w.t.Error(err)
	}
	w.Driver = w.open()
}

// node makes a namespace that ends with the test.
func (w *world) node(name string) string {
	w.t.Helper()
	w.nodes++
	name = fmt.Sprintf("%s-%s%d", w.prefix, name, w.nodes)
	w.run("ip", "netns", "add", name)
	w.t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name).Run() })
	w.run("ip", "-n", name, "link", "set", "lo", "up")
	return name
}

// plugged makes a node with a card in a bridge of the host.
func (w *world) plugged(name, bridge, mac string, addrs ...string) string {
	w.t.Helper()
	node := w.node(name)
	port := fmt.Sprintf("port%d", w.nodes)
	w.run("ip", "-n", w.host, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", node)
	w.run("ip", "-n", w.host, "link", "set", port, "master", bridge, "up")
	w.run("ip", "-n", node, "link", "set", "eth0", "address", mac, "up")
	for _, a := range addrs {
		w.run("ip", "-n", node, "addr", "add", a, "dev", "eth0")
	}
	return node
}

func (w *world) run(args ...string) string {
	w.t.Helper()
	said, err := w.try(args...)
	if err != nil {
		w.t.Fatalf("%v: %v: %s", args, err, said)
	}
	return said
}

func (w *world) try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	said, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
	return string(said), err
}

// at runs a program in a node.
func (w *world) at(node string, args ...string) (string, error) {
	return w.try(append([]string{"ip", "netns", "exec", node}, args...)...)
}

// dhcp asks for a lease and tells what came with it.
func (w *world) dhcp(node string, more ...string) (string, error) {
	said, err := w.at(node, append([]string{
		"busybox", "udhcpc", "-i", "eth0", "-f", "-n", "-q", "-t", "3", "-T", "1",
		"-O", "mtu", "-O", "domain", "-O", "hostname", "-s", w.script,
	}, more...)...)
	for line := range strings.Lines(said) {
		if strings.HasPrefix(line, "ip=") {
			return strings.TrimSpace(line), err
		}
	}
	return said, err
}

func (w *world) lease(node string) string {
	w.t.Helper()
	said, err := w.dhcp(node)
	if err != nil {
		w.t.Fatalf("%s: no lease: %v: %s", node, err, said)
	}
	return said
}

// lookup resolves a name, or an address, by the router's resolver.
func (w *world) lookup(node, server, name string) string {
	said, err := w.at(node, "busybox", "timeout", "4", "busybox", "nslookup", name, server)
	if err != nil {
		return "error: " + said
	}
	_, answer, _ := strings.Cut(said, "\n\n")
	return strings.Join(strings.Fields(answer), " ")
}

// inside runs f in a node, on a thread of its own.
func (w *world) inside(node string, f func() error) error {
	ns, err := openSpace(node)
	if err != nil {
		return err
	}
	defer ns.close()
	return ns.do(f)
}

// dial connects from a node.
func (w *world) dial(node, to string) (c net.Conn, err error) {
	err = w.inside(node, func() (err error) {
		c, err = net.DialTimeout("tcp4", to, 800*time.Millisecond)
		return err
	})
	return c, err
}

// echo answers every connection to a node with the caller's address.
func (w *world) echo(node, at string) {
	w.t.Helper()
	var l net.Listener
	if err := w.inside(node, func() (err error) { l, err = net.Listen("tcp4", at); return err }); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
			_, _ = fmt.Fprintln(c, host)
			go func() { // stays open until the other end closes
				_, _ = c.Read(make([]byte, 1))
				_ = c.Close()
			}()
		}
	}()
}

// seen tells how the far end of a connection sees a node, or "".
func (w *world) seen(node, to string) string {
	c, err := w.dial(node, to)
	if err != nil {
		return ""
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(2 * time.Second))
	var from string
	_, _ = fmt.Fscanln(c, &from)
	return from
}

func (w *world) apply(s drivers.RouterSpec) drivers.RouterState {
	w.t.Helper()
	state, err := w.ApplyRouter(context.Background(), s)
	if err != nil {
		w.t.Fatal(err)
	}
	return state
}

func (w *world) remove(id string) {
	w.t.Helper()
	if _, err := w.RemoveRouter(context.Background(), drivers.RouterRef{ID: id}); err != nil {
		w.t.Error(err)
	}
}

// public makes the public bridge.
func (w *world) public() {
	w.t.Helper()
	if _, err := w.ApplyBridge(context.Background(), drivers.BridgeSpec{Name: "pub0"}); err != nil {
		w.t.Fatal(err)
	}
}

// network is the spec of a network 10.1.1.0/24 with two guests and a way out
// as 203.0.113.<last>. It is removed at the test's end.
func (w *world) network(last int) drivers.RouterSpec {
	id := newID()
	w.t.Cleanup(func() { w.remove(id) })
	s := sample()
	s.ID, s.Guest.Bridge = id, drivers.BridgeName(newID())
	s.Public.MAC = fmt.Sprintf("06:00:00:00:01:%02x", last)
	s.Public.Address = netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(last)}), 24)
	for i := range s.Hosts {
		s.Hosts[i].NIC = newID()
	}
	return s
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// sample is the spec that golden files are made of.
func sample() drivers.RouterSpec {
	return drivers.RouterSpec{
		ID: "0199f000-0000-7000-8000-00000000abcd",
		Guest: drivers.RouterGuest{
			Bridge: "ab00000000abcd", Gateway: netip.MustParsePrefix("10.1.1.1/24"), MTU: 1450,
			Domain: "cs1.aerie.internal", Upstream: []netip.Addr{netip.MustParseAddr("203.0.113.1")}, EgressAll: true,
		},
		Public: &drivers.RouterPublic{
			Bridge: "pub0", MAC: "06:00:00:00:01:0a", Address: netip.MustParsePrefix("203.0.113.10/24"),
			Gateway: netip.MustParseAddr("203.0.113.1"), SourceNAT: true,
		},
		Hosts: []drivers.RouterHost{
			{
				NIC: "0199f000-0000-7000-8000-000000000001", MAC: "02:00:00:00:00:01", IP: netip.MustParseAddr("10.1.1.101"),
				Name: "web", Default: true, UserData: []byte("#cloud-config\n"), Password: "s3cret", PasswordID: "one",
				Metadata: map[string]string{"instance-id": "i-web", "local-hostname": "web", "public-keys/0/openssh-key": "ssh-ed25519 AAAA"},
			},
			{
				NIC: "0199f000-0000-7000-8000-000000000002", MAC: "02:00:00:00:00:02", IP: netip.MustParseAddr("10.1.1.102"),
				Name: "db", Metadata: map[string]string{"instance-id": "i-db"},
			},
		},
	}
}
