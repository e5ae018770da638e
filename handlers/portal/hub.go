package portal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"gorm.io/gorm"

	"aerie/services/event"
	"aerie/services/job"
	"aerie/services/state"
	"aerie/services/store"
)

// change is a thing that is not what it was. Without an owner it concerns
// everyone who may see the thing.
type change struct {
	Kind, ID string
	Owner    *store.Owner
	Job      *job.Row // of a job: how it stands now
}

// hub tells open pages what changed: at once what this server did, and within
// a second what any other did, from the rows that all of them write.
type hub struct {
	db  *store.DB
	log *slog.Logger

	mu      sync.Mutex
	readers map[chan change]bool
	wake    chan struct{}

	jobs   map[string]jobMark // of live jobs, as they were last seen
	events map[string]time.Time
	ready  bool
}

// jobMark is what a reader sees of a job.
type jobMark struct {
	status job.Status
	step   int
	tries  int
}

const (
	lookEvery = time.Second
	// lateEvents may be committed by other servers after newer ones.
	lateEvents = 5 * time.Second
	// slack is how far the clocks of servers may be apart.
	slack      = time.Second
	readerRoom = 256
)

func newHub(db *store.DB, log *slog.Logger) *hub {
	h := &hub{db: db, log: log, readers: map[chan change]bool{}, wake: make(chan struct{}, 1), jobs: map[string]jobMark{}, events: map[string]time.Time{}}
	state.Watch(db, func(ctx context.Context, c state.Change) error {
		about := change{Kind: c.Entity, ID: c.ID}
		if o, ok := c.Row.(interface{ Owner() store.Owner }); ok {
			owner := o.Owner()
			about.Owner = &owner
		}
		db.AfterCommit(ctx, func() { h.tell(about) })
		return nil
	})
	return h
}

// join subscribes a reader. A reader that does not keep up is dropped: its
// browser connects again and loads the page anew.
func (h *hub) join() (changes chan change, leave func()) {
	ch := make(chan change, readerRoom)
	h.mu.Lock()
	h.readers[ch] = true
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default:
	}
	return ch, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.readers[ch] {
			delete(h.readers, ch)
			close(ch)
		}
	}
}

func (h *hub) tell(c change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for ch := range h.readers {
		select {
		case ch <- c:
		default:
			delete(h.readers, ch)
			close(ch)
		}
	}
}

func (h *hub) idle() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.readers) == 0
}

// run looks for what other servers did, while anybody reads.
func (h *hub) run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if h.idle() {
			h.ready = false
			select {
			case <-ctx.Done():
				return h.end(ctx.Err())
			case <-h.wake:
			}
		}
		if err := h.look(ctx); err != nil && !errors.Is(err, context.Canceled) {
			h.log.WarnContext(ctx, "look for changes", "error", err)
		}
		select {
		case <-ctx.Done():
			return h.end(ctx.Err())
		case <-tick.C:
		}
	}
}

// end closes all streams, so that a stopping server need not wait for them.
func (h *hub) end(err error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for ch := range h.readers {
		delete(h.readers, ch)
		close(ch)
	}
	return err
}

// floor is the smallest UUIDv7 of that time: ids begin with it.
func floor(t time.Time) string {
	s := fmt.Sprintf("%012x", t.UnixMilli())
	return s[:8] + "-" + s[8:] + "-7000-8000-000000000000"
}

// look compares jobs and events with the last look. The first one only
// remembers them.
func (h *hub) look(ctx context.Context) error {
	ctx = store.System(ctx, "what changed, for open pages")
	noted, err := h.lookAtEvents(ctx)
	if err != nil {
		return err
	}
	if err := h.lookAtJobs(ctx, noted); err != nil {
		return err
	}
	h.ready = true
	return nil
}

