package command

import (
	"context"
	"errors"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"aerie/services/fault"
	"aerie/services/store"
)

// Checker is a request, or an embedded part of one, with rules beyond its
// tags. Check may fill fields. Faults with Fields mark their parameters.
type Checker interface {
	Check(ctx context.Context) error
}

const mostItems = 1000 // of a list, a map or a list of objects

// binding is one decoding under way: it collects every bad parameter.
type binding struct {
	in      input
	command string
	role    Role
	bad     *fault.Error
	refs    []reference
}

type reference struct{ param, kind, id string }

// bind fills req from v and reports all bad parameters at once.
func (c *Command) bind(ctx context.Context, r *Registry, v url.Values, req reflect.Value) error {
	actor, _ := store.From(ctx)
	b := binding{in: read(v), command: c.Name, role: RoleOf(actor.Rank)}
	if actor.IsSystem() {
		b.role = Everyone
	}
	for i := range c.Params {
		p := &c.Params[i]
		if p.View != 0 && p.View&b.role == 0 {
			continue
		}
		b.param(p, req.FieldByIndex(p.index))
	}
	if err := b.resolve(ctx, r); err != nil {
		return err
	}
	if b.bad != nil {
		return b.bad
	}
	return c.check(ctx, req)
}

// mark notes a bad parameter. The fault as a whole is of the first one's kind.
func (b *binding) mark(param string, k fault.Kind, key string, args ...any) {
	args = append([]any{"command", strings.ToLower(b.command), "param", param}, args...)
	why := fault.New(k, key, args...)
	if b.bad == nil {
		b.bad = fault.New(k, key, args...)
	}
	b.bad.Mark(param, why)
}

func (b *binding) param(p *Param, f reflect.Value) {
	switch p.kind {
	case scalar:
		s, given := b.in.get(p.Name)
		b.scalar(p, p.Name, s, given, f)
	case list:
		b.list(p, f)
	default:
		b.indexed(p, f)
	}
}

// scalar sets a single value; name is the parameter's full name for faults.
func (b *binding) scalar(p *Param, name, s string, given bool, f reflect.Value) {
	if !given || strings.TrimSpace(s) == "" {
		if p.Required {
			b.mark(name, fault.Invalid, "error.required")
		} else if given {
			blank(f)
		}
		return
	}
	b.value(p, name, s, f)
}

// blank notes that a text was given empty, which *string fields tell from not
// given: an update clears with it.
func blank(f reflect.Value) {
	if f.Kind() == reflect.Pointer && f.Type().Elem().Kind() == reflect.String {
		f.Set(reflect.New(f.Type().Elem()))
	}
}

// value checks and sets one value that is not blank.
func (b *binding) value(p *Param, name, s string, f reflect.Value) {
	shown := s
	if p.Secret {
		shown = redacted
	}
	switch {
	case !printable(s):
		b.mark(name, fault.Invalid, "error.characters")
		return
	case p.Max > 0 && len(s) > p.Max && tooLong(s, p.Max):
		b.mark(name, fault.Invalid, "error.too_long", "max", p.Max)
		return
	}
	if p.Ref != "" || p.Type == "uuid" {
		s = strings.TrimSpace(s)
		if p.loose && !isUUID(s) && s != "-1" {
			return
		}
	}
	if len(p.Enum) > 0 {
		canonical, ok := oneOf(p.Enum, s)
		if !ok {
			b.mark(name, fault.Invalid, "error.enum", "value", shown, "values", strings.Join(p.Enum, ", "))
			return
		}
		s = canonical
	}
	if p.pattern != nil && !p.pattern.MatchString(s) {
		b.mark(name, fault.Invalid, "error.pattern", "value", shown)
		return
	}
	if f.Kind() == reflect.Pointer {
		f.Set(reflect.New(f.Type().Elem()))
		f = f.Elem()
	}
	if key := p.set(p, f, s); key != "" {
		b.mark(name, fault.Invalid, key, "value", shown, "min", bound(p.low), "max", bound(p.top))
		return
	}
	if p.Ref != "" && !p.finds && s != "-1" {
		b.refs = append(b.refs, reference{name, p.Ref, s})
	}
}

// list reads a,b,c. An empty text is an empty list, not none.
func (b *binding) list(p *Param, f reflect.Value) {
	s, given := b.in.get(p.Name)
	if !given {
		if p.Required {
			b.mark(p.Name, fault.Invalid, "error.required")
		}
		return
	}
	parts := strings.Split(s, ",")
	if len(parts) > mostItems {
		b.mark(p.Name, fault.Invalid, "error.too_many", "max", mostItems)
		return
	}
	out := reflect.MakeSlice(f.Type(), 0, len(parts))
	for _, part := range parts {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		item := reflect.New(f.Type().Elem()).Elem()
		b.value(p, p.Name, part, item)
		out = reflect.Append(out, item)
	}
	if out.Len() == 0 && p.Required {
		b.mark(p.Name, fault.Invalid, "error.required")
	}
	f.Set(out)
}

// resolve asks for every id inside the caller's scope: what is absent and what
// is another's look the same.
func (b *binding) resolve(ctx context.Context, r *Registry) error {
	for _, ref := range b.refs {
		exists := r.refs[ref.kind]
		if exists == nil {
			return errors.New("nobody resolves ref " + ref.kind)
		}
		there, err := exists(ctx, ref.id)
		if err != nil && !store.IsAbsent(err) {
			return err
		}
		if err != nil || !there {
			b.mark(ref.param, fault.NotFound, "error.no_entity", "value", ref.id)
		}
	}
	return nil
}

// check runs the rules beyond tags, after the tags' own.
func (c *Command) check(ctx context.Context, req reflect.Value) error {
	for _, index := range c.checkers {
		part := req.FieldByIndex(index).Addr().Interface().(Checker)
		if err := part.Check(ctx); err != nil {
			return err
		}
	}
	return nil
}

var checkerType = reflect.TypeFor[Checker]()

// checkersOf finds the request itself and its embedded structs that are
// Checkers, the innermost first.
func checkersOf(t reflect.Type, at []int) (out [][]int) {
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && f.IsExported() && f.Type.Kind() == reflect.Struct {
			out = append(out, checkersOf(f.Type, append(append([]int{}, at...), i))...)
		}
	}
	// A method promoted from an embedded struct runs twice, which does no harm.
	if reflect.PointerTo(t).Implements(checkerType) {
		out = append(out, at)
	}
	return out
}

// Param returns the parameter of that name, for forms.
func (c *Command) Param(name string) (Param, bool) {
	i, ok := c.byName[strings.ToLower(name)]
	if !ok {
		return Param{}, false
	}
	return c.Params[i], true
}

func bound(f *float64) string {
	if f == nil {
		return ""
	}
	return strconv.FormatFloat(*f, 'f', -1, 64)
}

func oneOf(all []string, s string) (string, bool) {
	s = strings.TrimSpace(s)
	for _, one := range all {
		if strings.EqualFold(one, s) {
			return one, true
		}
	}
	return "", false
}
