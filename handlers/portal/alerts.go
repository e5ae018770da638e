package portal

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"aerie/locales"
	"aerie/services/command"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/store"
	"aerie/views/components"
)

// alerts are an operator's troubles.
func alerts() area {
	return area{
		entries: []entry{{Group: "nav.infrastructure", Key: "nav.alerts", Icon: "bell", Path: "/alerts", Needs: "listAlerts"}},
		routes: func(on routes) {
			on.GET("/alerts", func(r *Request) error { return showList(r, alertList(r)) })
			on.both("/alerts/new", newAlert)
			on.POST("/alerts/archive", func(r *Request) error { return r.many("archiveAlerts", "events.archived", "/alerts") })
			on.both("/alerts/delete", func(r *Request) error { return r.manyAsked("deleteAlerts", "alerts", "/alerts") })
			on.GET("/alerts/:id", showAlert)
		},
	}
}

// The states of an alert, as its filter and its pill have them.
const (
	alertStands = "standing"
	alertOver   = "over"
)

func alertState(a event.AlertRow) string {
	if a.Standing != nil {
		return alertStands
	}
	return alertOver
}

func alertList(r *Request) listPage[event.AlertRow] {
	type row = event.AlertRow
	create := r.creating("generateAlert", "generate_alert", r.Path("/alerts/new"))
	for i := range create {
		create[i].Style = "" // rarely wanted: no page's main deed
	}
	when := func(key string, at func(row) time.Time) column[row] {
		return colTime(r, key, func(a row) timeOf { return timeOf{Time: at(a)} })
	}
	l := listPage[row]{
		ID: "alerts", Title: r.T("nav.alerts"), SearchLabel: r.T("events.search"), Buttons: create,
		Load:  r.alertRows,
		RowID: func(a row) string { return a.ID }, Name: func(a row) string { return a.Text(r.Ctx()) },
		Filters: []components.Filter{
			r.filter("state", r.states(alertStands, alertOver)), r.filter("type", alertTypes()),
			r.filter("archived", []components.Option{{Value: "true", Label: r.T("pg.events.archived")}}),
		},
		Columns: []column[row]{
			{Key: "alert", Label: r.T("col.alert"), Text: func(a row) string { return a.Text(r.Ctx()) }, Cell: func(a row) templ.Component {
				return components.Link{Label: a.Text(r.Ctx()), Href: r.Path("/alerts/", a.ID)}
			}},
			colPill(r, "state", alertState),
			colCode(r, "type", func(a row) string { return a.Name }),
			optional(colCount(r, "times", func(a row) int { return int(a.Times) })),
			optional(when("last", func(a row) time.Time { return a.LastAt })),
			optional(when("over", ended)),
			phone(when("raised", func(a row) time.Time { return a.CreatedAt })),
		},
		Empty: components.Empty{Icon: "bell", Title: r.T("dashboard.no_alerts"), Text: r.T("events.no_alerts_text")},
	}
	if r.May("archiveAlerts") {
		l.Bulk = append(l.Bulk, components.Bulk{Label: r.T("action.archive"), Icon: "archive", Post: r.Path("/alerts/archive")})
		l.Actions = func(a row) components.Menu {
			if a.Archived {
				return components.Menu{}
			}
			return components.Menu{Inline: &components.Action{Label: r.T("action.archive"), Icon: "archive", Post: r.Path("/alerts/archive"), Full: true, Fields: []components.Pair{{Name: "id", Value: a.ID}}}}
		}
	}
	if r.May("deleteAlerts") {
		l.Bulk = append(l.Bulk, components.Bulk{Label: r.T("pg.a.delete"), Icon: "trash-2", Post: r.Path("/alerts/delete"), Style: components.Danger, Ask: true})
	}
	return l
}

func ended(a event.AlertRow) time.Time {
	if a.ResolvedAt == nil {
		return time.Time{}
	}
	return *a.ResolvedAt
}

// alertRows reads alerts themselves: the API's view of them does not tell
// whether they stand.
func (r *Request) alertRows(v url.Values) (command.List[event.AlertRow], error) {
	if !r.May("listAlerts") {
		return command.List[event.AlertRow]{}, fault.New(fault.Unsupported, "error.command", "command", "listAlerts")
	}
	q := command.Equal(r.Portal.DB.In(r.Ctx()).Model(&event.AlertRow{}), "subject", v.Get("subject"))
	if n, err := strconv.Atoi(v.Get("type")); err == nil {
		q = q.Where("type = ?", n)
	}
	switch v.Get("state") {
	case alertStands:
		q = q.Where("standing IS NOT NULL")
	case alertOver:
		q = q.Where("standing IS NULL")
	}
	if archived := v.Get("archived"); archived != "any" {
		q = q.Where("archived = ?", archived == "true")
	}
	p := paging(v)
	rows, n, err := command.Newest[event.AlertRow](p.Search(q, "name", "subject", "args"), p, r.Portal.marks)
	return command.List[event.AlertRow]{Count: n, Items: rows}, err
}

// paging is the page that a list asks for.
func paging(v url.Values) command.Paging {
	p := command.Paging{Keyword: v.Get("keyword")}
	if page := v.Get("page"); page != "" {
		p.Page, p.PageSize = new(number(page, 1)), new(number(v.Get("pagesize"), pageSize))
	}
	return p
}

// alertTypes are the kinds of alerts that can be chosen.
func alertTypes() (out []components.Option) {
	for _, k := range event.Kinds() {
		out = append(out, components.Option{Value: strconv.Itoa(int(k.Number)), Label: k.Name})
	}
	return out
}

