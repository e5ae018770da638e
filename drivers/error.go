package drivers

import (
	"errors"
	"fmt"
)

// Kind is what went wrong on the host, from the caller's side.
type Kind string

// The kinds of driver errors. Busy and Unreachable may pass by themselves.
const (
	NotFound    Kind = "not found"
	Busy        Kind = "busy"
	Unreachable Kind = "unreachable"
	Unsupported Kind = "unsupported"
	Invalid     Kind = "invalid"
	NoSpace     Kind = "no space"
	Internal    Kind = "internal"
)

// Error is what drivers return.
type Error struct {
	Kind  Kind
	Op    string // "start i-2-17-VM"
	Cause error
}

// Errorf makes an Error; the format's %w is its cause.
func Errorf(k Kind, op, format string, args ...any) *Error {
	return &Error{Kind: k, Op: op, Cause: fmt.Errorf(format, args...)}
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s: %v", e.Op, e.Kind, e.Cause) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// KindOf returns the kind of err; what is no driver error is Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}
