package spec

import (
	"fmt"
	"slices"
	"strings"

	"aerie/services/command"
)

// Problem is one difference between a command of ours and CloudStack's.
type Problem struct {
	Command string
	// What is where: "param:zoneid", "field:nic.id", "shape", "command" …
	What, Text string
}

func (p Problem) String() string { return p.Command + " " + p.What + ": " + p.Text }

// Allow lists differences that are meant: command → what → the reason. What may
// end in *, as "field:backup*" for a family of fields.
type Allow map[string]map[string]string

// Compare returns the differences of the registered commands that no Allow
// names, and the Allows that name none.
func Compare(r *command.Registry, allows ...Allow) []Problem {
	allow := Allow{}
	for _, a := range allows {
		for name, whats := range a {
			if allow[name] == nil {
				allow[name] = map[string]string{}
			}
			for what, reason := range whats {
				allow[name][what] = reason
			}
		}
	}
	var out []Problem
	for _, c := range r.All() {
		out = append(out, allow.filter(c.Name, Differences(c))...)
	}
	return out
}

// filter drops what is allowed and reports what is allowed in vain.
func (a Allow) filter(name string, found []Problem) (out []Problem) {
	used := map[string]bool{}
	for _, p := range found {
		key := ""
		for what := range a[name] {
			stem, family := strings.CutSuffix(what, "*")
			if what == p.What || family && strings.HasPrefix(p.What, stem) {
				key = what
			}
		}
		if key == "" {
			out = append(out, p)
		}
		used[key] = true
	}
	for what, reason := range a[name] {
		if !used[what] {
			out = append(out, Problem{name, what, "is allowed but there is no difference"})
		}
		if reason == "" {
			out = append(out, Problem{name, what, "is allowed without a reason"})
		}
	}
	return out
}

// Differences returns how one command differs.
func Differences(c *command.Command) []Problem {
	want, ok := Commands()[c.Name]
	if !ok {
		return []Problem{{c.Name, "command", "CloudStack has none of that name"}}
	}
	d := differ{command: c.Name}
	d.form(c, want)
	for _, p := range want.Params {
		d.param(c, p)
	}
	d.fields("", c.Result, want.Fields)
	return d.out
}

type differ struct {
	command string
	out     []Problem
}

func (d *differ) add(what, format string, args ...any) {
	d.out = append(d.out, Problem{d.command, what, fmt.Sprintf(format, args...)})
}

var shapes = map[command.Shape]string{command.Flat: "flat", command.Object: "object", command.Many: "list", command.Succeeded: "success"}

func (d *differ) form(c *command.Command, want Command) {
	if c.Async != want.Async {
		d.add("async", "is %v, not %v", c.Async, want.Async)
	}
	if c.Create != want.Create {
		d.add("create", "is %v, not %v", c.Create, want.Create)
	}
	if got := shapes[c.Shape]; got != want.Kind {
		d.add("shape", "is %s, not %s", got, want.Kind)
	}
	if c.Object != want.Elem && !want.ElemUnsure && (c.Shape == command.Object || c.Shape == command.Many) {
		d.add("object", "is %q, not %q", c.Object, want.Elem)
	}
	if c.Envelope != want.Envelope {
		d.add("envelope", "is %q, not %q", c.Envelope, want.Envelope)
	}
}

func (d *differ) param(c *command.Command, want Param) {
	what := "param:" + want.Name
	p, ok := c.Param(want.Name)
	if !ok {
		d.add(what, "is missing")
		return
	}
	if !sameParam(p.Type, want.Type) {
		d.add(what, "is %s, not %s", p.Type, want.Type)
	}
	if p.Required != want.Required {
		d.add(what, "required is %v, not %v", p.Required, want.Required)
	}
	if want.Type == "string" && p.Max > 0 && p.Max < want.Length {
		d.add(what, "takes %d characters, not %d", p.Max, want.Length)
	}
}

var numbers = []string{"short", "integer", "float", "long", "double"}

// sameParam lets a wider number and a stricter text pass.
func sameParam(got, want string) bool {
	g, w := slices.Index(numbers, got), slices.Index(numbers, want)
	switch {
	case got == want, want == "object":
		return true
	case g >= 0 && w >= 0:
		return g >= w
	case want == "string":
		return got == "uuid" || got == "date"
	}
	return false
}

func (d *differ) fields(path string, got []command.Field, want []Field) {
	have := map[string]command.Field{}
	for _, f := range got {
		have[f.Name] = f
	}
	for _, w := range want {
		if path == "" && (w.Name == "jobid" || w.Name == "jobstatus") {
			continue // every result of CloudStack claims them; see command.Pending
		}
		f, ok := have[w.Name]
		switch {
		case !ok:
			d.add("field:"+path+w.Name, "is missing")
		case !fits(f, w.Shape):
			d.add("field:"+path+w.Name, "is %s, want %s", f.Type, words[w.Shape])
		case len(w.Fields) > 0 && len(f.Fields) > 0:
			d.fields(path+w.Name+".", f.Fields, w.Fields)
		}
	}
}

var words = map[byte]string{
	's': "a text", 'n': "a number", 'b': "a boolean", 'm': "a map", 'o': "an object", 'a': "an array of objects",
	'l': "an array of texts", 'N': "an array of numbers", 'A': "an array", 'i': "a text or number", '?': "anything",
}

func fits(f command.Field, shape byte) bool {
	array := f.Type == "list" || f.Type == "set"
	switch shape {
	case 's':
		return f.Type == "string" || f.Type == "date" || f.Type == "uuid"
	case 'n':
		return slices.Contains(numbers, f.Type) || f.Type == "int"
	case 'b':
		return f.Type == "boolean"
	case 'm':
		return f.Type == "map"
	case 'o':
		return f.Type == "object" || f.Type == "map" || f.Type == "responseobject"
	case 'a':
		return array && len(f.Fields) > 0
	case 'l', 'N':
		return array && len(f.Fields) == 0
	case 'A':
		return array
	case 'i':
		return f.Type == "string" || slices.Contains(numbers, f.Type)
	}
	return true
}
