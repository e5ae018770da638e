// Package fault is Aerie's one error type: what went wrong from the caller's
// side, a message key for the user, and the cause for the log.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Kind decides the HTTP status of a page, the code of the API and whether a
// job tries again. The API codes and their companions (CS) are those that
// CloudStack's clients know.
type Kind struct {
	Name      string
	HTTP      int // status of a page
	API       int // errorcode, which is also the HTTP status of an API reply
	CS        int // cserrorcode; 0 when the reply has none
	Transient bool
}

// The kinds of faults.
var (
	Invalid         = Kind{Name: "invalid", HTTP: 422, API: 431, CS: 4350}
	Malformed       = Kind{Name: "malformed", HTTP: 400, API: 430, CS: 9999} // a map parameter that cannot be read
	NotFound        = Kind{Name: "not_found", HTTP: 404, API: 431, CS: 4350} // absent and foreign look the same
	Unauthenticated = Kind{Name: "unauthenticated", HTTP: 401, API: 401}
	Forbidden       = Kind{Name: "forbidden", HTTP: 403, API: 531, CS: 4365}
	Unsupported     = Kind{Name: "unsupported", HTTP: 404, API: 432, CS: 9999} // no such command, or not for this role
	Method          = Kind{Name: "method", HTTP: 405, API: 405, CS: 9999}
	TooMany         = Kind{Name: "too_many", HTTP: 429, API: 429, CS: 4545}
	Limit           = Kind{Name: "limit", HTTP: 409, API: 535, CS: 4370}
	NoCapacity      = Kind{Name: "no_capacity", HTTP: 507, API: 533, CS: 4325}
	Unavailable     = Kind{Name: "unavailable", HTTP: 503, API: 534, CS: 4380, Transient: true}
	InUse           = Kind{Name: "in_use", HTTP: 409, API: 536, CS: 4375}
	Conflict        = Kind{Name: "conflict", HTTP: 409, API: 530, CS: 4300} // the thing changed or is busy
	RuleConflict    = Kind{Name: "rule_conflict", HTTP: 409, API: 537, CS: 4360}
	Stopping        = Kind{Name: "stopping", HTTP: 503, API: 503, CS: 9999} // this server is shutting down
	Internal        = Kind{Name: "internal", HTTP: 500, API: 530, CS: 9999}
)

// Error is what services return.
type Error struct {
	Kind Kind
	Key  string // message key in locales
	Args []any  // name, value, name, value … for the message
	// Fields maps a request parameter to what is wrong with it, so that a form
	// can mark its input. The API reports the first in Order.
	Fields map[string]*Error
	Order  []string
	cause  error
}

// New makes a fault. Args are name, value pairs of the message.
func New(k Kind, key string, args ...any) *Error { return &Error{Kind: k, Key: key, Args: args} }

// Param makes an Invalid fault that names one request parameter. The message
// gets the parameter's name as "param".
func Param(name, key string, args ...any) *Error {
	e := New(Invalid, key, append([]any{"param", name}, args...)...)
	e.Mark(name, New(Invalid, key, e.Args...))
	return e
}

// Absent is the fault for a parameter whose id names nothing the caller can see.
func Absent(param, id string) *Error {
	e := New(NotFound, "error.no_entity", "param", param, "value", id)
	e.Mark(param, New(NotFound, "error.no_entity", "param", param, "value", id))
	return e
}

// Mark notes what is wrong with a parameter; the first note of each stays.
func (e *Error) Mark(param string, why *Error) {
	if e.Fields == nil {
		e.Fields = map[string]*Error{}
	}
	if e.Fields[param] == nil {
		e.Fields[param] = why
		e.Order = append(e.Order, param)
	}
}

// Because attaches the cause, which goes to the log and never to the user.
func (e *Error) Because(err error) *Error { e.cause = err; return e }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", e.Kind.Name, e.Key)
	for i := 0; i+1 < len(e.Args); i += 2 {
		fmt.Fprintf(&b, " %v=%v", e.Args[i], e.Args[i+1])
	}
	if e.cause != nil {
		fmt.Fprintf(&b, ": %v", e.cause)
	}
	return b.String()
}

// Of returns err's fault. What is none is Internal and tells the user nothing.
func Of(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return New(Internal, "error.internal").Because(err)
}

// Is tells whether err is a fault of kind k.
func Is(err error, k Kind) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == k
}
