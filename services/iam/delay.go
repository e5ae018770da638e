package iam

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/store"
)

// loginDelay counts failed logins of a name from an address, of a name and of
// an address. It is in the database, so that all servers wait alike.
type loginDelay struct {
	ID           string `gorm:"primaryKey"`
	Failures     int64
	Tries        int64 // version of the row
	LastAt       time.Time
	WaitUntil    time.Time
	TrustedUntil *time.Time // the name signed in from the address
}

// TableName is the table of login delays.
func (loginDelay) TableName() string { return "login_delays" }

// delayRule says how failures make the next try wait: not for the first free
// ones, then a second, doubling up to the cap.
type delayRule struct {
	free int64
	cap  time.Duration
}

// The rules. A name alone waits little, whoever fails, and not at all from an
// address where it has signed in before: nobody can lock anybody out.
var (
	pairRule    = delayRule{3, 15 * time.Minute}
	nameRule    = delayRule{10, 30 * time.Second}
	addressRule = delayRule{20, 15 * time.Minute}
)

const (
	delayForget = time.Hour           // without a try, failures are forgotten
	trustFor    = 30 * 24 * time.Hour // after a login from an address
	delayTries  = 20                  // to write a delay against others
)

func (r delayRule) wait(failures int64) time.Duration {
	if failures < r.free {
		return 0
	}
	return min(r.cap, time.Second<<min(failures-r.free, 20))
}

// attempt is a login under way. It counts as failed until it is cleared.
type attempt struct {
	s    *Service
	rows []delayed
}

type delayed struct {
	loginDelay
	rule delayRule
	old  bool // the row was there before
}

var errDelayRaced = errors.New("iam: another login wrote the delay")

// attempt counts a try before it is made, so that a thousand at once are no
// better than one after the other; it refuses with fault.TooMany while waiting.
func (s *Service) attempt(ctx context.Context, domain, name, remote string) (*attempt, error) {
	return s.attemptOf(ctx, func() *attempt { return s.newAttempt(domain, name, remote) })
}

func (s *Service) attemptOf(ctx context.Context, begin func() *attempt) (*attempt, error) {
	for range delayTries {
		a := begin()
		err := s.db.Tx(ctx, func(ctx context.Context) error { return a.count(ctx) })
		if !errors.Is(err, errDelayRaced) {
			return a, err
		}
	}
	return nil, waitFault(time.Second)
}

func (s *Service) newAttempt(domain, name, remote string) *attempt {
	domain, name, remote = fold(domain), fold(name), network(remote)
	a := &attempt{s: s, rows: []delayed{
		{loginDelay{ID: digest("pair", domain, name, remote)}, pairRule, false},
		{loginDelay{ID: digest("name", domain, name)}, nameRule, false},
	}}
	if remote != "" {
		a.rows = append(a.rows, delayed{loginDelay{ID: digest("address", remote)}, addressRule, false})
	}
	return a
}

// network is the address, or for IPv6 the /64 that one client has to itself.
func network(remote string) string {
	ip, err := netip.ParseAddr(remote)
	if err != nil {
		return remote
	}
	ip = ip.Unmap()
	if ip.Is4() {
		return ip.String()
	}
	p, _ := ip.WithZone("").Prefix(64) // 64 fits any IPv6 address
	return p.String()
}

func (a *attempt) count(ctx context.Context) error {
	now := a.s.db.Now()
	if err := a.load(ctx); err != nil {
		return err
	}
	trusted := a.rows[0].TrustedUntil != nil && now.Before(*a.rows[0].TrustedUntil)
	for i := range a.rows {
		if wait := a.rows[i].WaitUntil.Sub(now); wait > 0 && (i != 1 || !trusted) {
			return waitFault(wait)
		}
	}
	for i := range a.rows {
		if err := a.rows[i].fail(ctx, a.s, now); err != nil {
			return err
		}
	}
	return nil
}

func waitFault(wait time.Duration) error {
	seconds := int((wait + time.Second - 1) / time.Second)
	return fault.New(fault.TooMany, "error.login_wait", "seconds", seconds)
}

func (a *attempt) load(ctx context.Context) error {
	ids := make([]string, len(a.rows))
	for i := range a.rows {
		ids[i] = a.rows[i].ID
	}
	have, err := gorm.G[loginDelay](a.s.db.In(ctx)).Where("id IN ?", ids).Find(ctx)
	if err != nil {
		return err
	}
	for i := range a.rows {
		a.rows[i].loginDelay, a.rows[i].old = loginDelay{ID: ids[i]}, false
		for _, row := range have {
			if row.ID == ids[i] {
				a.rows[i].loginDelay, a.rows[i].old = row, true
			}
		}
	}
	return nil
}

// fail counts one failure more, if nobody else has written meanwhile.
func (d *delayed) fail(ctx context.Context, s *Service, now time.Time) error {
	if now.Sub(d.LastAt) > max(delayForget, d.rule.cap) {
		d.Failures = 0
	}
	d.Failures++
	d.Tries++
	d.LastAt, d.WaitUntil = now, now.Add(d.rule.wait(d.Failures))
	if !d.old {
		err := s.db.In(ctx).Create(&d.loginDelay).Error
		if store.IsDuplicate(err) {
			return errDelayRaced
		}
		return err
	}
	return raced(s.db.In(ctx).Model(&loginDelay{}).Where("id = ? AND tries = ?", d.ID, d.Tries-1).
		Updates(map[string]any{"failures": d.Failures, "tries": d.Tries, "last_at": d.LastAt, "wait_until": d.WaitUntil}))
}

func raced(done *gorm.DB) error {
	if done.Error == nil && done.RowsAffected == 0 {
		return errDelayRaced
	}
	return done.Error
}

// succeeded clears the name's failures and trusts the address for the name. The
// address keeps the failures of others.
func (a *attempt) succeeded(ctx context.Context) error {
	if len(a.rows) == 0 { // nobody could guess
		return nil
	}
	return a.s.db.Tx(ctx, func(ctx context.Context) error {
		now := a.s.db.Now()
		set := map[string]any{"failures": 0, "wait_until": now}
		if err := a.set(ctx, 1, set); err != nil {
			return err
		}
		set["trusted_until"] = now.Add(trustFor)
		if err := a.set(ctx, 0, set); err != nil {
			return err
		}
		return a.undo(ctx, 2)
	})
}

// unmade takes the try back: the directory did not answer, so nobody failed.
func (a *attempt) unmade(ctx context.Context) error {
	return a.s.db.Tx(ctx, func(ctx context.Context) error {
		for i := range a.rows {
			if err := a.undo(ctx, i); err != nil {
				return err
			}
		}
		return nil
	})
}

func (a *attempt) set(ctx context.Context, i int, set map[string]any) error {
	return a.s.db.In(ctx).Model(&loginDelay{}).Where("id = ?", a.rows[i].ID).Updates(set).Error
}

func (a *attempt) undo(ctx context.Context, i int) error {
	if i >= len(a.rows) {
		return nil
	}
	return a.s.db.In(ctx).Model(&loginDelay{}).Where("id = ? AND tries = ?", a.rows[i].ID, a.rows[i].Tries).
		Updates(map[string]any{"failures": a.rows[i].Failures - 1, "wait_until": a.s.db.Now()}).Error
}
