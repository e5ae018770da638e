package job

import (
	"context"
	crand "crypto/rand"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"aerie/drivers"
	"aerie/services/fault"
	"aerie/services/store"
)

// Phase is what Notify is told.
type Phase string

// The phases of a job.
const (
	PhaseSubmitted Phase = "submitted"
	PhaseStarted   Phase = "started"
	PhaseSucceeded Phase = "succeeded"
	PhaseFailed    Phase = "failed"
)

// Options are what an engine may be told; every zero value has a default.
type Options struct {
	Name    string        // this server, for logs and the portal
	Lease   time.Duration // how long a dead server's job waits (15 s)
	Workers int           // jobs at once (64)
	Poll    time.Duration // pause between looks for work when idle (250 ms)
	Grace   time.Duration // how long a stopping server lets steps finish (25 s)
	Backoff time.Duration // first pause after a failure (200 ms), doubled each time
	Slowest time.Duration // longest pause (1 min)
	Stuck   int           // every so many failures of one undo the Alert hook is called (5)
	Log     *slog.Logger
	// Now overrides the database's clock, for tests.
	Now func() time.Time
	// IsTransient tells an error worth another try; nil takes Transient.
	IsTransient func(error) bool
	// Around wraps every try of a step: tests kill workers with it.
	Around func(ctx context.Context, m Moment, try func(context.Context) error) error
}

// Moment is one try of a step.
type Moment struct {
	Kind, Step     string
	Undo, Database bool
}

// Engine submits jobs and runs those whose kinds it knows. The hooks are set
// once, at wiring.
type Engine struct {
	// Finish renders the stored result, in the transaction that ends the job.
	Finish func(ctx context.Context, row *Row) (json.RawMessage, error)
	// Notify is called in the transaction of each phase.
	Notify func(ctx context.Context, row *Row, phase Phase) error
	// Admit is asked before a job's first step: an error undoes it. It is the
	// place to see that the actor's rights were revoked meanwhile.
	Admit func(ctx context.Context, row *Row) error
	// Alert is called, in the transaction that notes the failure, when a job
	// cannot go on without help.
	Alert func(ctx context.Context, row *Row, err error) error

	db      *store.DB
	o       Options
	name    string
	kinds   map[string]*Kind
	poke    chan struct{}
	metrics *metrics
	missed  int // renewals that failed in a row; only the renewing goroutine counts

	mu       sync.Mutex
	rand     *rand.Rand
	held     map[string]hold
	stopping bool
}

// New makes an engine; Define gives it sagas.
func New(db *store.DB, o Options) *Engine {
	def(&o.Name, "aerie")
	def(&o.Lease, 15*time.Second)
	def(&o.Workers, 64)
	def(&o.Poll, 250*time.Millisecond)
	def(&o.Grace, 25*time.Second)
	def(&o.Backoff, 200*time.Millisecond)
	def(&o.Slowest, time.Minute)
	def(&o.Stuck, 5)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = db.Now
	}
	if o.IsTransient == nil {
		o.IsTransient = Transient
	}
	return &Engine{
		db: db, o: o,
		// A restarted server is another worker than the one that died.
		name:  o.Name[:min(len(o.Name), 60)] + "/" + db.NewID()[24:],
		kinds: map[string]*Kind{}, poke: make(chan struct{}, 1), metrics: newMetrics(),
		rand: rand.New(rand.NewChaCha8(seed(db.Rand()))), held: map[string]hold{},
	}
}

func def[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

func seed(r io.Reader) (b [32]byte) {
	if _, err := io.ReadFull(r, b[:]); err != nil {
		_, _ = crand.Read(b[:])
	}
	return b
}

// now is the clock in the milliseconds that databases keep.
func (e *Engine) now() time.Time { return e.o.Now().UTC().Truncate(time.Millisecond) }

func (e *Engine) known() []string {
	var names []string
	for name := range e.kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Kinds are the names of the sagas that the engine knows, sorted.
func (e *Engine) Kinds() []string { return e.known() }

// Poke makes an idle Run look for work at once. Submit pokes by itself after
// its transaction is committed.
func (e *Engine) Poke() {
	select {
	case e.poke <- struct{}{}:
	default:
	}
}

// Transient tells an error that may pass by itself: a fault that says so, a
// host that is busy or out of reach, a broken connection, a try that took too long.
func Transient(err error) bool {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Kind.Transient
	}
	var d *drivers.Error
	if errors.As(err, &d) {
		return d.Kind == drivers.Busy || d.Kind == drivers.Unreachable
	}
	var n net.Error
	return errors.As(err, &n) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, io.ErrUnexpectedEOF)
}

// pause is how long to wait after the n-th failure, give or take a half.
func (e *Engine) pause(n int) time.Duration {
	d := e.o.Backoff << min(n, 20)
	if d > e.o.Slowest || d <= 0 {
		d = e.o.Slowest
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return d/2 + time.Duration(e.rand.Int64N(int64(d)))
}
