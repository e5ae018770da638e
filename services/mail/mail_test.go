package mail_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"aerie/services/config"
	"aerie/services/fault"
	"aerie/services/job"
	"aerie/services/mail"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

// sink is a mail server that keeps what it gets.
type sink struct {
	mu      sync.Mutex
	got     []string // "from → to\n" and the message
	refuse  *smtp.SMTPError
	login   bool // only with user and password
	address string
}

func (s *sink) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{sink: s}, nil }

type session struct {
	*sink
	known bool
	text  string
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		s.known = username == "aerie" && password == "Secret-1"
		if !s.known {
			return errors.New("wrong")
		}
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.login && !s.known {
		return smtp.ErrAuthRequired
	}
	s.text = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse != nil {
		return s.refuse
	}
	s.text += " → " + to
	return nil
}

func (s *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, s.text+"\n"+string(b))
	return err
}

func (*session) Reset() {}

func (*session) Logout() error { return nil }

// listen starts the server; with a certificate it offers STARTTLS.
func (s *sink) listen(t *testing.T, with *tls.Config) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(s)
	server.Domain, server.TLSConfig, server.AllowInsecureAuth = "sink.test", with, true
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	s.address = l.Addr().String()
}

func (s *sink) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got
}

type world struct {
	*testing.T
	db     *store.DB
	now    time.Time
	config *config.Service
	jobs   *job.Engine
	mail   *mail.Service
	sender *mail.Sender
	ctx    context.Context
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, now: time.Now(), ctx: store.With(t.Context(), store.Actor{UserID: "u", Rank: store.Admin})}
	w.db = storetest.OpenWith(t, func() time.Time { return w.now })
	w.config, w.jobs = config.New(w.db), job.New(w.db, job.Options{Name: "a"})
	w.mail = mail.New(w.db, w.jobs, nil)
	w.sender = w.mail.Sender(w.config, "project", "Project Defaults")
	return w
}

func (w *world) set(name, value string) {
	w.Helper()
	if _, err := w.config.Set(w.ctx, "project."+name, value); err != nil {
		w.Fatal(name, err)
	}
}

func (w *world) use(s *sink) {
	w.Helper()
	host, port, _ := net.SplitHostPort(s.address)
	w.set("smtp.host", host)
	w.set("smtp.port", port)
	w.set("email.sender", "Aerie <cloud@example.com>")
}

func (w *world) send(m mail.Message) {
	w.Helper()
	if err := w.sender.Send(w.ctx, m); err != nil {
		w.Fatal(err)
	}
}

func (w *world) work() {
	w.Helper()
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

func (w *world) only() (row job.Row) {
	w.Helper()
	if err := w.db.In(store.System(w.Context(), "test")).Take(&row).Error; err != nil {
		w.Fatal(err)
	}
	return row
}

var hello = mail.Message{To: []string{"amy@example.com"}, Subject: "Grüße", Text: "Hello, the key is 4711-token.\n"}

func TestMailArrives(t *testing.T) {
	w, s := newWorld(t), &sink{}
	s.listen(t, nil)
	w.use(s)
	w.set("smtp.security", mail.None)
	w.send(mail.Message{To: []string{"Amy <amy@example.com>", "bob@example.com", "bob@example.com"}, Subject: hello.Subject, Text: hello.Text})
	if state := string(w.only().State); strings.Contains(state, "4711") {
		t.Error("the text is readable in the database:", state)
	}
	w.work()
	got := s.all()
	if len(got) != 1 {
		t.Fatal(got, w.only().Error)
	}
	for _, want := range []string{
		"cloud@example.com → amy@example.com → bob@example.com", "4711-token", "Subject: =?UTF-8?q?Gr=C3=BC=C3=9Fe?=",
		"Message-ID: <" + w.only().ID, "Auto-Submitted: auto-generated",
	} {
		if !strings.Contains(got[0], want) {
			t.Errorf("no %q in\n%s", want, got[0])
		}
	}
}

func TestDeadServerDelaysAndFailsNothing(t *testing.T) {
	w, s := newWorld(t), &sink{}
	s.listen(t, nil)
	w.use(s)
	w.set("smtp.security", mail.None)
	l, err := net.Listen("tcp", "127.0.0.1:0") // a port where nobody listens
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	w.set("smtp.port", port)
	w.send(hello)
	for range 20 {
		w.work()
		w.now = w.now.Add(30 * time.Minute)
	}
	if row := w.only(); !row.Status.Live() {
		t.Fatal("ten hours without a server ended it:", row.Error)
	}
	_, port, _ = net.SplitHostPort(s.address)
	w.set("smtp.port", port)
	w.now = w.now.Add(30 * time.Minute)
	w.work()
	if len(s.all()) != 1 || w.only().Status != job.Succeeded {
		t.Error("not sent when the server was back", w.only().Status, w.only().Error)
	}
}

func TestServerRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		with *smtp.SMTPError
		want job.Status
	}{
		{"an unknown mailbox is for ever", &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}, job.Failed},
		{"a full one for now", &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 2, 2}, Message: "full"}, job.Running},
	} {
		w, s := newWorld(t), &sink{refuse: c.with}
		s.listen(t, nil)
		w.use(s)
		w.set("smtp.security", mail.None)
		w.send(hello)
		w.work()
		if row := w.only(); row.Status != c.want {
			t.Errorf("%s: %s %s", c.name, row.Status, row.Error)
		}
		w.now = w.now.Add(49 * time.Hour)
		w.work()
		if row := w.only(); row.Status != job.Failed {
			t.Errorf("%s: after two days %s", c.name, row.Status)
		}
	}
}

