package alarm_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"aerie/services/alarm"
	"aerie/services/config"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/job"
	"aerie/services/mail"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

// post is a mail server that keeps what it gets.
type post struct {
	mu  sync.Mutex
	got []string
}

func (p *post) NewSession(*smtp.Conn) (smtp.Session, error) { return &letter{p}, nil }

type letter struct{ *post }

func (*letter) Mail(string, *smtp.MailOptions) error { return nil }
func (*letter) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (*letter) Reset()                               {}
func (*letter) Logout() error                        { return nil }

func (l *letter) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got = append(l.got, string(b))
	return err
}

type world struct {
	*testing.T
	db     *store.DB
	now    time.Time
	config *config.Service
	jobs   *job.Engine
	alarm  *alarm.Service
	ctx    context.Context
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, now: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC), ctx: store.System(t.Context(), "test")}
	w.db = storetest.OpenWith(t, func() time.Time { return w.now })
	w.config, w.jobs = config.New(w.db), job.New(w.db, job.Options{Name: "a"})
	w.alarm = alarm.New(w.db, w.config, mail.New(w.db, w.jobs, nil).Sender(w.config, "alert", "Alert"), "cloud 1", nil)
	return w
}

func (w *world) set(name, value string) {
	w.Helper()
	if _, err := w.config.Set(w.ctx, name, value); err != nil {
		w.Fatal(name, err)
	}
}

var gone = event.Alert{Kind: event.Host, Subject: "h1", Message: "alert.host", Args: []any{"thing", "kvm-1\nForged: yes"}, HostID: "h1"}

func (w *world) raise() {
	w.Helper()
	if _, err := event.Raise(w.ctx, w.db, gone); err != nil {
		w.Fatal(err)
	}
}

func (w *world) clear() {
	w.Helper()
	if _, err := event.Clear(w.ctx, w.db, event.Host, "h1"); err != nil {
		w.Fatal(err)
	}
}

func (w *world) round() {
	w.Helper()
	w.now = w.now.Add(time.Hour)
	if err := w.alarm.Round(w.ctx); err != nil {
		w.Fatal(err)
	}
	for {
		n, err := w.jobs.Once(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

func (w *world) left() (n int64) {
	w.Helper()
	if err := w.db.In(w.ctx).Model(&event.Notice{}).Count(&n).Error; err != nil {
		w.Fatal(err)
	}
	return n
}

func TestOneMailPerRaiseAndOnePerClear(t *testing.T) {
	w, p := newWorld(t), &post{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(p)
	server.Domain = "post.test"
	host, port, _ := net.SplitHostPort(l.Addr().String())
	_ = l.Close() // the mail server is down at first
	w.set("alert.smtp.host", host)
	w.set("alert.smtp.port", port)
	w.set("alert.smtp.security", mail.None)
	w.set("alert.email.sender", "cloud@example.com")
	w.set("alert.email.addresses", "ops@example.com, night@example.com")
	w.raise()
	w.raise() // is only counted
	for range 3 {
		w.round()
	}
	w.clear()
	w.clear()
	w.round()
	if l, err = net.Listen("tcp", l.Addr().String()); err != nil {
		t.Skip("the port was taken meanwhile")
	}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	for range 5 {
		w.round()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.got) != 2 || !strings.Contains(p.got[0]+p.got[1], "This is over") {
		t.Fatalf("%d mails: %q", len(p.got), p.got)
	}
	for _, m := range p.got {
		if head, _, _ := strings.Cut(m, "\r\n\r\n"); strings.Contains(head, "\nForged") || !strings.Contains(head, "ops@example.com") {
			t.Error(head)
		}
	}
}

// record is RFC 5424 §6 as far as Aerie uses it: 16*8+3 is local0.err.
var record = regexp.MustCompile(`^<(131|133)>1 2026-07-01T\d\d:\d\d:\d\d\.\d{3}Z cloud_1 aerie \d+ ALERT\.COMPUTE\.HOST \[origin software="aerie"\] ` +
	"\ufeff" + `(raised|cleared): Host kvm-1 Forged: yes does not answer\. \([0-9a-f-]{36}\)$`)

func (w *world) twoRecords(first, second string) {
	w.Helper()
	a, b := record.FindStringSubmatch(first), record.FindStringSubmatch(second)
	if a == nil || b == nil || a[1]+a[2] != "131raised" || b[1]+b[2] != "133cleared" {
		w.Errorf("%q, %q", first, second)
	}
}

func TestSyslogByDatagram(t *testing.T) {
	for network, address := range map[string]string{"udp": "127.0.0.1:0", "unixgram": filepath.Join(t.TempDir(), "log")} {
		w := newWorld(t)
		in, err := net.ListenPacket(network, address)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		url := "udp://" + in.LocalAddr().String()
		if network == "unixgram" {
			url = "unix://" + address
		}
		w.set("alert.syslog.address", url)
		w.raise()
		w.clear()
		w.round()
		var got []string
		for range 2 {
			b := make([]byte, 2048)
			_ = in.SetReadDeadline(time.Now().Add(5 * time.Second))
			n, _, err := in.ReadFrom(b)
			if err != nil {
				t.Fatal(network, err)
			}
			got = append(got, string(b[:n]))
		}
		w.twoRecords(got[0], got[1])
		if w.left() != 0 {
			t.Error("still to tell:", w.left())
		}
	}
}

func TestSyslogByTCPWaitsForItsCollector(t *testing.T) {
	w := newWorld(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	w.set("alert.syslog.address", "tcp://"+l.Addr().String())
	w.raise()
	w.clear()
	w.round()
	if w.left() != 2 {
		t.Fatal("lost while the collector was down:", w.left())
	}
	if l, err = net.Listen("tcp", l.Addr().String()); err != nil {
		t.Skip("the port was taken meanwhile")
	}
	defer l.Close()
	got := make(chan []string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		var all []string
		r := bufio.NewReader(c)
		for {
			size, err := r.ReadString(' ')
			if err != nil {
				got <- all
				return
			}
			n := 0
			for _, d := range strings.TrimSpace(size) {
				n = n*10 + int(d-'0')
			}
			b := make([]byte, n)
			_, _ = io.ReadFull(r, b)
			all = append(all, string(b))
		}
	}()
	w.round()
	all := <-got
	if len(all) != 2 {
		t.Fatal(all)
	}
	w.twoRecords(all[0], all[1])
	w.round()
	if w.left() != 0 {
		t.Error("told again:", w.left())
	}
}

func TestWithoutAnAddressNobodyIsTold(t *testing.T) {
	w := newWorld(t)
	w.raise()
	w.round()
	if w.left() != 0 {
		t.Error("notices pile up:", w.left())
	}
	for name, bad := range map[string]string{
		"alert.email.addresses": "ops@example.com, not one", "alert.syslog.address": "http://collector",
	} {
		if _, err := w.config.Set(w.ctx, name, bad); !fault.Is(err, fault.Invalid) {
			t.Error(name, err)
		}
	}
}
