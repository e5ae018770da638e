package netns

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"aerie/drivers"
)

// leaseTime is short enough that a guest notices a new resolver within a day.
const leaseTime = "24h"

// dnsmasqConf is dnsmasq's configuration. Little in it changes with the hosts,
// which dnsmasq rereads on SIGHUP. Texts in it have been checked.
func dnsmasqConf(s drivers.RouterSpec, dir string) string {
	lines := []string{
		"interface=" + guestLink, "bind-interfaces", "except-interface=lo",
		"user=root", // the state directory is root's alone
		"pid-file=" + filepath.Join(dir, pidFile),
		"no-resolv", "no-hosts", "no-poll",
	}
	if s.Guest.NoDNS {
		lines = append(lines, "port=0")
	} else {
		lines = append(lines, dnsConf(s.Guest, dir)...)
	}
	if !s.Guest.NoDHCP {
		lines = append(lines, dhcpConf(s.Guest, dir)...)
		lines = append(lines, secondaryConf(s.Hosts)...)
	}
	return strings.Join(lines, "\n") + "\n"
}

// dnsConf answers for the network's own names and forwards the rest. Private
// addresses and plain names are nobody else's business.
func dnsConf(g drivers.RouterGuest, dir string) []string {
	lines := []string{
		"addn-hosts=" + filepath.Join(dir, dnsFile),
		"domain-needed", "bogus-priv", "cache-size=1000",
	}
	if g.Domain != "" {
		lines = append(lines, "local=/"+g.Domain+"/")
	}
	for _, a := range g.Upstream {
		lines = append(lines, "server="+a.String())
	}
	return lines
}

// dhcpConf gives known cards their address and all others nothing. Names that
// guests claim are ignored: a guest could take a name that others trust.
func dhcpConf(g drivers.RouterGuest, dir string) []string {
	net := g.Gateway.Masked()
	lines := []string{
		fmt.Sprintf("dhcp-range=%s,static,%s,%s", net.Addr(), mask(net), leaseTime),
		"dhcp-ignore=tag:!known", "dhcp-ignore-names", "dhcp-authoritative", "no-ping", "quiet-dhcp",
		"dhcp-lease-max=1000000",
		"dhcp-leasefile=" + filepath.Join(dir, leaseFile),
		"dhcp-hostsfile=" + filepath.Join(dir, dhcpFile),
		"dhcp-option=3," + g.Gateway.Addr().String(),
		fmt.Sprintf("dhcp-option-force=26,%d", orDefault(g.MTU)),
	}
	if resolvers := resolversOf(g); len(resolvers) > 0 {
		lines = append(lines, "dhcp-option=6,"+strings.Join(resolvers, ","))
	} else {
		lines = append(lines, "dhcp-option=6")
	}
	if g.Domain != "" {
		lines = append(lines, "domain="+g.Domain)
	}
	return lines
}

// secondaryConf keeps a card that is not the machine's way out from becoming
// it. The cards are not tagged in the hosts file: dnsmasq up to 2.90 crashes
// when it rereads a tag there (github.com/imp/dnsmasq/pull/20).
func secondaryConf(hosts []drivers.RouterHost) []string {
	lines := []string{"dhcp-option=tag:secondary,3", "dhcp-option=tag:secondary,6"}
	for _, h := range byAddress(hosts) {
		if !h.Default {
			lines = append(lines, "dhcp-mac=set:secondary,"+h.MAC)
		}
	}
	return lines
}

// resolversOf is what guests are told to ask.
func resolversOf(g drivers.RouterGuest) []string {
	if !g.NoDNS {
		return []string{g.Gateway.Addr().String()}
	}
	var all []string
	for _, a := range g.Upstream {
		all = append(all, a.String())
	}
	return all
}

func mask(p netip.Prefix) netip.Addr {
	m := netOf(p).Mask
	return netip.AddrFrom4([4]byte(m))
}

// dhcpHosts is the dhcp-hostsfile. It has no names: dnsmasq would take "24h" or
// "ignore" for orders, and finds names by their address in the hosts file.
func dhcpHosts(hosts []drivers.RouterHost) string {
	var b strings.Builder
	for _, h := range byAddress(hosts) {
		fmt.Fprintf(&b, "%s,%s,%s\n", h.MAC, h.IP, leaseTime)
	}
	return b.String()
}

// dnsHosts is the hosts file. The full name stands first and is the answer of
// reverse lookups.
func dnsHosts(s drivers.RouterSpec) string {
	var b strings.Builder
	line := func(ip netip.Addr, name string) {
		if s.Guest.Domain != "" {
			name = name + "." + s.Guest.Domain + " " + name
		}
		fmt.Fprintf(&b, "%s %s\n", ip, name)
	}
	if !s.Guest.NoData {
		line(s.Guest.Gateway.Addr(), drivers.DataServer)
	}
	for _, h := range byAddress(s.Hosts) {
		if h.Name != "" {
			line(h.IP, strings.ToLower(h.Name))
		}
	}
	return b.String()
}

func byAddress(hosts []drivers.RouterHost) []drivers.RouterHost {
	return slices.SortedFunc(slices.Values(hosts), func(a, b drivers.RouterHost) int { return a.IP.Compare(b.IP) })
}
