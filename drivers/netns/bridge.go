package netns

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"aerie/drivers"
)

// ApplyBridge makes the bridge look like the spec. A bridge that somebody else
// has made gets what is missing and loses nothing.
func (d *Driver) ApplyBridge(ctx context.Context, s drivers.BridgeSpec) (drivers.Done, error) {
	op := fmt.Sprintf("apply bridge %q", s.Name)
	if err := s.Check(); err != nil {
		return drivers.Done{}, err
	}
	release, err := d.locks.hold(ctx, "bridge "+s.Name)
	if err != nil {
		return drivers.Done{}, fail(op, err)
	}
	defer release()
	return drivers.Done{}, fail(op, d.applyBridge(ctx, s))
}

func (d *Driver) applyBridge(ctx context.Context, s drivers.BridgeSpec) error {
	h, err := d.host.netlink()
	if err != nil {
		return err
	}
	defer h.Close()
	link, ours, err := d.ensureBridge(h, s.Name, s.MTU, aliasBridge)
	if err != nil {
		return err
	}
	if ours {
		err = d.own(ctx, h, link, s)
	} else if s.Address.IsValid() {
		err = addAddress(h, link, s.Address)
	}
	if err != nil {
		return err
	}
	if !s.Masquerade {
		return d.dropTable(ctx, d.host, masqueradeTable(s.Name))
	}
	if err := d.host.sysctls(map[string]string{"net/ipv4/ip_forward": "1"}); err != nil {
		return err
	}
	_, err = d.load(ctx, d.host, masquerade(s))
	return err
}

// own gives a bridge of ours its name tag and the host's address. Without an
// address the host keeps away from it; with one it is fenced off before it can
// be reached.
func (d *Driver) own(ctx context.Context, h *netlink.Handle, link netlink.Link, s drivers.BridgeSpec) error {
	if link.Attrs().Alias != d.alias(aliasBridge) {
		if err := h.LinkSetAlias(link, d.alias(aliasBridge)); err != nil {
			return fmt.Errorf("tag %s: %w", s.Name, err)
		}
	}
	group, want, protect := 0, []netip.Prefix{s.Address}, func() error { return d.ensureFence(ctx, s) }
	if !s.Address.IsValid() {
		group, want, protect = secludedGroup, nil, func() error { return d.ensureGuard(ctx) }
	}
	if err := protect(); err != nil {
		return err
	}
	if link.Attrs().Group != uint32(group) {
		if err := h.LinkSetGroup(link, group); err != nil {
			return fmt.Errorf("group of %s: %w", s.Name, err)
		}
	}
	if _, err := ensureAddresses(h, link, want); err != nil || s.Address.IsValid() {
		return err
	}
	return d.dropFence(ctx, s.Name)
}

// ensureBridge finds a bridge or makes it. One of ours is mended.
func (d *Driver) ensureBridge(h *netlink.Handle, name string, mtu int, kind string) (link netlink.Link, ours bool, err error) {
	link, err = lookup(h, name)
	if err == nil && (link == nil || unfinished(link)) {
		link, err = d.makeBridge(h, name, mtu, kind)
	}
	if err != nil {
		return nil, false, fmt.Errorf("bridge %s: %w", name, err)
	}
	if link.Type() != "bridge" {
		return nil, false, drivers.Errorf(drivers.Invalid, "bridge "+name, "a %s has this name", link.Type())
	}
	if !d.isOurs(link) {
		return link, false, mend(h, link, 0)
	}
	return link, true, mend(h, link, orDefault(mtu))
}

// unfinished tells a bridge that was made but not tagged: the kernel takes the
// group in the message that makes a link, but not the alias.
func unfinished(link netlink.Link) bool {
	a := link.Attrs()
	return link.Type() == "bridge" && a.Alias == "" && a.Group == secludedGroup && a.RawFlags&unix.IFF_UP == 0
}

// makeBridge makes a bridge and tags it. It comes up when it is mended.
func (d *Driver) makeBridge(h *netlink.Handle, name string, mtu int, kind string) (netlink.Link, error) {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.Group, attrs.MTU, attrs.HardwareAddr = name, secludedGroup, orDefault(mtu), randomMAC()
	off := false
	err := h.LinkAdd(&netlink.Bridge{LinkAttrs: attrs, MulticastSnooping: &off})
	if err != nil && !errors.Is(err, syscall.EEXIST) {
		return nil, err
	}
	link, err := h.LinkByName(name)
	if err != nil {
		return nil, err
	}
	if err := d.host.do(func() error { d.warnOfFilter(); return settleBridge(link) }); err != nil {
		return nil, err
	}
	if err := h.LinkSetAlias(link, d.alias(kind)); err != nil {
		return nil, fmt.Errorf("tag: %w", err)
	}
	return h.LinkByName(name)
}

// randomMAC gives a bridge an address of its own. Without it the bridge takes a
// port's, and another when that port goes.
func randomMAC() net.HardwareAddr {
	mac := make(net.HardwareAddr, 6)
	_, _ = rand.Read(mac) // never fails
	mac[0] = mac[0]&^1 | 2
	return mac
}

const defaultMTU = 1500

