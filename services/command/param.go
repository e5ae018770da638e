package command

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Param is one request parameter, read from a struct field's tags:
//
//	json      name, in lower case
//	ref       kind of thing the id must name, see Registry.Ref
//	finds     "true": the command itself finds it and names the parameter if not
//	required  "true"
//	max       longest text (default 255; entries of maps 4096), or greatest number
//	min       least number
//	range     "1..65535", both at once
//	pattern   regular expression for the whole text
//	enum      "NFS,Local": one of these in any case; the field gets this spelling
//	secret    "true": never in events, logs and jobs
//	view      "admin" or "domainadmin": a value from anyone below is ignored
//	loose     "true": an id that is no UUID counts as not given
//	day       "end": a bare date means its last second
//	type      another name of the type in listApis
//	since, doc
type Param struct {
	Name, Type, Doc, Ref, Since string
	Required, Secret            bool
	Max                         int
	Enum                        []string
	View                        Role    // who may give it; 0: everyone
	Fields                      []Param // of a list of objects

	index    []int
	kind     paramKind
	set      setter // of a scalar or of a list's element
	pattern  *regexp.Regexp
	low, top *float64
	loose    bool
	finds    bool
	dayEnd   bool
}

// paramKind is how a parameter is written in a request.
type paramKind int

const (
	scalar  paramKind = iota
	list              // a,b
	dict              // name[0].key=k&name[0].value=v and the like
	objects           // name[0].a=1&name[0].b=2
	dicts             // the same into maps
)

const (
	defaultMax = 255
	mapMax     = 4096
)

// params reads the fields of a request, those of embedded structs among them.
func params(command string, t reflect.Type) []Param {
	if t.Kind() != reflect.Struct {
		panic(fmt.Sprintf("command %s: the request must be a struct, not %s", command, t))
	}
	var out []Param
	walkFields(t, nil, func(f reflect.StructField, index []int, name string) {
		p, err := newParam(f, index, name)
		if err != nil {
			panic(fmt.Sprintf("command %s: parameter %s: %v", command, name, err))
		}
		out = append(out, p)
	})
	return out
}

// walkFields visits the fields with a json name, in their order.
func walkFields(t reflect.Type, at []int, visit func(f reflect.StructField, index []int, name string)) {
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(append([]int{}, at...), i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
			walkFields(f.Type, index, visit)
		case name == "" || name == "-" || !f.IsExported():
		default:
			visit(f, index, name)
		}
	}
}

func newParam(f reflect.StructField, index []int, name string) (p Param, err error) {
	tag := f.Tag
	p = Param{
		Name: name, Doc: tag.Get("doc"), Ref: tag.Get("ref"), Since: tag.Get("since"),
		Required: tag.Get("required") == "true", Secret: tag.Get("secret") == "true" || secretName.MatchString(name),
		View: viewRole(tag.Get("view")), loose: tag.Get("loose") == "true", finds: tag.Get("finds") == "true", dayEnd: tag.Get("day") == "end", index: index,
	}
	if name != strings.ToLower(name) {
		return p, fmt.Errorf("names are in lower case")
	}
	if s := tag.Get("enum"); s != "" {
		p.Enum = strings.Split(s, ",")
	}
	if s := tag.Get("pattern"); s != "" {
		if p.pattern, err = regexp.Compile("^(?:" + s + ")$"); err != nil {
			return p, err
		}
	}
	if err := p.ofType(f.Type); err != nil {
		return p, err
	}
	if s := tag.Get("type"); s != "" {
		p.Type = s
	} else if p.Ref != "" && p.kind == scalar {
		p.Type = "uuid"
	}
	return p, p.limits(tag)
}