// lookAtEvents also returns the jobs that new events are of: a job may begin
// and end between two looks.
func (h *hub) lookAtEvents(ctx context.Context) (jobs map[string]bool, err error) {
	since := h.db.Now().Add(-lateEvents)
	rows, err := gorm.G[event.Row](h.db.In(ctx)).Where("id >= ?", floor(since)).Order("id").Limit(1000).
		Select("id", "created_at", "resource_type", "resource_id", "account_id", "domain_id", "domain_path", "job_id").Find(ctx)
	if err != nil {
		return nil, err
	}
	jobs = map[string]bool{}
	for _, e := range rows {
		if _, seen := h.events[e.ID]; seen {
			continue
		}
		h.events[e.ID] = e.CreatedAt
		if h.ready && e.JobID != "" {
			jobs[e.JobID] = true
		}
		if h.ready && e.ResourceID != "" {
			owner := e.Owned.Owner()
			h.tell(change{Kind: strings.ToLower(e.ResourceType), ID: e.ResourceID, Owner: &owner})
		}
	}
	for id, at := range h.events {
		if at.Before(since.Add(-lateEvents)) {
			delete(h.events, id)
		}
	}
	return jobs, nil
}

// lookAtJobs also tells of the things that jobs work on: their steps are what
// a row shows as busy.
func (h *hub) lookAtJobs(ctx context.Context, noted map[string]bool) error {
	live, err := gorm.G[job.Row](h.db.In(ctx)).Where("live = ?", true).Find(ctx)
	if err != nil {
		return err
	}
	now := map[string]jobMark{}
	ended := map[string]bool{}
	for id := range noted {
		ended[id] = true
	}
	for i := range live {
		j := &live[i]
		now[j.ID] = jobMark{j.Status, j.StepIndex, j.Attempts}
		delete(ended, j.ID)
		if was, known := h.jobs[j.ID]; h.ready && (!known || was != now[j.ID]) {
			h.tellJob(j)
		}
	}
	for id := range h.jobs {
		if _, still := now[id]; !still {
			ended[id] = true
		}
	}
	h.jobs = now
	if len(ended) == 0 {
		return nil
	}
	over, err := gorm.G[job.Row](h.db.In(ctx)).Where("id IN ?", sortedKeys(ended)).Find(ctx)
	for i := range over {
		h.tellJob(&over[i])
	}
	return err
}

func (h *hub) tellJob(j *job.Row) {
	for _, c := range ofJob(j) {
		h.tell(c)
	}
}

// ofJob is what a change of a job changes.
func ofJob(j *job.Row) []change {
	owner := j.Owned.Owner()
	out := []change{{Kind: "job", ID: j.ID, Owner: &owner, Job: j}}
	if j.ObjectID != "" {
		out = append(out, change{Kind: strings.ToLower(j.Object), ID: j.ObjectID, Owner: &owner})
	}
	return out
}

// since is what may have changed since then, as far as rows tell.
func (h *hub) since(ctx context.Context, then time.Time) (all []change, err error) {
	ctx = store.System(ctx, "what a page missed")
	then = then.Add(-slack)
	events, err := gorm.G[event.Row](h.db.In(ctx)).Where("id >= ?", floor(then)).Order("id DESC").Limit(readerRoom).
		Select("resource_type", "resource_id", "account_id", "domain_id", "domain_path", "job_id").Find(ctx)
	if err != nil {
		return nil, err
	}
	noted := []string{}
	for _, e := range events {
		if e.JobID != "" {
			noted = append(noted, e.JobID)
		}
		if e.ResourceID == "" {
			continue
		}
		owner := e.Owned.Owner()
		all = append(all, change{Kind: strings.ToLower(e.ResourceType), ID: e.ResourceID, Owner: &owner})
	}
	jobs, err := gorm.G[job.Row](h.db.In(ctx)).Where("live = ? OR id IN ?", true, noted).Order("id DESC").Limit(readerRoom).Find(ctx)
	for i := range jobs {
		all = append(all, ofJob(&jobs[i])...)
	}
	return all, err
}
