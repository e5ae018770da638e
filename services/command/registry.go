package command

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"sort"
	"strings"
	"time"

	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/job"
	"aerie/services/store"
)

// Jobs takes jobs and starts them after the commit; *job.Engine does.
type Jobs interface {
	Submit(ctx context.Context, s job.Spec) (*job.Row, error)
}

// Directory finds accounts, domains and projects as requests call them. All return
// fault.NotFound for what is absent or not for the actor; iam satisfies it.
type Directory interface {
	LookupAccount(ctx context.Context, domainID, name string) (store.Owner, error)
	LookupDomain(ctx context.Context, id string) (path string, err error)
	LookupProject(ctx context.Context, id string) (store.Project, error)
}

// Registry holds every command and what Call needs. The zero value with its
// fields set is ready.
type Registry struct {
	DB        *store.DB
	Jobs      Jobs
	Directory Directory
	// Allowed decides by the dynamic roles; nil: by Meta.Roles.
	Allowed func(context.Context, store.Actor, *Command) bool
	// Barred says why an actor may call nothing at all, for a refusal that names
	// the reason; nil: nobody is.
	Barred func(context.Context, store.Actor) error
	// Narrow leaves out of ctx's actor the projects that it may not use for the
	// command; nil: none.
	Narrow func(context.Context, *Command) (context.Context, error)
	// MaxPage is the setting default.page.size; nil: 500.
	MaxPage func(context.Context) int
	// Observe hears of every call, for metrics: the kind of its fault or "ok".
	Observe func(ctx context.Context, command, kind string, took time.Duration)

	byName map[string]*Command
	refs   map[string]func(context.Context, string) (bool, error)
}

// Add registers commands. It panics when a name is taken.
func (r *Registry) Add(cmds ...*Command) {
	if r.byName == nil {
		r.byName = map[string]*Command{}
	}
	for _, c := range cmds {
		if r.byName[c.Name] != nil {
			panic("command registered twice: " + c.Name)
		}
		r.byName[c.Name] = c
	}
}

// Ref says how to find out whether an id of ref:"kind" is there for the
// caller. Kinds are named like the API's elements: zone, virtualmachine. Use
// store.Exists: removed rows still resolve, foreign ones do not.
func (r *Registry) Ref(kind string, exists func(ctx context.Context, id string) (bool, error)) {
	if r.refs == nil {
		r.refs = map[string]func(context.Context, string) (bool, error){}
	}
	if r.refs[kind] != nil {
		panic("ref registered twice: " + kind)
	}
	r.refs[kind] = exists
}

// Check panics when a command names a kind of reference that nobody resolves.
// Call it at the start, after all Add and Ref.
func (r *Registry) Check() {
	for _, c := range r.All() {
		for _, p := range c.Params {
			for _, kind := range p.refKinds() {
				if r.refs[kind] == nil {
					panic(fmt.Sprintf("command %s: nobody resolves ref:%q of %s", c.Name, kind, p.Name))
				}
			}
		}
	}
}

// All returns the commands in the order of their names.
func (r *Registry) All() []*Command {
	out := make([]*Command, 0, len(r.byName))
	for _, c := range r.byName {
		out = append(out, c)
	}
	sort.Slice(out, func(a, b int) bool { return out[a].Name < out[b].Name })
	return out
}

// Find returns the command if ctx's actor may call it; names are case-sensitive.
// Unknown and not permitted look the same.
func (r *Registry) Find(ctx context.Context, name string) (*Command, error) {
	actor, ok := store.From(ctx)
	if !ok {
		return nil, fault.New(fault.Unauthenticated, "error.unauthenticated")
	}
	c := r.byName[name]
	if c == nil || !r.may(ctx, actor, c) {
		if r.Barred != nil {
			if err := r.Barred(ctx, actor); err != nil {
				return nil, err
			}
		}
		return nil, fault.New(fault.Unsupported, "error.command", "command", name)
	}
	return c, nil
}

func (r *Registry) may(ctx context.Context, a store.Actor, c *Command) bool {
	if a.IsSystem() {
		return true
	}
	if r.Allowed != nil {
		return r.Allowed(ctx, a, c)
	}
	return c.Roles&RoleOf(a.Rank) != 0
}

