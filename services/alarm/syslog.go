package alarm

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"time"

	"aerie/services/event"
	"aerie/services/fault"
)

// collector refuses what is no address of a syslog collector: udp://host:514,
// tcp://host:601 or unix:///dev/log.
func collector(text string) error {
	_, _, err := dialing(text)
	if err != nil {
		return fault.Param("value", "error.syslog_address", "value", text)
	}
	return nil
}

func dialing(text string) (network, address string, err error) {
	u, err := url.Parse(text)
	if err != nil {
		return "", "", err
	}
	switch u.Scheme {
	case "udp", "tcp":
		host, port, err := net.SplitHostPort(u.Host)
		n, bad := strconv.ParseUint(port, 10, 16)
		if err != nil || host == "" || bad != nil || n == 0 || u.Path != "" {
			return "", "", fmt.Errorf("not host:port: %q", u.Host)
		}
		return u.Scheme, u.Host, nil
	case "unix":
		if u.Host != "" || len(u.Path) < 2 {
			return "", "", fmt.Errorf("not a path: %q", text)
		}
		return "unixgram", u.Path, nil
	}
	return "", "", fmt.Errorf("not udp, tcp or unix: %q", u.Scheme)
}

// A collector that does not answer is asked again soon at first and then every
// half hour.
const (
	soonest = 10 * time.Second
	slowest = 30 * time.Minute
	patient = 5 * time.Second
)

// logs sends notices to the collector, in their order. The first that fails
// waits and with it those behind. Without a collector nobody is told.
func (s *Service) logs(ctx context.Context) error {
	address := s.address.Get(ctx)
	for {
		list, alerts, err := event.Untold(ctx, s.db, event.Syslog, most)
		if err != nil || len(list) == 0 {
			return err
		}
		if address != "" && list[0].DueAt > s.db.Now().UnixMilli() {
			return nil
		}
		if more, err := s.batch(ctx, address, list, alerts); !more || err != nil {
			return err
		}
	}
}

// batch sends notices by one connection; more tells whether to go on.
func (s *Service) batch(ctx context.Context, address string, list []event.Notice, alerts map[string]event.AlertRow) (more bool, err error) {
	var to net.Conn
	if address != "" {
		if to, err = dial(ctx, address); err != nil {
			return false, s.delay(ctx, list[0], err)
		}
		defer to.Close()
	}
	for _, n := range list {
		if a := alerts[n.AlertID]; to != nil && a.ID != "" {
			if err := send(to, s.record(ctx, n, a)); err != nil {
				return false, s.delay(ctx, n, err)
			}
		}
		if _, err := event.Told(ctx, s.db, n); err != nil {
			return false, err
		}
	}
	return len(list) == most, nil
}

func (s *Service) delay(ctx context.Context, n event.Notice, why error) error {
	s.log.WarnContext(ctx, "syslog collector", "error", why, "tries", n.Tries+1)
	return event.Delay(ctx, s.db, n, s.db.Now().Add(min(soonest<<min(n.Tries, 10), slowest)), why)
}

func dial(ctx context.Context, address string) (net.Conn, error) {
	network, at, err := dialing(address)
	if err != nil {
		return nil, err
	}
	return (&net.Dialer{Timeout: patient}).DialContext(ctx, network, at)
}

// send writes one record: by datagram as it is, by TCP with its length before
// (RFC 6587 §3.4.1).
func send(to net.Conn, record string) error {
	if err := to.SetWriteDeadline(time.Now().Add(patient)); err != nil {
		return err
	}
	if to.RemoteAddr().Network() == "tcp" {
		record = strconv.Itoa(len(record)) + " " + record
	}
	_, err := to.Write([]byte(record))
	return err
}

// Severities of RFC 5424 §6.2.1.
const (
	severityError  = 3
	severityNotice = 5
)

// record is the notice as RFC 5424 §6 has it.
func (s *Service) record(ctx context.Context, n event.Notice, a event.AlertRow) string {
	severity, at := severityError, a.CreatedAt
	if n.Phase == event.Cleared {
		severity = severityNotice
		if a.ResolvedAt != nil {
			at = *a.ResolvedAt
		}
	}
	host := s.host
	if host == "" {
		host = "-"
	}
	return fmt.Sprintf("<%d>1 %s %s aerie %d %s [origin software=\"aerie\"] \ufeff%s: %s (%s)",
		s.facility.Get(ctx)*8+severity, at.UTC().Format("2006-01-02T15:04:05.000Z07:00"), token(host, 255), os.Getpid(), token(a.Name, 32),
		n.Phase, oneLine(a.Text(english())), a.ID)
}

// token keeps a header's field within its printable ASCII characters.
func token(text string, most int) string {
	out := []byte(text[:min(len(text), most)])
	for i, c := range out {
		if c <= ' ' || c > '~' {
			out[i] = '_'
		}
	}
	return string(out)
}