// ofType chooses how the Go type is written in requests.
func (p *Param) ofType(t reflect.Type) (err error) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if p.set, p.Type = scalarSetter(t); p.set != nil {
		return nil
	}
	text := func(t reflect.Type) bool { return t.Kind() == reflect.String }
	switch {
	case t.Kind() == reflect.Map && text(t.Key()) && text(t.Elem()):
		p.kind, p.Type = dict, "map"
	case t.Kind() != reflect.Slice:
		return fmt.Errorf("no decoder for %s", t)
	case t.Elem().Kind() == reflect.Map && text(t.Elem().Key()) && text(t.Elem().Elem()):
		p.kind, p.Type = dicts, "map"
	case t.Elem().Kind() == reflect.Struct && t.Elem() != dateType:
		p.kind, p.Type = objects, "map"
		p.Fields = params(p.Name, t.Elem())
	default:
		p.kind, p.Type = list, "list"
		if p.set, _ = scalarSetter(t.Elem()); p.set == nil {
			return fmt.Errorf("no decoder for %s", t)
		}
	}
	return nil
}

func (p *Param) limits(tag reflect.StructTag) (err error) {
	low, top := tag.Get("min"), tag.Get("max")
	if s := tag.Get("range"); s != "" {
		low, top, _ = strings.Cut(s, "..")
	}
	switch p.Type {
	case "integer", "long", "float", "double", "short":
		if p.low, err = limit(low); err != nil {
			return err
		}
		p.top, err = limit(top)
		return err
	}
	p.Max = defaultMax
	if p.kind == dict || p.kind == dicts {
		p.Max = mapMax
	}
	if top != "" {
		p.Max, err = strconv.Atoi(top)
	}
	return err
}

func limit(s string) (*float64, error) {
	if s == "" {
		return nil, nil
	}
	f, err := strconv.ParseFloat(s, 64)
	return &f, err
}

// refKinds are the kinds of references in the parameter.
func (p Param) refKinds() (out []string) {
	if p.Ref != "" {
		out = append(out, p.Ref)
	}
	for _, f := range p.Fields {
		out = append(out, f.refKinds()...)
	}
	return out
}

// viewRole reads the view tag: the roles from that one upwards.
func viewRole(s string) Role {
	switch s {
	case "":
		return 0
	case "admin":
		return Admin
	case "domainadmin":
		return Admins
	}
	panic(fmt.Sprintf("view:%q: want admin or domainadmin", s))
}

// Field is one field of a result.
type Field struct {
	Name, Type, Doc, Since string
	View                   Role // who sees it; 0: everyone
	Secret                 bool // only who asked for it is shown it
	Fields                 []Field
}

var (
	dateType = reflect.TypeFor[Date]()
	timeType = reflect.TypeFor[Time]()
	goTime   = reflect.TypeFor[time.Time]()
)

// resultFields reads a result's fields. above are the types it is in, so that
// a type that holds itself ends.
func resultFields(t reflect.Type, above []reflect.Type) (out []Field) {
	if t.Kind() != reflect.Struct {
		return nil
	}
	for _, a := range above {
		if a == t {
			return nil
		}
	}
	above = append(above, t)
	walkFields(t, nil, func(f reflect.StructField, _ []int, name string) {
		fd := Field{Name: name, Doc: f.Tag.Get("doc"), Since: f.Tag.Get("since"), View: viewRole(f.Tag.Get("view")), Secret: f.Tag.Get("secret") == "true"}
		inner := f.Type
		for inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		fd.Type = resultType(inner)
		if _, opts, _ := strings.Cut(f.Tag.Get("json"), ","); strings.Contains(opts, "string") {
			fd.Type = "string"
		}
		for inner.Kind() == reflect.Slice || inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if !isDate(inner) {
			fd.Fields = resultFields(inner, above)
		}
		if s := f.Tag.Get("type"); s != "" {
			fd.Type = s
		}
		out = append(out, fd)
	})
	return out
}

func isDate(t reflect.Type) bool { return t == timeType || t == goTime || t == dateType }

var typeNames = map[reflect.Kind]string{
	reflect.String: "string", reflect.Bool: "boolean",
	reflect.Int: "integer", reflect.Int32: "integer", reflect.Int16: "short", reflect.Int64: "long", reflect.Uint64: "long", reflect.Uint32: "long",
	reflect.Float64: "double", reflect.Float32: "float",
	reflect.Slice: "list", reflect.Map: "map", reflect.Struct: "object", reflect.Interface: "responseobject",
}

func resultType(t reflect.Type) string {
	switch {
	case isDate(t):
		return "date"
	case t == rawType:
		return "responseobject"
	}
	return typeNames[t.Kind()]
}
