package netns

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aerie/drivers"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
}

func TestTexts(t *testing.T) {
	full := sample()
	isolated := sample()
	isolated.Public = nil
	closed := sample()
	closed.Guest.EgressAll = false
	routed := sample()
	routed.Public.SourceNAT = false
	plain := sample()
	plain.Guest = drivers.RouterGuest{Bridge: "ab1", Gateway: netip.MustParsePrefix("172.16.0.1/20"), NoDHCP: true, NoDNS: true, NoData: true}
	noDNS := sample()
	noDNS.Guest.NoDNS = true
	noDHCP := sample()
	noDHCP.Guest.NoDHCP, noDHCP.Guest.Domain = true, ""
	for name, s := range map[string]drivers.RouterSpec{
		"full": full, "isolated": isolated, "closed": closed, "routed": routed, "plain": plain, "nodns": noDNS, "nodhcp": noDHCP,
	} {
		if err := withoutHosts(s).Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		golden(t, name+".nft", rules(s))
		golden(t, name+".conf", dnsmasqConf(s, "/var/lib/aerie/routers/aer00000000abcd"))
		golden(t, name+".hosts", dhcpHosts(s.Hosts)+"\n"+dnsHosts(s))
	}
	golden(t, "guard.nft", guard("aerie_guard_ae"))
	golden(t, "fence.nft", fence(drivers.BridgeSpec{
		Name: "pub-0.1", Address: netip.MustParsePrefix("198.18.0.1/16"), Resolvers: []netip.Addr{netip.MustParseAddr("192.0.2.53")},
	}))
	golden(t, "masquerade.nft", masquerade(drivers.BridgeSpec{Name: "pub-0.1", Address: netip.MustParsePrefix("198.18.0.1/16")}))
}

func withoutHosts(s drivers.RouterSpec) drivers.RouterSpec { s.Hosts = nil; return s }

// The kernel itself takes what is generated.
func TestTextsLoad(t *testing.T) {
	need(t)
	w := newWorld(t)
	files, err := filepath.Glob("testdata/*.nft")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		w.run("ip", "netns", "exec", w.host, "nft", "-c", "-f", file)
	}
}

// FuzzTexts reads the generated files back as their readers do: whatever a name
// is, it is refused or stays one word in its own line.
func FuzzTexts(f *testing.F) {
	f.Add("web", "cs1.internal", "02:00:00:00:00:01", "instance-id", "s3cret")
	f.Add("a\n10.1.1.1 x", "a\nserver=1.2.3.4", "02:00:00:00:00:01\n", "../x", "a\nb")
	f.Add("ignore", "a/1.2.3.4", "02:00:00:00:00:01,ignore", "a//b", "\x00")
	f.Add("24h", "x y", "*:*:*:*:*:*", "a/", "")
	f.Fuzz(func(t *testing.T, name, domain, mac, key, password string) {
		s := sample()
		h := &s.Hosts[0]
		s.Guest.Domain, h.Name, h.MAC, h.Password = domain, name, mac, password
		h.Metadata = map[string]string{key: "x"}
		if s.Check() != nil {
			return
		}
		model := sample()
		if domain == "" {
			model.Guest.Domain = ""
		}
		sameShape(t, dnsmasqConf(model, "/d"), dnsmasqConf(s, "/d"))
		if name == "" {
			return
		}
		sameShape(t, dnsHosts(model), dnsHosts(s))
		sameShape(t, dhcpHosts(model.Hosts), dhcpHosts(s.Hosts))
		words := strings.Fields(strings.Split(dnsHosts(s), "\n")[1])
		if words[0] != h.IP.String() || words[len(words)-1] != strings.ToLower(name) {
			t.Errorf("%q reads back as %q", name, words)
		}
		if got := strings.Split(strings.Split(dhcpHosts(s.Hosts), "\n")[0], ","); !slices.Equal(got, []string{mac, "10.1.1.101", leaseTime}) {
			t.Errorf("%q reads back as %q", mac, got)
		}
		if text, ok := lookupData("/latest/meta-data/"+key, h.Metadata, nil); !ok || text != "x" {
			t.Errorf("metadata %q reads back as %q %v", key, text, ok)
		}
	})
}

// sameShape wants the same lines with the same number of words in each.
func sameShape(t *testing.T, want, got string) {
	t.Helper()
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	if len(w) != len(g) {
		t.Fatalf("%d lines, want %d: %q", len(g), len(w), got)
	}
	cut := func(r rune) bool { return strings.ContainsRune(" \t,=/#\r\"'\\", r) }
	for i := range w {
		if a, b := len(strings.FieldsFunc(w[i], cut)), len(strings.FieldsFunc(g[i], cut)); a != b {
			t.Errorf("line %q has %d words, want %d as %q", g[i], b, a, w[i])
		}
	}
}

func FuzzLeases(f *testing.F) {
	f.Add("1700000000 02:00:00:00:00:01 10.1.1.101 web 01:02:00:00:00:00:01\n")
	f.Add("duid 00:01\n0 x y\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		r := router{dir: t.TempDir()}
		if err := os.WriteFile(filepath.Join(r.dir, leaseFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		all, err := r.leases()
		if err != nil {
			t.Fatal(err)
		}
		if err := r.keepLeases(nil); err != nil {
			t.Fatal(err)
		}
		if left, err := r.leases(); err != nil || len(left) != 0 {
			t.Errorf("of %d leases stay %v %v", len(all), left, err)
		}
	})
}