func orDefault(mtu int) int {
	if mtu == 0 {
		return defaultMTU
	}
	return mtu
}

// settleBridge keeps the host's own protocols and filters out of the bridge,
// in the thread's own namespace. A kernel may lack IPv6 or br_netfilter.
func settleBridge(link netlink.Link) error {
	a := link.Attrs()
	_ = writeSysctl("net/ipv6/conf/"+a.Name+"/disable_ipv6", "1")
	if err := writeSysctl("net/ipv4/conf/"+a.Name+"/arp_ignore", "1"); err != nil {
		return err
	}
	_ = clearNetfilter(a.Index)
	return nil
}

// warnOfFilter tells once of a host that filters bridged frames: its rules, and
// its view of connections, then concern what guests say to each other.
func (d *Driver) warnOfFilter() {
	const name = "net/bridge/bridge-nf-call-iptables"
	if was, err := os.ReadFile("/proc/sys/" + name); err == nil && strings.TrimSpace(string(was)) == "1" {
		d.warned.Do(func() { d.log.Warn("frames between guests pass the host's packet filter", "sysctl", name, "want", 0) })
	}
}

// clearNetfilter takes the bridge's frames out of the host's iptables, in the
// thread's own namespace.
func clearNetfilter(index int) error {
	req := nl.NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_ACK)
	msg := nl.NewIfInfomsg(unix.AF_UNSPEC)
	msg.Index = int32(index)
	req.AddData(msg)
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(nl.IFLA_INFO_KIND, nl.NonZeroTerminated("bridge"))
	data := info.AddRtAttr(nl.IFLA_INFO_DATA, nil)
	for _, attr := range []int{nl.IFLA_BR_NF_CALL_IPTABLES, nl.IFLA_BR_NF_CALL_IP6TABLES, nl.IFLA_BR_NF_CALL_ARPTABLES} {
		data.AddRtAttr(attr, nl.Uint8Attr(0))
	}
	req.AddData(info)
	_, err := req.Execute(unix.NETLINK_ROUTE, 0)
	return err
}

// mend brings a link up and, if mtu is not 0, to this MTU.
func mend(h *netlink.Handle, link netlink.Link, mtu int) error {
	a := link.Attrs()
	if mtu != 0 && a.MTU != mtu {
		if err := h.LinkSetMTU(link, mtu); err != nil {
			return fmt.Errorf("MTU of %s: %w", a.Name, err)
		}
	}
	if a.RawFlags&unix.IFF_UP == 0 {
		if err := h.LinkSetUp(link); err != nil {
			return fmt.Errorf("bring up %s: %w", a.Name, err)
		}
	}
	return nil
}

func (d *Driver) isOurs(link netlink.Link) bool {
	return strings.HasPrefix(link.Attrs().Alias, d.alias(""))
}

// RemoveBridge removes a bridge of ours that nothing is plugged into. Of one
// that somebody else has made only the way out through the host goes.
func (d *Driver) RemoveBridge(ctx context.Context, ref drivers.BridgeRef) (drivers.Done, error) {
	op := fmt.Sprintf("remove bridge %q", ref.Name)
	if err := ref.Check(); err != nil {
		return drivers.Done{}, err
	}
	release, err := d.locks.hold(ctx, "bridge "+ref.Name)
	if err != nil {
		return drivers.Done{}, fail(op, err)
	}
	defer release()
	if err := d.dropBridge(ref.Name, d.alias("")); err != nil {
		return drivers.Done{}, fail(op, err)
	}
	if err := errors.Join(d.dropTable(ctx, d.host, masqueradeTable(ref.Name)), d.dropFence(ctx, ref.Name)); err != nil {
		return drivers.Done{}, fail(op, err)
	}
	return drivers.Done{}, fail(op, d.dropGuard(ctx))
}

// dropBridge deletes a bridge if its alias begins so and refuses one in use.
func (d *Driver) dropBridge(name, alias string) error {
	h, err := d.host.netlink()
	if err != nil {
		return err
	}
	defer h.Close()
	link, err := h.LinkByName(name)
	if missing(err) || err == nil && (link.Type() != "bridge" || !strings.HasPrefix(link.Attrs().Alias, alias)) {
		return nil
	}
	if err != nil {
		return err
	}
	links, err := dump(h.LinkList)
	if err != nil {
		return err
	}
	for _, port := range links {
		if port.Attrs().MasterIndex == link.Attrs().Index {
			return drivers.Errorf(drivers.Busy, "remove bridge "+name, "%s is plugged into it", port.Attrs().Name)
		}
	}
	return deleteLink(h, link)
}

// ListBridges names the bridges that this driver has made.
func (d *Driver) ListBridges(ctx context.Context, _ drivers.ListBridges) (drivers.BridgeList, error) {
	names, err := d.bridges(ctx)
	return drivers.BridgeList{Names: names}, fail("list bridges", err)
}

func (d *Driver) bridges(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h, err := d.host.netlink()
	if err != nil {
		return nil, err
	}
	defer h.Close()
	links, err := dump(h.LinkList)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, l := range links {
		if l.Type() == "bridge" && d.isOurs(l) {
			names = append(names, l.Attrs().Name)
		}
	}
	slices.Sort(names)
	return names, nil
}
