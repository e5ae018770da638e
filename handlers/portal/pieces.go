package portal

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"aerie/locales"
	"aerie/services/command"
	"aerie/services/command/builtin"
	"aerie/services/fault"
	"aerie/views/components"
	"aerie/views/pages/pieces"
)

// The parts from which the pages of resources are put together: columns,
// fields, the deeds on a thing, its page with tabs, its end.

// colText is a column of plain words; its label is pg.c.<key>.
func colText[T any](r *Request, key string, text func(T) string) column[T] {
	return column[T]{Key: key, Label: r.T("pg.c." + key), Text: text}
}

// colName is the first column: the name as a link, with the id below.
func colName[T any](r *Request, id, name func(T) string, href func(T) string) column[T] {
	c := colText(r, "name", name)
	c.Cell = func(v T) templ.Component {
		return templ.Join(components.Link{Label: name(v), Href: href(v)}, components.CopyID{Value: id(v), Short: true})
	}
	return c
}

// colLink is a column of links to other things; without an address it is plain.
func colLink[T any](r *Request, key string, text, href func(T) string) column[T] {
	c := colText(r, key, text)
	c.Cell = func(v T) templ.Component {
		if text(v) == "" {
			return components.Text("")
		}
		return components.Link{Label: text(v), Href: href(v)}
	}
	return c
}

func colPill[T any](r *Request, key string, state func(T) string) column[T] {
	c := colText(r, key, state)
	c.Cell = func(v T) templ.Component { return components.Pill(state(v)) }
	return c
}

func colCode[T any](r *Request, key string, text func(T) string) column[T] {
	c := colText(r, key, text)
	c.Cell = func(v T) templ.Component { return components.Code(text(v)) }
	return c
}

func colTime[T any](r *Request, key string, moment func(T) command.Time) column[T] {
	c := colText(r, key, func(v T) string {
		if moment(v).IsZero() {
			return ""
		}
		return moment(v).UTC().Format("2006-01-02T15:04:05Z")
	})
	c.Cell = func(v T) templ.Component { return components.Time(moment(v).Time) }
	return c
}

func colBytes[T any](r *Request, key string, n func(T) int64) column[T] {
	c := colText(r, key, func(v T) string { return strconv.FormatInt(n(v), 10) })
	c.Number = true
	c.Cell = func(v T) templ.Component { return components.Bytes(n(v)) }
	return c
}

func colCount[T any](r *Request, key string, n func(T) int) column[T] {
	c := colText(r, key, func(v T) string { return strconv.Itoa(n(v)) })
	c.Number = true
	c.Cell = func(v T) templ.Component { return components.Number(n(v)) }
	return c
}

func colYes[T any](r *Request, key string, is func(T) bool) column[T] {
	return colText(r, key, func(v T) string { return r.yes(is(v)) })
}

// colBar is a column of filled bars with their figures below.
func colBar[T any](r *Request, key string, used, total func(T) int64, text func(int64) string) column[T] {
	words := func(v T) string { return text(used(v)) + " / " + text(total(v)) }
	c := colText(r, key, words)
	c.Cell = func(v T) templ.Component {
		if total(v) <= 0 {
			return components.Text("")
		}
		return pieces.Meter(components.Meter{Label: c.Label + ": " + words(v), Used: float64(used(v)), Total: float64(total(v))}, words(v))
	}
	return c
}

// optional hides a column until it is chosen.
func optional[T any](c column[T]) column[T] {
	c.Optional = true
	return c
}

// phone keeps a column on the narrow layout.
func phone[T any](c column[T]) column[T] {
	c.Phone = true
	return c
}

func (r *Request) yes(is bool) string {
	if is {
		return r.T("pg.yes")
	}
	return r.T("pg.no")
}

func (r *Request) bytes(n int64) string { return locales.Bytes(r.Ctx(), n) }

// mhz writes a clock rate, or a sum of them.
func (r *Request) mhz(n int64) string {
	switch {
	case n < 1000:
		return locales.Number(r.Ctx(), n) + "\u00a0MHz"
	case n < 100000 && n%1000 != 0:
		return locales.Decimal(r.Ctx(), float64(n)/1000, 1) + "\u00a0GHz"
	}
	return locales.Number(r.Ctx(), n/1000) + "\u00a0GHz"
}

