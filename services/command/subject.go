package command

import (
	"net/url"
	"reflect"
	"slices"

	"aerie/services/event"
)

// subject knows where a result keeps its id and name, for the event.
type subject struct {
	kind     string
	id, name []int
}

func subjectOf(t reflect.Type, c *Command) subject {
	s := subject{kind: c.Object}
	if i, ok := c.byName["id"]; ok && s.kind == "" {
		s.kind = c.Params[i].Ref
	}
	if t.Kind() != reflect.Struct {
		return s
	}
	walkFields(t, nil, func(f reflect.StructField, index []int, name string) {
		switch {
		case f.Type.Kind() != reflect.String:
		case name == "id":
			s.id = slices.Clone(index)
		case name == "name":
			s.name = slices.Clone(index)
		}
	})
	return s
}

// of finds what a call was about: the result's id and name, else the request's.
func (s subject) of(out any, v url.Values) event.Resource {
	in := read(v)
	id, _ := in.get("id")
	name, _ := in.get("name")
	res := event.Resource{Kind: s.kind, ID: id, Name: name}
	rv := reflect.ValueOf(out)
	for rv.Kind() == reflect.Pointer && !rv.IsNil() {
		rv = rv.Elem()
	}
	if rv.Kind() != reflect.Struct || s.id == nil {
		return res
	}
	if _, isList := rv.Interface().(lister); isList {
		return res
	}
	res.ID = rv.FieldByIndex(s.id).String()
	if s.name != nil {
		res.Name = rv.FieldByIndex(s.name).String()
	}
	return res
}
