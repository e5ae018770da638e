// Package event keeps what happened: events for tenants and for the audit, and
// alerts for operators. Descriptions are stored as a message key and its values
// and worded in the reader's language.
package event

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"aerie/locales"
	"aerie/services/store"
)

// Level tells how bad it is.
type Level string

// The levels.
const (
	Info  Level = "INFO"
	Warn  Level = "WARN"
	Error Level = "ERROR"
)

// State is how far the operation has come.
type State string

// The states, in the order in which a job's events come.
const (
	Created   State = "Created"
	Scheduled State = "Scheduled"
	Started   State = "Started"
	Completed State = "Completed"
)

// Resource is what an event is about. Kind is its element name in the API.
type Resource struct{ Kind, ID, Name string }

// Event is what Log writes.
type Event struct {
	ID    string // a new one when empty
	Type  string // VM.CREATE
	Level Level  // Info when empty
	State State  // Completed when empty
	// Message is the description's key in locales and Args its name, value
	// pairs; without one the description is made of Type, State and Resource.
	Message  string
	Args     []any
	Resource Resource
	// Owner is whom the event belongs to; nil: whom the actor creates for.
	Owner *store.Owner
	// Username is the acting user's name where it is known.
	Username string
	StartID  string // the first event of the same operation
	JobID    string
	// Before and After are what an update changed, without secrets.
	Before, After any
}

// Row is an event in the database.
type Row struct {
	ID        string `gorm:"primaryKey;size:36"`
	CreatedAt time.Time
	Type      string
	Level     Level
	State     State
	Message   string
	Args      string
	store.Owned
	UserID       string
	Username     string
	ResourceType string
	ResourceID   string
	ResourceName string
	StartID      string
	JobID        string
	BeforeChange *string
	AfterChange  *string
	Archived     bool
}

// TableName is the table of events.
func (Row) TableName() string { return "events" }

// Log writes an event in ctx's transaction, or in one of its own.
func Log(ctx context.Context, db *store.DB, e Event) (*Row, error) {
	row, err := e.row(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", e.Type, err)
	}
	// The owner is that of the resource, which may be another than the actor.
	err = db.Tx(store.System(ctx, "event for its owner"), func(ctx context.Context) error {
		return db.In(ctx).Create(row).Error
	})
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", e.Type, err)
	}
	return row, nil
}

func (e Event) row(ctx context.Context, db *store.DB) (*Row, error) {
	actor, _ := store.From(ctx)
	args, err := encodeArgs(e.Args)
	if err != nil {
		return nil, err
	}
	row := &Row{
		ID: e.ID, CreatedAt: db.Now(), Type: e.Type, Level: or(e.Level, Info), State: or(e.State, Completed),
		Message: e.Message, Args: args, UserID: actor.UserID, Username: e.Username,
		ResourceType: e.Resource.Kind, ResourceID: e.Resource.ID, ResourceName: Clip(e.Resource.Name),
		StartID: e.StartID, JobID: e.JobID,
	}
	if row.ID == "" {
		row.ID = db.NewID()
	}
	if row.BeforeChange, err = snapshot(e.Before); err != nil {
		return nil, err
	}
	if row.AfterChange, err = snapshot(e.After); err != nil {
		return nil, err
	}
	owner := actor.Target()
	if e.Owner != nil {
		owner = *e.Owner
	}
	row.Owned = store.Owned(owner)
	return row, nil
}

func or[T ~string](s, other T) T {
	if s == "" {
		return other
	}
	return s
}

// Clip keeps a name within its column.
func Clip(s string) string {
	const most = 255
	for i := range s {
		if i > most-4 {
			return s[:i] + "…"
		}
	}
	return s
}

func snapshot(v any) (*string, error) {
	if v == nil {
		return nil, nil
	}
	b, err := json.Marshal(v)
	s := string(b)
	return &s, err
}

// encodeArgs stores name, value pairs in their order.
func encodeArgs(args []any) (string, error) {
	if len(args) == 0 {
		return "", nil
	}
	b, err := json.Marshal(args)
	return string(b), err
}

func decodeArgs(s string) []any {
	var args []any
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	_ = d.Decode(&args) // what Log wrote
	return args
}

// Text words the event in ctx's language.
func (r Row) Text(ctx context.Context) string {
	args := append(decodeArgs(r.Args), "type", Title(ctx, r.Type), "name", or(r.ResourceName, r.ResourceID), "id", r.ResourceID)
	if r.Message != "" {
		return locales.T(ctx, r.Message, args...)
	}
	key := "event." + strings.ToLower(string(r.State))
	if r.Level == Error {
		key = "event.failed"
	}
	if r.ResourceID == "" && r.ResourceName == "" {
		key += ".plain"
	}
	return locales.T(ctx, key, args...)
}

// Title words an event's type: "event.type.VM.CREATE" in locales, or the bare type.
func Title(ctx context.Context, kind string) string {
	return locales.Or(ctx, "event.type."+kind, kind)
}
