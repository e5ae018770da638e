package portal

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/views/components"
	"aerie/views/pages/pieces"
)

// savedViews are lists as their readers want to find them again.
func savedViews() area {
	return area{routes: func(on routes) {
		on.both("/views/new", saveView)
		on.both("/views/:id/delete", dropView)
	}}
}

// passing are values of an address that are of the moment.
var passing = []string{"page", "cursor", "as"}

// lasting is what of an address a view keeps.
func lasting(of url.Values) url.Values {
	out := url.Values{}
	for name, values := range of {
		if !slices.Contains(passing, name) && slices.ContainsFunc(values, func(v string) bool { return v != "" }) {
			out[name] = values
		}
	}
	return out
}

// viewLinks lead to what the reader saved of a list.
func (r *Request) viewLinks(views []iam.SavedView, path string) templ.Component {
	var links []templ.Component
	for _, v := range views {
		links = append(links, components.Button{Label: v.Name, Icon: "filter", Href: path + "?" + v.Query, Style: components.Quiet, Small: true})
	}
	return pieces.Row(links...)
}

// viewTools saves what a list shows now, or forgets it.
func (r *Request) viewTools(views []iam.SavedView, list string, q components.Query) []components.Button {
	now := lasting(q.Values)
	at, ok := r.below(q.Path)
	if len(now) == 0 || !ok {
		return nil
	}
	i := slices.IndexFunc(views, func(v iam.SavedView) bool { return v.Query == now.Encode() })
	of := url.Values{"list": {list}, "at": {at}}
	if i >= 0 {
		return []components.Button{{Label: r.T("pg.views.forget", "name", views[i].Name), Icon: "trash-2", Href: r.Path("/views/", views[i].ID, "/delete?", of.Encode()), Style: components.Quiet, IconOnly: true}}
	}
	of.Set("query", now.Encode())
	return []components.Button{{Label: r.T("pg.views.save"), Icon: "save", Href: r.Path("/views/new?", of.Encode()), Style: components.Quiet, IconOnly: true}}
}

var listPath = regexp.MustCompile(`^(/[a-z][a-z-]*)+$`)

// below is a list's path without the scope before it.
func (r *Request) below(path string) (string, bool) {
	at, ok := strings.CutPrefix(path, r.Scope.path)
	return at, ok && listPath.MatchString(at)
}

// listOf is the address of the list that a form is about: never of another site.
func (r *Request) listOf() (string, error) {
	if at := r.FormValue("at"); listPath.MatchString(at) {
		return r.Path(at), nil
	}
	return "", fault.New(fault.NotFound, "portal.not_found")
}

func saveView(r *Request) error {
	to, err := r.listOf()
	if err != nil {
		return err
	}
	list, query := r.FormValue("list"), r.FormValue("query")
	f := formPage{
		Title: r.T("pg.views.save"), Text: r.T("pg.views.text"), NoCall: true,
		Form: components.Form{Submit: r.T("pg.a.save"), Cancel: to + "?" + query, Fields: []components.Field{
			needed(r.in("name", "text", "")),
			{Name: "list", Type: "hidden", Value: list},
			{Name: "at", Type: "hidden", Value: r.FormValue("at")},
			{Name: "query", Type: "hidden", Value: query},
		}},
	}
	if !r.posted() {
		return r.showForm(f, nil)
	}
	v, err := r.Portal.IAM.SaveView(r.Ctx(), list, r.FormValue("name"), query)
	if err != nil {
		return r.showForm(f, err)
	}
	return r.goneTo(r.T("pg.saved", "name", v.Name), to+"?"+v.Query)
}

func dropView(r *Request) error {
	to, err := r.listOf()
	if err != nil {
		return err
	}
	views, err := r.Portal.IAM.SavedViews(r.Ctx(), r.FormValue("list"))
	if err != nil {
		return err
	}
	i := slices.IndexFunc(views, func(v iam.SavedView) bool { return v.ID == r.Param("id") })
	if i < 0 {
		return r.absent(nil)
	}
	if r.posted() {
		if err := r.Portal.IAM.DropView(r.Ctx(), views[i].ID); err != nil {
			return err
		}
		return r.goneTo(r.T("pg.views.forgotten", "name", views[i].Name), to)
	}
	return r.ask(components.Action{
		Label: r.T("pg.a.delete"), Post: r.Path("/views/", views[i].ID, "/delete"), Full: true,
		Fields:  []components.Pair{{Name: "list", Value: views[i].List}, {Name: "at", Value: r.FormValue("at")}},
		Confirm: components.Confirm{Level: components.Dialog, Title: r.T("pg.views.forget", "name", views[i].Name), Text: r.T("pg.views.forget_text")},
	}, to, false, nil)
}
