package portal

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/views/components"
)

// formPage is a page with a form for one command. Its fields are named like
// the command's parameters.
type formPage struct {
	Title   string
	Text    string
	Command string
	Form    components.Form // Action is the page's own address unless set
	Aside   templ.Component // beside the form, sticky
	Crumbs  components.Crumbs
	Tabs    components.Tabs
	// Heading replaces the plain title.
	Heading templ.Component
	// Fixed are parameters that the page knows: the id of what is changed.
	Fixed url.Values
	// NoCall leaves out "Show the call"; Resource is the Terraform resource.
	NoCall   bool
	Resource string
	Rename   map[string]string
}

// showForm shows the form with what was sent or stands in the address, and
// with what was wrong.
func (r *Request) showForm(f formPage, err error) error {
	status := http.StatusOK
	if err != nil {
		status = fault.Of(err).Kind.HTTP
		if status >= http.StatusInternalServerError && fault.Of(err).Kind.Name == fault.Internal.Name {
			return err
		}
		status = http.StatusUnprocessableEntity
	}
	r.fill(&f, err)
	if f.Heading == nil {
		f.Heading = components.Heading{Title: f.Title, Text: f.Text}
	}
	var aside []templ.Component
	if f.Aside != nil {
		aside = append(aside, f.Aside)
	}
	if !f.NoCall {
		aside = append(aside, r.call(f))
	}
	parts := []templ.Component{f.Heading}
	if f.Tabs != nil {
		parts = append(parts, f.Tabs)
	}
	if len(aside) > 0 {
		parts = append(parts, around(components.Split(templ.Join(aside...)), f.Form))
	} else {
		parts = append(parts, f.Form)
	}
	return r.Show(Page{Title: f.Title, Crumbs: f.Crumbs, Body: templ.Join(parts...), Status: status})
}

// call is the form as the calls that do the same.
func (r *Request) call(f formPage) components.ShowCall {
	v, _ := r.values(f)
	call := components.ShowCall{Command: f.Command, Endpoint: r.origin() + "/client/api", Resource: f.Resource, Rename: f.Rename}
	add := func(name string) {
		if value := v.Get(name); value != "" {
			if r.secret(f.Command, name) {
				value = "•••"
			}
			call.Params = append(call.Params, components.Pair{Name: name, Value: value})
			v.Del(name)
		}
	}
	for _, x := range f.fields() {
		add(x.Name)
	}
	for _, name := range sortedKeys(v) {
		add(name)
	}
	return call
}

func (r *Request) secret(cmd, name string) bool {
	c := r.Portal.Registry.Get(cmd)
	if c == nil {
		return false
	}
	i := slices.IndexFunc(c.Params, func(p command.Param) bool { return p.Name == name })
	return i >= 0 && c.Params[i].Secret
}

// origin is how the browser calls this server.
func (r *Request) origin() string {
	if public := r.Portal.Sessions.Public; public != nil {
		return public.String()
	}
	if r.Portal.Sessions.Secure(r.Request()) {
		return "https://" + r.Request().Host
	}
	return "http://" + r.Request().Host
}

func (f formPage) fields() []*components.Field {
	var out []*components.Field
	for i := range f.Form.Fields {
		out = append(out, &f.Form.Fields[i])
	}
	for i := range f.Form.Sections {
		for j := range f.Form.Sections[i].Fields {
			out = append(out, &f.Form.Sections[i].Fields[j])
		}
	}
	return out
}

// fill gives every field its value, its rules and its error.
func (r *Request) fill(f *formPage, err error) {
	if f.Form.Action == "" {
		f.Form.Action = r.Request().URL.Path
	}
	f.Form.Fields = slices.Clone(f.Form.Fields)
	f.Form.Sections = slices.Clone(f.Form.Sections)
	for i := range f.Form.Sections {
		f.Form.Sections[i].Fields = slices.Clone(f.Form.Sections[i].Fields)
	}
	sent := r.sent()
	rules := map[string]command.Param{}
	if c := r.Portal.Registry.Get(f.Command); c != nil {
		for _, p := range c.Params {
			rules[p.Name] = p
		}
	}
	for _, x := range f.fields() {
		if values, ok := sent[x.Name]; ok && x.Type != "password" && !x.ReadOnly {
			x.Value, x.Values = values[0], values
		} else if r.posted() && x.Type == "checkbox" {
			x.Value = ""
		}
		if p, ok := rules[x.Name]; ok {
			x.Required = x.Required || p.Required
			if x.Max == 0 && p.Max > 0 && x.Type != "number" && x.Type != "select" && x.Type != "radio" && x.Type != "checks" {
				x.Max = p.Max
			}
		}
	}
	if err != nil {
		r.mark(f, fault.Of(err))
	}
}

