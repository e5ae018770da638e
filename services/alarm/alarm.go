// Package alarm tells operators of alerts, by mail and by syslog: once when
// trouble begins and once when it is over. What is to be told is a row from the
// transaction that raised or cleared the alert, so nothing is lost when a mail
// server or a collector is down, and nothing is told twice when it is back.
package alarm

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"aerie/locales"
	"aerie/services/config"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/mail"
	"aerie/services/store"
)

// Service tells of alerts.
type Service struct {
	db       *store.DB
	log      *slog.Logger
	mail     *mail.Sender
	to       config.Value[string]
	address  config.Value[string]
	facility config.Value[int]
	host     string
}

// New declares the settings. Sender sends by the settings that begin with
// alert; host is what syslog calls this server.
func New(db *store.DB, c *config.Service, sender *mail.Sender, host string, log *slog.Logger) *Service {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c.Declare(config.Setting{Name: "alert.email.addresses", Category: "Alert", Kind: config.CSV, Dynamic: true, Check: addresses})
	c.Declare(config.Setting{Name: "alert.syslog.address", Category: "Alert", Kind: config.Text, Dynamic: true, Check: collector})
	return &Service{
		db: db, log: log, mail: sender, host: host,
		to: c.Text("alert.email.addresses"), address: c.Text("alert.syslog.address"),
		facility: c.Int("alert.syslog.facility", "Alert", 16, 0, 23),
	}
}

// addresses refuses what is no list of mail addresses.
func addresses(list string) error {
	for a := range strings.SplitSeq(list, ",") {
		if a = strings.TrimSpace(a); !mail.Address(a) {
			return fault.Param("value", "error.mail_address", "value", a)
		}
	}
	return nil
}

// most is how many notices one look takes.
const most = 100

// Round tells what is to be told. A channel that fails does not hold up the
// other.
func (s *Service) Round(ctx context.Context) error {
	ctx = store.System(ctx, "tell operators of alerts")
	return errors.Join(s.mails(ctx), s.logs(ctx))
}

// mails hands notices over to the mail service, which goes on trying by itself.
// Without an address nobody is told.
func (s *Service) mails(ctx context.Context) error {
	for {
		list, alerts, err := event.Untold(ctx, s.db, event.Mail, most)
		if err != nil {
			return err
		}
		for _, n := range list {
			if err := s.post(ctx, n, alerts[n.AlertID]); err != nil {
				return err
			}
		}
		if len(list) < most {
			return nil
		}
	}
}

// post ends the notice and hands its mail over in one transaction.
func (s *Service) post(ctx context.Context, n event.Notice, a event.AlertRow) error {
	to := s.to.Get(ctx)
	if a.ID == "" || to == "" || !s.mail.Ready(ctx) {
		_, err := event.Told(ctx, s.db, n)
		return err
	}
	m := message(n.Phase, a)
	for address := range strings.SplitSeq(to, ",") {
		m.To = append(m.To, strings.TrimSpace(address))
	}
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		was, err := event.Told(ctx, s.db, n)
		if err != nil || !was {
			return err
		}
		return s.mail.Send(ctx, m)
	})
	if fault.Is(err, fault.Invalid) { // it never can be sent
		s.log.WarnContext(ctx, "an alert was not mailed", "alert", a.ID, "error", err)
		_, err = event.Told(ctx, s.db, n)
	}
	return err
}

// english is the language of what no person asked for.
func english() context.Context { return locales.With(context.Background(), locales.Fallback) }

func message(p event.Phase, a event.AlertRow) mail.Message {
	ctx := english()
	text := a.Text(ctx)
	at := a.CreatedAt
	if p == event.Cleared && a.ResolvedAt != nil {
		at = *a.ResolvedAt
	}
	when := at.UTC().Format(time.RFC3339)
	return mail.Message{
		Subject: oneLine(locales.T(ctx, "alert.mail."+string(p), "kind", a.Name, "text", clip(text, 120))),
		Text:    locales.T(ctx, "alert.mail."+string(p)+"_text", "kind", a.Name, "text", text, "time", when, "id", a.ID) + "\n",
	}
}

// oneLine takes out what would end a line.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "�"))
}

func clip(text string, most int) string {
	r := []rune(text)
	return string(r[:min(len(r), most)])
}
