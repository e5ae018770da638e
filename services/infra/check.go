package infra

import (
	"net/netip"
	"regexp"

	"aerie/services/fault"
)

// ip4 refuses a text that is no IPv4 address; an empty one is no matter.
func ip4(param, value string) error {
	if value == "" {
		return nil
	}
	if a, err := netip.ParseAddr(value); err != nil || !a.Is4() {
		return fault.Param(param, "error.ip4", "value", value)
	}
	return nil
}

// ip4s checks several parameters, pairs of name and value.
func ip4s(pairs ...string) error {
	for i := 0; i+1 < len(pairs); i += 2 {
		if err := ip4(pairs[i], pairs[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func cidr4(param, value string) error {
	if value == "" {
		return nil
	}
	if p, err := netip.ParsePrefix(value); err != nil || !p.Addr().Is4() || p.Bits() < 8 || p.Bits() > 29 {
		return fault.Param(param, "error.cidr4", "value", value)
	}
	return nil
}

// domainName is RFC 1123's host name of one label or more.
var domainName = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$`)

func dnsName(param, value string) error {
	if value != "" && (len(value) > 190 || !domainName.MatchString(value)) {
		return fault.Param(param, "error.domain_name", "value", value)
	}
	return nil
}

// Mask is the prefix length of a dotted netmask.
func Mask(netmask string) (bits int, ok bool) {
	a, err := netip.ParseAddr(netmask)
	if err != nil || !a.Is4() {
		return 0, false
	}
	b := a.As4()
	n := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	for ; n&(1<<31) != 0; n <<= 1 {
		bits++
	}
	return bits, n == 0
}

// Span is a gateway, its netmask and a run of addresses beside it, as pods and
// public ranges have them.
type Span struct{ Gateway, Netmask, StartIP, EndIP string }

// Check refuses a span that is no run of addresses of the gateway's network.
func (s Span) Check() error {
	if err := ip4s("gateway", s.Gateway, "startip", s.StartIP, "endip", s.EndIP); err != nil {
		return err
	}
	bits, ok := Mask(s.Netmask)
	if s.Netmask != "" && (!ok || bits < 8 || bits > 30) {
		return fault.Param("netmask", "error.netmask", "value", s.Netmask)
	}
	if s.Gateway == "" || s.Netmask == "" {
		return nil
	}
	gw := netip.MustParseAddr(s.Gateway)
	net := netip.PrefixFrom(gw, bits).Masked()
	for _, end := range []struct{ param, value string }{{"startip", s.StartIP}, {"endip", s.EndIP}} {
		if end.value != "" && !net.Contains(netip.MustParseAddr(end.value)) {
			return fault.Param(end.param, "error.ip_outside", "value", end.value, "cidr", net.String())
		}
	}
	if s.StartIP == "" || s.EndIP == "" {
		return nil
	}
	first, last := netip.MustParseAddr(s.StartIP), netip.MustParseAddr(s.EndIP)
	switch {
	case last.Less(first):
		return fault.Param("endip", "error.ip_order", "value", s.EndIP, "start", s.StartIP)
	case !gw.Less(first) && !last.Less(gw):
		return fault.Param("gateway", "error.gateway_in_range", "value", s.Gateway, "start", s.StartIP, "end", s.EndIP)
	}
	return nil
}
