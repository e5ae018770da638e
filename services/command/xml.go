package command

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// Version is the release of CloudStack whose API this is.
const Version = "4.22.1.0"

// XML turns a document of JSON into the same document in XML, so one set of
// tags serves both: the envelope is the root, a list repeats its element.
func XML(doc []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	w := xmlWriter{d: d}
	w.b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>`)
	if err := w.root(); err != nil {
		return nil, fmt.Errorf("xml: %w", err)
	}
	return w.b.Bytes(), nil
}

type xmlWriter struct {
	d *json.Decoder
	b bytes.Buffer
}

var errShape = errors.New("not an object with one key")

func (w *xmlWriter) root() error {
	if t, err := w.d.Token(); err != nil || t != json.Delim('{') {
		return errors.Join(errShape, err)
	}
	key, err := w.d.Token()
	name, ok := key.(string)
	if err != nil || !ok {
		return errors.Join(errShape, err)
	}
	name = elementName(name)
	w.b.WriteString("<" + name + ` cloud-stack-version="` + Version + `">`)
	t, err := w.d.Token()
	if err != nil {
		return err
	}
	if t != json.Delim('{') {
		return errShape
	}
	if err := w.fields(); err != nil {
		return err
	}
	w.b.WriteString("</" + name + ">")
	return nil
}

// fields writes an object's fields up to its end.
func (w *xmlWriter) fields() error {
	for w.d.More() {
		key, err := w.d.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string)
		if err := w.value(name); err != nil {
			return err
		}
	}
	_, err := w.d.Token()
	return err
}

// value writes the next value under that name.
func (w *xmlWriter) value(name string) error {
	t, err := w.d.Token()
	if err != nil {
		return err
	}
	switch t {
	case nil:
		return nil
	case json.Delim('['):
		return w.list(name)
	}
	name = elementName(name)
	w.b.WriteString("<" + name + ">")
	if t == json.Delim('{') {
		err = w.fields()
	} else {
		err = xml.EscapeText(&w.b, []byte(fmt.Sprint(t)))
	}
	w.b.WriteString("</" + name + ">")
	return err
}

// list repeats the element; only the ids of an error stand in one of their own.
func (w *xmlWriter) list(name string) error {
	const ids = "uuidList"
	item := name
	if name == ids {
		w.b.WriteString("<" + ids + ">")
		item = "uuid"
	}
	for w.d.More() {
		if err := w.value(item); err != nil {
			return err
		}
	}
	if name == ids {
		w.b.WriteString("</" + ids + ">")
	}
	_, err := w.d.Token()
	return err
}

// elementName makes a name of what may be the key of a map, such as a detail.
func elementName(s string) string {
	if s == "" {
		return "_"
	}
	name := strings.Map(func(r rune) rune {
		if r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_-.", r)) {
			return r
		}
		return '_'
	}, s)
	if c := name[0]; c == '-' || c == '.' || c >= '0' && c <= '9' {
		return "_" + name
	}
	return name
}
