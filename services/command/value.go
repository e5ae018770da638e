package command

import (
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// setter sets f from a text that is not blank. It returns the key of what is
// wrong with it, or "".
type setter func(p *Param, f reflect.Value, s string) string

// scalarSetter is the setter for a type and the type's name; nil for no scalar.
func scalarSetter(t reflect.Type) (setter, string) {
	switch {
	case t == dateType:
		return setDate, "date"
	case t.Kind() == reflect.String:
		return setText, "string"
	case t.Kind() == reflect.Bool:
		return setBool, "boolean"
	case t.Kind() == reflect.Int64:
		return setInt, "long"
	case t.Kind() == reflect.Int || t.Kind() == reflect.Int32:
		return setInt, "integer"
	case t.Kind() == reflect.Int16:
		return setInt, "short"
	case t.Kind() == reflect.Float64:
		return setFloat, "double"
	case t.Kind() == reflect.Float32:
		return setFloat, "float"
	}
	return nil, ""
}

func setText(_ *Param, f reflect.Value, s string) string {
	f.SetString(s)
	return ""
}

// setBool: true in any case is true, anything else is false.
func setBool(_ *Param, f reflect.Value, s string) string {
	f.SetBool(strings.EqualFold(strings.TrimSpace(s), "true"))
	return ""
}

// setInt refuses what does not fit, so that nothing wraps. An int is an
// integer of the API, which has 32 bits.
func setInt(p *Param, f reflect.Value, s string) string {
	bits := 32
	switch f.Kind() {
	case reflect.Int64:
		bits = 64
	case reflect.Int16:
		bits = 16
	default: // int and int32
	}
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, bits)
	if err != nil {
		return "error.number"
	}
	f.SetInt(n)
	return p.inRange(float64(n))
}

func setFloat(p *Param, f reflect.Value, s string) string {
	n, err := strconv.ParseFloat(strings.TrimSpace(s), f.Type().Bits())
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return "error.number"
	}
	f.SetFloat(n)
	return p.inRange(n)
}

func (p *Param) inRange(n float64) string {
	switch {
	case p.low != nil && n < *p.low && p.top != nil, p.top != nil && n > *p.top && p.low != nil:
		return "error.range"
	case p.low != nil && n < *p.low:
		return "error.too_small"
	case p.top != nil && n > *p.top:
		return "error.too_great"
	}
	return ""
}

// Date is a date in a request: 2006-01-02, with 15:04:05 after a space, or
// ISO 8601 with a zone. With day:"end" a bare date means its last second.
type Date struct{ time.Time }

var dateForms = []string{
	time.DateOnly, time.DateTime, time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02 15:04:05Z0700",
}

func setDate(p *Param, f reflect.Value, s string) string {
	t, bare, ok := ParseDate(s)
	if !ok {
		return "error.date"
	}
	if bare && p.dayEnd {
		t = t.Add(24*time.Hour - time.Second)
	}
	f.Set(reflect.ValueOf(Date{t}))
	return ""
}

// ParseDate reads a date of a request in UTC and tells whether it has no time
// of day.
func ParseDate(s string) (t time.Time, bare, ok bool) {
	s = strings.TrimSpace(s)
	for i, form := range dateForms {
		if t, err := time.ParseInLocation(form, s, time.UTC); err == nil && t.Year() > 0 && t.Year() < 9999 {
			return t.UTC(), i == 0, true
		}
	}
	return time.Time{}, false, false
}

// Time is a time in a result, written 2006-01-02T15:04:05+0000. Results may
// also hold a plain time.Time, which is written the same way.
type Time struct{ time.Time }

const timeForm = "2006-01-02T15:04:05-0700"

// At makes a Time of an optional time; nil is absent.
func At(t *time.Time) Time {
	if t == nil {
		return Time{}
	}
	return Time{*t}
}

// MarshalJSON writes the API's form.
func (t Time) MarshalJSON() ([]byte, error) { return appendTime(nil, t.Time), nil }

// MarshalJSON writes the API's form.
func (d Date) MarshalJSON() ([]byte, error) { return appendTime(nil, d.Time), nil }

func appendTime(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, timeForm)
	return append(b, '"')
}

// printable refuses control characters and broken UTF-8, but lets the white
// space of keys, certificates and scripts pass.
func printable(s string) bool {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c < ' ' && c != '\n' && c != '\t' && c != '\r' || c == 0x7f {
				return false
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || r >= 0x80 && r < 0xa0 {
			return false
		}
		i += n
	}
	return true
}

// tooLong counts characters, not bytes.
func tooLong(s string, most int) bool {
	return len(s) > most && utf8.RuneCountInString(s) > most
}

// isUUID tells whether s has the form 8-4-4-4-12.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}
