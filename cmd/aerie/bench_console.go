package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"nhooyr.io/websocket"
)

type benchConsole struct {
	Megabytes int `help:"What one stream carries." default:"512"`
	Sessions  int `help:"How many are open when memory is read." default:"200"`
	Rounds    int `help:"How often each way, in turn." default:"3"`
}

// Run measures both proxies in front of the same source of bytes.
func (c benchConsole) Run(ctx context.Context, out io.Writer) (err error) {
	load(out)
	src, err := newSource(ctx)
	if err != nil {
		return err
	}
	defer src.Close()
	ours, err := startAerie(ctx, src.Addr().String())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ours.stop()) }()
	ways := []*proxy{ours}
	if theirs, errW := startWebsockify(ctx, src.Addr().String()); errW == nil {
		defer func() { _ = theirs.stop() }()
		ways = append(ways, theirs)
	} else {
		fmt.Fprintln(out, "websockify is not measured:", errW)
	}
	for range c.Rounds {
		for _, p := range ways {
			if err := c.measure(ctx, p); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
		}
	}
	for _, p := range ways {
		fmt.Fprintf(out, "%-11s %5.0f MB/s, %.2f CPU s/GB; %.2f %% of a core per session at 1 MB/s; %4.0f set-ups/s; %d sessions take %.1f MB more than %.1f MB\n",
			p.name, middle(p.rate), middle(p.cpu), middle(p.paced), middle(p.setups), c.Sessions, slices.Max(p.memory)-slices.Min(p.idle), slices.Min(p.idle))
	}
	return nil
}