// showAlert is an alert: what it is about, whether it stands, whom it still has
// to be told, and what was the matter with the same thing before.
func showAlert(r *Request) error {
	if !r.May("listAlerts") {
		return r.absent(nil)
	}
	a, err := store.Find[event.AlertRow](r.Ctx(), r.Portal.DB, r.Param("id"))
	if err != nil {
		return r.absent(err)
	}
	text := a.Text(r.Ctx())
	facts := r.lines("type", components.Code(a.Name), "state", components.Pill(alertState(a)), "raised", timeOf{Time: a.CreatedAt}, "last", timeOf{Time: a.LastAt}, "times", int(a.Times))
	if a.ResolvedAt != nil {
		facts = append(facts, r.lines("over", timeOf{Time: *a.ResolvedAt})...)
	}
	where, err := r.alertPlaces(a)
	if err != nil {
		return err
	}
	untold, err := r.untold(a)
	if err != nil {
		return err
	}
	others, err := r.alertRows(vals("subject", a.Subject, "type", strconv.Itoa(int(a.Type)), "archived", "any", "page", "1", "pagesize", "25"))
	if err != nil {
		return err
	}
	parts := []templ.Component{
		components.Heading{Title: text, State: alertState(a), ID: a.ID, Actions: r.deeds(alertDeeds(r, a)...)},
		halves(boxed(r.T("pg.specification"), slices.Concat(facts, where, untold)), boxed(r.T("pg.alerts.before"), r.alertStory(others.Items))),
	}
	return r.Show(Page{Title: text, Crumbs: crumbs(r.T("nav.infrastructure"), "", r.T("nav.alerts"), r.Path("/alerts")), Body: templ.Join(parts...)})
}

func alertDeeds(r *Request, a event.AlertRow) []deed {
	id := []components.Pair{{Name: "id", Value: a.ID}}
	archive := deed{Command: "archiveAlerts", Key: "archive", Icon: "archive", Path: r.Path("/alerts/archive"), Fields: id}
	if a.Archived {
		archive.Off = r.T("pg.why.archived")
	}
	return []deed{archive, {
		Command: "deleteAlerts", Key: "delete", Icon: "trash-2", Path: r.Path("/alerts/delete"), Fields: id, Danger: true,
		Ask: r.T("pg.alerts.delete_title"), Text: r.T("pg.alerts.delete_text"),
	}}
}

// alertPlaces are where an alert is, with their pages.
func (r *Request) alertPlaces(a event.AlertRow) (out components.Properties, err error) {
	for _, p := range []struct{ key, id, list, path string }{
		{"zone", a.ZoneID, "listZones", "/zones"}, {"pod", a.PodID, "listPods", "/pods"}, {"host", a.HostID, "listHosts", "/hosts"},
	} {
		if p.id == "" {
			continue
		}
		found, err := entries[choice](r, p.list, vals("id", p.id))
		if ignoreAbsent(err) != nil {
			return nil, err
		}
		link := components.Link{Label: p.id}
		if len(found) > 0 {
			link = components.Link{Label: found[0].Name, Href: r.pageOf(p.path, p.id)}
		}
		out = append(out, r.lines(p.key, link)...)
	}
	return out, nil
}

// untold is what of an alert is still to be told, and why it was not.
func (r *Request) untold(a event.AlertRow) (out components.Properties, err error) {
	var waiting []event.Notice
	if err := r.Portal.DB.In(r.Ctx()).Where("alert_id = ?", a.ID).Order("created_at, channel").Find(&waiting).Error; err != nil {
		return nil, err
	}
	for _, n := range waiting {
		text := r.T("pg.alerts.untold_" + string(n.Channel))
		if n.Error != "" {
			text += " " + r.T("portal.cause", "cause", n.Error)
		}
		out = append(out, r.lines("untold", text)...)
	}
	return out, nil
}

// alertStory is how often the same was the matter.
func (r *Request) alertStory(list []event.AlertRow) templ.Component {
	var out components.Timeline
	for _, a := range list {
		e := components.Event{Time: components.Time(a.CreatedAt), State: alertState(a), Text: a.Text(r.Ctx()), Href: r.Path("/alerts/", a.ID)}
		if a.ResolvedAt != nil && a.ResolvedAt.After(a.CreatedAt) {
			e.Detail = components.Text(r.T("pg.alerts.lasted", "time", locales.Duration(r.Ctx(), a.ResolvedAt.Sub(a.CreatedAt))))
		}
		out = append(out, e)
	}
	return out
}

// newAlert tells all operators of something that Aerie does not see.
func newAlert(r *Request) error {
	zones, err := r.choices("listZones", nil)
	if err != nil {
		return err
	}
	pods, err := r.choices("listPods", nil)
	if err != nil {
		return err
	}
	kinds, of := alertTypes(), vals()
	if i := slices.IndexFunc(kinds, func(k components.Option) bool { return k.Value == strings.TrimSpace(r.FormValue("type")) }); i >= 0 {
		of.Set("name", kinds[i].Label)
	}
	return r.formOr(formPage{
		Title: r.T("pg.a.generate_alert"), Text: r.T("pg.alerts.generate_text"), Command: "generateAlert", Fixed: of,
		Crumbs: crumbs(r.T("nav.infrastructure"), "", r.T("nav.alerts"), r.Path("/alerts")),
		Form: components.Form{Submit: r.T("pg.a.generate_alert"), Cancel: r.Path("/alerts"), Fields: []components.Field{
			needed(r.in("description", "textarea", "")), r.pick("type", strconv.Itoa(int(event.Management.Number)), kinds, true),
			r.pick("zoneid", "", zones, false), r.pick("podid", "", pods, false),
		}},
	}, r.T("pg.alerts.generated"), always(r.Path("/alerts")))
}
