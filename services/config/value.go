package config

import (
	"context"
	"strconv"
	"time"

	"aerie/services/store"
)

// Value is a setting as code reads it. A database that does not answer gives
// the default: what is being done with it will fail by itself.
type Value[T any] struct {
	s     *Service
	name  string
	parse func(string) T
}

// Get is the setting's value now.
func (v Value[T]) Get(ctx context.Context) T {
	text, _ := v.s.Get(ctx, v.name)
	return v.parse(text)
}

// At is the setting's value somewhere.
func (v Value[T]) At(ctx context.Context, at Place) T {
	f, _ := v.s.Find(ctx, v.name, at)
	return v.parse(f.Value)
}

// For lets the setting be set for the scopes as well.
func (v Value[T]) For(scopes ...Scope) Value[T] {
	v.s.byName[v.name].Scopes = scopes
	return v
}

// Delegated lets domain admins set it for what is in their domain.
func (v Value[T]) Delegated() Value[T] {
	v.s.byName[v.name].Delegated = true
	return v
}

// Secret declares a text that is sealed at rest and shown to nobody.
func (s *Service) Secret(name, category string) Value[string] {
	s.Declare(Setting{Name: name, Category: category, Kind: Text, Dynamic: true, Secret: true})
	return Value[string]{s, name, func(t string) string {
		plain, _ := s.db.Reveal(store.Secret(t)) // damaged is as if there were none: the server refuses
		return plain
	}}
}

// List declares texts that are separated by commas.
func (s *Service) List(name, category string) Value[string] {
	s.Declare(Setting{Name: name, Category: category, Kind: CSV, Dynamic: true})
	return s.Text(name)
}

// Int declares a whole number between low and high; high 0 is no bound.
func (s *Service) Int(name, category string, value, low, high int) Value[int] {
	s.Declare(Setting{Name: name, Category: category, Kind: Number, Default: strconv.Itoa(value), Low: float64(low), High: float64(high), Dynamic: true})
	return Value[int]{s, name, func(t string) int { n, _ := strconv.Atoi(t); return n }}
}

// Bool declares a setting that is true or false.
func (s *Service) Bool(name, category string, value bool) Value[bool] {
	s.Declare(Setting{Name: name, Category: category, Kind: Boolean, Default: strconv.FormatBool(value), Dynamic: true})
	return Value[bool]{s, name, func(t string) bool { return t == "true" }}
}

// String declares a text.
func (s *Service) String(name, category, value string) Value[string] {
	s.Declare(Setting{Name: name, Category: category, Kind: Text, Default: value, Dynamic: true})
	return Value[string]{s, name, func(t string) string { return t }}
}

// Float declares a number between low and high; high 0 is no bound.
func (s *Service) Float(name, category string, value, low, high float64) Value[float64] {
	s.Declare(Setting{Name: name, Category: category, Kind: Decimal, Default: strconv.FormatFloat(value, 'g', -1, 64), Low: low, High: high, Dynamic: true})
	return Value[float64]{s, name, func(t string) float64 { n, _ := strconv.ParseFloat(t, 64); return n }}
}

// Duration declares a time that the setting counts in units of unit, as
// CloudStack's settings do.
func (s *Service) Duration(name, category string, value, unit time.Duration) Value[time.Duration] {
	s.Declare(Setting{Name: name, Category: category, Kind: Number, Default: strconv.FormatInt(int64(value/unit), 10), Dynamic: true})
	return Value[time.Duration]{s, name, func(t string) time.Duration {
		n, _ := strconv.ParseInt(t, 10, 64)
		return time.Duration(n) * unit
	}}
}

// Text is a setting that was declared with Declare.
func (s *Service) Text(name string) Value[string] {
	return Value[string]{s, name, func(t string) string { return t }}
}
