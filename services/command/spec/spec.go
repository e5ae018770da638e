// Package spec knows the shape of every CloudStack command, so that tests can
// tell where ours differ: parameters, fields, types, envelopes.
//
// commands.txt.gz has a line a command, its columns divided by tabs: name,
// flags (a async, c answers an id at once), kind of result, element (? when
// unsure), envelope if unusual, parameters (name:type, * required, <length),
// fields (name:shape, nested ones in brackets). Shapes are JSON's: s text, n
// number, b boolean, m map, o object, a array of objects, l of texts, N of
// numbers, A of either, i text or number, ? any.
package spec

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

//go:embed commands.txt.gz
var packed []byte

// Command is what CloudStack says of a command.
type Command struct {
	Name, Kind, Elem, Envelope string
	ElemUnsure, Async, Create  bool
	Params                     []Param
	Fields                     []Field
}

// Param is a parameter of a request.
type Param struct {
	Name, Type string
	Required   bool
	Length     int
}

// Field is a field of a result; Shape is its form in JSON.
type Field struct {
	Name   string
	Shape  byte
	Fields []Field
}

// Commands are all known commands by name.
var Commands = sync.OnceValue(func() map[string]Command {
	all, err := parse(packed)
	if err != nil {
		panic(err) // the file is embedded and tested
	}
	return all
})

func parse(packed []byte) (map[string]Command, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	out := map[string]Command{}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		c, err := parseLine(lines.Text())
		if err != nil {
			return nil, err
		}
		out[c.Name] = c
	}
	return out, lines.Err()
}

func parseLine(line string) (Command, error) {
	col := strings.Split(line, "\t")
	if len(col) != 7 {
		return Command{}, fmt.Errorf("spec: %d columns in %.40q", len(col), line)
	}
	c := Command{Name: col[0], Async: strings.Contains(col[1], "a"), Create: strings.Contains(col[1], "c"), Kind: col[2], Envelope: col[4]}
	c.Elem, c.ElemUnsure = strings.CutSuffix(col[3], "?")
	if c.Envelope == "" {
		c.Envelope = strings.ToLower(c.Name) + "response"
	}
	for p := range strings.SplitSeq(col[5], ",") {
		if p != "" {
			c.Params = append(c.Params, parseParam(p))
		}
	}
	var rest string
	c.Fields, rest = parseFields(col[6])
	if rest != "" {
		return c, fmt.Errorf("spec: %s: %.40q is left", c.Name, rest)
	}
	return c, nil
}

func parseParam(s string) Param {
	s, length, _ := strings.Cut(s, "<")
	s, required := strings.CutSuffix(s, "*")
	name, kind, _ := strings.Cut(s, ":")
	p := Param{Name: name, Type: kind, Required: required, Length: 255}
	if n, err := strconv.Atoi(length); err == nil {
		p.Length = n
	}
	return p
}

// parseFields reads up to the end or the closing bracket.
func parseFields(s string) (out []Field, rest string) {
	for s != "" && s[0] != ')' {
		colon := strings.IndexByte(s, ':')
		f := Field{Name: s[:colon], Shape: s[colon+1]}
		s = s[colon+2:]
		if strings.HasPrefix(s, "(") {
			f.Fields, s = parseFields(s[1:])
			s = strings.TrimPrefix(s, ")")
		}
		s = strings.TrimPrefix(s, ",")
		out = append(out, f)
	}
	return out, s
}
