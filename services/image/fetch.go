package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"aerie/services/fault"
)

// fetcher downloads what users name. It never connects to this machine or its
// neighbours: the address is checked when it is dialled, after every redirect
// and whatever DNS says the second time.
type fetcher struct {
	allowed []netip.Prefix // internal addresses that an operator trusts
	most    int64          // bytes
	stall   time.Duration  // without a byte
	// resolver finds addresses; nil takes the system's.
	resolver *net.Resolver
	// own tells this machine's addresses; nil asks the system.
	own func() ([]net.Addr, error)
}

const (
	patience = 30 * time.Second // how long a site may stall
	deadline = 4 * time.Hour
	hops     = 5
)

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

func (f fetcher) may(addr netip.Addr) bool {
	addr = addr.Unmap()
	for _, p := range f.allowed {
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
	return !f.here(addr)
}

// here tells an address of this machine, which may be one of the internet's: it
// is asked for at every dial, for addresses come and go. Who does not know
// takes any for its own.
func (f fetcher) here(addr netip.Addr) bool {
	own := f.own
	if own == nil {
		own = net.InterfaceAddrs
	}
	addrs, err := own()
	return err != nil || slices.ContainsFunc(addrs, func(a net.Addr) bool {
		p, err := netip.ParsePrefix(a.String())
		return err == nil && p.Addr().Unmap().WithZone("") == addr.WithZone("")
	})
}

func (f fetcher) dialer() *net.Dialer {
	return &net.Dialer{Timeout: 10 * time.Second, Resolver: f.resolver, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !f.may(at.Addr()) {
			return fault.Param("url", "error.url_internal")
		}
		return nil
	}}
}

func (f fetcher) client() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext: f.dialer().DialContext, Proxy: nil, TLSHandshakeTimeout: 10 * time.Second,
			ResponseHeaderTimeout: f.stall, DisableKeepAlives: true, DisableCompression: true,
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) >= hops || r.URL.Scheme != "http" && r.URL.Scheme != "https" {
				return fault.Param("url", "error.url_redirect")
			}
			return nil
		},
	}
}

// get downloads into a file beside its final name and returns how much came.
// tell hears of the progress in percent, -1 when the size is not known.
func (f fetcher) get(ctx context.Context, url, to string, tell func(done, total int64)) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, fault.Param("url", "error.url").Because(err)
	}
	resp, err := f.client().Do(req)
	if err != nil {
		return 0, unreached(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, fault.Param("url", "error.url_status", "status", resp.StatusCode)
	}
	if resp.ContentLength > f.most {
		return 0, fault.Param("url", "error.image_too_large", "max", f.most)
	}
	return f.store(cancel, resp, to, tell)
}

// unreached keeps what the dialler refused and hides the rest, which may tell
// about networks the user cannot see.
func unreached(err error) error {
	var refused *fault.Error
	if errors.As(err, &refused) {
		return refused
	}
	return fault.New(fault.Unavailable, "error.url_unreachable").Because(err)
}

func (f fetcher) store(cancel context.CancelFunc, resp *http.Response, to string, tell func(done, total int64)) (n int64, err error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return 0, err
	}
	out, err := os.Create(to)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	timer := time.AfterFunc(f.stall, cancel)
	defer timer.Stop()
	body := &watched{r: io.LimitReader(resp.Body, f.most+1), seen: func(done int64) {
		timer.Reset(f.stall)
		tell(done, resp.ContentLength)
	}}
	if n, err = io.Copy(out, body); err != nil {
		return n, unreached(fmt.Errorf("download: %w", err))
	}
	switch {
	case n > f.most:
		return n, fault.Param("url", "error.image_too_large", "max", f.most)
	case resp.ContentLength >= 0 && n != resp.ContentLength:
		return n, fault.New(fault.Unavailable, "error.url_unreachable").Because(fmt.Errorf("%d of %d bytes", n, resp.ContentLength))
	}
	return n, out.Sync()
}

// watched tells how much was read.
type watched struct {
	r    io.Reader
	n    int64
	seen func(done int64)
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	w.n += int64(n)
	if n > 0 {
		w.seen(w.n)
	}
	return n, err
}

// parseAllowed reads a comma-separated list of prefixes and addresses.
func parseAllowed(list string) (out []netip.Prefix) {
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
