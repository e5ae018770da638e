package netns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"

	"aerie/drivers"
)

// leg is a pair of links from a bridge of the host into a router.
type leg struct {
	outer  string // the host's end, plugged into the bridge
	inner  string // the router's end
	bridge int
	mtu    int
	mac    net.HardwareAddr // of the router's end
}

// ensure makes the leg look as wanted and tells whether its end in the router
// is a new one, or has a new MAC.
func (l leg) ensure(host, in *netlink.Handle, ns space) (inner netlink.Link, made bool, err error) {
	outer, inner, err := l.find(host, in)
	if err != nil {
		return nil, false, err
	}
	if outer == nil {
		if err := l.make(host, ns); err != nil {
			return nil, false, fmt.Errorf("make %s: %w", l.outer, err)
		}
		made = true
		if outer, inner, err = l.find(host, in); err == nil && outer == nil {
			err = fmt.Errorf("%s: made and gone", l.outer)
		}
		if err != nil {
			return nil, false, err
		}
	}
	renamed, err := l.mend(host, in, outer, inner)
	return inner, made || renamed, err
}

// find returns both ends, or neither after removing what is left of them.
func (l leg) find(host, in *netlink.Handle) (outer, inner netlink.Link, err error) {
	if outer, err = lookup(host, l.outer); err != nil {
		return nil, nil, err
	}
	if inner, err = lookup(in, l.inner); err != nil {
		return nil, nil, err
	}
	if outer != nil && outer.Type() != "veth" {
		return nil, nil, drivers.Errorf(drivers.Invalid, "plug "+l.outer, "a %s has this name", outer.Type())
	}
	if outer != nil && inner != nil && outer.Attrs().ParentIndex == inner.Attrs().Index {
		return outer, inner, nil
	}
	return nil, nil, errors.Join(deleteLink(host, outer), deleteLink(in, inner))
}

// dump asks the kernel for a list until it changes no more while it is told.
func dump[T any](ask func() ([]T, error)) (all []T, err error) {
	for range 20 {
		if all, err = ask(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			return all, err
		}
	}
	return all, err
}

// lookup finds a link by its name; nil is none.
func lookup(h *netlink.Handle, name string) (netlink.Link, error) {
	link, err := h.LinkByName(name)
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("link %s: %w", name, err)
	}
	return link, nil
}

// deleteLink deletes a link that may be gone already.
func deleteLink(h *netlink.Handle, link netlink.Link) error {
	if link == nil {
		return nil
	}
	err := h.LinkDel(link)
	if err == nil || missing(err) || errors.Is(err, syscall.ENODEV) {
		return nil
	}
	return fmt.Errorf("delete link %s: %w", link.Attrs().Name, err)
}

func (l leg) make(host *netlink.Handle, ns space) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU, attrs.MasterIndex, attrs.Flags = l.outer, l.mtu, l.bridge, net.FlagUp
	return host.LinkAdd(&netlink.Veth{
		LinkAttrs: attrs, PeerName: l.inner, PeerMTU: uint32(l.mtu),
		PeerHardwareAddr: l.mac, PeerNamespace: netlink.NsFd(int(ns.fd)),
	})
}

func (l leg) mend(host, in *netlink.Handle, outer, inner netlink.Link) (renamed bool, err error) {
	if outer.Attrs().MasterIndex != l.bridge {
		if err := host.LinkSetMasterByIndex(outer, l.bridge); err != nil {
			return false, fmt.Errorf("plug %s: %w", l.outer, err)
		}
	}
	if renamed = inner.Attrs().HardwareAddr.String() != l.mac.String(); renamed {
		if err := in.LinkSetHardwareAddr(inner, l.mac); err != nil {
			return false, fmt.Errorf("MAC of %s: %w", l.outer, err)
		}
	}
	return renamed, errors.Join(mend(host, outer, l.mtu), mend(in, inner, l.mtu))
}

// awaitPort waits until the kernel has noticed a new port's carrier, mostly not
// at all: before that its bridge forwards nothing that comes from it.
func awaitPort(ctx context.Context, host *netlink.Handle, outer string) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for until := time.Now().Add(2 * time.Second); time.Now().Before(until); {
		link, err := host.LinkByName(outer)
		if err != nil {
			return fmt.Errorf("port %s: %w", outer, err)
		}
		if s := link.Attrs().OperState; s == netlink.OperUp || s == netlink.OperUnknown {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil // an announcement that may be lost is better than none
}

// unplug removes a leg by the host's end, which takes the other end along.
func unplug(host *netlink.Handle, outer string) error {
	link, err := lookup(host, outer)
	if err != nil || link == nil || link.Type() != "veth" {
		return err
	}
	return deleteLink(host, link)
}

// ensureAddresses makes the link's IPv4 addresses the wanted ones, no others.
func ensureAddresses(h *netlink.Handle, link netlink.Link, want []netip.Prefix) (changed bool, err error) {
	have, err := dump(func() ([]netlink.Addr, error) { return h.AddrList(link, netlink.FAMILY_V4) })
	if err != nil {
		return false, fmt.Errorf("addresses of %s: %w", link.Attrs().Name, err)
	}
	var kept []netip.Prefix
	for _, a := range have {
		if p := prefixOf(a.IPNet); slices.Contains(want, p) {
			kept = append(kept, p)
		} else if err := h.AddrDel(link, &a); err != nil && !errors.Is(err, syscall.EADDRNOTAVAIL) {
			return false, fmt.Errorf("remove address %s: %w", p, err)
		}
	}
	// Removing an address may take others of its network along.
	alone := len(kept) == len(have)
	for _, p := range want {
		if alone && slices.Contains(kept, p) {
			continue
		}
		if err := addAddress(h, link, p); err != nil {
			return false, err
		}
		changed = true
	}
	return changed, nil
}

func addAddress(h *netlink.Handle, link netlink.Link, p netip.Prefix) error {
	if err := h.AddrReplace(link, &netlink.Addr{IPNet: netOf(p)}); err != nil {
		return fmt.Errorf("add address %s to %s: %w", p, link.Attrs().Name, err)
	}
	return nil
}

func netOf(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

func prefixOf(n *net.IPNet) netip.Prefix {
	addr, _ := netip.AddrFromSlice(n.IP)
	bits, _ := n.Mask.Size()
	return netip.PrefixFrom(addr.Unmap(), bits)
}

// ensureDefaultRoute makes gw the way to everywhere; no gw is no way.
func ensureDefaultRoute(h *netlink.Handle, gw netip.Addr) error {
	have, err := dump(func() ([]netlink.Route, error) { return h.RouteList(nil, netlink.FAMILY_V4) })
	if err != nil {
		return fmt.Errorf("routes: %w", err)
	}
	found := false
	for _, r := range have {
		if r.Dst != nil && !prefixIsDefault(r.Dst) {
			continue
		}
		if via, ok := netip.AddrFromSlice(r.Gw); ok && gw.IsValid() && via.Unmap() == gw {
			found = true
		} else if err := h.RouteDel(&r); err != nil {
			return fmt.Errorf("remove route %s: %w", r, err)
		}
	}
	if found || !gw.IsValid() {
		return nil
	}
	if err := h.RouteReplace(&netlink.Route{Gw: gw.AsSlice()}); err != nil {
		return fmt.Errorf("default route by %s: %w", gw, err)
	}
	return nil
}

func prefixIsDefault(n *net.IPNet) bool {
	ones, _ := n.Mask.Size()
	return ones == 0
}
