// Package portal shows Aerie's pages. A page calls commands through the
// registry, as the API does, and shows what they return.
//
// To add pages, write one file that returns an area and name it in areas.go:
//
//	func volumes() area {
//		return area{
//			entries: []entry{{Group: "nav.storage", Key: "nav.volumes", Icon: "hard-drive", Path: "/volumes", Needs: "listVolumes", Create: "createVolume"}},
//			routes: func(on routes) {
//				on.GET("/volumes", func(r *Request) error { return showList(r, volumeList(r)) })
//				on.GET("/volumes/new", newVolume)    // r.showForm(form, nil)
//				on.POST("/volumes/new", makeVolume)  // r.submit(form, …)
//				on.GET("/volumes/:id", showVolume)   // r.Show(Page{…})
//				on.POST("/volumes/:id/detach", …)    // r.act(action{…})
//			},
//			live: map[string]liveRows{"volume": rowsOf(volumeList)},
//		}
//	}
//
// Every path stands below each scope: /me, /all, /d/<domain> and /p/<project>. The helpers:
// list and one call a command and type its result; showList is a whole list
// page with filter, paging, CSV, bulk and live rows; showForm and submit are a
// form for a command, with its errors; act and ask are actions and questions
// before them; Show is any page. Words are keys in locales.
package portal

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"

	"aerie/handlers/session"
	"aerie/services/command"
	"aerie/services/compute"
	"aerie/services/config"
	"aerie/services/iam"
	"aerie/services/image"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/network"
	"aerie/services/signon"
	"aerie/services/storage"
	"aerie/services/store"
)

// Parts is what the pages stand on.
type Parts struct {
	Log      *slog.Logger
	DB       *store.DB
	Sessions *session.Manager
	Registry *command.Registry
	Jobs     *job.Engine
	IAM      *iam.Service
	Infra    *infra.Service
	Compute  *compute.Service
	Net      *network.Service
	Storage  *storage.Service
	Images   *image.Service
	Config   *config.Service
	// Brand is what the pages look like for a domain; nil: Aerie's own.
	Brand  *config.Brand
	SignOn *signon.Service // nil: no providers
	// Version stands at the foot of every page.
	Version string
}

// Portal serves the pages.
type Portal struct {
	Parts
	areas []area
	live  map[string]liveRows
	hub   *hub
}

// New makes the portal.
func New(p Parts) *Portal {
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	if len(p.Sessions.Themes) == 0 {
		p.Sessions.Themes = []string{"light", "dark"}
	}
	out := &Portal{Parts: p, areas: areas(), live: map[string]liveRows{}, hub: newHub(p.DB, p.Log)}
	for _, a := range out.areas {
		for kind, rows := range a.live {
			out.live[kind] = rows
		}
	}
	return out
}

// area is some pages that belong together.
type area struct {
	entries []entry
	routes  func(routes)
	// live makes the rows that the stream sends, by kind of thing.
	live map[string]liveRows
}

// entry is one line of the navigation.
type entry struct {
	Group string // key of its heading, see groups
	Key   string
	Icon  string
	Path  string // below the scope: /instances
	Needs string // the command without which one does not see the entry
	// Create is the command behind Path + "/new", for the Create menu.
	Create string
}

// groups are the headings of the navigation, in their order.
var groups = []string{
	"", "nav.compute", "nav.storage", "nav.network", "nav.images", "nav.projects", "nav.activity",
	"nav.identity", "nav.infrastructure", "nav.offerings", "nav.settings",
}

// Handler answers one request.
type Handler func(*Request) error

// routes takes the pages of an area, once for each kind of scope.
type routes struct {
	portal *Portal
	groups []*echo.Group
}

// GET adds a page below every scope.
func (on routes) GET(path string, h Handler) { on.add(http.MethodGet, path, h) }

// POST adds what a form is sent to.
func (on routes) POST(path string, h Handler) { on.add(http.MethodPost, path, h) }

func (on routes) add(method, path string, h Handler) {
	for _, g := range on.groups {
		g.Add(method, path, on.portal.scoped(h))
	}
}

// Register adds all pages. The group has the session's Load and Protect.
func (p *Portal) Register(g *echo.Group) {
	p.registerSignIn(g)
	p.registerReset(g)
	in := g.Group("", p.Sessions.Require)
	in.GET("/", p.plain(func(r *Request) error { return r.Redirect(http.StatusSeeOther, r.home()) }))
	p.registerPlain(in)
	on := routes{portal: p, groups: []*echo.Group{in.Group("/me"), in.Group("/all"), in.Group("/d/:domain"), in.Group("/p/:project")}}
	for _, a := range p.areas {
		if a.routes != nil {
			a.routes(on)
		}
	}
}

// registerPlain adds the pages that have one address whatever the scope.
func (p *Portal) registerPlain(in *echo.Group) {
	in.GET("/events/stream", p.plain(p.stream))
	in.GET("/search", p.plain(search))
	in.GET("/jobs/:id", p.plain(showJob))
	in.POST("/jobs/:id/retry", p.plain(retryJob))
	in.POST("/jobs/:id/cancel", p.plain(cancelJob))
	in.POST(session.ViewEnd, p.plain(viewEnd))
	in.GET("/profile", p.plain(ownProfile))
	in.POST("/profile/password", p.plain(changePassword))
	in.POST("/profile/keys", p.plain(makeKeys))
	in.POST("/profile/keys/end", p.plain(endKeys))
	in.POST("/profile/factor", p.plain(enrol))
	in.POST("/profile/factor/codes", p.plain(showCodes))
	in.POST("/profile/factor/end", p.plain(endFactor))
	in.GET(session.SecondFactor, p.plain(showFactor))
	in.POST(session.SecondFactor, p.plain(giveFactor))
	in.POST("/profile/sessions", p.plain(endSessions))
	in.GET(compute.ConsolePage, p.plain(consolePage))
	in.GET(compute.ConsolePage+"/serial", p.plain(serialPage), session.LooseStyles)
	in.POST(compute.ConsolePage+"/ticket", p.plain(consoleTicket))
	in.POST(compute.ConsolePage+"/used", p.plain(consoleUsed))
}

// plain is a page outside of a scope: links lead to the user's usual one.
func (p *Portal) plain(h Handler) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := &Request{Context: c, Portal: p, Who: session.From(c.Request().Context()), Began: p.DB.Now()}
		r.Scope = usual(r.Who)
		if err := p.IAM.Barred(r.Ctx(), r.Who.Actor); err != nil {
			return err // every page says it; signing out works
		}
		return h(r)
	}
}

// scoped is a page below a scope that its reader may look at.
func (p *Portal) scoped(h Handler) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := &Request{Context: c, Portal: p, Who: session.From(c.Request().Context()), Began: p.DB.Now()}
		var err error
		if r.Scope, err = r.scopeOf(c.Request().URL.Path); err != nil {
			return err
		}
		if err := p.IAM.Barred(r.Ctx(), r.Who.Actor); err != nil {
			return err
		}
		return h(r)
	}
}

// Run follows what changes, for the pages that are open. It needs no lease:
// every server tells its own readers.
func (p *Portal) Run(ctx context.Context) error { return p.hub.run(ctx) }
