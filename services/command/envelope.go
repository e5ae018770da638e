package command

import (
	"reflect"
)

// JSON is the document of a result: {"<envelope>":{…}}, as role may see it.
func (c *Command) JSON(role Role, v any) []byte {
	b := make([]byte, 0, 512)
	b = append(appendText(append(b, '{'), c.Envelope), ':')
	return append(c.append(b, role, v), '}')
}

// Body is what JSON puts inside the envelope and a job keeps as its result.
func (c *Command) Body(role Role, v any) []byte { return c.append(nil, role, v) }

func (c *Command) append(b []byte, role Role, v any) []byte {
	if a, ok := v.(Accepted); ok {
		return encoderOf(reflect.TypeFor[Accepted]())(b, reflect.ValueOf(a), role)
	}
	if l, ok := v.(lister); ok {
		count, items := l.parts()
		return c.appendList(b, role, count, items)
	}
	rv := reflect.ValueOf(v)
	for rv.Kind() == reflect.Pointer && !rv.IsNil() {
		rv = rv.Elem()
	}
	switch {
	case !rv.IsValid() || rv.Kind() == reflect.Pointer:
		return append(b, "{}"...)
	case c.Shape == Many:
		b = append(appendText(append(b, `{"count":1,`...), c.Object), ":["...)
		return append(c.encode(b, rv, role), "]}"...)
	case c.Shape == Object:
		b = append(appendText(append(b, '{'), c.Object), ':')
		return append(c.encode(b, rv, role), '}')
	}
	return c.encode(b, rv, role)
}

// appendList writes a page. An empty one is {}, without count and list: clients
// rely on that.
func (c *Command) appendList(b []byte, role Role, count int, items reflect.Value) []byte {
	if items.Len() == 0 {
		return append(b, "{}"...)
	}
	b = appendInt(append(b, `{"count":`...), count)
	b = append(appendText(append(b, ','), c.Object), ":["...)
	for i := range items.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		item := items.Index(i)
		for item.Kind() == reflect.Pointer {
			item = item.Elem()
		}
		b = c.encode(b, item, role)
	}
	return append(b, "]}"...)
}

// Marshal encodes any value as results are: by its tags, for everyone.
func Marshal(v any) []byte {
	rv := reflect.ValueOf(v)
	return encoderOf(rv.Type())(nil, rv, Everyone)
}
