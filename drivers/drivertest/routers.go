package drivertest

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"aerie/drivers"
)

func (s *suite) router(t *testing.T, host drivers.Router) {
	each(t, host, map[string]func(*testing.T, drivers.Router){
		"apply twice is once":            s.applyTwice,
		"every change shows in the hash": s.changeRouter,
		"the overtaken change nothing":   s.overtaken,
		"list and remove":                s.removeRouter,
		"the removed stay away":          s.removedRouter,
		"the guest bridge goes along":    s.guestBridge,
		"hostile requests are invalid":   s.hostileRouters,
		"an ended context ends calls":    s.cancelRouter,
	})
}

// network makes a router's spec. The test's end removes it and its bridge.
func (s *suite) network(t *testing.T, host drivers.Router) drivers.RouterSpec {
	t.Helper()
	id, bridge := newID(), drivers.BridgeName(newID())
	t.Cleanup(func() {
		do(t, s, host.RemoveRouter, drivers.RouterRef{ID: id})
		if sw, ok := drivers.As[drivers.Switch](s.driver); ok {
			do(t, s, sw.RemoveBridge, drivers.BridgeRef{Name: bridge})
		}
	})
	spec := goodRouter()
	spec.ID, spec.Guest.Bridge = id, bridge
	if s.rig.Bridge == "" {
		spec.Public = nil
	} else {
		spec.Public.Bridge, spec.Public.MAC = s.rig.Bridge, newMAC(id)
	}
	return spec
}

// goodRouter is a network with all that a spec can say.
func goodRouter() drivers.RouterSpec {
	return drivers.RouterSpec{
		ID: newID(),
		Guest: drivers.RouterGuest{
			Bridge: "abtest", Gateway: netip.MustParsePrefix("10.213.7.1/24"),
			Domain: "cs2cloud.internal", Upstream: []netip.Addr{netip.MustParseAddr("192.0.2.53")},
			EgressAll: true,
		},
		Public: &drivers.RouterPublic{
			Bridge: "abpub", MAC: newMAC(newID()), Address: netip.MustParsePrefix("203.0.113.9/24"),
			Gateway: netip.MustParseAddr("203.0.113.1"), SourceNAT: true,
		},
		Hosts: []drivers.RouterHost{routerHost("web", "10.213.7.20"), routerHost("db", "10.213.7.21")},
	}
}

func routerHost(name, ip string) drivers.RouterHost {
	nic := newID()
	return drivers.RouterHost{
		NIC: nic, MAC: newMAC(nic), IP: netip.MustParseAddr(ip), Name: name, Default: true,
		Metadata: map[string]string{"local-hostname": name, "public-keys": "ssh-ed25519 AAAA me\nssh-ed25519 BBBB you\n"},
		UserData: []byte("#cloud-config\n\x00\xff"), Password: "s3cret", PasswordID: newID(),
	}
}

// listed finds a router in the host's list.
func (s *suite) listed(t *testing.T, host drivers.Router, id string) (drivers.RouterState, bool) {
	t.Helper()
	for _, r := range do(t, s, host.ListRouters, drivers.ListRouters{}).Routers {
		if r.ID == id {
			return r, true
		}
	}
	return drivers.RouterState{}, false
}

// apply applies and checks that the list says the same.
func (s *suite) apply(t *testing.T, host drivers.Router, spec drivers.RouterSpec) string {
	t.Helper()
	state := do(t, s, host.ApplyRouter, spec)
	if state.ID != spec.ID || state.Hash == "" || !state.Up {
		t.Errorf("applied it is %+v", state)
	}
	seen, ok := s.listed(t, host, spec.ID)
	if !ok || seen.ID != state.ID || seen.Hash != state.Hash || seen.Up != state.Up {
		t.Errorf("applied it is %+v, listed %+v", state, seen)
	}
	return state.Hash
}

