package drivers_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"aerie/drivers"
)

var pool = drivers.Pool{ID: "0197a000-0000-7000-8000-0000000000aa", Type: drivers.PoolLocal, Path: "/srv/pool"}

func goodVM() drivers.VMSpec {
	return drivers.VMSpec{
		ID: "0197a000-0000-7000-8000-00000000000a", Name: "i-2-17-VM", CPUs: 1, CPUMHz: 500, MemoryMiB: 256,
		Disks: []drivers.VMDisk{{ID: "0197a000-0000-7000-8000-000000000011", Pool: pool}},
		NICs:  []drivers.VMNIC{{ID: "0197a000-0000-7000-8000-000000000021", MAC: "02:00:5e:00:00:01", Bridge: "ab0123456789ab"}},
	}
}

func goodRouter() drivers.RouterSpec {
	return drivers.RouterSpec{
		ID: "0197a000-0000-7000-8000-0000000000cc", Generation: 4,
		Guest: drivers.RouterGuest{
			Bridge: "ab0123456789ab", Gateway: netip.MustParsePrefix("10.1.1.1/24"), Domain: "cs1.internal",
			Upstream: []netip.Addr{netip.MustParseAddr("192.0.2.53")},
		},
		Public: &drivers.RouterPublic{
			Bridge: "cloudbr0", MAC: "02:00:5e:00:00:09", Address: netip.MustParsePrefix("203.0.113.9/24"),
			Gateway: netip.MustParseAddr("203.0.113.1"),
		},
		Hosts: []drivers.RouterHost{
			{
				NIC: "0197a000-0000-7000-8000-0000000000d1", MAC: "02:00:5e:00:00:11", IP: netip.MustParseAddr("10.1.1.20"), Name: "web",
				Metadata: map[string]string{"instance-id": "i-1"}, UserData: []byte{1},
			},
			{NIC: "0197a000-0000-7000-8000-0000000000d2", MAC: "02:00:5e:00:00:12", IP: netip.MustParseAddr("10.1.1.21")},
		},
	}
}

