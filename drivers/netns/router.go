package netns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sync/errgroup"

	"aerie/drivers"
)

// ApplyRouter makes the router look like the spec. It compares and mends, so
// that a router which is as wanted is not touched. A spec that is older than
// what the router has mends by what it has.
func (d *Driver) ApplyRouter(ctx context.Context, s drivers.RouterSpec) (drivers.RouterState, error) {
	op := "apply router " + s.ID
	if err := s.Check(); err != nil {
		return drivers.RouterState{}, err
	}
	r := d.router(s.ID)
	release, err := d.locks.hold(ctx, r.name)
	if err != nil {
		return drivers.RouterState{}, fail(op, err)
	}
	defer release()
	state, err := d.applyRouter(ctx, r, s)
	return state, fail(op, err)
}

func (d *Driver) applyRouter(ctx context.Context, r router, s drivers.RouterSpec) (drivers.RouterState, error) {
	was, err := r.load()
	if err != nil {
		return drivers.RouterState{}, err
	}
	gone, err := r.removed()
	if err != nil {
		return drivers.RouterState{}, err
	}
	if s.Generation < gone {
		return drivers.RouterState{}, drivers.Errorf(drivers.NotFound, "apply router "+s.ID, "it was removed in generation %d", gone)
	}
	if err := r.exhume(); err != nil {
		return drivers.RouterState{}, err
	}
	if was.ID != "" && s.Generation < was.Spec.Generation {
		s = was.Spec
	}
	now := was.become(s)
	if now.Hash != was.Hash {
		if err := os.MkdirAll(r.dir, 0o700); err != nil {
			return drivers.RouterState{}, err
		}
		unfinished := now
		unfinished.Hash = ""
		if err := r.save(unfinished); err != nil {
			return drivers.RouterState{}, err
		}
	}
	b := build{Driver: d, names: r, spec: s, afresh: was.Hash == ""}
	rules, err := b.run(ctx, was.Rules, now.Left)
	if err != nil {
		return drivers.RouterState{}, err
	}
	if now.Hash != was.Hash || rules != was.Rules || s.Generation != was.Spec.Generation {
		now.Rules, now.Left = rules, left{}
		if err := r.save(now); err != nil {
			return drivers.RouterState{}, err
		}
	}
	return drivers.RouterState{ID: s.ID, Hash: now.Hash, Up: true}, nil
}

// become is what shall be remembered when s is applied.
func (was saved) become(s drivers.RouterSpec) saved {
	now := saved{ID: s.ID, Hash: drivers.HashRouter(s), Spec: s, Rules: was.Rules, Left: was.Left}
	if was.ID == "" {
		return now
	}
	now.Left.All = now.Left.All || wayOut(was.Spec) != wayOut(s)
	if old := was.Spec.Guest.Bridge; old != s.Guest.Bridge {
		now.Left.Bridges = append(slices.Clip(now.Left.Bridges), old)
	}
	seats := map[netip.Addr]string{}
	for _, h := range s.Hosts {
		seats[h.IP] = h.MAC
	}
	for _, h := range was.Spec.Hosts {
		if seats[h.IP] != h.MAC && !slices.Contains(now.Left.Addresses, h.IP) {
			now.Left.Addresses = append(slices.Clip(now.Left.Addresses), h.IP)
		}
	}
	return now
}

// wayOut is what established connections depend on.
func wayOut(s drivers.RouterSpec) string {
	if s.Public == nil || !s.Guest.EgressAll {
		return ""
	}
	return fmt.Sprint(s.Public.Address.Addr(), s.Public.SourceNAT, s.Guest.Gateway.Masked())
}

// build is one run of ApplyRouter.
type build struct {
	*Driver
	names   router
	spec    drivers.RouterSpec
	afresh  bool // the last run was not finished
	ns      space
	outside *netlink.Handle
	inside  *netlink.Handle
}

// run makes the router. The packet filter is loaded while the links are made,
// and packets are forwarded only when it is there.
func (b *build) run(ctx context.Context, was loaded, old left) (rules loaded, err error) {
	fresh, err := b.enter()
	defer b.leave()
	if err != nil {
		return rules, err
	}
	filter, quick := errgroup.WithContext(ctx)
	filter.Go(func() (err error) {
		rules, err = b.ensureRules(quick, was)
		return err
	})
	public, err := b.plug(ctx, filter, fresh)
	if err = errors.Join(err, filter.Wait()); err != nil {
		return rules, err
	}
	if err := b.ns.sysctls(map[string]string{"net/ipv4/ip_forward": "1"}); err != nil {
		return rules, err
	}
	if public != nil {
		if err := b.announce(ctx, public); err != nil {
			return rules, err
		}
	}
	return rules, b.clear(ctx, old)
}

// enter opens the namespace, which is new or as somebody has left it.
func (b *build) enter() (fresh bool, err error) {
	if b.ns, fresh, err = b.ensureSpace(b.names.name); err != nil {
		return false, err
	}
	if err := b.ns.sysctls(spaceSettings); err != nil {
		return false, fmt.Errorf("kernel settings: %w", err)
	}
	if b.outside, err = b.host.netlink(); err != nil {
		return false, err
	}
	b.inside, err = b.ns.netlink()
	return fresh, err
}

func (b *build) leave() {
	if b.outside != nil {
		b.outside.Close()
	}
	if b.inside != nil {
		b.inside.Close()
	}
	if b.ns.fd > 0 {
		b.ns.close()
	}
}

