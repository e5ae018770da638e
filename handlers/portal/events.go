package portal

import (
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"aerie/services/command/builtin"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/views/components"
)

func events() area {
	return area{
		entries: []entry{{Group: "nav.activity", Key: "nav.events", Icon: "history", Path: "/events", Needs: "listEvents"}},
		routes: func(on routes) {
			on.GET("/events", showEvents)
			on.POST("/events/archive", func(r *Request) error { return r.many("archiveEvents", "events.archived", "/events") })
			on.both("/events/delete", func(r *Request) error { return r.manyAsked("deleteEvents", "events", "/events") })
			on.GET("/events/:id", showEvent)
		},
	}
}

// many calls a command once for all that is selected.
func (r *Request) many(cmd, text, list string) error {
	form, err := r.FormParams()
	if err != nil {
		return fault.New(fault.Invalid, "error.query").Because(err)
	}
	ids := form["id"]
	return r.act(action{Command: cmd, Params: vals("ids", strings.Join(ids[:min(len(ids), most)], ",")), Text: r.T(text), To: r.Path(list)})
}

// manyAsked is many after a question.
func (r *Request) manyAsked(cmd, kind, list string) error {
	if r.posted() && r.May(cmd) {
		return r.many(cmd, "pg."+kind+".deleted", list)
	}
	return r.endMany(cmd, kind, r.Path(list))
}

// eventList are events; more narrows them, to one thing's for example.
func eventList(r *Request, more url.Values) listPage[builtin.EventView] {
	type view = builtin.EventView
	var levels, states []components.Option
	for _, l := range []event.Level{event.Info, event.Warn, event.Error} {
		levels = append(levels, components.Option{Value: string(l), Label: r.level(l)})
	}
	for _, s := range []event.State{event.Created, event.Scheduled, event.Started, event.Completed} {
		states = append(states, components.Option{Value: string(s), Label: r.eventState(s)})
	}
	return listPage[view]{
		ID: "events", Title: r.T("nav.events"), Command: "listEvents", Params: more, SearchLabel: r.T("events.search"),
		Filters: []components.Filter{
			{Name: "level", Label: r.T("col.level"), Options: levels},
			{Name: "state", Label: r.T("col.state"), Options: states},
		},
		RowID: func(e view) string { return e.ID }, Name: func(e view) string { return e.Description },
		Columns: []column[view]{
			{Key: "event", Label: r.T("col.event"), Text: func(e view) string { return e.Description }, Cell: func(e view) templ.Component {
				return components.Link{Label: e.Description, Href: r.objectPath(e.ResourceType, e.ResourceID)}
			}},
			{Key: "level", Label: r.T("col.level"), Text: func(e view) string { return string(e.Level) }, Cell: func(e view) templ.Component { return levelBadge(r, e.Level) }},
			{Key: "state", Label: r.T("col.state"), Text: func(e view) string { return r.eventState(e.State) }},
			{Key: "actor", Label: r.T("col.actor"), Text: func(e view) string { return e.Username }},
			{Key: "owner", Label: r.T("col.owner"), Optional: !r.Managing(), Text: func(e view) string { return e.Account }},
			{Key: "type", Label: r.T("col.type"), Optional: true, Text: func(e view) string { return e.Type }},
			{
				Key: "when", Label: r.T("col.when"), Phone: true, Text: func(e view) string { return e.Created.UTC().Format(time.RFC3339) },
				Cell: func(e view) templ.Component { return components.Time(e.Created.Time) },
			},
		},
		Empty: components.Empty{Icon: "history", Title: r.T("events.empty"), Text: r.T("events.empty_text")},
	}
}

func (r *Request) level(l event.Level) string {
	switch l {
	case event.Warn:
		return r.T("state.warn")
	case event.Error:
		return r.T("state.error")
	case event.Info:
	}
	return r.T("state.info")
}

func levelBadge(r *Request, l event.Level) templ.Component {
	b := components.Badge{Tone: components.Idle, Icon: "info", Label: r.level(l)}
	switch l {
	case event.Warn:
		b.Tone, b.Icon = components.Warn, "triangle-alert"
	case event.Error:
		b.Tone, b.Icon = components.Bad, "octagon-alert"
	case event.Info:
	}
	return b
}

// eventState is how far what an event tells of has come.
func (r *Request) eventState(s event.State) string {
	switch s {
	case event.Created:
		return r.T("events.created")
	case event.Scheduled:
		return r.T("events.scheduled")
	case event.Started:
		return r.T("events.started")
	case event.Completed:
	}
	return r.T("events.completed")
}

// latest leaves of events that belong together the newest: of a list with the
// newest first what came of each thing that was begun.
func latest(list []builtin.EventView) (out []builtin.EventView) {
	seen := map[string]bool{}
	for _, e := range list {
		if of := or(e.ParentID, e.ID); !seen[of] {
			seen[of] = true
			out = append(out, e)
		}
	}
	return out
}

// timeline are events as a short story, the newest first.
func timeline(r *Request, list []builtin.EventView) templ.Component {
	if len(list) == 0 {
		return components.Text(r.T("events.empty"))
	}
	var out components.Timeline
	for _, e := range list {
		state := "info"
		switch e.Level {
		case event.Warn:
			state = "warn"
		case event.Error:
			state = "error"
		case event.Info:
		}
		out = append(out, components.Event{
			Time: components.Time(e.Created.Time), State: state, Text: e.Description, Actor: e.Username,
			Href: r.objectPath(e.ResourceType, e.ResourceID),
		})
	}
	return out
}