func (s *suite) applyTwice(t *testing.T, host drivers.Router) {
	spec := s.network(t, host)
	first := s.apply(t, host, spec)
	if again := s.apply(t, host, spec); again != first {
		t.Errorf("the same spec has hash %s, then %s", first, again)
	}
}

func (s *suite) changeRouter(t *testing.T, host drivers.Router) {
	spec := s.network(t, host)
	original := spec
	hashes := map[string]string{s.apply(t, host, spec): "original"}
	third := routerHost("third", "10.213.7.22")
	for _, step := range []struct {
		name   string
		change func(*drivers.RouterSpec)
	}{
		{"a host joins", func(r *drivers.RouterSpec) { r.Hosts = append(slices.Clone(r.Hosts), third) }},
		{"a host leaves", func(r *drivers.RouterSpec) { r.Hosts = r.Hosts[1:] }},
		{"an address changes", func(r *drivers.RouterSpec) {
			r.Hosts = slices.Clone(r.Hosts)
			r.Hosts[0].IP = netip.MustParseAddr("10.213.7.99")
		}},
		{"metadata changes", func(r *drivers.RouterSpec) {
			r.Hosts = slices.Clone(r.Hosts)
			r.Hosts[0].Metadata = maps.Clone(r.Hosts[0].Metadata)
			r.Hosts[0].Metadata["instance-id"] = "i-1"
		}},
		{"no DHCP", func(r *drivers.RouterSpec) { r.Guest.NoDHCP = true }},
		{"no DNS", func(r *drivers.RouterSpec) { r.Guest.NoDNS = true }},
		{"no data", func(r *drivers.RouterSpec) { r.Guest.NoData = true }},
		{"no egress", func(r *drivers.RouterSpec) { r.Guest.EgressAll = false }},
		{"no way out", func(r *drivers.RouterSpec) { r.Public = nil }},
		{"no hosts", func(r *drivers.RouterSpec) { r.Hosts = nil }},
	} {
		before := spec
		step.change(&spec)
		if step.name == "no way out" && before.Public == nil {
			continue
		}
		hash := s.apply(t, host, spec)
		if twin, ok := hashes[hash]; ok {
			t.Errorf("%q has the hash of %q", step.name, twin)
		}
		hashes[hash] = step.name
	}
	if hash := s.apply(t, host, original); hashes[hash] != "original" {
		t.Error("back at the original the hash is another")
	}
}

// overtaken applies specs in the wrong order, as two servers may.
func (s *suite) overtaken(t *testing.T, host drivers.Router) {
	spec := s.network(t, host)
	spec.Generation = 5
	young := s.apply(t, host, spec)
	if young != drivers.HashRouter(spec) {
		t.Error("the hash is not HashRouter's")
	}
	if seen, _ := s.listed(t, host, spec.ID); !maps.Equal(seen.Hosts, spec.Addresses()) {
		t.Errorf("it serves %v, want %v", seen.Hosts, spec.Addresses())
	}

	old := spec
	old.Generation, old.Hosts = 4, nil
	if hash := s.apply(t, host, old); hash != young {
		t.Error("an older spec is applied")
	}
	same := spec
	same.Generation = 6
	if hash := s.apply(t, host, same); hash != young {
		t.Error("the generation changes the hash of what is wanted")
	}
	old.Generation = 7
	if hash := s.apply(t, host, old); hash == young {
		t.Error("a younger spec is not applied")
	}
}

func (s *suite) removeRouter(t *testing.T, host drivers.Router) {
	one, two := s.network(t, host), s.network(t, host)
	if two.Public != nil {
		two.Public.Address = netip.MustParsePrefix("203.0.113.10/24")
	}
	s.apply(t, host, one)
	s.apply(t, host, two)
	for range 2 {
		do(t, s, host.RemoveRouter, drivers.RouterRef{ID: one.ID})
		if seen, ok := s.listed(t, host, one.ID); ok {
			t.Errorf("removed, but listed as %+v", seen)
		}
	}
	if seen, ok := s.listed(t, host, two.ID); !ok || !seen.Up {
		t.Errorf("the neighbour went, too: %+v", seen)
	}
	s.apply(t, host, one)
}

