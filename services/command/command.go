// Package command is the one description of every API command. The query API,
// the portal's forms, listApis, role checks, events and docs all read it, and
// Registry.Call is the only way in.
package command

import (
	"context"
	"fmt"
	"net/url"
	"reflect"
	"strings"

	"aerie/services/job"
	"aerie/services/store"
)

// Role is a set of account types.
type Role uint8

// The account types, as a set.
const (
	Admin Role = 1 << iota
	DomainAdmin
	User
	Admins   = Admin | DomainAdmin
	Everyone = Admin | DomainAdmin | User
)

// RoleOf is the set with only that account type.
func RoleOf(r store.Rank) Role {
	switch r {
	case store.Admin:
		return Admin
	case store.DomainAdmin:
		return DomainAdmin
	case store.User:
		return User
	case store.ProjectRank: // has no users
	}
	return 0
}

// Meta is what a command says about itself.
type Meta struct {
	Name   string // deployVirtualMachine
	Object string // element of the result: virtualmachine; empty for Success and flat results
	Doc    string
	Event  string // VM.CREATE; a synchronous command without one only reads
	Roles  Role
	Since  string
	// Public commands need nobody signed in. They find by themselves what they
	// may touch, and have no Event: there is nobody whose it would be.
	Public bool
	// Create makes an async command answer the new object's id next to the job's.
	Create bool
	// ListLike makes a single result look like a list of one, as addHost does.
	ListLike bool
	// Envelope replaces the usual lower-case name + "response".
	Envelope string
}

// Shape is the form of a result inside its envelope.
type Shape int

// The shapes.
const (
	Flat      Shape = iota // fields directly
	Object                 // {elem: {…}}
	Many                   // {count, elem: […]}
	Succeeded              // {success, displaytext}
)

// Command is a registered command.
type Command struct {
	Meta
	Async  bool
	Shape  Shape
	Params []Param
	Result []Field

	byName   map[string]int // parameter's name → its place in Params
	checkers [][]int
	subject  subject
	encode   encoder
	call     func(context.Context, *Registry, url.Values) (any, error)
	view     func(context.Context, string) (any, error) // of an async command; nil: Success
}

// None is the request of a command without parameters.
type None struct{}

// New describes a synchronous command. Req and Resp are plain structs; Resp may
// be List[T] and Success. With Meta.Event the command runs in a transaction,
// and fn may run twice on a deadlock; without one it only reads.
func New[Req, Resp any](m Meta, fn func(context.Context, Req) (Resp, error)) *Command {
	return NewReady(m, func(_ context.Context, req Req) (Req, error) { return req, nil }, fn)
}

// NewReady is New with something slow ahead of the transaction, such as hashing
// a password: fn gets what ready made of the request. A failed ready ends the
// call.
func NewReady[Req, Work, Resp any](m Meta, ready func(context.Context, Req) (Work, error), fn func(context.Context, Work) (Resp, error)) *Command {
	c := describe(m, reflect.TypeFor[Req](), reflect.TypeFor[Resp]())
	c.call = func(ctx context.Context, r *Registry, v url.Values) (any, error) {
		var req Req
		if err := c.bind(ctx, r, v, reflect.ValueOf(&req).Elem()); err != nil {
			return nil, err
		}
		work, err := ready(ctx, req)
		if err != nil {
			return nil, err
		}
		if c.Event == "" {
			return result(fn(ctx, work))
		}
		return r.change(ctx, c, v, func(ctx context.Context) (any, error) { return result(fn(ctx, work)) })
	}
	return c
}

