package iam

import (
	"context"
	"sync"
	"time"

	"gorm.io/gorm"

	"aerie/services/config"
	"aerie/services/fault"
	"aerie/services/store"
)

// Throttle holds every account to so many calls in a time, all servers
// together. Root administrators are not held.
type Throttle struct {
	db        *store.DB
	enabled   config.Value[bool]
	interval  config.Value[time.Duration]
	most      config.Value[int]
	cachesize config.Value[int]

	mu   sync.Mutex
	held map[string]hold
}

// hold is what this server has taken of an account's calls and not used yet.
type hold struct{ till, left int64 }

// calls is an account's row: what servers have taken until its time is over.
type calls struct {
	AccountID string `gorm:"primaryKey"`
	Till      int64  // unix ms
	Issued    int64
}

// TableName is the table of calls.
func (calls) TableName() string { return "api_calls" }

// Rate is how an account stands.
type Rate struct {
	Issued, Allowed int           // so far, and still
	Expires         time.Duration // until it begins anew
}

// NewThrottle declares the settings of the rate limit, under CloudStack's names.
func NewThrottle(db *store.DB, c *config.Service) *Throttle {
	return &Throttle{
		db: db, held: map[string]hold{},
		enabled:   c.Bool("api.throttling.enabled", "Advanced", false),
		interval:  c.Duration("api.throttling.interval", "Advanced", time.Second, time.Second),
		most:      c.Int("api.throttling.max", "Advanced", 25, 1, 1_000_000),
		cachesize: c.Int("api.throttling.cachesize", "Advanced", 50_000, 1, 10_000_000),
	}
}

// Allow counts a call of the actor's account, or refuses it with fault.TooMany.
func (t *Throttle) Allow(ctx context.Context, a store.Actor) error {
	if a.IsSystem() || a.Rank == store.Admin || a.AccountID == "" || !t.enabled.Get(ctx) {
		return nil
	}
	now := t.db.Now().UnixMilli()
	if t.spend(a.AccountID, now) {
		return nil
	}
	got, till, err := t.take(ctx, a.AccountID, now)
	if err != nil {
		return err
	}
	if got == 0 {
		return fault.New(fault.TooMany, "error.api_limit", "wait", max(till-now, 1))
	}
	t.keep(ctx, a.AccountID, hold{till, got - 1}, now)
	return nil
}

func (t *Throttle) spend(account string, now int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.held[account]
	if h.left <= 0 || h.till <= now {
		return false
	}
	h.left--
	t.held[account] = h
	return true
}

// keep remembers what is left of a batch, for no more accounts than the setting
// says: what is forgotten counts as used.
func (t *Throttle) keep(ctx context.Context, account string, h hold, now int64) {
	most := t.cachesize.Get(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	if old := t.held[account]; old.till == h.till {
		h.left += old.left // another call took a batch meanwhile
	}
	if _, known := t.held[account]; !known && len(t.held) >= most {
		for id, o := range t.held {
			if o.till <= now || len(t.held) >= most {
				delete(t.held, id)
			}
		}
	}
	t.held[account] = h
}

// take gets a batch of calls from the account's row, which all servers share.
func (t *Throttle) take(ctx context.Context, account string, now int64) (got, till int64, err error) {
	ctx = store.System(ctx, "count an account's calls")
	most, end := int64(t.most.Get(ctx)), now+max(t.interval.Get(ctx), time.Second).Milliseconds()
	err = t.db.Tx(ctx, func(ctx context.Context) error {
		for {
			rows, err := gorm.G[calls](t.db.In(ctx)).Where("account_id = ?", account).Find(ctx)
			if err != nil {
				return err
			}
			if len(rows) == 0 {
				got, till = batchOf(most), end
				err := gorm.G[calls](t.db.In(ctx)).Create(ctx, &calls{account, end, got})
				if store.IsDuplicate(err) {
					continue
				}
				return err
			}
			var mine bool
			if got, till, mine, err = t.claim(ctx, rows[0], most, now, end); mine || err != nil {
				return err
			}
		}
	})
	return got, till, err
}

// claim takes a batch if the row is still as it was read, or as much as is left
// of it; mine is false when another call was faster.
func (t *Throttle) claim(ctx context.Context, r calls, most, now, end int64) (got, till int64, mine bool, err error) {
	got, till = batchOf(most-r.Issued), r.Till
	set := map[string]any{"issued": r.Issued + got}
	if r.Till <= now || r.Till > end { // over, or of a longer interval than there is now
		got, till = batchOf(most), end
		set = map[string]any{"issued": got, "till": end}
	} else if got == 0 {
		return 0, till, true, nil
	}
	res := t.db.In(ctx).Model(&calls{}).Where("account_id = ? AND till = ? AND issued = ?", r.AccountID, r.Till, r.Issued).Updates(set)
	return got, till, res.RowsAffected == 1, res.Error
}

// batchOf is how many of the calls that are left one server takes at once: few,
// for what it does not use nobody does, and one at a time towards the end.
func batchOf(left int64) int64 {
	if left <= 0 {
		return 0
	}
	return min(max(left/32, 1), 16)
}

// Rate tells how an account stands. What servers hold counts as issued, but for
// what this one holds.
func (t *Throttle) Rate(ctx context.Context, account string) (Rate, error) {
	most, now := t.most.Get(ctx), t.db.Now().UnixMilli()
	rows, err := gorm.G[calls](t.db.In(store.System(ctx, "an account's calls"))).Where("account_id = ? AND till > ?", account, now).Find(ctx)
	if err != nil || len(rows) == 0 {
		return Rate{Allowed: most, Expires: t.interval.Get(ctx)}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	issued := int(rows[0].Issued)
	if h := t.held[account]; h.till == rows[0].Till {
		issued -= int(h.left)
	}
	return Rate{issued, max(0, most-issued), time.Duration(rows[0].Till-now) * time.Millisecond}, nil
}

// Told is what listCapabilities says: the time in seconds and how many calls
// it has, nothing while calls are not limited.
func (t *Throttle) Told(ctx context.Context) (seconds, most int) {
	if !t.enabled.Get(ctx) {
		return 0, 0
	}
	return int(t.interval.Get(ctx) / time.Second), t.most.Get(ctx)
}

// Reset lets an account, or with "" every one, begin anew.
func (t *Throttle) Reset(ctx context.Context, account string) error {
	ctx = store.System(ctx, "calls begin anew")
	return t.db.Tx(ctx, func(ctx context.Context) error {
		q := t.db.In(ctx).Where("account_id <> ''")
		if account != "" {
			q = t.db.In(ctx).Where("account_id = ?", account)
		}
		t.db.AfterCommit(ctx, func() { t.forget(account) })
		return q.Delete(&calls{}).Error
	})
}

func (t *Throttle) forget(account string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if account == "" {
		clear(t.held)
	}
	delete(t.held, account)
}