// spoiled checks that each way to spoil a good request is refused.
func spoiled[S interface{ Check() error }](t *testing.T, good func() S, want drivers.Kind, ways map[string]func(*S)) {
	t.Helper()
	if err := good().Check(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range ways {
		s := good()
		spoil(&s)
		if err := s.Check(); err == nil || drivers.KindOf(err) != want {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

func TestCheckVM(t *testing.T) {
	const noID, noMAC = "00000000-0000-0000-0000-000000000000", "00:00:00:00:00:00"
	type spec = drivers.VMSpec
	spoiled(t, goodVM, drivers.Invalid, map[string]func(*spec){
		"no ID":                    func(s *spec) { s.ID = "" },
		"nil ID":                   func(s *spec) { s.ID = noID },
		"upper case ID":            func(s *spec) { s.ID = strings.ToUpper(s.ID) },
		"ID with a newline":        func(s *spec) { s.ID += "\n" },
		"no name":                  func(s *spec) { s.Name = "" },
		"name with a slash":        func(s *spec) { s.Name = "../x" },
		"name with a leading dash": func(s *spec) { s.Name = "-x" },
		"name with a newline":      func(s *spec) { s.Name += "\n" },
		"long name":                func(s *spec) { s.Name = strings.Repeat("x", 64) },
		"XML in the name":          func(s *spec) { s.Name = "</name>" },
		"no CPU":                   func(s *spec) { s.CPUs = 0 },
		"too many CPUs":            func(s *spec) { s.CPUs = 256 },
		"negative MHz":             func(s *spec) { s.CPUMHz = -1 },
		"no memory":                func(s *spec) { s.MemoryMiB = 0 },
		"too much memory":          func(s *spec) { s.MemoryMiB = 1 << 40 },
		"disk without ID":          func(s *spec) { s.Disks[0].ID = "" },
		"disk twice":               func(s *spec) { s.Disks = append(s.Disks, s.Disks[0]) },
		"too many disks":           func(s *spec) { s.Disks = make([]drivers.VMDisk, 13) },
		"relative pool":            func(s *spec) { s.Disks[0].Pool.Path = "pool" },
		"pool with dots":           func(s *spec) { s.Disks[0].Pool.Path = "/a/../b" },
		"root as pool":             func(s *spec) { s.Disks[0].Pool.Path = "/" },
		"control in the pool":      func(s *spec) { s.Disks[0].Pool.Path = "/a\x01" },
		"no text in the pool":      func(s *spec) { s.Disks[0].Pool.Path = "/a\xff" },
		"pool without ID":          func(s *spec) { s.Disks[0].Pool.ID = "" },
		"multicast MAC":            func(s *spec) { s.NICs[0].MAC = "03:00:00:00:00:01" },
		"upper case MAC":           func(s *spec) { s.NICs[0].MAC = "02:AA:00:00:00:01" },
		"zero MAC":                 func(s *spec) { s.NICs[0].MAC = noMAC },
		"MAC twice": func(s *spec) {
			s.NICs = append(s.NICs, s.NICs[0])
			s.NICs[1].ID = "0197a000-0000-7000-8000-000000000022"
		},
		"long bridge":          func(s *spec) { s.NICs[0].Bridge = "sixteen-letters-" },
		"bridge with a slash":  func(s *spec) { s.NICs[0].Bridge = "a/b" },
		"bridge with a digit":  func(s *spec) { s.NICs[0].Bridge = "0br" },
		"tiny MTU":             func(s *spec) { s.NICs[0].MTU = 575 },
		"too many cards":       func(s *spec) { s.NICs = make([]drivers.VMNIC, 11) },
		"card without a UUID":  func(s *spec) { s.NICs[0].ID = "eth0" },
		"bridge and a newline": func(s *spec) { s.NICs[0].Bridge += "\n" },
	})
	spoiled(t, goodVM, drivers.Unsupported, map[string]func(*spec){
		"pool of another world": func(s *spec) { s.Disks[0].Pool.Type = "RBD" },
	})
}

func TestCheckStorage(t *testing.T) {
	type image = drivers.ImageSpec
	good := func() image {
		return image{ID: "0197a000-0000-7000-8000-00000000000b", Pool: pool, Source: "/srv/images/x", Format: "qcow2"}
	}
	spoiled(t, good, drivers.Invalid, map[string]func(*image){
		"no ID":           func(s *image) { s.ID = "x" },
		"relative source": func(s *image) { s.Source = "x" },
		"protocol":        func(s *image) { s.Source = "nbd://host/x" },
		"JSON":            func(s *image) { s.Source = `json:{"driver":"host_device"}` },
		"vmdk":            func(s *image) { s.Format = "vmdk" },
		"no format":       func(s *image) { s.Format = "" },
		"no pool":         func(s *image) { s.Pool = drivers.Pool{} },
	})
	type disk = drivers.DiskSpec
	clone := func() disk {
		return disk{ID: "0197a000-0000-7000-8000-00000000000b", Pool: pool, Image: "0197a000-0000-7000-8000-00000000000c"}
	}
	spoiled(t, clone, drivers.Invalid, map[string]func(*disk){
		"no ID":     func(s *disk) { s.ID = "" },
		"no size":   func(s *disk) { s.Image = "" },
		"less":      func(s *disk) { s.Bytes = -1 },
		"an option": func(s *disk) { s.Image = "-o" },
	})
}

func TestCheckNetwork(t *testing.T) {
	type bridge = drivers.BridgeSpec
	good := func() bridge {
		return bridge{Name: "ab0123456789ab", Address: netip.MustParsePrefix("10.9.0.1/24"), Masquerade: true}
	}
	spoiled(t, good, drivers.Invalid, map[string]func(*bridge){
		"no name":               func(s *bridge) { s.Name = "" },
		"the network's address": func(s *bridge) { s.Address = netip.MustParsePrefix("10.9.0.0/24") },
		"IPv6":                  func(s *bridge) { s.Address = netip.MustParsePrefix("fd00::1/64") },
		"an IPv6 resolver":      func(s *bridge) { s.Resolvers = []netip.Addr{netip.MustParseAddr("fd00::53")} },
		"no resolver":           func(s *bridge) { s.Resolvers = []netip.Addr{{}} },
		"nothing to masquerade": func(s *bridge) { s.Address = netip.Prefix{} },
	})
	type router = drivers.RouterSpec
	spoiled(t, goodRouter, drivers.Invalid, map[string]func(*router){
		"no ID":               func(s *router) { s.ID = "" },
		"generation":          func(s *router) { s.Generation = -1 },
		"same bridges":        func(s *router) { s.Public.Bridge = s.Guest.Bridge },
		"overlap":             func(s *router) { s.Public.Address = netip.MustParsePrefix("10.1.0.1/16") },
		"metadata network":    func(s *router) { s.Guest.Gateway = netip.MustParsePrefix("169.254.0.1/16") },
		"the router's name":   func(s *router) { s.Hosts[0].Name = "Data-Server" },
		"below content":       func(s *router) { s.Hosts[0].Metadata["instance-id/x"] = "y" },
		"no text":             func(s *router) { s.Hosts[0].Metadata["a"] = "\xff" },
		"address twice":       func(s *router) { s.Hosts[1].IP = s.Hosts[0].IP },
		"broadcast":           func(s *router) { s.Hosts[1].IP = netip.MustParseAddr("10.1.1.255") },
		"public broadcast":    func(s *router) { s.Public.Gateway = netip.MustParseAddr("203.0.113.255") },
		"itself as a gateway": func(s *router) { s.Public.Gateway = s.Public.Address.Addr() },
		"two lines":           func(s *router) { s.Hosts[0].PasswordID = "a\nb" },
		"long domain":         func(s *router) { s.Guest.Domain = strings.Repeat("a.", 95) + "a" },
	})
}

// An error's text may be logged: what a stranger sent stays on one line.
func TestErrorsStayOnOneLine(t *testing.T) {
	const evil = "x\nlevel=ERROR msg=forged"
	s, r := goodVM(), goodRouter()
	s.ID, r.ID = evil, evil
	for _, err := range []error{
		s.Check(), r.Check(), drivers.CheckID("start machine", evil),
		drivers.BridgeRef{Name: evil}.Check(), drivers.Pool{ID: evil}.Check(), drivers.RouterRef{ID: evil}.Check(),
	} {
		if err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v", err)
		}
	}
}

func TestHashRouter(t *testing.T) {
	hash := drivers.HashRouter(goodRouter())
	for name, change := range map[string]func(*drivers.RouterSpec){
		"order of hosts": func(s *drivers.RouterSpec) { slices.Reverse(s.Hosts) },
		"generation":     func(s *drivers.RouterSpec) { s.Generation = 9 },
		"empty lists": func(s *drivers.RouterSpec) {
			s.Hosts[1].Metadata, s.Hosts[1].UserData = map[string]string{}, []byte{}
		},
	} {
		s := goodRouter()
		change(&s)
		if drivers.HashRouter(s) != hash {
			t.Errorf("%s changes the hash", name)
		}
	}
	bare, empty := drivers.RouterSpec{}, drivers.RouterSpec{Hosts: []drivers.RouterHost{}}
	empty.Guest.Upstream = []netip.Addr{}
	if drivers.HashRouter(bare) != drivers.HashRouter(empty) {
		t.Error("empty lists change the hash")
	}
	s := goodRouter()
	slices.Reverse(s.Hosts)
	first := s.Hosts[0].NIC
	if drivers.HashRouter(s); s.Hosts[0].NIC != first {
		t.Error("hashing sorts the caller's hosts")
	}
	for name, change := range map[string]func(*drivers.RouterSpec){
		"password":   func(s *drivers.RouterSpec) { s.Hosts[0].PasswordID = "x" },
		"userdata":   func(s *drivers.RouterSpec) { s.Hosts[0].UserData = []byte{0xff} },
		"metadata":   func(s *drivers.RouterSpec) { s.Hosts[0].Metadata["a"] = "" },
		"source NAT": func(s *drivers.RouterSpec) { s.Public.SourceNAT = true },
		"no way out": func(s *drivers.RouterSpec) { s.Public = nil },
		"MTU":        func(s *drivers.RouterSpec) { s.Guest.MTU++ },
	} {
		s := goodRouter()
		change(&s)
		if drivers.HashRouter(s) == hash {
			t.Errorf("%s does not change the hash", name)
		}
	}
}

// Disks made in the same millisecond share the head of their UUIDv7.
func TestSerialIsRandom(t *testing.T) {
	a := drivers.VMDisk{ID: "0197a000-0000-7123-8000-0123456789ab"}
	b := drivers.VMDisk{ID: "0197a000-0000-7123-8000-0123456789ac"}
	if a.Serial() != "712380000123456789ab" || a.Serial() == b.Serial() {
		t.Errorf("%s, %s", a.Serial(), b.Serial())
	}
}
