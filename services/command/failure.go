package command

import (
	"context"
	"encoding/json"
	"strings"

	"aerie/locales"
	"aerie/services/fault"
)

// Failure is an error as the API tells it.
type Failure struct {
	Code   int // errorcode, also the HTTP status
	CSCode int // cserrorcode; 0: left out
	Text   string
}

// Explain words an error for the API. Of many bad parameters it tells the
// first. Texts are in English whatever the reader's language: clients search
// in them. An "api." text stands in for one that speaks to people.
func Explain(err error, command string, role Role) Failure {
	f := fault.Of(err)
	if len(f.Order) > 0 {
		f = f.Fields[f.Order[0]]
	}
	return explain(f.Kind, f.Key, f.Args, command, role)
}

// generic are the kinds of which only admins learn more.
var generic = map[string]bool{fault.NoCapacity.Name: true, fault.Unavailable.Name: true}

func explain(k fault.Kind, key string, args []any, command string, role Role) Failure {
	switch {
	case k.Name == fault.Internal.Name:
		key = "error.internal"
	case generic[k.Name] && role&Admin == 0:
		key = "error.generic"
	}
	if locales.Has("api." + key) {
		key = "api." + key
	}
	ctx := locales.With(context.Background(), locales.Fallback)
	args = append(args[:len(args):len(args)], "command", strings.ToLower(command))
	return Failure{Code: k.API, CSCode: k.CS, Text: locales.T(ctx, key, args...)}
}

// JobFailure words the stored error of a job.
func JobFailure(kind, key string, args []byte, code int, command string, role Role) Failure {
	var pairs []any
	d := json.NewDecoder(strings.NewReader(string(args)))
	d.UseNumber()
	_ = d.Decode(&pairs) // without arguments there are none
	f := explain(fault.Kind{Name: kind, API: code}, key, pairs, command, role)
	if f.Code == 0 {
		f.Code = fault.Internal.API
	}
	return f
}

// Strip removes what a role may not see from a result that was rendered for
// another one.
func (c *Command) Strip(role Role, body []byte) []byte {
	return c.without(body, func(f Field) bool { return f.View != 0 && f.View&role == 0 })
}

// Conceal takes the secrets out of a result that somebody else asked for.
func (c *Command) Conceal(body []byte) []byte {
	return c.without(body, func(f Field) bool { return f.Secret })
}

func (c *Command) without(body []byte, hidden func(Field) bool) []byte {
	var doc map[string]any
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	if d.Decode(&doc) != nil {
		return body
	}
	if c.Shape == Object || c.Shape == Many {
		strip(c.Result, hidden, doc[c.Object])
	} else {
		strip(c.Result, hidden, doc)
	}
	out, err := json.Marshal(doc)
	if err != nil {
		return body
	}
	return out
}

func strip(fields []Field, hidden func(Field) bool, v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			strip(fields, hidden, item)
		}
	case map[string]any:
		for _, f := range fields {
			if hidden(f) {
				delete(v, f.Name)
			} else if len(f.Fields) > 0 {
				strip(f.Fields, hidden, v[f.Name])
			}
		}
	}
}
