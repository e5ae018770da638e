package netns

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"net"
	"net/netip"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"aerie/drivers"
)

// ensureNeighbours ties every host's address to its MAC. A guest that takes
// another's address gets no answer, so none of its metadata or password.
func ensureNeighbours(h *netlink.Handle, link netlink.Link, hosts []drivers.RouterHost) error {
	want := map[netip.Addr]string{}
	for _, host := range hosts {
		want[host.IP] = host.MAC
	}
	have, err := dump(func() ([]netlink.Neigh, error) { return h.NeighList(link.Attrs().Index, netlink.FAMILY_V4) })
	if err != nil {
		return fmt.Errorf("neighbours: %w", err)
	}
	for _, n := range have {
		addr, _ := netip.AddrFromSlice(n.IP)
		addr = addr.Unmap()
		switch mac, ok := want[addr]; {
		case n.State&netlink.NUD_PERMANENT == 0:
		case ok && mac == n.HardwareAddr.String():
			delete(want, addr)
		case !ok:
			if err := h.NeighDel(&n); err != nil && !errors.Is(err, syscall.ENOENT) {
				return fmt.Errorf("forget neighbour %s: %w", addr, err)
			}
		}
	}
	for addr, mac := range want {
		hw, err := net.ParseMAC(mac)
		if err != nil {
			return err
		}
		if err := h.NeighSet(&netlink.Neigh{
			LinkIndex: link.Attrs().Index, Family: netlink.FAMILY_V4, State: netlink.NUD_PERMANENT,
			IP: addr.AsSlice(), HardwareAddr: hw,
		}); err != nil {
			return fmt.Errorf("neighbour %s: %w", addr, err)
		}
	}
	return nil
}

// forget kills the connections of addresses that have changed hands.
func forget(ctx context.Context, h *netlink.Handle, gone []netip.Addr) error {
	var filters []netlink.CustomConntrackFilter
	for _, addr := range gone {
		for _, side := range []netlink.ConntrackFilterType{
			netlink.ConntrackOrigSrcIP, netlink.ConntrackOrigDstIP, netlink.ConntrackReplyAnyIP,
		} {
			f := new(netlink.ConntrackFilter)
			if err := f.AddIP(side, addr.AsSlice()); err != nil {
				return err
			}
			filters = append(filters, f)
		}
	}
	if len(filters) == 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	_, err := dump(func() ([]struct{}, error) {
		_, err := h.ConntrackDeleteFilters(netlink.ConntrackTable, netlink.FAMILY_V4, filters...)
		return nil, err
	})
	if err != nil {
		return fmt.Errorf("end connections: %w", err)
	}
	return nil
}

// announce tells the link's neighbours who has the address now (a gratuitous
// ARP, RFC 5227), so that they and their switches forget an earlier router.
func (s space) announce(link netlink.Link, addr netip.Addr) error {
	frame := arpAnnouncement(link.Attrs().HardwareAddr, addr)
	err := s.do(func() error {
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer func() { _ = unix.Close(fd) }()
		return unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{
			Protocol: bits.ReverseBytes16(etherARP), Ifindex: link.Attrs().Index, Halen: 6,
			Addr: [8]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		})
	})
	if err != nil {
		return fmt.Errorf("announce %s: %w", addr, err)
	}
	return nil
}

const etherARP uint16 = unix.ETH_P_ARP

// arpAnnouncement is an Ethernet frame that asks for the sender's own address.
func arpAnnouncement(mac net.HardwareAddr, addr netip.Addr) []byte {
	f := make([]byte, 0, 60)
	f = append(f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
	f = append(f, mac...)
	f = binary.BigEndian.AppendUint16(f, etherARP)
	f = append(f, 0, 1, 8, 0, 6, 4, 0, 1) // Ethernet, IPv4, request
	f = append(f, mac...)
	f = append(f, addr.AsSlice()...)
	f = append(f, 0, 0, 0, 0, 0, 0)
	f = append(f, addr.AsSlice()...)
	return f[:60] // the shortest frame of Ethernet
}