// removedRouter lets specs and removals come late.
func (s *suite) removedRouter(t *testing.T, host drivers.Router) {
	spec := s.network(t, host)
	at := func(generation int64) drivers.RouterSpec {
		late := spec
		late.Generation = generation
		return late
	}
	ref := func(generation int64) drivers.RouterRef {
		return drivers.RouterRef{ID: spec.ID, Generation: generation}
	}
	s.apply(t, host, at(5))
	refuse(t, s, drivers.Busy, host.RemoveRouter, ref(4))
	if _, ok := s.listed(t, host, spec.ID); !ok {
		t.Error("a removal that was overtaken removes")
	}
	do(t, s, host.RemoveRouter, drivers.RouterRef{ID: spec.ID})
	refuse(t, s, drivers.NotFound, host.ApplyRouter, at(4))
	s.apply(t, host, at(5))
	do(t, s, host.RemoveRouter, ref(7))
	do(t, s, host.RemoveRouter, ref(6))
	refuse(t, s, drivers.NotFound, host.ApplyRouter, at(6))
	fresh, ok := drivers.As[drivers.Router](s.rig.Open(t))
	if !ok {
		t.Fatal("opened again it keeps no routers")
	}
	refuse(t, s, drivers.NotFound, fresh.ApplyRouter, at(6))
	if seen, ok := s.listed(t, host, spec.ID); ok {
		t.Errorf("removed, but listed as %+v", seen)
	}
	hash := s.apply(t, host, at(8))
	late := at(6)
	late.Hosts = nil
	if again := s.apply(t, host, late); again != hash {
		t.Error("a spec from before the removal changes what came after")
	}
	unknown := s.network(t, host)
	do(t, s, host.RemoveRouter, drivers.RouterRef{ID: unknown.ID, Generation: 3})
	unknown.Generation = 2
	refuse(t, s, drivers.NotFound, host.ApplyRouter, unknown)
}

// guestBridge checks whose bridges go with their routers.
func (s *suite) guestBridge(t *testing.T, host drivers.Router) {
	bridges, ok := drivers.As[drivers.Switch](s.driver)
	if !ok {
		t.Skip("the driver lists no bridges")
	}
	own, asked := s.network(t, host), s.network(t, host)
	if asked.Public != nil {
		asked.Public.Address = netip.MustParsePrefix("203.0.113.10/24")
	}
	do(t, s, bridges.ApplyBridge, drivers.BridgeSpec{Name: asked.Guest.Bridge})
	for _, spec := range []drivers.RouterSpec{own, asked} {
		s.apply(t, host, spec)
		refuse(t, s, drivers.Busy, bridges.RemoveBridge, drivers.BridgeRef{Name: spec.Guest.Bridge})
		do(t, s, host.RemoveRouter, drivers.RouterRef{ID: spec.ID})
	}
	if s.hasBridge(t, bridges, own.Guest.Bridge) {
		t.Error("the bridge that a router has made stays")
	}
	if !s.hasBridge(t, bridges, asked.Guest.Bridge) {
		t.Error("a bridge that was asked for goes with a router")
	}
}

func (s *suite) cancelRouter(t *testing.T, host drivers.Router) {
	spec := s.network(t, host)
	cancelled(t, s, host.ApplyRouter, spec)
	cancelled(t, s, host.RemoveRouter, drivers.RouterRef{ID: spec.ID})
	cancelled(t, s, host.ListRouters, drivers.ListRouters{})
	if _, ok := s.listed(t, host, spec.ID); ok {
		t.Error("a cancelled call has made a router")
	}
}

