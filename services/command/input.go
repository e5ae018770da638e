package command

import (
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"aerie/services/fault"
)

// input is a request's parameters under their lower-case names.
type input struct {
	values  url.Values
	indexed map[string][]entry // name[i].field, by name
}

// entry is one name[index].field=value; index is -1 when it cannot be read.
type entry struct {
	index        int
	field, value string
	raw          string
}

// read looks at every name once. Most requests need nothing else: their names
// are in lower case and without brackets.
func read(v url.Values) input {
	plain := true
	for name := range v {
		for i := 0; i < len(name) && plain; i++ {
			plain = name[i] != '[' && (name[i] < 'A' || name[i] > 'Z')
		}
		if !plain {
			return readAll(v)
		}
	}
	return input{values: v}
}

func readAll(v url.Values) input {
	in := input{values: make(url.Values, len(v)), indexed: map[string][]entry{}}
	names := make([]string, 0, len(v))
	for name := range v {
		names = append(names, name)
	}
	slices.Sort(names)
	// Of names that differ only in case the one in lower case wins, then the
	// last in byte order: one canonical form, whatever the map's order.
	for _, name := range names {
		if len(v[name]) == 0 {
			continue
		}
		base, rest, bracket := strings.Cut(name, "[")
		base = strings.ToLower(base)
		if !bracket {
			in.values[base] = v[name][:1]
			continue
		}
		e := parseEntry(rest, v[name][0])
		e.raw = name
		in.indexed[base] = append(in.indexed[base], e)
	}
	return in
}

// parseEntry reads what follows the bracket: 0].key.
func parseEntry(rest, value string) entry {
	digits, field, ok := strings.Cut(rest, "].")
	index, err := strconv.ParseUint(digits, 10, 31)
	if !ok || err != nil || field == "" || strings.ContainsAny(field, "[]") {
		return entry{index: -1}
	}
	return entry{index: int(index), field: field, value: value}
}

// get returns the first value of a parameter.
func (in input) get(name string) (string, bool) {
	if v := in.values[name]; len(v) > 0 {
		return v[0], true
	}
	return "", false
}

// indexed reads maps and lists of objects.
func (b *binding) indexed(p *Param, f reflect.Value) {
	entries := b.in.indexed[p.Name]
	if s, given := b.in.get(p.Name); given && strings.TrimSpace(s) != "" {
		b.mark(p.Name, fault.Malformed, "error.map", "value", s)
		return
	}
	if len(entries) == 0 {
		if p.Required {
			b.mark(p.Name, fault.Invalid, "error.required")
		}
		return
	}
	if len(entries) > mostItems*max(len(p.Fields), 1) { // each object has its fields
		b.mark(p.Name, fault.Invalid, "error.too_many", "max", mostItems)
		return
	}
	for _, e := range entries {
		if e.index < 0 {
			b.mark(p.Name, fault.Malformed, "error.map", "value", e.raw)
			return
		}
		if !b.fits(p, e) {
			return
		}
	}
	slices.SortStableFunc(entries, func(x, y entry) int { return x.index - y.index })
	switch p.kind {
	case dict:
		out := map[string]string{}
		for group := range byIndex(entries) {
			addPairs(out, group)
		}
		f.Set(reflect.ValueOf(out).Convert(f.Type()))
	case dicts:
		b.dicts(entries, f)
	default:
		b.objects(p, entries, f)
	}
}

// fits checks an entry of a map; the fields of objects have their own rules.
func (b *binding) fits(p *Param, e entry) bool {
	if p.kind == objects {
		return true
	}
	if !printable(e.field) || !printable(e.value) {
		b.mark(p.Name, fault.Invalid, "error.characters")
		return false
	}
	if tooLong(e.field, defaultMax) || tooLong(e.value, p.Max) {
		b.mark(p.Name, fault.Invalid, "error.too_long", "max", p.Max)
		return false
	}
	return true
}

// byIndex yields the entries of one index after the other.
func byIndex(sorted []entry) func(func([]entry) bool) {
	return func(yield func([]entry) bool) {
		for len(sorted) > 0 {
			n := 1
			for n < len(sorted) && sorted[n].index == sorted[0].index {
				n++
			}
			if !yield(sorted[:n]) {
				return
			}
			sorted = sorted[n:]
		}
	}
}

// addPairs adds what one index holds: a pair of key and value (service and
// provider), or any number of field=value.
func addPairs(out map[string]string, group []entry) {
	key, value, rest := "", "", false
	for _, e := range group {
		switch e.field {
		case "key", "service":
			key = e.value
		case "value", "provider":
			value = e.value
		default:
			rest = true
			out[e.field] = e.value
		}
	}
	if key != "" {
		out[key] = value
		return
	}
	if rest || len(group) == 0 {
		return
	}
	out[group[0].field] = group[0].value
}

func (b *binding) dicts(entries []entry, f reflect.Value) {
	out := reflect.MakeSlice(f.Type(), 0, 4)
	for group := range byIndex(entries) {
		m := map[string]string{}
		for _, e := range group {
			m[e.field] = e.value
		}
		out = reflect.Append(out, reflect.ValueOf(m).Convert(f.Type().Elem()))
	}
	f.Set(out)
}

// objects reads name[i].field into a slice of structs.
func (b *binding) objects(p *Param, entries []entry, f reflect.Value) {
	out := reflect.MakeSlice(f.Type(), 0, 4)
	for group := range byIndex(entries) {
		item := reflect.New(f.Type().Elem()).Elem()
		fields := make(url.Values, len(group))
		for _, e := range group {
			fields[strings.ToLower(e.field)] = []string{e.value}
		}
		sub := input{values: fields}
		for i := range p.Fields {
			q := &p.Fields[i]
			name := p.Name + "[" + strconv.Itoa(group[0].index) + "]." + q.Name
			b.field(q, name, sub, item.FieldByIndex(q.index))
		}
		out = reflect.Append(out, item)
	}
	f.Set(out)
}

// field sets one field of an object in a list.
func (b *binding) field(q *Param, name string, sub input, f reflect.Value) {
	s, given := sub.get(q.Name)
	switch {
	case q.kind == scalar:
		b.scalar(q, name, s, given, f)
	case q.kind == list:
		named := *q
		inner := binding{in: sub, command: b.command, role: b.role, bad: b.bad, refs: b.refs}
		inner.list(&named, f)
		b.bad, b.refs = inner.bad, inner.refs
	}
}
