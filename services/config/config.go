// Package config holds the global settings. Declaring one is all there is to
// it: the declaration is the typed value that code reads, its page, its
// validation and its entry in listConfigurations.
package config

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/store"
)

// Kind is what a setting's text means.
type Kind string

// The kinds of settings, by the names that listConfigurations gives.
const (
	Text    Kind = "String"
	Boolean Kind = "Boolean"
	Number  Kind = "Number"
	Decimal Kind = "Decimal"
	CSV     Kind = "CSV"   // texts, separated by commas
	Range   Kind = "Range" // two whole numbers: 40000-41000
	Select  Kind = "Select"
)

// Setting is a declared setting.
type Setting struct {
	Name     string
	Category string
	Kind     Kind
	Default  string
	Low      float64 // smallest number
	High     float64 // greatest number; 0 for no bound
	Choices  []string
	// Dynamic settings take effect without a restart; the others say so.
	Dynamic bool
	// Scopes are what it may be set for besides everything.
	Scopes []Scope
	// Delegated settings may be set by domain admins for what is in their domain.
	Delegated bool
	// Secret settings are sealed in the database and never shown.
	Secret bool
	// Check refuses a text that is not empty for reasons of its own; nil: none.
	Check func(value string) error
}

// Hidden is what is shown of a secret.
const Hidden = "•••"

// row is a setting that was changed, for everything or for one thing.
type row struct {
	Name      string `gorm:"primaryKey"`
	Scope     Scope  `gorm:"primaryKey"`
	ScopeID   string `gorm:"primaryKey"`
	Value     string
	UpdatedAt time.Time
	UpdatedBy string
}

// TableName is the settings' table.
func (row) TableName() string { return "settings" }

// fresh is how long a server may go on with what it read: the time in which a
// change takes effect on all servers.
const fresh = time.Second

// Service reads and changes settings.
type Service struct {
	db      *store.DB
	mu      sync.Mutex
	byName  map[string]*Setting
	values  *values
	readAt  time.Time
	changed []func(name string)
	// Domains finds the ids of a domain and those above it by its path, the
	// nearest first. It is set by iam, which knows domains.
	Domains func(ctx context.Context, path string) ([]string, error)
}

// values is what is set, and for which scopes anything is.
type values struct {
	text map[key]string
	any  map[key]bool // without an id
}

type key struct {
	name  string
	scope Scope
	id    string
}

// New makes the service without settings; declare them before it is used.
func New(db *store.DB) *Service {
	return &Service{db: db, byName: map[string]*Setting{}}
}

// Declare adds a setting. It panics when the name is taken or the default is
// not valid, which is the programmer's mistake.
func (s *Service) Declare(d Setting) *Setting {
	if s.byName[d.Name] != nil {
		panic("setting declared twice: " + d.Name)
	}
	if err := d.check(d.Default); err != nil {
		panic(fmt.Sprintf("setting %s: %v", d.Name, err))
	}
	s.byName[d.Name] = &d
	return &d
}

// All returns the settings in the order of their names.
func (s *Service) All() []*Setting {
	var out []*Setting
	for _, d := range s.byName {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b *Setting) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Get returns a setting's text as it is for everything; of a secret what is
// stored.
func (s *Service) Get(ctx context.Context, name string) (string, error) {
	f, err := s.Find(ctx, name, Place{})
	return f.Value, err
}

// Setting is the setting of that name, or nil.
func (s *Service) Setting(name string) *Setting { return s.byName[name] }

func (s *Service) known(name string) (*Setting, error) {
	d := s.byName[name]
	if d == nil {
		return nil, fault.Absent("name", name)
	}
	return d, nil
}

func (s *Service) read(ctx context.Context) (*values, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values != nil && s.db.Now().Sub(s.readAt).Abs() < fresh {
		return s.values, nil
	}
	rows, err := gorm.G[row](s.db.In(ctx)).Find(ctx)
	if err != nil {
		return nil, err
	}
	v := &values{make(map[key]string, len(rows)), map[key]bool{}}
	for _, r := range rows {
		v.text[key{r.Name, r.Scope, r.ScopeID}] = r.Value
		v.any[key{r.Name, r.Scope, ""}] = true
	}
	s.values, s.readAt = v, s.db.Now()
	return v, nil
}

// Set changes a setting for everything and returns the text it had. An empty
// text brings the default back.
func (s *Service) Set(ctx context.Context, name, value string) (old string, err error) {
	return s.SetAt(ctx, name, Everywhere, value)
}

// SetAt changes a setting for a target and returns the text that it had there,
// empty when it had none. An empty text makes what is set further out hold.
func (s *Service) SetAt(ctx context.Context, name string, at Target, value string) (old string, err error) {
	d, err := s.known(name)
	if err != nil {
		return "", err
	}
	if !d.May(at.Scope) {
		return "", fault.Param("name", "error.setting_scope", "name", name, "scope", at.Scope.Title())
	}
	if value = strings.TrimSpace(value); value != "" {
		if err := d.check(value); err != nil {
			return "", err
		}
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		was, err := s.held(ctx, d, at)
		if err != nil {
			return err
		}
		old = ""
		if was != nil {
			old = *was
		} else if at == Everywhere {
			old = d.Default
		}
		var now *string
		if value != "" {
			now = &value
		}
		return s.write(ctx, d, at, now)
	})
	return old, err
}