// spaceSettings make a router of a namespace. IPv6 is off until it is routed
// on purpose. arp_ignore keeps one leg's addresses from being told on another.
var spaceSettings = map[string]string{
	"net/ipv6/conf/all/disable_ipv6":             "1",
	"net/ipv6/conf/default/disable_ipv6":         "1",
	"net/ipv4/conf/all/rp_filter":                "1",
	"net/ipv4/conf/default/rp_filter":            "1",
	"net/ipv4/conf/all/arp_ignore":               "1",
	"net/ipv4/conf/all/arp_announce":             "2",
	"net/ipv4/conf/all/accept_redirects":         "0",
	"net/ipv4/conf/default/accept_redirects":     "0",
	"net/ipv4/conf/all/send_redirects":           "0",
	"net/ipv4/conf/default/send_redirects":       "0",
	"net/ipv4/conf/all/accept_source_route":      "0",
	"net/ipv4/icmp_echo_ignore_broadcasts":       "1",
	"net/ipv4/icmp_ignore_bogus_error_responses": "1",
}

// ensureRules loads the packet filter unless the one in the kernel is right.
func (b *build) ensureRules(ctx context.Context, was loaded) (loaded, error) {
	text := rules(b.spec)
	want := loaded{Print: fingerprint(text), Space: b.ns.id()}
	now, err := b.ns.generation()
	if err != nil {
		return want, err
	}
	if want.Generation = now; want == was {
		return want, nil
	}
	want.Generation, err = b.load(ctx, b.ns, text)
	return want, err
}

// plug makes the links and, as soon as these are there, the services on them.
// It returns the public leg if its neighbours have to hear of it.
func (b *build) plug(ctx context.Context, services *errgroup.Group, fresh bool) (public netlink.Link, err error) {
	if err := b.loopback(); err != nil {
		return nil, err
	}
	renewed, err := b.guestLeg(ctx, services)
	if err != nil {
		return nil, err
	}
	services.Go(func() error {
		return b.ensureDNSMasq(ctx, b.names, b.ns, b.spec, fresh || renewed || b.afresh)
	})
	services.Go(func() error { return b.serve(ctx, b.ns, b.names.name, b.spec) })
	return b.publicLeg(ctx)
}

func (b *build) loopback() error {
	lo, err := b.inside.LinkByName("lo")
	if err != nil {
		return err
	}
	return mend(b.inside, lo, 0)
}

// guestLeg makes the bridge and the leg into it.
func (b *build) guestLeg(ctx context.Context, services *errgroup.Group) (renewed bool, err error) {
	g := b.spec.Guest
	release, err := b.locks.hold(ctx, "bridge "+g.Bridge)
	if err != nil {
		return false, err
	}
	defer release()
	bridge, ours, err := b.ensureBridge(b.outside, g.Bridge, g.MTU, aliasGuest)
	if err != nil {
		return false, err
	}
	if ours {
		services.Go(func() error { return b.ensureGuard(ctx) })
	}
	l := leg{
		outer: b.names.guest, inner: guestLink, bridge: bridge.Attrs().Index,
		mtu: orDefault(g.MTU), mac: b.names.guestMAC(),
	}
	inner, made, err := l.ensure(b.outside, b.inside, b.ns)
	if err != nil {
		return false, err
	}
	moved, err := ensureAddresses(b.inside, inner, []netip.Prefix{g.Gateway, netip.PrefixFrom(drivers.MetadataAddr, 32)})
	if err != nil {
		return false, err
	}
	return made || moved, ensureNeighbours(b.inside, inner, b.spec.Hosts)
}

// publicLeg makes or removes the way out. A leg that is new is returned.
func (b *build) publicLeg(ctx context.Context) (netlink.Link, error) {
	p := b.spec.Public
	if p == nil {
		return nil, unplug(b.outside, b.names.public)
	}
	release, err := b.locks.hold(ctx, "bridge "+p.Bridge)
	if err != nil {
		return nil, err
	}
	defer release()
	bridge, err := lookup(b.outside, p.Bridge)
	if err != nil {
		return nil, err
	}
	if bridge == nil || bridge.Type() != "bridge" {
		return nil, drivers.Errorf(drivers.NotFound, "plug into "+p.Bridge, "no bridge has this name")
	}
	mac, err := net.ParseMAC(p.MAC)
	if err != nil {
		return nil, err
	}
	l := leg{
		outer: b.names.public, inner: publicLink, bridge: bridge.Attrs().Index,
		mtu: bridge.Attrs().MTU, mac: mac,
	}
	inner, made, err := l.ensure(b.outside, b.inside, b.ns)
	if err != nil {
		return nil, err
	}
	moved, err := ensureAddresses(b.inside, inner, []netip.Prefix{p.Address})
	if err == nil {
		err = ensureDefaultRoute(b.inside, p.Gateway)
	}
	if err != nil || !made && !moved && !b.afresh {
		return nil, err
	}
	return b.inside.LinkByName(publicLink)
}

// announce tells the public network of the router's address.
func (b *build) announce(ctx context.Context, public netlink.Link) error {
	if err := awaitPort(ctx, b.outside, b.names.public); err != nil {
		return err
	}
	return b.ns.announce(public, b.spec.Public.Address.Addr())
}

// clear ends the connections that the rules would no longer let begin and
// removes bridges that the router has left.
func (b *build) clear(ctx context.Context, old left) error {
	if old.All {
		if err := b.inside.ConntrackTableFlush(netlink.ConntrackTable); err != nil {
			return fmt.Errorf("end connections: %w", err)
		}
	} else if err := forget(ctx, b.inside, old.Addresses); err != nil {
		return err
	}
	for _, bridge := range old.Bridges {
		if bridge == b.spec.Guest.Bridge {
			continue
		}
		if err := b.dropGuestBridge(ctx, bridge); err != nil {
			return err
		}
	}
	return nil
}
