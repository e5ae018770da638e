package netns

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"aerie/drivers"
)

// The ports of the metadata and the password service.
const (
	dataPort     = 80
	passwordPort = 8080
)

// service answers the guests of one router about themselves. Its sockets were
// made inside the router's namespace, so that they belong there; the service
// itself runs here.
type service struct {
	space   uint64 // namespace of the sockets
	gateway netip.Addr
	hosts   atomic.Pointer[map[netip.Addr]drivers.RouterHost]
	taken   string // directory, see password.go
	log     *slog.Logger

	servers []*http.Server
	running sync.WaitGroup
}

// serve makes the router's service answer by this spec.
func (d *Driver) serve(ctx context.Context, ns space, name string, s drivers.RouterSpec) error {
	d.mu.Lock()
	old := d.services[name]
	d.mu.Unlock()
	if old != nil && (s.Guest.NoData || old.space != ns.id() || old.gateway != s.Guest.Gateway.Addr()) {
		d.silence(ctx, name)
		old = nil
	}
	if s.Guest.NoData {
		return nil
	}
	if old != nil {
		old.know(s.Hosts)
		return nil
	}
	fresh := &service{
		space: ns.id(), gateway: s.Guest.Gateway.Addr(), taken: filepath.Join(d.dir, "taken"),
		log: d.log.With("router", s.ID),
	}
	fresh.know(s.Hosts)
	if err := fresh.start(ns); err != nil {
		return err
	}
	d.mu.Lock()
	closed := d.closed
	if !closed {
		d.services[name] = fresh
	}
	d.mu.Unlock()
	if closed {
		fresh.stop(ctx)
		return net.ErrClosed
	}
	return nil
}

// silence ends a router's service.
func (d *Driver) silence(ctx context.Context, name string) {
	d.mu.Lock()
	s := d.services[name]
	delete(d.services, name)
	d.mu.Unlock()
	if s != nil {
		s.stop(ctx)
	}
}

// serves tells whether a router's service runs in this namespace.
func (d *Driver) serves(name string, ns space) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.services[name]
	return s != nil && s.space == ns.id()
}

func (s *service) know(hosts []drivers.RouterHost) {
	byIP := make(map[netip.Addr]drivers.RouterHost, len(hosts))
	for _, h := range hosts {
		byIP[h.IP] = h
	}
	s.hosts.Store(&byIP)
}

// start listens on the router's own addresses, never on all: a load balancer
// may want port 80 of another.
func (s *service) start(ns space) error {
	listeners, err := s.listen(ns)
	if err != nil {
		return err
	}
	for i, l := range listeners {
		handler := http.Handler(http.HandlerFunc(s.metadata))
		if l.Addr().(*net.TCPAddr).Port == passwordPort {
			handler = http.HandlerFunc(s.password)
		}
		server := &http.Server{
			Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
			WriteTimeout: 30 * time.Second, IdleTimeout: 15 * time.Second, MaxHeaderBytes: 16 << 10,
			ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		}
		s.servers = append(s.servers, server)
		s.running.Go(func() {
			if err := server.Serve(limit(listeners[i])); !errors.Is(err, http.ErrServerClosed) {
				s.log.Error("metadata service ended", "error", err)
			}
		})
	}
	return nil
}

// listen makes the sockets inside the namespace.
func (s *service) listen(ns space) (all []net.Listener, err error) {
	places := []netip.AddrPort{
		netip.AddrPortFrom(s.gateway, dataPort),
		netip.AddrPortFrom(drivers.MetadataAddr, dataPort),
		netip.AddrPortFrom(s.gateway, passwordPort),
	}
	err = ns.do(func() error {
		for _, place := range places {
			l, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(place))
			if err != nil {
				return fmt.Errorf("listen on %s: %w", place, err)
			}
			all = append(all, l)
		}
		return nil
	})
	if err != nil {
		for _, l := range all {
			_ = l.Close()
		}
		return nil, err
	}
	return all, nil
}

// stop lets running answers end for a moment, then closes everything.
func (s *service) stop(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	var all sync.WaitGroup
	for _, server := range s.servers {
		all.Go(func() {
			if server.Shutdown(ctx) != nil {
				_ = server.Close()
			}
		})
	}
	all.Wait()
	s.running.Wait()
}

// guest finds who asks, by the address alone: it is on the guest network's own
// wire, and the router sends answers to the address's rightful card only.
func (s *service) guest(r *http.Request) (drivers.RouterHost, bool) {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return drivers.RouterHost{}, false
	}
	h, ok := (*s.hosts.Load())[from.Addr().Unmap()]
	return h, ok
}