// held is the text that is set for exactly that target.
func (s *Service) held(ctx context.Context, d *Setting, at Target) (*string, error) {
	rows, err := gorm.G[row](s.db.In(ctx), store.ToHold).Where("name = ? AND scope = ? AND scope_id = ?", d.Name, at.Scope, at.ID).Find(ctx)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	if d.Secret {
		rows[0].Value = Hidden
	}
	return &rows[0].Value, nil
}

// write sets a text, or with nil takes it away, and notes the change.
func (s *Service) write(ctx context.Context, d *Setting, at Target, value *string) error {
	was, err := s.held(ctx, d, at)
	if err != nil {
		return err
	}
	actor, _ := store.From(ctx)
	g := s.db.In(ctx)
	if _, err := gorm.G[row](g).Where("name = ? AND scope = ? AND scope_id = ?", d.Name, at.Scope, at.ID).Delete(ctx); err != nil {
		return err
	}
	s.db.AfterCommit(ctx, func() { s.forget(d.Name) })
	shown := value
	if value != nil {
		text := *value
		if d.Secret {
			sealed, err := s.db.Seal(text)
			if err != nil {
				return err
			}
			text, shown = string(sealed), new(string)
			*shown = Hidden
		}
		r := &row{Name: d.Name, Scope: at.Scope, ScopeID: at.ID, Value: text, UpdatedAt: s.db.Now(), UpdatedBy: actor.UserID}
		if err := gorm.G[row](g).Create(ctx, r); err != nil {
			return err
		}
	}
	return gorm.G[Change](g).Create(ctx, &Change{
		ID: s.db.NewID(), CreatedAt: s.db.Now(), Name: d.Name, Scope: at.Scope, ScopeID: at.ID, Was: was, Now: shown, UserID: actor.UserID,
	})
}

func (s *Service) forget(name string) {
	s.mu.Lock()
	s.values = nil
	hooks := s.changed
	s.mu.Unlock()
	for _, f := range hooks {
		f(name)
	}
}

// OnChange has fn called after a setting was changed on this server.
func (s *Service) OnChange(fn func(name string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed = append(s.changed, fn)
}

// check refuses a text that the setting cannot have.
func (d *Setting) check(value string) error {
	switch {
	case len(value) > 4095:
		return fault.Param("value", "error.too_long", "max", 4095)
	case len(d.Choices) > 0 && !slices.Contains(d.Choices, value):
		return fault.Param("value", "error.choice", "value", value, "choices", strings.Join(d.Choices, ", "))
	case d.Kind == Boolean && value != "true" && value != "false":
		return fault.Param("value", "error.choice", "value", value, "choices", "true, false")
	case d.Kind == Range && value != "":
		return d.checkRange(value)
	case d.Kind == CSV && slices.ContainsFunc(strings.Split(value, ","), func(t string) bool { return value != "" && strings.TrimSpace(t) == "" }):
		return fault.Param("value", "error.setting_list", "value", value)
	case d.Check != nil && value != "":
		return d.Check(value)
	case d.Kind == Number:
		n, err := strconv.ParseInt(value, 10, 64)
		return d.bounds(float64(n), err, value)
	case d.Kind == Decimal:
		n, err := strconv.ParseFloat(value, 64)
		return d.bounds(n, err, value)
	}
	return nil
}

// checkRange wants two whole numbers within the bounds, the smaller first.
func (d *Setting) checkRange(value string) error {
	low, high, ok := strings.Cut(value, "-")
	a, err1 := strconv.ParseInt(strings.TrimSpace(low), 10, 64)
	b, err2 := strconv.ParseInt(strings.TrimSpace(high), 10, 64)
	if !ok || err1 != nil || err2 != nil || a > b {
		return fault.Param("value", "error.setting_range", "value", value)
	}
	if err := d.bounds(float64(a), nil, value); err != nil {
		return err
	}
	return d.bounds(float64(b), nil, value)
}

func (d *Setting) bounds(n float64, err error, value string) error {
	switch {
	case err != nil:
		return fault.Param("value", "error.number", "value", value)
	case n < d.Low || d.High != 0 && n > d.High:
		return fault.Param("value", "error.range", "value", value, "min", d.Low, "max", d.High)
	}
	return nil
}