// Async describes a command that is done by a job. Accept runs in a transaction:
// it checks, writes the first rows and says which job to start. View is the
// result of the finished job, by the id in job.Spec.ObjectID; nil for Success.
func Async[Req, Resp any](m Meta, accept func(context.Context, Req) (job.Spec, error),
	view func(ctx context.Context, id string) (Resp, error),
) *Command {
	c := describe(m, reflect.TypeFor[Req](), reflect.TypeFor[Resp]())
	c.Async = true
	if c.Shape == Many {
		panic(fmt.Sprintf("command %s: a job has no list as its result", m.Name))
	}
	if view != nil {
		c.view = func(ctx context.Context, id string) (any, error) { return result(view(ctx, id)) }
	} else if c.Shape != Succeeded {
		panic(fmt.Sprintf("command %s: needs a view", m.Name))
	}
	c.call = func(ctx context.Context, r *Registry, v url.Values) (any, error) {
		var req Req
		if err := c.bind(ctx, r, v, reflect.ValueOf(&req).Elem()); err != nil {
			return nil, err
		}
		return r.accept(ctx, c, v, func(ctx context.Context) (job.Spec, error) { return accept(ctx, req) })
	}
	return c
}

// result keeps a failed command from answering half a result.
func result[T any](v T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

// describe reads the tags once. A mistake in them is the programmer's: it panics.
func describe(m Meta, req, resp reflect.Type) *Command {
	c := &Command{Meta: m, byName: map[string]int{}}
	if m.Name == "" || m.Roles == 0 {
		panic(fmt.Sprintf("command %q: needs a name and roles", m.Name))
	}
	if m.Public && m.Event != "" {
		panic(fmt.Sprintf("command %s: is public and has an event", m.Name))
	}
	if c.Envelope == "" {
		c.Envelope = strings.ToLower(m.Name) + "response"
	}
	c.Params = params(m.Name, req)
	for i, p := range c.Params {
		if _, twice := c.byName[p.Name]; twice {
			panic(fmt.Sprintf("command %s: parameter %s twice", m.Name, p.Name))
		}
		c.byName[p.Name] = i
	}
	c.checkers = checkersOf(req, nil)
	elem := c.shape(resp)
	c.Result = resultFields(elem, nil)
	c.encode = encoderOf(elem)
	c.subject = subjectOf(elem, c)
	return c
}

// shape finds the form of the result and the type of its elements.
func (c *Command) shape(resp reflect.Type) reflect.Type {
	elem := resp
	for elem.Kind() == reflect.Pointer {
		elem = elem.Elem()
	}
	_, isList := reflect.Zero(elem).Interface().(lister)
	switch {
	case isList:
		c.Shape, elem = Many, reflect.Zero(elem).Interface().(lister).elem()
		for elem.Kind() == reflect.Pointer {
			elem = elem.Elem()
		}
	case elem == reflect.TypeFor[Success]():
		c.Shape = Succeeded
	case c.ListLike:
		c.Shape = Many
	case c.Object != "":
		c.Shape = Object
	default:
		c.Shape = Flat
	}
	if (c.Shape == Many || c.Shape == Object) && c.Object == "" {
		panic(fmt.Sprintf("command %s: needs Meta.Object", c.Name))
	}
	return elem
}

// List is the result of every list command. Count is the number of all
// matches, not only of this page.
type List[T any] struct {
	Count int
	Items []T
}

type lister interface {
	elem() reflect.Type
	parts() (count int, items reflect.Value)
}

func (List[T]) elem() reflect.Type { return reflect.TypeFor[T]() }

func (l List[T]) parts() (int, reflect.Value) { return l.Count, reflect.ValueOf(l.Items) }

// ListOf makes the result of a list command from rows.
func ListOf[Row, T any](rows []Row, count int, view func(Row) T) List[T] {
	l := List[T]{Count: count, Items: make([]T, len(rows))}
	for i, row := range rows {
		l.Items[i] = view(row)
	}
	return l
}

// Success is the result of commands that have nothing to show.
type Success struct {
	Success     bool   `json:"success" doc:"true if operation is executed successfully"`
	DisplayText string `json:"displaytext" doc:"any text associated with the success or failure"`
}

// OK is the Success of everyday.
var OK = Success{Success: true}

// Accepted is what an async command answers at once.
type Accepted struct {
	ID    string `json:"id"`
	JobID string `json:"jobid"`
}

// Pending is embedded by results of things that jobs work on: it tells the
// running job.
type Pending struct {
	JobID     string `json:"jobid" doc:"the UUID of the latest async job acting on this object"`
	JobStatus *int   `json:"jobstatus" doc:"the current status of the latest async job acting on this object"`
}
