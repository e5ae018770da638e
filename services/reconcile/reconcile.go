// Package reconcile runs the loops that keep the world as the rows say: each on
// a timer or a poke, one server at a time, with its last run on record.
package reconcile

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"gorm.io/gorm"

	"aerie/services/store"
)

// Loop is work that is done again and again. Run is idempotent and takes no
// input: it looks at rows and hosts and mends what differs.
type Loop struct {
	Name  string
	Every time.Duration
	// Period takes the place of Every where a setting says how often; then Every
	// is how soon a change of the setting is noticed. 0 is Every.
	Period func(ctx context.Context) time.Duration
	Run    func(ctx context.Context) error
}

func (l Loop) period(ctx context.Context) time.Duration {
	if l.Period != nil {
		if d := l.Period(ctx); d > 0 {
			return d
		}
	}
	return l.Every
}

// Row is a loop's lease and record, one for all servers.
type Row struct {
	Name  string `gorm:"primaryKey"`
	DueAt int64  // unix ms: when to run next, or the end of the lease
	// Epoch is raised by each run, so that a server that was asleep cannot
	// write over its successor.
	Epoch        int64
	Worker       string // who runs it now; empty for nobody
	Runs         int64
	Failures     int64
	LastStart    int64 // unix ms
	LastMS       int64 // how long it took
	LastError    *string
	LastFailedAt int64 // unix ms
}

// TableName is the table of loops.
func (Row) TableName() string { return "loops" }

// Options are what a runner may be told; every zero value has a default.
type Options struct {
	Name  string
	Lease time.Duration // how long a dead server's loop waits (15 s)
	Log   *slog.Logger
	Now   func() time.Time // overrides the database's clock, for tests
}

// Runner runs loops on this server.
type Runner struct {
	db    *store.DB
	o     Options
	name  string
	loops map[string]*loop
	took  *prometheus.HistogramVec

	mu   sync.Mutex
	rand *rand.Rand
}

type loop struct {
	Loop
	poke chan struct{}
}

// ErrLost says that another server runs the loop by now.
var ErrLost = errors.New("reconcile: lease lost")

// New makes a runner without loops.
func New(db *store.DB, o Options) *Runner {
	if o.Name == "" {
		o.Name = "aerie"
	}
	if o.Lease == 0 {
		o.Lease = 15 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = db.Now
	}
	var seed [32]byte
	if _, err := io.ReadFull(db.Rand(), seed[:]); err != nil {
		_, _ = crand.Read(seed[:])
	}
	return &Runner{
		db: db, o: o, name: o.Name[:min(len(o.Name), 60)] + "/" + db.NewID()[24:],
		loops: map[string]*loop{}, rand: rand.New(rand.NewChaCha8(seed)),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "aerie_loop_seconds", Help: "Time of one run of a reconcile loop.", Buckets: []float64{.001, .01, .1, 1, 10, 60, 600},
		}, []string{"loop", "result"}),
	}
}

// Add gives the runner loops; it belongs into the wiring, before Run.
func (r *Runner) Add(loops ...Loop) {
	for _, l := range loops {
		if l.Name == "" || l.Run == nil || l.Every <= 0 || r.loops[l.Name] != nil {
			panic(fmt.Sprintf("reconcile: loop %q has no name, no Run, no Every or a taken name", l.Name))
		}
		r.loops[l.Name] = &loop{l, make(chan struct{}, 1)}
	}
}

// Poke has the loop run as soon as it can, on this server or, when another is
// just running it, right after that. An unknown name is no loop and does nothing.
func (r *Runner) Poke(name string) {
	l := r.loops[name]
	if l == nil {
		return
	}
	select {
	case l.poke <- struct{}{}:
	default:
	}
}

// List returns the record of all loops by name.
func (r *Runner) List(ctx context.Context) ([]Row, error) {
	var rows []Row
	err := r.db.In(ctx).Order("name").Find(&rows).Error
	return rows, err
}

// Run runs the loops until ctx ends, and returns when all have come to rest.
func (r *Runner) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, l := range r.loops {
		wg.Go(func() { r.keep(ctx, l) })
	}
	wg.Wait()
	return nil
}

// keep runs one loop whenever it is due or poked.
func (r *Runner) keep(ctx context.Context, l *loop) {
	poked := false
	for ctx.Err() == nil {
		ran, wait, err := r.once(ctx, l, poked)
		if err != nil {
			r.o.Log.WarnContext(ctx, "loop", "loop", l.Name, "err", err)
		}
		if poked = poked && !ran; poked { // another server is at it: after it once more
			wait = min(wait, r.o.Lease/3, time.Second)
		}
		t := time.NewTimer(r.jitter(wait))
		select {
		case <-ctx.Done():
		case <-t.C:
		case <-l.poke:
			poked = true
		}
		t.Stop()
	}
}

// jitter adds up to a tenth, so that servers do not ask in step.
func (r *Runner) jitter(d time.Duration) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	d = max(d, time.Millisecond)
	return d + time.Duration(r.rand.Int64N(int64(d)/10+1))
}

// Once runs the loop now unless another server runs it, and tells whether it
// ran. The error is the loop's own, or that of its lease.
func (r *Runner) Once(ctx context.Context, name string) (bool, error) {
	l := r.loops[name]
	if l == nil {
		return false, fmt.Errorf("reconcile: no loop %q", name)
	}
	ran, _, err := r.once(ctx, l, true)
	return ran, err
}