// figure writes a count.
func (r *Request) figure(n int64) string { return locales.Number(r.Ctx(), n) }

// bareList is a list inside a card: no bar, no pager.
func bareList[T any](r *Request, l listPage[T], rows []T) templ.Component {
	t := l.table(components.Query{Path: r.Request().URL.Path})
	t.Bare, t.Rows, t.Bulk = true, rows, nil
	return t
}

// boxed is a framed part of a page.
func boxed(title string, body templ.Component) templ.Component {
	return around(components.Panel{Title: title}, body)
}

// sheet is a card with a table in it.
func sheet(title string, body templ.Component, buttons ...components.Button) templ.Component {
	return around(components.Panel{Title: title, Flush: true, Actions: buttons}, body)
}

// halves puts cards side by side where there is room.
func halves(cards ...templ.Component) templ.Component { return pieces.Cells("span-6", cards...) }

// lines are the lines of a description list: key, value pairs. Strings are
// shown as they are.
func (r *Request) lines(pairs ...any) components.Properties {
	var out components.Properties
	for i := 0; i+1 < len(pairs); i += 2 {
		p := components.Property{Label: r.T("pg.c." + pairs[i].(string))}
		switch v := pairs[i+1].(type) {
		case string:
			p.Value = components.Text(v)
		case bool:
			p.Value = components.Text(r.yes(v))
		case int:
			p.Value = components.Number(v)
		case command.Time:
			p.Value = components.Moment(v.Time)
		case templ.Component:
			p.Value = v
		}
		out = append(out, p)
	}
	return out
}

// The fields of forms. Labels are pg.f.<name>, and help is pg.h.<name>.

func (r *Request) in(name, kind, value string) components.Field {
	f := components.Field{Name: name, Type: kind, Value: value, Label: r.T("pg.f." + name)}
	if help := "pg.h." + name; locales.Has(help) {
		f.Help = r.T(help)
	}
	return f
}

func (r *Request) number(name, value, unit string) components.Field {
	f := r.in(name, "number", value)
	f.Unit, f.Least = unit, "0"
	return f
}

func (r *Request) tick(name string, on bool) components.Field {
	return r.in(name, "checkbox", strconv.FormatBool(on))
}

// pick is a choice of one; a choice that need not be made begins with nothing.
func (r *Request) pick(name, value string, options []components.Option, required bool) components.Field {
	f := r.in(name, "select", value)
	f.Required, f.Options = required, options
	if !required {
		f.Options = append([]components.Option{{Label: r.T("pg.none_chosen")}}, options...)
	}
	return f
}

func needed(f components.Field) components.Field {
	f.Required = true
	return f
}

// words are options whose labels are pg.o.<value>, where there is such a key.
func (r *Request) words(values ...string) []components.Option {
	var out []components.Option
	for _, v := range values {
		out = append(out, components.Option{Value: v, Label: locales.Or(r.Ctx(), "pg.o."+strings.ToLower(v), v)})
	}
	return out
}

// states are options whose labels are those of pills.
func (r *Request) states(values ...string) []components.Option {
	var out []components.Option
	for _, v := range values {
		out = append(out, components.Option{Value: v, Label: locales.Or(r.Ctx(), "state."+strings.ToLower(v), v)})
	}
	return out
}

// filter is a choice of the filter bar.
func (r *Request) filter(name string, options []components.Option) components.Filter {
	return components.Filter{Name: name, Label: r.T("pg.f." + name), Options: options}
}

// cleared are the fields that were sent empty, as parameters that clear.
func (r *Request) cleared(fixed url.Values, names ...string) url.Values {
	if r.posted() {
		sent := r.sent()
		for _, name := range names {
			if v, ok := sent[name]; ok && strings.TrimSpace(strings.Join(v, "")) == "" {
				fixed.Set(name, "")
			}
		}
	}
	return fixed
}

// deed is something to do with a thing. It is left out for roles that may not
// call its command. Its label is pg.a.<Key>.
type deed struct {
	Command string
	Key     string
	Icon    string
	Path    string // of the POST, or of the page with Page or Open
	Page    bool   // asks on a page of its own
	Open    bool   // is a page: a form
	Danger  bool
	Ask     string // a small question before
	Text    string // more of the question
	Off     string // why it cannot be done now
	Main    bool   // stands out in the heading
	Fields  []components.Pair
}

