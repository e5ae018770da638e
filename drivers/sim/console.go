package sim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"aerie/drivers"
)

// OpenConsole opens a socket for the machine's screen or serial line, which
// stays until the machine is off.
func (h *Host) OpenConsole(ctx context.Context, req drivers.OpenConsole) (drivers.ConsoleEndpoint, error) {
	return call(ctx, h, "OpenConsole", req.ID, func() (drivers.ConsoleEndpoint, error) {
		serve, ok := map[drivers.ConsoleKind]func(net.Conn, *seat){
			drivers.ConsoleVNC: serveVNC, drivers.ConsoleSerial: serveSerial,
		}[req.Kind]
		if !ok {
			return drivers.ConsoleEndpoint{}, drivers.Errorf(drivers.Invalid, "open console "+req.ID, "kind %q", req.Kind)
		}
		term, err := h.terminal("open console", req.ID)
		if err != nil {
			return drivers.ConsoleEndpoint{}, err
		}
		path, err := h.listen(req, &seat{host: h, id: req.ID, term: term}, serve)
		if err != nil {
			return drivers.ConsoleEndpoint{}, drivers.Errorf(drivers.Internal, "open console "+req.ID, "%w", err)
		}
		return drivers.ConsoleEndpoint{Network: "unix", Address: path}, nil
	})
}

// seat is where a viewer sits.
type seat struct {
	host *Host
	id   string
	term *terminal
}

// keys types and does what the guest then wants.
func (s *seat) keys(typed []byte) {
	if w := s.term.keys(typed); w != wishNothing {
		s.host.grant(s.id, s.term, w)
	}
}

// grant powers off or restarts a machine as its guest has asked.
func (h *Host) grant(id string, term *terminal, w wish) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m, ok := h.vms[id]
	switch {
	case !ok || m.term != term:
	case w == wishPowerOff:
		m.off(drivers.PowerOff, "shutdown")
	case w == wishReboot:
		m.restart()
	}
}

// terminal finds the terminal of a machine that is on.
func (h *Host) terminal(op, id string) (*terminal, error) {
	facts, err := h.guest(op, id)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	m, err := h.vm(op, id)
	if err != nil {
		return nil, err
	}
	if !m.active() {
		return nil, drivers.Errorf(drivers.NotFound, op+" "+id, "%s is %s", m.spec.Name, m.power)
	}
	if m.term == nil {
		m.term = newTerminal(facts, m.run, m.born, h.center.options.Boot)
	}
	return m.term, nil
}

// guest is what the machine's guest knows of itself, with what its routers
// have told it. The routers may be anywhere, so no lock is held meanwhile.
func (h *Host) guest(op, id string) (guest, error) {
	h.mu.Lock()
	m, err := h.vm(op, id)
	if err != nil {
		h.mu.Unlock()
		return guest{}, err
	}
	if m.term != nil {
		defer h.mu.Unlock()
		return m.term.guest, nil
	}
	spec := m.spec
	h.mu.Unlock()

	g := guest{name: spec.Name, cpus: spec.CPUs, memory: spec.MemoryMiB}
	for _, n := range spec.NICs {
		nic := guestNIC{mac: n.MAC}
		if told, address, ok := h.center.serves(n.MAC); ok {
			nic.ip = address.String()
			if told.Name != "" && told.Default {
				g.name = told.Name
			}
		}
		g.nics = append(g.nics, nic)
	}
	return g, nil
}

// line is a socket and those who are connected.
type line struct {
	listener net.Listener
	path     string
	mu       sync.Mutex
	conns    map[net.Conn]bool
	closed   bool
}

// listen opens the machine's socket of that kind, once.
func (h *Host) listen(req drivers.OpenConsole, s *seat, serve func(net.Conn, *seat)) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	dir, err := h.center.sockets.place()
	if err != nil {
		return "", err
	}
	m, ok := h.vms[req.ID]
	if !ok || m.term != s.term {
		return "", errors.New("the machine went off")
	}
	if l, ok := m.lines[req.Kind]; ok {
		return l.path, nil
	}
	path := filepath.Join(dir, socketName(h.id, req))
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return "", err
	}
	l := &line{listener: listener, path: path, conns: map[net.Conn]bool{}}
	if m.lines == nil {
		m.lines = map[drivers.ConsoleKind]*line{}
	}
	m.lines[req.Kind] = l
	h.center.sockets.serve.Go(func() { l.accept(s, serve) })
	return path, nil
}

// socketName is short: a socket's path has 107 characters at most.
func socketName(host string, req drivers.OpenConsole) string {
	sum := sha256.Sum256([]byte(host + "/" + req.ID))
	return hex.EncodeToString(sum[:8]) + "." + string(req.Kind)
}

// accept serves everybody who connects, until the line is closed.
func (l *line) accept(s *seat, serve func(net.Conn, *seat)) {
	var all sync.WaitGroup
	defer all.Wait()
	for {
		conn, err := l.listener.Accept()
		if err != nil {
			return
		}
		if !l.join(conn) {
			conn.Close()
			return
		}
		all.Go(func() {
			defer l.leave(conn)
			serve(conn, s)
		})
	}
}

func (l *line) join(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.conns[conn] = true
	}
	return !l.closed
}

func (l *line) leave(conn net.Conn) {
	conn.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, conn)
}

// farewell is how long a viewer may take to receive the last of the output.
const farewell = time.Second

// close lets nobody in any more. Those who are in leave by themselves, for
// their terminal is closed; who does not read is thrown out.
func (l *line) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.listener.Close()
	for conn := range l.conns {
		_ = conn.SetReadDeadline(time.Unix(1, 0)) // fails when it is closed already
		time.AfterFunc(farewell, func() { conn.Close() })
	}
}

// wait sleeps until the view changes, or is asked to look again.
func (v view) wait(again <-chan struct{}) {
	var tick <-chan time.Time
	if v.next > 0 {
		timer := time.NewTimer(min(v.next, 100*time.Millisecond))
		defer timer.Stop()
		tick = timer.C
	}
	select {
	case <-v.changed:
	case <-again:
	case <-tick:
	}
}

// serveSerial carries bytes between a socket and the terminal.
func serveSerial(conn net.Conn, s *seat) {
	gone := make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() {
		defer close(gone)
		typed := make([]byte, 256)
		for {
			n, err := conn.Read(typed)
			s.keys(typed[:n])
			if err != nil {
				return
			}
		}
	})
	defer reader.Wait()
	defer conn.Close()
	for offset, ended := int64(0), false; ; {
		v := s.term.look(offset)
		offset = v.outEnd
		if _, err := conn.Write(v.out); err != nil || v.closed || ended {
			return
		}
		v.wait(gone)
		select {
		case <-gone:
			ended = true // but for what was printed meanwhile
		default:
		}
	}
}
