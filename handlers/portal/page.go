package portal

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"aerie/services/event"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/store"
	"aerie/views/components"
	"aerie/views/layout"
	"aerie/views/pages/frame"
)

// Page is what a handler shows.
type Page struct {
	Title  string
	Crumbs components.Crumbs // the way to the page, without the page itself
	Body   templ.Component
	Status int // 200 unless set
	// Watch are the kinds of things whose changes the page wants to hear of,
	// and with a slash the one thing: "virtualmachine/<id>". Rows of lists are
	// replaced; with Refresh the content loads itself anew.
	Watch   []string
	Refresh bool
	Scripts []string
}

// Show answers with a whole page.
func (r *Request) Show(p Page) error {
	if p.Status == 0 {
		p.Status = http.StatusOK
	}
	l := r.layout(p)
	body := frame.Content(frame.Props{Address: r.Request().URL.RequestURI(), Live: l.LiveURL != "", Refresh: p.Refresh}, p.Body)
	return r.write(p.Status, templ.ComponentFunc(within(layout.Portal(l), body)))
}

func (r *Request) layout(p Page) layout.Page {
	u := r.Request().URL
	l := layout.Page{
		Title: p.Title, Theme: r.Who.Theme, CSRF: r.Who.CSRF, Path: u.RequestURI(), Version: r.Portal.Version,
		User:  layout.User{Name: r.Who.User.Username, Account: r.Who.Account.Name, Domain: r.Who.Domain.FullName, Role: r.T("role." + rankName(r.Who.Rank))},
		Scope: r.scopes(), Nav: r.nav(), Create: r.create(), Scripts: p.Scripts, Flash: r.flashes(),
		Links: layout.Links{Home: r.home(), Search: "/search", Jobs: r.Path("/jobs"), Profile: "/profile", Preferences: "/preferences", SignOut: "/logout"},
	}
	if len(p.Crumbs) > 0 {
		l.Crumbs = append(p.Crumbs, components.Crumb{Label: p.Title})
	}
	if r.Request().Method != http.MethodGet {
		l.Path = r.back(r.home()) // a form's address cannot be gone back to
	}
	r.brand(&l, r.Who.Domain.Path)
	if p.Watch != nil {
		l.LiveURL = "/events/stream?" + url.Values{"watch": p.Watch, "page": {u.RequestURI()}, "since": {strconv.FormatInt(r.Began.UnixMilli(), 10)}}.Encode()
	}
	r.signs(&l)
	r.viewing(&l)
	return l
}

// signs are the counts and banners of the bar. A page does not fail for them.
func (r *Request) signs(l *layout.Page) {
	l.Jobs = r.liveJobs()
	if r.May("listAlerts") {
		l.Links.Alerts = r.alertsPage()
		var n int64
		if err := r.Portal.DB.In(r.Ctx()).Model(&event.AlertRow{}).Where("standing IS NOT NULL AND archived = ?", false).Count(&n).Error; err != nil {
			r.Portal.Log.WarnContext(r.Ctx(), "count alerts", "error", err)
		}
		l.Alerts = int(n)
	}
	var simulated int64
	sys := store.System(r.Ctx(), "pages say that the data centre is simulated")
	if err := r.Portal.DB.In(sys).Model(&infra.Zone{}).Where("simulated = ?", true).Limit(1).Count(&simulated).Error; err == nil && simulated > 0 {
		l.Banners = append(l.Banners, layout.Banner{Tone: components.Busy, Text: r.T("portal.simulated")})
	}
}

// liveJobs counts the jobs that run for what the reader may see.
func (r *Request) liveJobs() int {
	var n int64
	if err := r.Portal.DB.In(r.Ctx()).Model(&job.Row{}).Where("live = ?", true).Count(&n).Error; err != nil {
		r.Portal.Log.WarnContext(r.Ctx(), "count jobs", "error", err)
	}
	return int(n)
}

// nav is the navigation as the reader's role has it.
func (r *Request) nav() []layout.NavGroup { return r.navOf(r.May) }

// navOf is the navigation of whoever may call those commands.
func (r *Request) navOf(may func(command string) bool) []layout.NavGroup {
	byGroup := map[string][]layout.NavItem{}
	for _, a := range r.Portal.areas {
		for _, e := range a.entries {
			if e.Needs == "" || may(e.Needs) {
				byGroup[e.Group] = append(byGroup[e.Group], layout.NavItem{Key: e.Key, Icon: e.Icon, Href: r.Path(e.Path), Current: r.at(e.Path)})
			}
		}
	}
	var out []layout.NavGroup
	for _, g := range groups {
		if items := byGroup[g]; len(items) > 0 {
			out = append(out, layout.NavGroup{Key: g, Items: items})
		}
	}
	return out
}

// at tells whether the page is at or below that path of its scope.
func (r *Request) at(path string) bool {
	rest, ok := strings.CutPrefix(r.Request().URL.Path, r.Path(path))
	return ok && (rest == "" || rest[0] == '/')
}

// create is the Create menu.
func (r *Request) create() []layout.NavItem { return r.createOf(r.May) }

func (r *Request) createOf(may func(command string) bool) []layout.NavItem {
	var out []layout.NavItem
	for _, a := range r.Portal.areas {
		for _, e := range a.entries {
			if e.Create != "" && may(e.Create) {
				out = append(out, layout.NavItem{Label: r.T("action.create" + strings.TrimPrefix(e.Key, "nav")), Icon: e.Icon, Href: r.Path(e.Path, "/new")})
			}
		}
	}
	return out
}

// crumbs is the way to a page below a list: name, address pairs.
func crumbs(pairs ...string) components.Crumbs {
	var out components.Crumbs
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, components.Crumb{Label: pairs[i], Href: pairs[i+1]})
	}
	return out
}

func rankName(rank store.Rank) string {
	switch rank {
	case store.Admin:
		return "admin"
	case store.DomainAdmin:
		return "domain"
	case store.User, store.ProjectRank:
	}
	return "user"
}