// mark puts every complaint to its field, and what has none above the form.
func (r *Request) mark(f *formPage, what *fault.Error) {
	left := len(what.Order) == 0
	for _, name := range what.Order {
		i := slices.IndexFunc(f.fields(), func(x *components.Field) bool { return x.Name == name && x.Type != "hidden" })
		if i < 0 {
			left = true
			f.Form.Error = r.Words(what.Fields[name])
			continue
		}
		f.fields()[i].Error = r.Words(what.Fields[name])
	}
	if left && f.Form.Error == "" {
		f.Form.Error = r.Words(what)
	}
}

func (r *Request) posted() bool { return r.Request().Method == http.MethodPost }

// sent is what the form holds: posted, or from the address to begin with.
func (r *Request) sent() url.Values {
	if err := r.Request().ParseForm(); err != nil {
		return url.Values{}
	}
	if r.posted() {
		return r.Request().PostForm
	}
	return r.Request().URL.Query()
}

// values are the command's parameters from the form. A list of values is one
// parameter; a box that is not ticked says false.
func (r *Request) values(f formPage) (url.Values, error) {
	if err := r.Request().ParseForm(); err != nil {
		return nil, fault.New(fault.Invalid, "error.query").Because(err)
	}
	sent := r.sent()
	v := url.Values{}
	for _, x := range f.fields() {
		given := slices.DeleteFunc(slices.Clone(sent[x.Name]), func(s string) bool { return s == "" })
		switch {
		case x.Disabled || x.Name == "":
		case len(given) > 0:
			v.Set(x.Name, strings.Join(given, ","))
		case x.Type == "checkbox" && r.posted():
			v.Set(x.Name, "false")
		case !r.posted() && x.Value != "" && x.Type != "checkbox":
			v.Set(x.Name, x.Value)
		}
	}
	for name, values := range f.Fixed {
		v[name] = values
	}
	return r.Scope.within(r.Portal.Registry.Get(f.Command), v), nil
}

// submit sends the form to its command. What is wrong comes back in the form;
// after has the result: it says where to go on.
func (r *Request) submit(f formPage, text string, after func(out any) (to string)) error {
	v, err := r.values(f)
	if err != nil {
		return err
	}
	out, err := r.Call(f.Command, v)
	if err != nil {
		return r.showForm(f, err)
	}
	to := after(out)
	if text != "" {
		r.flash(flash{Tone: components.OK, Text: text})
	}
	return r.goTo(to)
}

// toJob is where a form goes on after an async command, other without a job.
func toJob(other string) func(any) string {
	return func(out any) string {
		if a, ok := out.(command.Accepted); ok {
			return "/jobs/" + a.JobID
		}
		return other
	}
}

// choice is an entry of a list command as a form offers it.
type choice struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	DisplayText string `json:"displaytext"`
}

// choices are what a list command returns, as options of a field. Without the
// right to call it there are none.
func (r *Request) choices(name string, v url.Values) ([]components.Option, error) {
	out, err := entries[choice](r, name, v)
	var options []components.Option
	for _, c := range out {
		options = append(options, components.Option{Value: c.ID, Label: c.Name})
	}
	return options, err
}

// entries are what a list command returns, as its JSON has them: for pages
// that need a few fields of a thing of another area.
func entries[T any](r *Request, name string, v url.Values) ([]T, error) {
	c, err := r.Portal.Registry.Find(r.Ctx(), name)
	if fault.Is(err, fault.Unsupported) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	_, out, err := r.Portal.Registry.Call(r.Ctx(), name, r.Scope.asking(c, v))
	if err != nil {
		return nil, err
	}
	doc := map[string]json.RawMessage{}
	if err := json.Unmarshal(c.Body(command.RoleOf(r.Who.Rank), out), &doc); err != nil {
		return nil, err
	}
	var items []T
	if raw, ok := doc[c.Object]; ok {
		err = json.Unmarshal(raw, &items)
	}
	return items, err
}

func itoa(n int) string { return strconv.Itoa(n) }

// ignoreAbsent: what is not there needs no answer.
func ignoreAbsent(err error) error {
	if f := fault.Of(err); err != nil && (f.Kind == fault.NotFound || f.Fields["id"] != nil || f.Fields["ids"] != nil) {
		return nil
	}
	return err
}