// Call is the only way in: find, check the role, decode, resolve, run. It
// returns the command as soon as it is found, for its envelope.
func (r *Registry) Call(ctx context.Context, name string, v url.Values) (*Command, any, error) {
	c, err := r.Find(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	ctx = context.WithValue(ctx, callKey{}, &call{registry: r, command: c})
	start := time.Now()
	out, err := r.run(ctx, c, v)
	if r.Observe != nil {
		r.Observe(ctx, c.Name, outcome(err), time.Since(start))
	}
	return c, out, err
}

// run calls the command within the projects that the actor may use for it.
func (r *Registry) run(ctx context.Context, c *Command, v url.Values) (any, error) {
	if r.Narrow == nil {
		return c.call(ctx, r, v)
	}
	within, err := r.Narrow(ctx, c)
	if err != nil {
		return nil, err
	}
	out, err := c.call(within, r, v)
	if store.IsAbsent(err) {
		err = r.suspended(ctx, within, c, v, err)
	}
	return out, err
}

// suspended says of what is absent that its project is suspended, to whom sees
// it otherwise.
func (r *Registry) suspended(ctx, within context.Context, c *Command, v url.Values, absent error) error {
	actor, _ := store.From(within)
	for _, p := range actor.Projects {
		if p.Barred != suspendedKey {
			continue
		}
		in := read(v)
		for _, param := range c.Params {
			id, _ := in.get(param.Name)
			if id == "" || param.Ref == "" || r.refs[param.Ref] == nil {
				continue
			}
			hidden, err := r.refs[param.Ref](within, id)
			seen, errs := r.refs[param.Ref](ctx, id)
			if err == nil && errs == nil && seen && !hidden {
				return fault.New(fault.Conflict, suspendedKey, "project", p.AccountID)
			}
		}
	}
	return absent
}

const suspendedKey = "error.project_suspended"

func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	return fault.Of(err).Kind.Name
}

type callKey struct{}

// call is what a running command's helpers find in their context.
type call struct {
	registry *Registry
	command  *Command
	resource event.Resource
	owner    *store.Owner
	job      *job.Row // whose result is being rendered
	before   any
	after    any
}

// changes tells whether the running command changes anything.
func (n *call) changes() bool { return n.command != nil && n.command.Event != "" }

func callOf(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{}
}

// change runs a synchronous command that writes: its rows and its event are
// there together or not at all.
func (r *Registry) change(ctx context.Context, c *Command, v url.Values, fn func(context.Context) (any, error)) (out any, err error) {
	err = r.DB.Tx(ctx, func(ctx context.Context) error {
		n := &call{registry: r, command: c}
		ctx = context.WithValue(ctx, callKey{}, n)
		if out, err = fn(ctx); err != nil {
			return err
		}
		_, err := event.Log(ctx, r.DB, n.event(c, c.subject.of(out, v)))
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// complete fills what the command knows of its job. Its events come with the
// job's phases, see Notify.
func (c *Command) complete(s job.Spec, n *call, v url.Values) job.Spec {
	s.Command = c.Name
	if s.Event == "" {
		s.Event = c.Event
	}
	if s.Object == "" {
		s.Object = c.subject.kind
	}
	if s.Params == nil {
		s.Params = c.Redact(v)
	}
	if s.ObjectName == "" {
		s.ObjectName = event.Clip(n.nameOf(s))
	}
	if n.owner != nil && s.Owner == (store.Owner{}) {
		s.Owner = *n.owner
	}
	return s
}

// nameOf is what About called the job's object, or the name in its request.
func (n *call) nameOf(s job.Spec) string {
	if about := n.resource; about.Name != "" && (about.ID == s.ObjectID || s.ObjectID == "") {
		return about.Name
	}
	return s.Params["name"]
}

// event is the audit row of a call.
func (n *call) event(c *Command, about event.Resource) event.Event {
	if n.resource.ID != "" {
		about = n.resource
	}
	return event.Event{Type: c.Event, Resource: about, Owner: n.owner, Before: n.before, After: n.after}
}

// About names what the running command changes, for its event. Without it the
// event takes the result's id and name or the request's id.
func About(ctx context.Context, res event.Resource, owner store.Owner) {
	n := callOf(ctx)
	n.resource = res
	if owner.AccountID != "" {
		n.owner = &owner
	}
}

// Changed notes a row before and after the running command, for the audit.
// Pass small structs or maps without secrets.
func Changed(ctx context.Context, before, after any) {
	n := callOf(ctx)
	n.before, n.after = before, after
}

// related lists the commands whose result is an element of that name.
func (r *Registry) related(object string, of []*Command) string {
	if object == "" {
		return ""
	}
	var names []string
	for _, c := range of {
		if strings.EqualFold(c.Object, object) {
			names = append(names, c.Name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ",")
}

// Get returns a command by its name, whoever asks, or nil.
func (r *Registry) Get(name string) *Command { return r.byName[name] }