func (r *Request) deeds(list ...deed) []components.Action {
	var out []components.Action
	for _, d := range list {
		if !r.May(d.Command) {
			continue
		}
		a := components.Action{Label: r.T("pg.a." + d.Key), Icon: d.Icon, Disabled: d.Off, Fields: d.Fields}
		switch {
		case d.Page:
			a.Href, a.Page = d.Path, true
		case d.Open:
			a.Href = d.Path
		default:
			a.Post = d.Path
		}
		if d.Ask != "" {
			a.Confirm = components.Confirm{Level: components.Ask, Title: d.Ask, Text: d.Text}
		}
		if d.Danger {
			a.Style = components.Danger
		}
		if d.Main {
			a.Style = components.Primary
		}
		out = append(out, a)
	}
	return out
}

// menu is the deeds on a row.
func (r *Request) menu(list ...deed) components.Menu {
	return components.Menu{Actions: r.deeds(list...)}
}

// creating is the button that leads to the form of a new thing.
func (r *Request) creating(cmd, key, path string) []components.Action {
	return r.deeds(deed{Command: cmd, Key: key, Icon: "plus", Path: path, Open: true, Main: true})
}

// empty tells that there is nothing yet: pg.<noun>.empty and .empty_text.
func (r *Request) empty(noun, icon string, create []components.Action) components.Empty {
	e := components.Empty{Icon: icon, Title: r.T("pg." + noun + ".empty"), Text: locales.Or(r.Ctx(), "pg."+noun+".empty_text", "")}
	for _, a := range create {
		e.Actions = append(e.Actions, components.Button{Label: a.Label, Icon: a.Icon, Href: a.Href, Style: components.Primary})
	}
	return e
}

// thingTab is one page of a thing.
type thingTab struct {
	Key  string // pg.t.<key>, and the end of its address; the first has none
	Body func() (templ.Component, error)
	// Needs is the command without which there is no such tab.
	Needs string
}

// thingPage is the page of one thing.
type thingPage struct {
	Title  string
	Text   string
	State  string
	Job    string // that works on it
	ID     string
	Base   string // its address
	Crumbs components.Crumbs
	Deeds  []deed
	Shown  int // so many deeds stand in the heading, the others in the menu
	Above  templ.Component
	Tabs   []thingTab
	Watch  []string
}

// thing shows the tab that the address names.
func (r *Request) thing(d thingPage) error {
	d.Tabs = slices.DeleteFunc(d.Tabs, func(t thingTab) bool { return t.Needs != "" && !r.May(t.Needs) })
	now := r.Param("tab")
	i := slices.IndexFunc(d.Tabs, func(t thingTab) bool { return t.Key == now })
	if now == "" {
		i = 0
	} else if i <= 0 {
		return fault.New(fault.NotFound, "portal.not_found")
	}
	var tabs components.Tabs
	for j, t := range d.Tabs {
		href := d.Base
		if j > 0 {
			href += "/" + t.Key
		}
		tabs = append(tabs, components.Tab{Label: r.T("pg.t." + t.Key), Href: href, Current: i == j})
	}
	body, err := d.Tabs[i].Body()
	if err != nil {
		return err
	}
	actions := r.deeds(d.Deeds...)
	shown := min(max(d.Shown, 1), len(actions))
	h := components.Heading{Title: d.Title, Text: d.Text, State: d.State, JobHref: jobHref(d.Job), ID: d.ID, Actions: actions[:shown]}
	if rest := actions[shown:]; len(rest) > 0 {
		h.Menu = components.Menu{ID: "head-menu", Name: d.Title, Actions: rest}
	}
	parts := []templ.Component{h}
	if len(tabs) > 1 {
		parts = append(parts, tabs)
	}
	if d.Above != nil {
		parts = append(parts, d.Above)
	}
	return r.Show(Page{Title: d.Title, Crumbs: d.Crumbs, Body: templ.Join(append(parts, body)...), Watch: d.Watch, Refresh: len(d.Watch) > 0})
}

