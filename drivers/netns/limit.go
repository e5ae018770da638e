package netns

import (
	"net"
	"net/netip"
	"sync"
)

// A guest network may hold this many connections to one listener, one guest
// this many: guests must not use up the server's files.
const (
	mostConns      = 128
	mostConnsGuest = 8
)

// limited closes connections beyond the limits as soon as they come.
type limited struct {
	net.Listener

	mu    sync.Mutex
	all   int
	guest map[netip.Addr]int
}

func limit(l net.Listener) net.Listener {
	return &limited{Listener: l, guest: map[netip.Addr]int{}}
}

// Accept waits for the next connection within the limits.
func (l *limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := c.RemoteAddr().(*net.TCPAddr).AddrPort().Addr()
		if l.enter(from) {
			return &counted{Conn: c, leave: sync.OnceFunc(func() { l.leave(from) })}, nil
		}
		_ = c.Close()
	}
}

func (l *limited) enter(from netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all >= mostConns || l.guest[from] >= mostConnsGuest {
		return false
	}
	l.all++
	l.guest[from]++
	return true
}

func (l *limited) leave(from netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
	if l.guest[from]--; l.guest[from] == 0 {
		delete(l.guest, from)
	}
}

type counted struct {
	net.Conn
	leave func()
}

// Close gives the connection's place back.
func (c *counted) Close() error {
	c.leave()
	return c.Conn.Close()
}