func middle(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// proxy is one of the two, as a process of its own.
type proxy struct {
	name                                   string
	url                                    string
	pid                                    int
	tickets                                func(n int) ([]string, error) // one for each session
	stop                                   func() error
	rate, cpu, paced, setups, memory, idle []float64
}

func (c benchConsole) measure(ctx context.Context, p *proxy) error {
	for _, step := range []func(context.Context, *proxy) error{c.hold, c.setup, c.stream, c.pace} {
		if err := step(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// dial opens a session.
func (p *proxy) dial(ctx context.Context, ticket string) (net.Conn, error) {
	protocols := []string{"binary"}
	if ticket != "" {
		protocols = append(protocols, "aerie.ticket."+ticket)
	}
	ws, _, err := websocket.Dial(ctx, p.url, &websocket.DialOptions{Subprotocols: protocols, CompressionMode: websocket.CompressionDisabled}) //nolint:bodyclose // it is the socket
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(16 << 20)
	return websocket.NetConn(ctx, ws, websocket.MessageBinary), nil
}

// pull has the source send so many bytes and reads them.
func pull(conn net.Conn, n int64) error {
	var order [8]byte
	binary.BigEndian.PutUint64(order[:], uint64(n))
	if _, err := conn.Write(order[:]); err != nil {
		return err
	}
	_, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, io.LimitReader(conn, n), make([]byte, 256<<10))
	return err
}

// stream is one session at full speed.
func (c benchConsole) stream(ctx context.Context, p *proxy) error {
	tickets, err := p.tickets(1)
	if err != nil {
		return err
	}
	conn, err := p.dial(ctx, tickets[0])
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := pull(conn, 1<<20); err != nil { // warm
		return err
	}
	bytes := int64(c.Megabytes) * 1e6
	before, began := cpuOf(p.pid), time.Now()
	if err := pull(conn, bytes); err != nil {
		return err
	}
	took := time.Since(began)
	p.rate = append(p.rate, float64(c.Megabytes)/took.Seconds())
	p.cpu = append(p.cpu, (cpuOf(p.pid)-before).Seconds()/(float64(bytes)/1e9))
	return nil
}

// pace is what consoles mostly do: many sessions at once, each with some
// 30 pictures a second that make 1 MB.
func (c benchConsole) pace(ctx context.Context, p *proxy) error {
	const many, frames, lasts = 50, 30, 5 * time.Second
	tickets, err := p.tickets(many)
	if err != nil {
		return err
	}
	conns := make([]net.Conn, many)
	for i, t := range tickets {
		if conns[i], err = p.dial(ctx, t); err != nil {
			return err
		}
		defer conns[i].Close()
		if err := pull(conns[i], 1); err != nil {
			return err
		}
	}
	before, began := cpuOf(p.pid), time.Now()
	var g errgroup.Group
	for _, conn := range conns {
		g.Go(func() error {
			tick := time.NewTicker(time.Second / frames)
			defer tick.Stop()
			for time.Since(began) < lasts {
				<-tick.C
				if err := pull(conn, 1_000_000/frames); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err = g.Wait()
	p.paced = append(p.paced, 100*(cpuOf(p.pid)-before).Seconds()/time.Since(began).Seconds()/many)
	return err
}

// setup opens sessions, eight at a time, until the first byte comes through.
func (c benchConsole) setup(ctx context.Context, p *proxy) error {
	const many, atOnce = 160, 8
	tickets, err := p.tickets(many)
	if err != nil {
		return err
	}
	began := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, t := range tickets {
		g.Go(func() error {
			conn, err := p.dial(ctx, t)
			if err != nil {
				return err
			}
			defer conn.Close()
			return pull(conn, 1)
		})
	}
	err = g.Wait()
	p.setups = append(p.setups, many/time.Since(began).Seconds())
	return err
}

// hold reads the memory while many sessions are open.
func (c benchConsole) hold(ctx context.Context, p *proxy) error {
	tickets, err := p.tickets(c.Sessions)
	if err != nil {
		return err
	}
	p.idle = append(p.idle, memoryOf(p.pid))
	conns := make([]net.Conn, len(tickets))
	defer func() {
		for _, conn := range conns {
			if conn != nil {
				_ = conn.Close()
			}
		}
	}()
	var g errgroup.Group
	g.SetLimit(8)
	for i, t := range tickets {
		g.Go(func() (err error) {
			if conns[i], err = p.dial(ctx, t); err != nil {
				return err
			}
			return pull(conns[i], 64<<10)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	p.memory = append(p.memory, memoryOf(p.pid))
	return nil
}

// newSource sends as many bytes as it is asked for, again and again.
func newSource(ctx context.Context) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() { // ends with the listener
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serveBytes(conn)
		}
	}()
	return l, nil
}

func serveBytes(conn net.Conn) {
	defer conn.Close()
	block := make([]byte, 64<<10)
	var order [8]byte
	for {
		if _, err := io.ReadFull(conn, order[:]); err != nil {
			return
		}
		for left := int64(binary.BigEndian.Uint64(order[:])); left > 0; left -= int64(len(block)) {
			if _, err := conn.Write(block[:min(left, int64(len(block)))]); err != nil {
				return
			}
		}
	}
}

// startAerie starts a server of its own in another process, so that its CPU
// and memory can be told from the client's.
func startAerie(ctx context.Context, source string) (*proxy, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "bench", "console-server", source)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	text, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	answers := json.NewDecoder(bufio.NewReader(text))
	p := &proxy{name: "aerie", pid: cmd.Process.Pid, stop: func() error { _ = in.Close(); return cmd.Wait() }}
	p.tickets = func(n int) (all []string, err error) {
		if _, err := fmt.Fprintln(in, n); err != nil {
			return nil, err
		}
		return all, answers.Decode(&all)
	}
	if err := answers.Decode(&p.url); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// startWebsockify starts Debian's websockify.
func startWebsockify(ctx context.Context, source string) (*proxy, error) {
	path, err := exec.LookPath("websockify")
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	at := l.Addr().String()
	_ = l.Close()
	cmd := exec.CommandContext(ctx, path, at, source)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &proxy{
		name: "websockify", url: "ws://" + at + "/", pid: cmd.Process.Pid, tickets: func(n int) ([]string, error) { return make([]string, n), nil },
		stop: func() error { _ = cmd.Process.Kill(); return cmd.Wait() },
	}
	for range 100 {
		if conn, err := net.Dial("tcp", at); err == nil {
			return p, conn.Close()
		}
		time.Sleep(50 * time.Millisecond) //nolint:forbidigo // another program starts
	}
	return nil, errors.Join(errors.New("it does not answer"), p.stop())
}