func (s *suite) hostileRouters(t *testing.T, host drivers.Router) {
	for _, id := range noIDs {
		refuse(t, s, drivers.Invalid, host.RemoveRouter, drivers.RouterRef{ID: id})
	}
	refuse(t, s, drivers.Invalid, host.RemoveRouter, drivers.RouterRef{ID: newID(), Generation: -1})
	for what, spec := range hostileRouters() {
		t.Run(what, func(t *testing.T) {
			refuse(t, s, drivers.Invalid, host.ApplyRouter, spec)
			if _, ok := s.listed(t, host, spec.ID); ok {
				t.Error("an invalid router is there")
			}
		})
	}
}

// hostileRouters spoils a good spec in every way, one at a time.
func hostileRouters() map[string]drivers.RouterSpec {
	all := map[string]drivers.RouterSpec{}
	spoil := func(what string, how func(*drivers.RouterSpec)) {
		bad := goodRouter()
		how(&bad)
		all[what] = bad
	}
	for _, v := range noIDs {
		spoil("ID "+v, func(r *drivers.RouterSpec) { r.ID = v })
		spoil("NIC "+v, func(r *drivers.RouterSpec) { r.Hosts[0].NIC = v })
	}
	for _, v := range noBridges {
		spoil("guest bridge "+v, func(r *drivers.RouterSpec) { r.Guest.Bridge = v })
		spoil("public bridge "+v, func(r *drivers.RouterSpec) { r.Public.Bridge = v })
	}
	for _, v := range noMACs {
		spoil("MAC "+v, func(r *drivers.RouterSpec) { r.Hosts[0].MAC = v })
		spoil("public MAC "+v, func(r *drivers.RouterSpec) { r.Public.MAC = v })
	}
	for _, v := range []string{"a b", "a.b", "a\nb", "a,b", "a=b", "-a", "a;b", "$(id)", "<x>", "é", strings.Repeat("a", 64)} {
		spoil("host name "+v, func(r *drivers.RouterSpec) { r.Hosts[0].Name = v })
	}
	for _, v := range []string{"a b", "a\nb", "a,b", "a..b", "-a", "a;b", "$(id)", "a/b", strings.Repeat("a.", 150)} {
		spoil("domain "+v, func(r *drivers.RouterSpec) { r.Guest.Domain = v })
	}
	for _, v := range []string{"", "../up", "/rooted", "a/../b", "a\nb", "a\x00b"} {
		spoil("metadata "+v, func(r *drivers.RouterSpec) { r.Hosts[0].Metadata = map[string]string{v: "x"} })
	}
	for _, v := range []string{"0.0.0.0", "10.213.7.1", "10.213.7.0", "10.213.7.255", "10.213.8.5", "10.213.7.21"} {
		spoil("address "+v, func(r *drivers.RouterSpec) { r.Hosts[0].IP = netip.MustParseAddr(v) })
	}
	spoil("no address", func(r *drivers.RouterSpec) { r.Hosts[0].IP = netip.Addr{} })
	spoil("no gateway", func(r *drivers.RouterSpec) { r.Guest.Gateway = netip.Prefix{} })
	spoil("network as gateway", func(r *drivers.RouterSpec) { r.Guest.Gateway = netip.MustParsePrefix("10.213.7.0/24") })
	spoil("negative generation", func(r *drivers.RouterSpec) { r.Generation = -1 })
	spoil("negative MTU", func(r *drivers.RouterSpec) { r.Guest.MTU = -1 })
	spoil("no resolver", func(r *drivers.RouterSpec) { r.Guest.Upstream = []netip.Addr{{}} })
	spoil("same MAC", func(r *drivers.RouterSpec) { r.Hosts[1].MAC = r.Hosts[0].MAC })
	spoil("same NIC", func(r *drivers.RouterSpec) { r.Hosts[1].NIC = r.Hosts[0].NIC })
	spoil("password of two lines", func(r *drivers.RouterSpec) { r.Hosts[0].Password = "a\nb" })
	spoil("public address missing", func(r *drivers.RouterSpec) { r.Public.Address = netip.Prefix{} })
	spoil("public gateway outside", func(r *drivers.RouterSpec) { r.Public.Gateway = netip.MustParseAddr("192.0.2.1") })
	return all
}
