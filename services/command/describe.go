package command

import (
	"context"
	"reflect"
	"slices"

	"aerie/services/store"
)

// API is one command in listApis.
type API struct {
	Name        string     `json:"name" doc:"the name of the api command"`
	Description string     `json:"description" doc:"description of the api"`
	Async       bool       `json:"isasync" doc:"true if api is asynchronous"`
	Related     *string    `json:"related" doc:"comma separated related apis"`
	Since       string     `json:"since" doc:"version of CloudStack the api was introduced in"`
	Type        string     `json:"type" doc:"response field type"`
	Params      []APIParam `json:"params" type:"set" doc:"the list params the api accepts"`
	Response    []APIField `json:"response" type:"set" doc:"api response fields"`
}

// APIParam is one parameter in listApis.
type APIParam struct {
	Name        string `json:"name" doc:"the name of the api parameter"`
	Description string `json:"description" doc:"description of the api parameter"`
	Type        string `json:"type" doc:"parameter type"`
	Length      int    `json:"length" type:"int" doc:"length of the parameter"`
	Required    bool   `json:"required" doc:"true if this parameter is required for the api request"`
	Related     string `json:"related" doc:"comma separated related apis to get the parameter"`
	Since       string `json:"since" doc:"version of CloudStack the api was introduced in"`
}

// APIField is one field of a result in listApis.
type APIField struct {
	Name        string     `json:"name" doc:"the name of the api response field"`
	Description string     `json:"description" doc:"description of the api response field"`
	Type        string     `json:"type" doc:"response field type"`
	Response    []APIField `json:"response" type:"set" doc:"api response fields"`
}

// Describe returns the commands that ctx's actor may call, with the parameters
// and fields its role may see.
func (r *Registry) Describe(ctx context.Context) []API {
	actor, _ := store.From(ctx)
	role := RoleOf(actor.Rank)
	if actor.IsSystem() {
		role = Everyone
	}
	var mine []*Command
	for _, c := range r.All() {
		if r.may(ctx, actor, c) {
			mine = append(mine, c)
		}
	}
	byObject := map[string]string{}
	for _, c := range mine {
		if _, ok := byObject[c.Object]; !ok {
			byObject[c.Object] = r.related(c.Object, mine)
		}
	}
	out := make([]API, len(mine))
	for i, c := range mine {
		related := byObject[c.Object]
		out[i] = API{
			Name: c.Name, Description: c.Doc, Async: c.Async, Since: c.Since, Related: &related,
			Params: describeParams(c.Params, role, byObject), Response: pending(describeFields(c.Result, role)),
		}
	}
	return out
}

func describeParams(params []Param, role Role, related map[string]string) []APIParam {
	out := make([]APIParam, 0, len(params))
	for _, p := range params {
		if p.View != 0 && p.View&role == 0 {
			continue
		}
		length := p.Max
		if length == 0 {
			length = defaultMax
		}
		out = append(out, APIParam{
			Name: p.Name, Description: p.Doc, Type: p.Type, Length: length,
			Required: p.Required, Related: related[p.Ref], Since: p.Since,
		})
	}
	return out
}

// pending adds what clients find with any result that a job is working on.
func pending(fields []APIField) []APIField {
	for _, f := range resultFields(reflect.TypeFor[Pending](), nil) {
		if !slices.ContainsFunc(fields, func(have APIField) bool { return have.Name == f.Name }) {
			fields = append(fields, APIField{Name: f.Name, Description: f.Doc, Type: f.Type})
		}
	}
	return fields
}

// describeFields never returns nil: clients read the list unguarded.
func describeFields(fields []Field, role Role) []APIField {
	out := make([]APIField, 0, len(fields))
	for _, f := range fields {
		if f.View != 0 && f.View&role == 0 {
			continue
		}
		d := APIField{Name: f.Name, Description: f.Doc, Type: f.Type}
		if len(f.Fields) > 0 {
			d.Response = describeFields(f.Fields, role)
		}
		out = append(out, d)
	}
	return out
}
