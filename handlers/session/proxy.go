package session

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// ParsePublic reads the address by which browsers reach the portal. It is an
// origin: the portal lives at the top of its host. Empty is none.
func ParsePublic(raw string) (*url.URL, error) {
	if raw == "" {
		return nil, nil
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, fmt.Errorf("%q: want https://HOST or http://HOST", raw)
	}
	if u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q: want a scheme and a host, and nothing more", u.Redacted())
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}, nil
}

// ParseProxies reads addresses and CIDRs, separated by commas or blanks.
func ParseProxies(list string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, one := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		p, err := netip.ParsePrefix(one)
		if err != nil {
			ip, ipErr := netip.ParseAddr(one)
			if ipErr != nil {
				return nil, fmt.Errorf("trusted proxy %q: %w", one, err)
			}
			p = netip.PrefixFrom(ip, ip.BitLen())
		}
		if p.Bits() == 0 {
			return nil, fmt.Errorf("trusted proxy %q: anybody could claim to come from anywhere", one)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// ClientIP is the address of who asks. X-Forwarded-For counts from its end, as
// far as trusted proxies have written it; anybody else's is ignored. It fits
// echo.Echo.IPExtractor.
func (m *Manager) ClientIP(r *http.Request) string {
	ip := peer(r)
	if !m.trusts(ip) {
		return text(ip)
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		ip = hop.Unmap().WithZone("")
		if !m.trusts(ip) {
			break
		}
	}
	return text(ip)
}

// Secure tells whether the browser's connection is encrypted: here, at a trusted
// proxy that says so, or because the public address is and the request is for it.
func (m *Manager) Secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	trusted := m.trusts(peer(r))
	if proto := r.Header.Get("X-Forwarded-Proto"); trusted && proto != "" {
		return strings.EqualFold(proto, "https")
	}
	return m.Public != nil && m.Public.Scheme == "https" && (trusted || strings.EqualFold(r.Host, m.Public.Host))
}

func (m *Manager) trusts(ip netip.Addr) bool {
	for _, p := range m.Trusted {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

func peer(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return ip.Unmap().WithZone("")
}

func text(ip netip.Addr) string {
	if !ip.IsValid() {
		return ""
	}
	return ip.String()
}
