package netns

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"aerie/drivers"
)

// lease is a line of dnsmasq's lease file: expiry, MAC, address, name, client.
type lease struct {
	mac  string
	ip   netip.Addr
	line string
}

// leases reads the lease file. Lines of another shape are not leases of ours.
func (r router) leases() ([]lease, error) {
	text, err := os.ReadFile(filepath.Join(r.dir, leaseFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []lease
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 5 || !drivers.IsMAC(f[1]) {
			continue
		}
		if ip, err := netip.ParseAddr(f[2]); err == nil && ip.Is4() {
			all = append(all, lease{mac: f[1], ip: ip, line: line})
		}
	}
	return all, nil
}

// split parts the leases of the wanted hosts from all others.
func (r router) split(hosts []drivers.RouterHost) (kept, stale []lease, err error) {
	all, err := r.leases()
	wanted := seats(hosts)
	for _, l := range all {
		if wanted[l.seat()] {
			kept = append(kept, l)
		} else {
			stale = append(stale, l)
		}
	}
	return kept, stale, err
}

// seat is who may have which address.
type seat struct {
	mac string
	ip  netip.Addr
}

func (l lease) seat() seat { return seat{l.mac, l.ip} }

func seats(hosts []drivers.RouterHost) map[seat]bool {
	all := make(map[seat]bool, len(hosts))
	for _, h := range hosts {
		all[seat{h.MAC, h.IP}] = true
	}
	return all
}

// departed is what the hosts file still grants and the wanted hosts do not.
func (r router) departed(hosts []drivers.RouterHost) ([]lease, error) {
	text, err := os.ReadFile(filepath.Join(r.dir, dhcpFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	wanted := seats(hosts)
	var gone []lease
	for line := range strings.Lines(string(text)) {
		f := strings.Split(line, ",")
		if len(f) < 2 || !drivers.IsMAC(f[0]) {
			continue
		}
		ip, err := netip.ParseAddr(f[1])
		if l := (lease{mac: f[0], ip: ip}); err == nil && !wanted[l.seat()] {
			gone = append(gone, l)
		}
	}
	return gone, nil
}

// keepLeases rewrites the lease file while no dnsmasq runs.
func (r router) keepLeases(hosts []drivers.RouterHost) error {
	kept, stale, err := r.split(hosts)
	if err != nil || len(stale) == 0 {
		return err
	}
	var b strings.Builder
	for _, l := range kept {
		b.WriteString(l.line)
	}
	return replaceFile(filepath.Join(r.dir, leaseFile), []byte(b.String()))
}

// takeBack releases the leases of departed hosts, in their name, and waits until
// dnsmasq has written them off. It writes the file in place, so a lease may be
// there and not be read: those of the departed are released in any case, and
// only what reads the same twice, with all that shall stay, is the whole of it.
func (r router) takeBack(ctx context.Context, ns space, s drivers.RouterSpec, departed []lease) error {
	keep, stale, err := r.split(s.Hosts)
	stale = append(stale, departed...)
	if err != nil || len(stale) == 0 {
		return err
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	var before []lease
	settled := false
	for try := range 200 {
		if try%20 == 0 && len(stale) > 0 { // a datagram may be lost
			if err := ns.do(func() error { return sendReleases(s.Guest.Gateway.Addr(), stale) }); err != nil {
				return fmt.Errorf("release leases: %w", err)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		var kept []lease
		if kept, stale, err = r.split(s.Hosts); err != nil {
			return err
		}
		gone := len(stale) == 0 && len(kept) >= len(keep)
		if gone && settled && slices.Equal(kept, before) {
			return nil
		}
		settled, before = gone, kept
	}
	return drivers.Errorf(drivers.Busy, "release leases", "dnsmasq does not let go of them")
}

// sendReleases sends a DHCPRELEASE for each lease to the server at gw. Bound to
// the guest leg they look to dnsmasq as if they came from there.
func sendReleases(gw netip.Addr, all []lease) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.BindToDevice(fd, guestLink); err != nil {
		return err
	}
	for _, l := range all {
		packet, err := releasePacket(gw, l)
		if err != nil {
			return err
		}
		err = unix.Sendto(fd, packet, 0, &unix.SockaddrInet4{Port: 67, Addr: gw.As4()})
		if err != nil && !errors.Is(err, syscall.EAGAIN) {
			return err
		}
	}
	return nil
}

// releasePacket is a DHCPRELEASE (RFC 2131) without client identifier, which
// dnsmasq matches by hardware address alone.
func releasePacket(gw netip.Addr, l lease) ([]byte, error) {
	mac, err := net.ParseMAC(l.mac)
	if err != nil {
		return nil, err
	}
	p := make([]byte, 300) // the shortest that old servers take
	p[0], p[1], p[2] = 1, 1, 6
	binary.BigEndian.PutUint32(p[4:], uint32(time.Now().UnixNano())) // transaction
	copy(p[12:], l.ip.AsSlice())
	copy(p[28:], mac)
	options := append([]byte{99, 130, 83, 99, 53, 1, 7, 54, 4}, gw.AsSlice()...)
	copy(p[236:], append(options, 255))
	return p, nil
}
