// Package mail sends plain text by SMTP. A message is a row of a job from the
// moment its transaction commits: a mail server that is down delays it and
// fails no command.
package mail

import (
	"context"
	"crypto/x509"
	"log/slog"
	netmail "net/mail"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aerie/services/config"
	"aerie/services/fault"
	"aerie/services/job"
	"aerie/services/store"
)

// Message is what is sent. Each of To gets the same text.
type Message struct {
	To      []string // addresses, with names or without
	Subject string
	Text    string
}

// Service delivers the messages of all senders.
type Service struct {
	db      *store.DB
	jobs    *job.Engine
	log     *slog.Logger
	senders map[string]*Sender
	trust   *x509.CertPool // of mail servers' certificates; nil: the system's
}

// New tells the engine the job that delivers. Log hears of what could not be
// sent; nil for nobody.
func New(db *store.DB, jobs *job.Engine, log *slog.Logger) *Service {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Service{db: db, jobs: jobs, log: log, senders: map[string]*Sender{}}
	job.Define(jobs, kind, job.Do("send", s.deliver, nil)).Timeout(2 * time.Minute)
	return s
}

// Sender sends by the mail server of one set of settings.
type Sender struct {
	name     string
	of       *Service
	host     config.Value[string]
	port     config.Value[int]
	security config.Value[string]
	auth     config.Value[bool]
	username config.Value[string]
	password config.Value[string]
	from     config.Value[string]
	timeout  config.Value[time.Duration]
}

// How a connection to the mail server is protected.
const (
	None     = "none"     // nothing; only within one machine or a network of one's own
	StartTLS = "starttls" // the default
	TLS      = "tls"      // from the first byte
)

// Sender declares the settings of a mail server, under CloudStack's names, for
// a prefix such as project or alert.
func (s *Service) Sender(c *config.Service, prefix, category string) *Sender {
	c.Declare(config.Setting{
		Name: prefix + ".smtp.security", Category: category, Kind: config.Text, Default: StartTLS,
		Choices: []string{StartTLS, TLS, None}, Dynamic: true,
	})
	o := &Sender{
		name: prefix, of: s,
		host:     c.String(prefix+".smtp.host", category, ""),
		port:     c.Int(prefix+".smtp.port", category, 587, 1, 65535),
		security: c.Text(prefix + ".smtp.security"),
		auth:     c.Bool(prefix+".smtp.useAuth", category, false),
		username: c.String(prefix+".smtp.username", category, ""),
		password: c.Secret(prefix+".smtp.password", category),
		from:     c.String(prefix+".email.sender", category, ""),
		timeout:  c.Duration(prefix+".smtp.timeout", category, 30*time.Second, time.Millisecond),
	}
	s.senders[prefix] = o
	return o
}

// Ready tells whether there is a mail server and a sender's address.
func (o *Sender) Ready(ctx context.Context) bool {
	return o.host.Get(ctx) != "" && o.from.Get(ctx) != ""
}

// Send hands a message over. In a transaction it goes out when that commits and
// never when it does not. An address or a subject that would break out of its
// header is refused with fault.Invalid, a sender without a server with
// fault.Conflict.
func (o *Sender) Send(ctx context.Context, m Message) error {
	to, err := addresses(m.To)
	if err != nil {
		return err
	}
	if strings.ContainsFunc(m.Subject, control) || !utf8.ValidString(m.Subject) || !utf8.ValidString(m.Text) {
		return fault.New(fault.Invalid, "error.mail_text")
	}
	if !o.Ready(ctx) {
		return fault.New(fault.Conflict, "error.mail_off", "setting", o.name+".smtp.host")
	}
	// A message may hold a key, such as that of an invitation.
	sealed, err := o.of.db.Seal(m.Text)
	if err != nil {
		return err
	}
	ctx = store.System(ctx, "mail is the cloud's own")
	_, err = o.of.jobs.Submit(ctx, job.Spec{
		Kind: kind, Owner: store.Owner{DomainPath: "/"}, Object: "mail", ObjectName: clip(m.Subject),
		State: parcel{Sender: o.name, To: to, Subject: m.Subject, Text: string(sealed), Since: o.of.db.Now().UnixMilli()},
	})
	return err
}

// Address tells whether a text is one mail address without a name.
func Address(text string) bool {
	a, err := netmail.ParseAddress(text)
	return err == nil && a.Address == text && !strings.ContainsFunc(text, control)
}

// addresses reads addresses and drops repetitions.
func addresses(list []string) ([]string, error) {
	var out []string
	for _, text := range list {
		a, err := netmail.ParseAddress(text)
		if err != nil || strings.ContainsFunc(text, control) {
			return nil, fault.Param("email", "error.mail_address", "value", clip(text))
		}
		out = append(out, a.String())
	}
	slices.Sort(out)
	if out = slices.Compact(out); len(out) == 0 {
		return nil, fault.Param("email", "error.mail_nobody")
	}
	return out, nil
}

// control tells what must not be in a header's line.
func control(r rune) bool { return r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 }

// clip keeps a text within the column of an object's name.
func clip(text string) string {
	r := []rune(text)
	return string(r[:min(len(r), 255)])
}
