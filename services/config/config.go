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
	// Secret settings are sealed at rest and shown to nobody.
	Secret bool
}

// row is a setting that was changed. Scopes other than the global one are for
// settings of zones, domains and accounts.
type row struct {
	Name      string `gorm:"primaryKey"`
	Scope     string `gorm:"primaryKey"`
	ScopeID   string `gorm:"primaryKey"`
	Value     string
	UpdatedAt time.Time
	UpdatedBy string
}

// TableName is the settings' table.
func (row) TableName() string { return "settings" }

const global = "global"

// fresh is how long a server may go on with what it read: the time in which a
// change takes effect on all servers.
const fresh = time.Second

// Service reads and changes settings.
type Service struct {
	db      *store.DB
	mu      sync.Mutex
	byName  map[string]*Setting
	values  map[string]string
	readAt  time.Time
	changed []func(name string)
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

// Find returns the setting of that name, or nil.
func (s *Service) Find(name string) *Setting { return s.byName[name] }

// Get returns a setting's text; of a secret one what is stored.
func (s *Service) Get(ctx context.Context, name string) (string, error) {
	d := s.byName[name]
	if d == nil {
		return "", fault.Absent("name", name)
	}
	values, err := s.read(ctx)
	if err != nil {
		return d.Default, err
	}
	if v, ok := values[name]; ok {
		return v, nil
	}
	return d.Default, nil
}

func (s *Service) read(ctx context.Context) (map[string]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values != nil && s.db.Now().Sub(s.readAt).Abs() < fresh {
		return s.values, nil
	}
	rows, err := gorm.G[row](s.db.In(ctx)).Where("scope = ?", global).Find(ctx)
	if err != nil {
		return nil, err
	}
	s.values, s.readAt = make(map[string]string, len(rows)), s.db.Now()
	for _, r := range rows {
		s.values[r.Name] = r.Value
	}
	return s.values, nil
}

// Set changes a setting and returns the text it had, as Shown. An empty text
// brings the default back.
func (s *Service) Set(ctx context.Context, name, value string) (old string, err error) {
	d := s.byName[name]
	if d == nil {
		return "", fault.Absent("name", name)
	}
	value = strings.TrimSpace(value)
	if value != "" {
		if err := d.check(value); err != nil {
			return "", err
		}
	}
	if old, err = s.Get(ctx, name); err != nil {
		return "", err
	}
	if d.Secret {
		sealed, err := s.db.Seal(value)
		if err != nil {
			return "", err
		}
		old, value = d.Shown(old), string(sealed)
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error { return s.write(ctx, name, value) })
	return old, err
}

func (s *Service) write(ctx context.Context, name, value string) error {
	actor, _ := store.From(ctx)
	g := s.db.In(ctx)
	if _, err := gorm.G[row](g).Where("name = ? AND scope = ?", name, global).Delete(ctx); err != nil {
		return err
	}
	s.db.AfterCommit(ctx, func() { s.forget(name) })
	if value == "" {
		return nil
	}
	return gorm.G[row](g).Create(ctx, &row{Name: name, Scope: global, Value: value, UpdatedAt: s.db.Now(), UpdatedBy: actor.UserID})
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

// Shown is a value of the setting as people may see it.
func (d *Setting) Shown(value string) string {
	if d.Secret && value != "" {
		return store.Secret(value).String()
	}
	return value
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
	case d.Kind == Number:
		n, err := strconv.ParseInt(value, 10, 64)
		return d.bounds(float64(n), err, value)
	case d.Kind == Decimal:
		n, err := strconv.ParseFloat(value, 64)
		return d.bounds(n, err, value)
	}
	return nil
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
