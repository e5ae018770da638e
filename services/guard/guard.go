// Package guard talks to addresses that users name: templates, webhooks, identity
// providers. It never connects to this machine or its neighbours unless an
// operator allows it.
package guard

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"aerie/services/fault"
)

// Guard checks an address when it is dialled: after every redirect, and whatever
// DNS says the second time. The zero value allows the internet alone.
type Guard struct {
	Allowed []netip.Prefix // internal addresses that an operator trusts
	// Param is what the fault of a refused address names; empty: url.
	Param string
	// Resolver finds addresses; nil takes the system's.
	Resolver *net.Resolver
	// Own tells this machine's addresses; nil asks the system.
	Own func() ([]net.Addr, error)
}

const hops = 5 // redirects

// internal are addresses that are not on the internet, besides those that
// netip knows: RFC 6890's special-purpose registry.
var internal = prefixes("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"240.0.0.0/4", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10")

func prefixes(list ...string) (out []netip.Prefix) {
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// May tells whether the guard lets an address be dialled.
func (g Guard) May(addr netip.Addr) bool {
	addr = addr.Unmap()
	for _, p := range g.Allowed {
		if p.Contains(addr) {
			return true
		}
	}
	if !addr.IsGlobalUnicast() || addr.IsPrivate() {
		return false
	}
	for _, p := range internal {
		if p.Contains(addr) {
			return false
		}
	}
	return !g.here(addr)
}

// here tells an address of this machine, which may be one of the internet's: it
// is asked for at every dial, for addresses come and go. Who does not know
// takes any for its own.
func (g Guard) here(addr netip.Addr) bool {
	own := g.Own
	if own == nil {
		own = net.InterfaceAddrs
	}
	addrs, err := own()
	return err != nil || slices.ContainsFunc(addrs, func(a net.Addr) bool {
		p, err := netip.ParsePrefix(a.String())
		return err == nil && p.Addr().Unmap().WithZone("") == addr.WithZone("")
	})
}

func (g Guard) param() string {
	if g.Param != "" {
		return g.Param
	}
	return "url"
}

func (g Guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: 10 * time.Second, Resolver: g.Resolver, Control: g.Control}
	return d.DialContext(ctx, network, address)
}

// Control refuses an address that is about to be dialled; it fits net.Dialer.
func (g Guard) Control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !g.May(at.Addr()) {
		return fault.Param(g.param(), "error.url_internal")
	}
	return nil
}

// Options are how a Client behaves.
type Options struct {
	// Header is how long a server may take to begin its answer.
	Header time.Duration
	// All bounds the whole exchange; 0: nothing does.
	All time.Duration
	// Most is how many bytes of an answer are read; 0: nothing bounds them.
	Most int64
	// NoRedirects answers with the redirect itself.
	NoRedirects bool
	// Unverified accepts any certificate: who asked for it bears it.
	Unverified bool
}

// Client is an HTTP client behind the guard. It keeps no connections and uses no
// proxy, which would dial for it.
func (g Guard) Client(o Options) *http.Client {
	return &http.Client{
		Timeout: o.All,
		Transport: bounded{o.Most, &http.Transport{
			DialContext: g.dial, Proxy: nil, TLSHandshakeTimeout: 10 * time.Second,
			ResponseHeaderTimeout: o.Header, DisableKeepAlives: true, DisableCompression: true,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: o.Unverified}, //nolint:gosec // see Unverified
		}},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if o.NoRedirects {
				return http.ErrUseLastResponse
			}
			if len(via) >= hops || r.URL.Scheme != "http" && r.URL.Scheme != "https" {
				return fault.Param(g.param(), "error.url_redirect")
			}
			return nil
		},
	}
}

// bounded ends an answer that is too long with an error.
type bounded struct {
	most int64
	http.RoundTripper
}

// RoundTrip bounds the answer's body.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err == nil && b.most > 0 {
		resp.Body = http.MaxBytesReader(nil, resp.Body, b.most)
	}
	return resp, err
}

// Fault keeps what the guard refused and hides the rest, which may tell about
// networks that the user cannot see.
func Fault(err error) error {
	var refused *fault.Error
	if errors.As(err, &refused) {
		return refused
	}
	return fault.New(fault.Unavailable, "error.url_unreachable").Because(err)
}

// ParseAllowed reads a comma-separated list of prefixes and addresses.
func ParseAllowed(list string) (out []netip.Prefix) {
	for s := range strings.SplitSeq(list, ",") {
		s = strings.TrimSpace(s)
		if p, err := netip.ParsePrefix(s); err == nil {
			out = append(out, p)
		} else if a, err := netip.ParseAddr(s); err == nil {
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	return out
}
