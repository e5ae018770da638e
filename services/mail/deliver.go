package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	gomail "github.com/wneessen/go-mail"

	"aerie/services/fault"
	"aerie/services/job"
	"aerie/services/store"
)

const kind = "mail.send"

// parcel is a message on its way. Text is sealed.
type parcel struct {
	Sender  string
	To      []string
	Subject string
	Text    string
	Since   int64 // unix ms
	Tries   int
}

// A message is tried for two days, as mail servers do: soon again at first,
// then every half hour.
const (
	giveUp  = 48 * time.Hour
	soonest = 10 * time.Second
	slowest = 30 * time.Minute
)

// deliver sends a message. Run twice it may send it twice, with one Message-ID,
// by which mailboxes know it again.
func (s *Service) deliver(ctx context.Context, p *parcel) error {
	o := s.senders[p.Sender]
	if o == nil {
		return fmt.Errorf("mail: nobody sends for %q", p.Sender)
	}
	err := o.transmit(ctx, p)
	if err == nil {
		return nil
	}
	age := s.db.Now().Sub(time.UnixMilli(p.Since))
	if lasting(err) || age >= giveUp {
		s.log.WarnContext(ctx, "a mail was not sent", "sender", p.Sender, "age", age, "error", err)
		return fault.New(fault.Conflict, "error.mail_refused").Because(err)
	}
	p.Tries++
	return job.Later(wait(p.Tries), err.Error())
}

// wait is how long to wait after so many failures.
func wait(tries int) time.Duration {
	return min(soonest<<min(tries-1, 10), slowest)
}

// lasting tells a refusal of this message from a server that cannot just now.
func lasting(err error) bool {
	var refused *gomail.SendError
	return errors.As(err, &refused) && !refused.IsTemp() && refused.ErrorCode() >= 500
}

// transmit talks to the mail server once.
func (o *Sender) transmit(ctx context.Context, p *parcel) error {
	m, err := o.message(ctx, p)
	if err != nil {
		return err
	}
	client, err := o.client(ctx)
	if err != nil {
		return err
	}
	return client.DialAndSendWithContext(ctx, m)
}

func (o *Sender) message(ctx context.Context, p *parcel) (*gomail.Msg, error) {
	text, err := o.of.db.Reveal(store.Secret(p.Text))
	if err != nil {
		return nil, err
	}
	m := gomail.NewMsg()
	if err := m.From(o.from.Get(ctx)); err != nil {
		return nil, fmt.Errorf("the sender's address: %w", err)
	}
	if err := m.To(p.To...); err != nil {
		return nil, err
	}
	m.Subject(p.Subject)
	m.SetDateWithValue(o.of.db.Now())
	if info := job.From(ctx); info != nil {
		m.SetMessageIDWithValue(info.ID + "@aerie")
	}
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody answers by machine
	m.SetBodyString(gomail.TypeTextPlain, text)
	return m, nil
}

func (o *Sender) client(ctx context.Context) (*gomail.Client, error) {
	opts := []gomail.Option{
		gomail.WithPort(o.port.Get(ctx)), gomail.WithTimeout(max(o.timeout.Get(ctx), time.Second)), gomail.WithoutNoop(),
	}
	switch o.security.Get(ctx) {
	case TLS:
		opts = append(opts, gomail.WithSSL())
	case None:
		opts = append(opts, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if o.auth.Get(ctx) {
		// A password goes out in the clear only where that was asked for.
		how := gomail.SMTPAuthAutoDiscover
		if o.security.Get(ctx) == None {
			how = gomail.SMTPAuthPlainNoEnc
		}
		opts = append(opts, gomail.WithSMTPAuth(how), gomail.WithUsername(o.username.Get(ctx)), gomail.WithPassword(o.password.Get(ctx)))
	}
	host := o.host.Get(ctx)
	if o.of.trust != nil {
		opts = append(opts, gomail.WithTLSConfig(&tls.Config{RootCAs: o.of.trust, ServerName: host, MinVersion: tls.VersionTLS12}))
	}
	return gomail.NewClient(host, opts...)
}
