// Package job runs long operations as durable sagas. Every step is checkpointed,
// may run again after a crash, and is undone in reverse order on failure. Any
// server takes over what another left: a lease says who works, an epoch makes
// every write of a former holder fail.
package job

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"aerie/services/store"
)

// Status is where a job stands.
type Status string

// The statuses of a job.
const (
	Queued    Status = "queued"  // no server has begun it
	Running   Status = "running" // also while it waits for another try
	Undoing   Status = "undoing"
	Succeeded Status = "succeeded"
	Failed    Status = "failed" // and undone
)

// Live tells whether there is still work to do.
func (s Status) Live() bool { return s == Queued || s == Running || s == Undoing }

// Row is one execution of a saga. Tenants see the jobs of their own scope.
type Row struct {
	store.Row
	store.Owned
	Kind   string
	Entity string // what the job has to itself, such as "vm/<id>"
	Live   *bool  // true, or NULL when ended: UNIQUE(entity, live)
	Status Status
	// Step is the next one to do, or to undo, by name: a release may insert steps.
	Step      string
	StepIndex int // steps that are done
	StepCount int
	Steps     JSON // []Progress
	State     JSON
	Input     JSON // the first State, kept only for kinds that can be retried
	// Result and ResultCode (0, or the fault's API code) are what the API shows.
	Result     JSON
	ResultCode int
	ErrorKind  string
	ErrorKey   string
	ErrorArgs  JSON
	Error      string // for the log, never for users
	// DueAt is when the job may be taken, in unix ms: the time of the next try,
	// or the end of the lease.
	DueAt     int64
	Epoch     int64
	Worker    string // who holds the lease; empty for nobody
	Attempts  int    // of the current step
	Cancelled bool   // somebody asked to undo

	ActorUserID     string
	ActorAccountID  string
	ActorDomainID   string
	ActorDomainPath string
	ActorRank       int
	ActorRoleID     string
	ActorWhy        string // set when Aerie itself asked

	Command  string
	Event    string
	Object   string
	ObjectID string
	// ObjectName is what the object is called in the job's events.
	ObjectName string
	Params     JSON    // map[string]string, redacted
	Token      *string // the client's idempotency token
	Trace      string
	RetryOf    string

	StartedAt  *time.Time
	FinishedAt *time.Time
}

// TableName is the table of jobs.
func (Row) TableName() string { return "jobs" }

// Actor is who asked for the job, without system rights even when Aerie asked.
// Whose the job is it may touch: that was looked at when it asked.
func (r *Row) Actor() store.Actor {
	a := store.Actor{
		UserID: r.ActorUserID,
		Owner:  store.Owner{AccountID: r.ActorAccountID, DomainID: r.ActorDomainID, DomainPath: r.ActorDomainPath},
		Rank:   store.Rank(r.ActorRank), RoleID: r.ActorRoleID,
	}
	if o := r.Owned.Owner(); a.Rank == store.User && o.AccountID != "" && o.AccountID != a.AccountID {
		a.Projects = []store.Project{{Owner: o}}
	}
	return a
}

// Progress is what happened to one step.
type Progress struct {
	Name     string `json:"name"`
	State    string `json:"state"` // done, failed, retry, waiting, undone, undo-retry
	Started  int64  `json:"started"`
	Ended    int64  `json:"ended"` // unix ms
	Attempts int    `json:"attempts"`
	Error    string `json:"error,omitempty"` // message key
}

// History is the progress of the steps so far, in order.
func (r *Row) History() []Progress {
	var h []Progress
	_ = json.Unmarshal(r.Steps, &h) // only this package writes it
	return h
}

// Spec asks for a job.
type Spec struct {
	Kind   string
	Entity string // empty: the job needs nothing to itself
	State  any    // what the saga starts with

	Command, Event   string
	Object, ObjectID string
	ObjectName       string            // of at most 255 characters
	Params           map[string]string // redacted, for "edit and retry"

	// Owner is whose job it is; empty takes the one the actor creates for.
	Owner store.Owner
	// Token makes asking twice harmless; see Engine.Replayed.
	Token string
	Trace string
	// After delays the start.
	After time.Duration
}

// Info tells a step which job it runs in.
type Info struct {
	ID, Kind, Entity, Step string
	// Epoch goes with every command to an agent, which refuses an older one.
	Epoch   int64
	Attempt int // 0 at the first try
	Undo    bool
	Actor   store.Actor // who asked
	Owner   store.Owner
	Trace   string
}

type infoKey struct{}

// From returns the job that ctx's step belongs to, or nil outside of one.
func From(ctx context.Context) *Info {
	i, _ := ctx.Value(infoKey{}).(*Info)
	return i
}

// ErrLost says that another server has taken the job over.
var ErrLost = errors.New("job: lease lost")

// ErrKilled, returned by Options.Around, makes the worker drop the job as if
// its server had died: nothing is written.
var ErrKilled = errors.New("job: killed")

// errStopping ends a step that outlives the grace of a stopping server.
var errStopping = errors.New("job: server is stopping")

type later struct {
	wait time.Duration
	why  string
}

func (l *later) Error() string { return "not yet: " + l.why }

// Later, returned by a step, saves the state, frees the worker and runs the
// step again after the wait. It does not count as a failure.
func Later(wait time.Duration, why string) error { return &later{wait, why} }