func TestTLSAndPassword(t *testing.T) {
	web := httptest.NewUnstartedServer(nil)
	web.StartTLS() // only for its certificate, for 127.0.0.1
	defer web.Close()
	pool := x509.NewCertPool()
	pool.AddCert(web.Certificate())
	for _, c := range []struct {
		name, security, password string
		offer, trust             bool
		want                     int
	}{
		{"STARTTLS with a password", mail.StartTLS, "Secret-1", true, true, 1},
		{"a wrong password", mail.StartTLS, "Wrong", true, true, 0},
		{"a certificate of nobody's", mail.StartTLS, "Secret-1", true, false, 0},
		{"a server that does not offer it", mail.StartTLS, "Secret-1", false, true, 0},
		{"in the clear where that is asked for", mail.None, "Secret-1", false, true, 1},
	} {
		w, s := newWorld(t), &sink{login: true}
		var with *tls.Config
		if c.offer {
			with = &tls.Config{Certificates: web.TLS.Certificates, MinVersion: tls.VersionTLS12}
		}
		s.listen(t, with)
		w.use(s)
		w.set("smtp.security", c.security)
		w.set("smtp.useAuth", "true")
		w.set("smtp.username", "aerie")
		w.set("smtp.password", c.password)
		if c.trust {
			w.mail.Trust(pool)
		} else {
			w.mail.Trust(x509.NewCertPool())
		}
		w.send(hello)
		w.work()
		if got := s.all(); len(got) != c.want {
			t.Errorf("%s: %d mails", c.name, len(got))
		}
	}
}

func TestWhatIsRefusedAtOnce(t *testing.T) {
	w := newWorld(t)
	if err := w.sender.Send(w.ctx, hello); !fault.Is(err, fault.Conflict) {
		t.Error("without a server:", err)
	}
	w.set("smtp.host", "127.0.0.1")
	w.set("email.sender", "cloud@example.com")
	for name, m := range map[string]mail.Message{
		"a subject of two lines":     {To: hello.To, Subject: "Hello\r\nBcc: eve@example.com", Text: "x"},
		"an address with a line":     {To: []string{"amy@example.com\r\nBcc: eve@example.com"}, Subject: "x", Text: "x"},
		"a name with a line":         {To: []string{"\"Amy\r\nBcc: eve@example.com\" <amy@example.com>"}, Subject: "x", Text: "x"},
		"what is no address":         {To: []string{"amy"}, Subject: "x", Text: "x"},
		"nobody":                     {Subject: "x", Text: "x"},
		"what is not Unicode at all": {To: hello.To, Subject: "x\xff", Text: "x"},
	} {
		if err := w.sender.Send(w.ctx, m); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMailWaitsForItsTransaction(t *testing.T) {
	w := newWorld(t)
	w.set("smtp.host", "127.0.0.1")
	w.set("email.sender", "cloud@example.com")
	_ = w.db.Tx(w.ctx, func(ctx context.Context) error {
		if err := w.sender.Send(ctx, hello); err != nil {
			t.Error(err)
		}
		return errors.New("undone")
	})
	var n int64
	if w.db.In(store.System(t.Context(), "test")).Model(&job.Row{}).Count(&n); n != 0 {
		t.Error("a mail of what did not happen")
	}
}

func TestPasswordIsShownToNobody(t *testing.T) {
	w := newWorld(t)
	w.set("smtp.password", "Secret-1")
	stored, err := w.config.Get(w.ctx, "project.smtp.password")
	if err != nil || strings.Contains(stored, "Secret-1") || stored == "" {
		t.Error("stored as", stored, err)
	}
	if old, err := w.config.Set(w.ctx, "project.smtp.password", "Secret-2"); err != nil || old != "•••" {
		t.Error("the old one was", old, err)
	}
}
