//go:build libvirt_dlopen

package libvirt

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	virt "libvirt.org/go/libvirt"

	"aerie/drivers"
)

const (
	keepAliveSeconds = 5
	keepAliveMissed  = 3
	dialPatience     = 10 * time.Second
	// libvirtd reads five requests of a client at once and answers no keepalive
	// while they run.
	callsAtOnce = 4
	// So many connections may wait for calls that never came back.
	maxAbandoned = 16
)

var errClosed = errors.New("the driver is closed")

// link is a connection to libvirtd that is replaced when it dies.
type link struct {
	uri string
	log *slog.Logger

	mu        sync.Mutex
	current   *session
	dialing   chan struct{} // closed when the dial under way has ended
	dialErr   error         // of the last dial
	abandoned int           // retired sessions with calls still inside
	closed    bool
}

// session is one libvirt connection, closed when it is retired and idle.
type session struct {
	conn    *virt.Connect
	slots   chan struct{}
	calls   int
	retired bool
}

// acquire returns a living session; release must follow.
func (l *link) acquire(ctx context.Context) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, dialPatience)
	defer cancel()
	for {
		s, dialed, err := l.join()
		if err != nil || s != nil {
			return s, err
		}
		select {
		case <-dialed:
			if err := l.lastDial(); err != nil {
				return nil, err
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// join enters the current session or sees to it that one is being dialed.
func (l *link) join() (*session, <-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, nil, errClosed
	}
	if s := l.current; s != nil {
		if alive, err := s.conn.IsAlive(); err == nil && alive {
			s.calls++
			return s, nil, nil
		}
		l.retireLocked(s)
	}
	if l.dialing == nil {
		if l.abandoned >= maxAbandoned {
			return nil, nil, drivers.Errorf(drivers.Unreachable, "connect "+l.uri, "libvirtd leaves %d calls unanswered", l.abandoned)
		}
		l.dialing = make(chan struct{})
		go l.dial(l.dialing)
	}
	return nil, l.dialing, nil
}

func (l *link) lastDial() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dialErr
}

// dial runs on its own, because connecting to a hung libvirtd never ends.
func (l *link) dial(done chan struct{}) {
	conn, err := connect(l.uri)
	l.mu.Lock()
	defer l.mu.Unlock()
	defer close(done)
	l.dialing, l.dialErr = nil, err
	if err != nil {
		return
	}
	s := &session{conn: conn, slots: make(chan struct{}, callsAtOnce)}
	if l.closed {
		go disconnect(conn)
		return
	}
	l.current = s
	l.log.Debug("connected to libvirtd", "uri", l.uri)
}

func (l *link) release(s *session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.calls--
	if s.retired && s.calls == 0 {
		l.abandoned--
		go disconnect(s.conn)
	}
}

// retire takes the session out of use; the next call dials anew.
func (l *link) retire(s *session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.retireLocked(s)
}

func (l *link) retireLocked(s *session) {
	if s == nil || s.retired {
		return
	}
	s.retired = true
	if l.current == s {
		l.current = nil
	}
	if s.calls == 0 {
		go disconnect(s.conn)
		return
	}
	l.abandoned++
}

func (l *link) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.retireLocked(l.current)
}

// connect opens a connection that notices when libvirtd is gone.
func connect(uri string) (*virt.Connect, error) {
	if err := loop.join(); err != nil {
		return nil, err
	}
	conn, err := virt.NewConnect(uri)
	if err != nil {
		loop.leave()
		return nil, err
	}
	// Drivers without a daemon behind them (test:///) know no keepalive.
	if err := conn.SetKeepAlive(keepAliveSeconds, keepAliveMissed); err != nil && !isCode(err, virt.ERR_NO_SUPPORT) {
		disconnect(conn)
		return nil, err
	}
	return conn, nil
}

func disconnect(conn *virt.Connect) {
	_, _ = conn.Close() // nothing depends on it
	loop.leave()
}

// call runs f on a living connection and comes back when ctx ends, even if
// libvirtd does not. f must return plain data: when nobody waits any more its
// result is dropped. A call that outlives its caller takes its connection along.
func call[T any](ctx context.Context, l *link, op string, f func(*virt.Connect) (T, error)) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, wrap(op, err)
	}
	s, err := l.acquire(ctx)
	if err != nil {
		return none, unreachable(op, err)
	}
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		l.release(s)
		return none, wrap(op, ctx.Err())
	}
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		defer l.release(s)
		v, err := f(s.conn)
		if connectionLost(err) {
			l.retire(s)
		}
		<-s.slots
		answers <- answer{v, err}
	}()
	select {
	case a := <-answers:
		return a.value, wrap(op, a.err)
	case <-ctx.Done():
		l.retire(s)
		return none, wrap(op, ctx.Err())
	}
}

// unreachable names every failure to connect alike, whatever libvirt calls it.
func unreachable(op string, err error) error {
	var done *drivers.Error
	if errors.As(err, &done) {
		return err
	}
	return drivers.Errorf(drivers.Unreachable, op, "%w", err)
}