// once runs the loop if it can be had, and says how long to wait for the next.
func (r *Runner) once(ctx context.Context, l *loop, poked bool) (ran bool, wait time.Duration, err error) {
	sys := store.System(ctx, "loop "+l.Name)
	row, taken, err := r.take(sys, l, poked)
	if err != nil {
		return false, min(l.Every, 5*time.Second), err
	}
	if !taken {
		wait = time.UnixMilli(row.DueAt).Sub(r.o.Now())
		if l.Period != nil {
			wait = min(wait, l.Every)
		}
		return false, max(wait, 10*time.Millisecond), nil
	}
	err = r.run(sys, l, row)
	return true, l.Every, err
}

// take gets the lease when the loop is due, or when it is poked and nobody has it.
func (r *Runner) take(ctx context.Context, l *loop, poked bool) (row Row, taken bool, err error) {
	row, err = r.find(ctx, l)
	now := r.o.Now().UnixMilli()
	if row.Worker == "" { // a period that was shortened, or a clock set back, must not wait for the old time
		poked = poked || row.DueAt > now+l.period(ctx).Milliseconds()
	}
	if err != nil || row.DueAt > now && (row.Worker != "" || !poked) {
		return row, false, err
	}
	err = r.db.Tx(ctx, func(ctx context.Context) error {
		res := r.db.In(ctx).Model(&Row{}).Where("name = ? AND epoch = ? AND due_at = ?", l.Name, row.Epoch, row.DueAt).Updates(map[string]any{
			"epoch": row.Epoch + 1, "worker": r.name, "due_at": now + r.o.Lease.Milliseconds(), "last_start": now,
		})
		taken = res.RowsAffected == 1
		return res.Error
	})
	row.Epoch++
	row.LastStart = now
	return row, taken && err == nil, err
}

// find reads the loop's row; the first server ever makes it.
func (r *Runner) find(ctx context.Context, l *loop) (Row, error) {
	row := Row{Name: l.Name}
	err := r.db.In(ctx).Where("name = ?", l.Name).Take(&row).Error
	if !store.IsAbsent(err) {
		return row, err
	}
	err = r.db.Tx(ctx, func(ctx context.Context) error { return r.db.In(ctx).Create(&row).Error })
	if store.IsDuplicate(err) { // another server was faster
		err = r.db.In(ctx).Where("name = ?", l.Name).Take(&row).Error
	}
	return row, err
}

// run runs the loop under its lease and writes down how it went.
func (r *Runner) run(ctx context.Context, l *loop, row Row) error {
	work, cancel := context.WithCancelCause(ctx)
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		r.renew(work, cancel, row)
	}()
	began := r.o.Now()
	failure := contain(work, l, r.o.Log)
	lost := errors.Is(context.Cause(work), ErrLost)
	cancel(nil)
	<-renewed
	took := r.o.Now().Sub(began)
	if lost {
		return fmt.Errorf("%w: %w", ErrLost, errors.Join(failure))
	}
	result := "ok"
	if failure != nil {
		result = "failed"
	}
	r.took.WithLabelValues(l.Name, result).Observe(took.Seconds())
	return errors.Join(failure, r.record(ctx, l, row, took, failure))
}

// contain turns a panic into an error.
func contain(ctx context.Context, l *loop, log *slog.Logger) (err error) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("loop panicked", "loop", l.Name, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return l.Run(ctx)
}

// record ends the lease. A loop that its server's end cut short is due at once.
func (r *Runner) record(ctx context.Context, l *loop, row Row, took time.Duration, failure error) error {
	now := r.o.Now()
	set := map[string]any{
		"worker": "", "due_at": now.Add(l.period(ctx)).UnixMilli(), "last_ms": took.Milliseconds(), "last_error": nil,
		"runs": gorm.Expr("runs + 1"),
	}
	switch {
	case failure != nil && ctx.Err() != nil:
		set = map[string]any{"worker": "", "due_at": now.UnixMilli()}
	case failure != nil:
		set["failures"], set["last_error"], set["last_failed_at"] = gorm.Expr("failures + 1"), failure.Error(), now.UnixMilli()
	}
	return r.write(context.WithoutCancel(ctx), row, set)
}

// renewals is how often a lease is renewed in its time. Three that fail, each of
// them hanging until its own end, are over before the lease is.
const renewals = 4

// renew renews the lease. When it is lost, or three renewals in a row failed so
// that it is about to run out, the work is cancelled.
func (r *Runner) renew(ctx context.Context, cancel context.CancelCauseFunc, row Row) {
	t := time.NewTicker(max(r.o.Lease/renewals, time.Millisecond))
	defer t.Stop()
	for missed := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		try, done := context.WithTimeout(ctx, max(r.o.Lease/(renewals+2), time.Second))
		err := r.write(try, row, map[string]any{"due_at": r.o.Now().Add(r.o.Lease).UnixMilli()})
		done()
		switch {
		case err == nil:
			missed = 0
		case errors.Is(err, ErrLost) || missed == 2:
			cancel(ErrLost)
			return
		default:
			missed++
		}
	}
}

func (r *Runner) write(ctx context.Context, row Row, set map[string]any) error {
	return r.db.Tx(ctx, func(ctx context.Context) error {
		res := r.db.In(ctx).Model(&Row{}).Where("name = ? AND epoch = ?", row.Name, row.Epoch).Updates(set)
		if res.Error == nil && res.RowsAffected == 0 {
			return ErrLost
		}
		return res.Error
	})
}

// Names are the loops of this runner, sorted.
func (r *Runner) Names() []string {
	var names []string
	for n := range r.loops {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Describe makes the runner a Prometheus collector.
func (r *Runner) Describe(ch chan<- *prometheus.Desc) { r.took.Describe(ch) }

// Collect gives Prometheus the runner's figures.
func (r *Runner) Collect(ch chan<- prometheus.Metric) { r.took.Collect(ch) }
