package portal

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"aerie/services/command/builtin"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/store"
	"aerie/views/components"
)

// showEvents is the list with what can be done with its rows.
func showEvents(r *Request) error {
	l := eventList(r, nil)
	var types []components.Option
	kinds, err := some[builtin.EventType](r, "listEventTypes", nil)
	if err != nil {
		return err
	}
	for _, k := range kinds {
		types = append(types, components.Option{Value: k.Name, Label: event.Title(r.Ctx(), k.Name)})
	}
	slices.SortFunc(types, func(a, b components.Option) int { return strings.Compare(a.Label, b.Label) })
	l.Filters = append(l.Filters, r.filter("type", types), r.filter("archived", []components.Option{{Value: "true", Label: r.T("pg.events.archived")}}),
		r.filter("startdate", nil), r.filter("enddate", nil))
	if r.May("archiveEvents") {
		l.Bulk = append(l.Bulk, components.Bulk{Label: r.T("action.archive"), Icon: "archive", Post: r.Path("/events/archive")})
	}
	if r.May("deleteEvents") {
		l.Bulk = append(l.Bulk, components.Bulk{Label: r.T("pg.a.delete"), Icon: "trash-2", Post: r.Path("/events/delete"), Style: components.Danger, Ask: true})
	}
	l.Actions = func(e builtin.EventView) components.Menu {
		return r.menu(deed{Command: "listEvents", Key: "details", Icon: "file-text", Path: r.Path("/events/", e.ID), Open: true})
	}
	return showList(r, l)
}

// showEvent is an event with what belongs to the same operation, and what a
// change was from and to.
func showEvent(r *Request) error {
	e, err := find[builtin.EventView](r, "listEvents", r.Param("id"))
	if err != nil {
		return err
	}
	row, err := store.Find[event.Row](r.Ctx(), r.Portal.DB, e.ID)
	if err != nil {
		return fault.New(fault.NotFound, "portal.not_found").Because(err)
	}
	chain, err := some[builtin.EventView](r, "listEvents", vals("startid", or(e.ParentID, e.ID), "listall", "true", "page", "1", "pagesize", "50"))
	if err != nil {
		return err
	}
	object := components.Link{Label: or(e.ResourceName, e.ResourceID), Href: r.objectPath(e.ResourceType, e.ResourceID)}
	facts := r.lines("type", components.Code(e.Type), "level", r.level(e.Level), "state", r.eventState(e.State), "object", object,
		"account", e.Account, "domain", e.DomainPath, "actor", e.Username, "created", e.Created)
	if row.JobID != "" {
		facts = append(facts, r.lines("job", components.Link{Label: row.JobID, Href: jobHref(row.JobID)})...)
	}
	parts := []templ.Component{
		components.Heading{Title: e.Description, ID: e.ID},
		halves(boxed(r.T("pg.specification"), facts), boxed(r.T("pg.events.chain"), timeline(r, chain))),
	}
	if changes := fieldChanges(row.BeforeChange, row.AfterChange); len(changes) > 0 {
		l := listPage[fieldChange]{
			ID: "changes", Title: r.T("pg.events.changes"), RowID: func(d fieldChange) string { return d.Field },
			Columns: []column[fieldChange]{
				{Key: "field", Label: r.T("pg.c.field"), Text: func(d fieldChange) string { return d.Field }},
				{Key: "from", Label: r.T("pg.c.from"), Text: func(d fieldChange) string { return d.Was }},
				{Key: "to", Label: r.T("pg.c.to"), Text: func(d fieldChange) string { return d.Is }},
			},
		}
		parts = append(parts, sheet(l.Title, bareList(r, l, changes)))
	}
	return r.Show(Page{Title: e.Description, Crumbs: crumbs(r.T("nav.activity"), "", r.T("nav.events"), r.Path("/events")), Body: templ.Join(parts...)})
}

// fieldChange is one field that a change changed.
type fieldChange struct{ Field, Was, Is string }

// fieldChanges are the fields in which two snapshots of a row differ.
func fieldChanges(before, after *string) (out []fieldChange) {
	was, is := fieldsOf(before), fieldsOf(after)
	all := maps.Clone(was)
	maps.Copy(all, is)
	for _, name := range sortedKeys(all) {
		if was[name] != is[name] {
			out = append(out, fieldChange{name, was[name], is[name]})
		}
	}
	return out
}

func fieldsOf(snapshot *string) map[string]string {
	out := map[string]string{}
	var fields map[string]any
	if snapshot == nil || json.Unmarshal([]byte(*snapshot), &fields) != nil {
		return out
	}
	for name, v := range fields {
		switch v := v.(type) {
		case nil:
		case map[string]any, []any:
			b, _ := json.Marshal(v) // what was JSON a moment ago
			out[name] = string(b)
		default:
			out[name] = fmt.Sprint(v)
		}
	}
	return out
}