// ending is the end of a thing: GET asks, POST does it.
type ending struct {
	Command string
	Params  url.Values
	Kind    string // pg.<kind>.delete_title, .delete_text, .deleted
	Name    string
	Impact  []string
	Typed   bool // the name must be typed
	Choices []components.Field
	List    string // where the things are listed
	Crumbs  components.Crumbs
	Danger  string // label of the button; "Delete" unless set
}

func (r *Request) end(e ending) error {
	if !r.May(e.Command) {
		return fault.New(fault.NotFound, "portal.not_found")
	}
	a := components.Action{
		Label: r.T("pg.a.delete"), Post: r.Request().URL.Path, Style: components.Danger, Full: true,
		Confirm: components.Confirm{
			Level: components.Dialog, Title: r.T("pg."+e.Kind+".delete_title", "name", e.Name),
			Text: r.T("pg."+e.Kind+".delete_text", "name", e.Name), Impact: e.Impact,
		},
	}
	if e.Danger != "" {
		a.Label = e.Danger
	}
	if e.Typed {
		a.Confirm.Level, a.Confirm.Name = components.TypeName, e.Name
	}
	if r.Request().Method == http.MethodGet {
		return r.ask(a, e.List, false, e.Crumbs)
	}
	if e.Typed && strings.TrimSpace(r.FormValue("confirm")) != e.Name {
		return r.ask(a, e.List, true, e.Crumbs)
	}
	return r.act(action{Command: e.Command, Params: e.Params, Text: r.T("pg."+e.Kind+".deleted", "name", e.Name), To: e.List})
}

// history is the tab with what happened to a thing.
func (r *Request) history(id string) thingTab {
	return thingTab{Key: "events", Needs: "listEvents", Body: func() (templ.Component, error) {
		list, err := some[builtin.EventView](r, "listEvents", vals("resourceid", id, "page", "1", "pagesize", "100"))
		if err != nil {
			return nil, err
		}
		if len(list) == 0 {
			return components.Empty{Icon: "history", Title: r.T("pg.events.empty")}, nil
		}
		return boxed(r.T("pg.t.events"), timeline(r, latest(list))), nil
	}}
}

// both adds a page that asks and does: GET and POST go to one handler.
func (on routes) both(path string, h Handler) {
	on.GET(path, h)
	on.POST(path, h)
}

// onDetail adds the page of a thing and its tabs.
func (on routes) onDetail(path string, h Handler) {
	on.GET(path+"/:id", h)
	on.GET(path+"/:id/:tab", h)
}

// formOr shows the form, or takes what was sent.
func (r *Request) formOr(f formPage, text string, after func(any) string) error {
	if !r.May(f.Command) {
		return fault.New(fault.NotFound, "portal.not_found")
	}
	if r.posted() {
		return r.submit(f, text, after)
	}
	return r.showForm(f, nil)
}

// always is where a form goes on whatever the result.
func always(to string) func(any) string { return func(any) string { return to } }

// timeOf is a time as commands return it.
type timeOf = command.Time

// forAdmin is what only root administrators are shown.
func (r *Request) forAdmin(text string) string {
	if r.Admin() {
		return text
	}
	return ""
}

// absent is the fault for a thing that a list command did not return; an id
// that is none is absent, too.
func (r *Request) absent(err error) error {
	if ignoreAbsent(err) != nil {
		return err
	}
	return fault.New(fault.NotFound, "portal.not_found")
}

// endMany is the end of the selected things: GET asks, POST does it.
func (r *Request) endMany(cmd, kind, list string) error {
	if !r.May(cmd) {
		return fault.New(fault.NotFound, "portal.not_found")
	}
	if r.posted() {
		return r.bulk(cmd, nil, list)
	}
	ids := r.QueryParams()["id"]
	if len(ids) == 0 {
		return r.refuse(fault.New(fault.Invalid, "error.selection_empty"))
	}
	a := components.Action{
		Label: r.T("pg.a.delete"), Post: r.Request().URL.Path, Style: components.Danger, Full: true,
		Confirm: components.Confirm{Level: components.Dialog, Title: locales.N(r.Ctx(), "pg."+kind+".delete_many", len(ids)), Text: r.T("pg.delete_many_text")},
	}
	for _, id := range ids[:min(len(ids), most)] {
		a.Fields = append(a.Fields, components.Pair{Name: "id", Value: id})
	}
	return r.ask(a, list, false, nil)
}
