package components_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"aerie/locales"
	"aerie/static"
	"aerie/views/components"
	"aerie/views/layout"
)

// The kitchen sink: every component, in four pages, as a browser sees them.

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// The browser's clock keeps relative times fresh, so the present is the real one.
var present = time.Now().UTC().Truncate(time.Minute)

func kitchen() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(static.Prefix, static.Handler())
	for path, page := range map[string]func(layout.Page) templ.Component{
		"/list": listPage, "/parts": partsPage, "/form": formPage, "/dashboard": dashboardPage,
		"/sign-in": signInPage, "/empty": emptyPage, "/ask": askPage,
	} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { serve(w, r, page) })
	}
	mux.HandleFunc("POST /act", act)
	mux.HandleFunc("GET /search", func(w http.ResponseWriter, r *http.Request) {
		_ = components.Hits{{Title: "Instances", Hits: []components.Hit{
			{Label: "web-1", Href: "/list", Icon: "server", State: "Running", Note: "10.1.1.5"},
		}}}.Render(r.Context(), w)
	})
	mux.HandleFunc("GET /live", live)
	return mux
}

func serve(w http.ResponseWriter, r *http.Request, page func(layout.Page) templ.Component) {
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	ctx := components.WithCSRF(locales.WithNow(r.Context(), present), "token")
	ctx = locales.With(ctx, r.URL.Query().Get("lang"))
	p := layout.Page{
		Theme: r.URL.Query().Get("theme"), CSRF: "token", Path: r.URL.Path, LiveURL: "/live", Version: "0.1",
		User:  layout.User{Name: "mara", Account: "platform", Domain: "ROOT/acme", Role: "Domain admin"},
		Scope: layout.Scope{Label: "My account", Icon: "user", Choices: []layout.NavItem{{Label: "My account", Href: "/list", Current: true}, {Label: "All projects", Href: "/list"}}},
		Nav:   navigation(r.URL.Path), Jobs: 3, Alerts: 2,
		Create:  []layout.NavItem{{Key: "nav.instances", Href: "/form", Icon: "server"}, {Key: "nav.volumes", Href: "/form", Icon: "hard-drive"}},
		Banners: []layout.Banner{{Text: "Simulated data centre: nothing here is real."}},
		Links: layout.Links{
			Home: "/dashboard", Search: "/search", Jobs: "/parts", Alerts: "/parts", Profile: "/form",
			Help: "/parts", Preferences: "/act", SignOut: "/act",
		},
	}
	if err := page(p).Render(ctx, w); err != nil {
		panic(err)
	}
}

func act(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusAccepted)
	_, _ = fmt.Fprintf(w, `<hx-partial hx-target="#%s" hx-swap="outerMorph">`, instances(nil).RowDOM(vms[1]))
	vm := vms[1]
	vm.state = "Starting"
	_ = instances(nil).Row(vm).Render(r.Context(), w)
	_, _ = io.WriteString(w, `</hx-partial><hx-partial hx-target="#toasts" hx-swap="beforeend">`)
	_ = components.Toast{Tone: components.Busy, Text: "Starting db-1.", Href: "/parts", Label: "Job"}.Render(r.Context(), w)
	_, _ = io.WriteString(w, `</hx-partial>`)
}

func live(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, "id: 1\ndata: <hx-partial hx-target=\"#jobs-count\" hx-swap=\"outerMorph\"><span id=\"jobs-count\" class=\"badge busy\">4</span></hx-partial>\n\n")
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func navigation(path string) []layout.NavGroup {
	item := func(key, icon, href string) layout.NavItem {
		return layout.NavItem{Key: "nav." + key, Icon: icon, Href: href, Current: href == path}
	}
	return []layout.NavGroup{
		{Items: []layout.NavItem{item("dashboard", "layout-dashboard", "/dashboard")}},
		{Key: "nav.compute", Items: []layout.NavItem{
			item("instances", "server", "/list"), item("keys", "key-round", "/x/keys"), item("affinity", "boxes", "/x/affinity"),
		}},
		{Key: "nav.storage", Items: []layout.NavItem{
			item("volumes", "hard-drive", "/empty"), item("snapshots", "camera", "/x/snapshots"), item("backups", "archive", "/x/backups"),
		}},
		{Key: "nav.network", Items: []layout.NavItem{
			item("networks", "network", "/x/networks"), item("vpcs", "waypoints", "/x/vpcs"), item("addresses", "globe", "/x/addresses"),
			item("load_balancers", "scale", "/x/lb"),
		}},
		{Key: "nav.activity", Items: []layout.NavItem{
			{Key: "nav.jobs", Icon: "list-checks", Href: "/parts", Count: 3, Current: path == "/parts"},
			item("events", "history", "/x/events"),
			item("usage", "gauge", "/x/usage"),
		}},
		{Key: "nav.infrastructure", Items: []layout.NavItem{item("hosts", "server-cog", "/x/hosts"), item("zones", "map-pin", "/x/zones")}},
	}
}

// all shows components one after the other, with a gap.
func all(class string, parts ...templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		_, _ = io.WriteString(w, `<div class="`+class+`">`)
		for _, part := range parts {
			if err := part.Render(templ.ClearChildren(ctx), w); err != nil {
				return err
			}
		}
		_, err := io.WriteString(w, `</div>`)
		return err
	})
}

// in puts the parts inside a container.
func in(outer templ.Component, parts ...templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return outer.Render(templ.WithChildren(ctx, all("stack", parts...)), w)
	})
}

type vm struct {
	id, name, state, ip, template, owner string
	cpu                                  float64
	memory                               int64
	age                                  time.Duration
}

var vms = []vm{
	{"0195a1c2-7b1e-7c4d-9e2f-1a2b3c4d5e6f", "web-1", "Running", "10.1.1.5", "Debian 13", "platform", .32, 4 << 30, 26 * time.Hour},
	{"0195a1c2-8c2f-7d5e-8f30-2b3c4d5e6f70", "db-1", "Stopped", "10.1.1.6", "Debian 13", "platform", 0, 16 << 30, 90 * 24 * time.Hour},
	{"0195a1c2-9d30-7e6f-9041-3c4d5e6f7081", "build-7", "Starting", "10.1.1.17", "Ubuntu 26.04", "ci", 0, 8 << 30, 40 * time.Second},
	{"0195a1c2-ae41-7f70-a152-4d5e6f708192", "queue-2", "Error", "", "Alma 10", "platform", 0, 2 << 30, 7 * time.Minute},
	{"0195a1c2-bf52-7081-b263-5e6f708192a3", "cache-1", "Migrating", "10.1.1.9", "Alma 10", "platform", .81, 32 << 30, 300 * 24 * time.Hour},
	{"0195a1c2-c063-7192-8374-6f708192a3b4", "old-mail", "Destroyed", "10.1.1.12", "Debian 12", "mail", 0, 4 << 30, 900 * 24 * time.Hour},
	{"0195a1c2-d174-72a3-9485-708192a3b4c5", "lb-probe", "Running", "10.1.1.30", "Alpine 3.23", "platform", .91, 512 << 20, 3 * time.Hour},
}

func instances(q url.Values) components.Table[vm] {
	text := func(f func(vm) string) func(vm) templ.Component {
		return func(v vm) templ.Component { return components.Text(f(v)) }
	}
	return components.Table[vm]{
		ID: "instances", Caption: "Instances", Rows: vms, Search: "q", CSV: "/list.csv",
		Query: components.Query{Path: "/list", Values: q},
		RowID: func(v vm) string { return v.id }, Name: func(v vm) string { return v.name },
		Busy: func(v vm) bool { return v.state == "Starting" || v.state == "Migrating" },
		Columns: []components.Column[vm]{
			{Key: "name", Label: "Name", Sort: true, Cell: func(v vm) templ.Component {
				return templ.Join(components.Link{Label: v.name, Href: "/parts"}, components.CopyID{Value: v.id, Short: true})
			}},
			{Key: "state", Label: "State", Sort: true, Cell: func(v vm) templ.Component {
				if v.state == "Starting" {
					return components.JobPill{State: v.state, Href: "/parts"}
				}
				return components.Pill(v.state)
			}},
			{Key: "ip", Label: "IP address", Cell: func(v vm) templ.Component { return components.Code(v.ip) }},
			{Key: "cpu", Label: "CPU", Cell: func(v vm) templ.Component {
				return components.Meter{Label: "CPU of " + v.name, Used: v.cpu, Total: 1}
			}},
			{Key: "memory", Label: "Memory", Number: true, Sort: true, Cell: func(v vm) templ.Component { return components.Bytes(v.memory) }},
			{Key: "template", Label: "Template", Cell: text(func(v vm) string { return v.template })},
			{Key: "owner", Label: "Owner", Cell: text(func(v vm) string { return v.owner })},
			{Key: "zone", Label: "Zone", Optional: true, Cell: text(func(vm) string { return "fra-1" })},
			{Key: "age", Label: "Created", Sort: true, Cell: func(v vm) templ.Component { return components.Time(present.Add(-v.age)) }},
		},
		Actions: rowMenu,
		Bulk: []components.Bulk{
			{Label: "Start", Icon: "play", Post: "/act"},
			{Label: "Stop", Icon: "square", Post: "/act"},
			{Label: "Destroy", Icon: "trash-2", Post: "/ask", Style: components.Danger, Ask: true},
		},
		Filters: []components.Filter{
			{Name: "state", Label: "State", Options: []components.Option{{Value: "Running", Label: "Running"}, {Value: "Stopped", Label: "Stopped"}}},
			{Name: "zone", Label: "Zone", Options: []components.Option{{Value: "fra-1", Label: "fra-1"}}},
		},
		Pager: components.Pager{
			Summary: "1–7 of 7", Next: "/list?cursor=x",
			Sizes: []components.Page{{Label: "25", Href: "/list?size=25"}, {Label: "50", Href: "/list", Current: true}, {Label: "200", Href: "/list?size=200"}},
		},
		Empty: components.Empty{Icon: "server", Title: "No instances yet", Text: "An instance is a virtual machine of your own.", Actions: []components.Button{{Label: "Create instance", Href: "/form", Style: components.Primary, Icon: "plus"}}},
	}
}

func rowMenu(v vm) components.Menu {
	stop := components.Action{
		Label: "Stop", Icon: "square", Post: "/act?stop=" + v.id,
		Confirm: components.Confirm{Level: components.Ask, Title: "Stop " + v.name + "?", Text: "The guest is asked to shut down. Its address stays."},
	}
	inline := components.Action{Label: "Start", Icon: "play", Post: "/act"}
	if v.state != "Stopped" {
		inline = stop
	}
	if v.state != "Stopped" && v.state != "Running" {
		inline.Disabled = "Wait for the running job."
	}
	return components.Menu{
		Inline: &inline,
		Actions: []components.Action{
			{Label: "Open console", Icon: "terminal", Href: "/parts"},
			{Label: "Take snapshot", Icon: "camera", Post: "/act", Fields: []components.Pair{{Name: "id", Value: v.id}}},
			{Label: "Migrate to host", Icon: "move-right", Post: "/act", Disabled: "The root disk is local to its host."},
			{Label: "Destroy", Icon: "trash-2", Href: "/ask", Page: true, Style: components.Danger},
		},
	}
}

func listPage(p layout.Page) templ.Component {
	p.Title = "Instances"
	p.Crumbs = components.Crumbs{{Label: "Compute", Href: "/list"}, {Label: "Instances"}}
	p.Flash = []components.Toast{{Tone: components.OK, Text: "web-1 is running.", Href: "/parts", Label: "Show job"}}
	return in(layout.Portal(p),
		components.Heading{Title: "Instances", Actions: []components.Action{{Label: "Create instance", Icon: "plus", Href: "/form", Style: components.Primary}}},
		instances(url.Values{"state": {"Running"}, "sort": {"-age"}}),
	)
}

func emptyPage(p layout.Page) templ.Component {
	t := instances(nil)
	t.Rows = nil
	return in(layout.Portal(p), components.Heading{Title: "Volumes"}, t)
}

func signInPage(p layout.Page) templ.Component {
	p.Title = "Sign in"
	title := templ.Raw("<h1>Sign in</h1>")
	return in(layout.SignIn(p), title, components.Form{
		Action: "/act", Submit: "Sign in", Error: "User name or password is wrong.",
		Fields: []components.Field{
			{Name: "username", Label: "User name", Required: true, Autocomplete: "username"},
			{Name: "password", Label: "Password", Type: "password", Required: true, Autocomplete: "current-password"},
		},
	})
}

func askPage(p layout.Page) templ.Component {
	p.Title = "Destroy db-1?"
	asking := components.ConfirmDialog{Back: "/list", Action: components.Action{
		Label: "Destroy instance", Post: "/act", Style: components.Danger,
		Confirm: components.Confirm{
			Level: components.TypeName, Title: "Destroy db-1?", Text: "It can be recovered for 24 hours.", Name: "db-1",
			Impact: []string{"2 volumes with 120 GiB", "The load balancer rule “sql” loses its last member"},
		},
	}}
	return in(layout.Portal(p), asking)
}

func wave(n int, scale float64) []float64 {
	points := make([]float64, n)
	for i := range points {
		points[i] = scale * (0.5 + 0.2*math.Sin(float64(i)/3) + float64(i)/float64(n)*0.25)
	}
	return points
}

func dashboardPage(p layout.Page) templ.Component {
	p.Title = "Dashboard"
	limit := func(label string, used, total float64, usedText, totalText string) templ.Component {
		return components.LimitBar{Label: label, Used: used, Total: total, UsedText: usedText, TotalText: totalText, Href: "/list", Trend: wave(30, used), Note: "full in 41 days"}
	}
	alerts := components.Timeline{
		{Time: components.Time(present.Add(-4 * time.Minute)), State: "critical", Text: "Host kvm-03 does not answer", Href: "/parts", Actor: "fra-1"},
		{Time: components.Time(present.Add(-2 * time.Hour)), State: "warn", Text: "Primary storage nvme-a is 86 % full", Href: "/parts", Actor: "fra-1"},
		{Time: components.Time(present.Add(-26 * time.Hour)), State: "info", Text: "Secondary storage was added", Actor: "admin"},
	}
	figure := func(label, value string, tone components.Tone) templ.Component {
		return components.Figure{Label: label, Value: value, Href: "/list", Tone: tone}
	}
	return in(layout.Portal(p),
		components.Heading{Title: "Dashboard", Text: "All zones, as of 09:26 UTC"},
		all("tiles", figure("Running", "148", components.OK), figure("Stopped", "23", components.Idle), figure("In error", "2", components.Bad),
			figure("Jobs running", "3", ""), figure("Failed jobs, 24 h", "1", components.Warn)),
		all("grid",
			in(components.Panel{Title: "Capacity", Class: "span-8"}, all("limits",
				limit("Public IP addresses", 181, 254, "181", "254"), limit("Primary storage", 86, 100, "86.2 TiB", "100 TiB"),
				limit("Secondary storage", 12, 60, "12 TiB", "60 TiB"), limit("CPU", 412, 640, "412 GHz", "640 GHz"),
				limit("Memory", 3.1, 4, "3.1 TiB", "4 TiB"), limit("Reserved system IPs", 9, 64, "9", "64"))),
			in(components.Panel{Title: "Alerts", Class: "span-4", Actions: []components.Button{{Label: "All", Href: "/list", Style: components.Quiet, Small: true}}}, alerts),
			in(components.Panel{Title: "Hosts", Class: "span-8", Flush: true}, bare()),
			in(components.Panel{Title: "Failed jobs", Class: "span-4"}, jobRows()),
		),
	)
}

func bare() templ.Component {
	t := instances(nil)
	t.ID, t.Bare, t.Rows, t.Bulk, t.Columns = "hosts", true, vms[:3], nil, t.Columns[:5]
	return t
}

func jobRows() templ.Component {
	return templ.Join(
		components.JobRow{ID: "j1", Label: "Deploy instance", Object: components.Link{Label: "queue-2", Href: "/parts"}, State: "failed", Href: "/parts", Started: present.Add(-7 * time.Minute), Took: 12 * time.Second, Actor: "mara", Cause: "No host in fra-1 has 2 GiB of free memory."},
		components.JobRow{ID: "j2", Label: "Migrate instance", Object: components.Link{Label: "cache-1", Href: "/parts"}, State: "running", Step: "Copying memory", Percent: 62, Href: "/parts", Started: present.Add(-50 * time.Second), Actor: "admin"},
	)
}

func partsPage(p layout.Page) templ.Component {
	p.Title = "web-1"
	p.Crumbs = components.Crumbs{{Label: "Compute", Href: "/list"}, {Label: "Instances", Href: "/list"}, {Label: "web-1"}}
	var pills []templ.Component
	for _, s := range strings.Fields("Running Starting Stopped Error Maintenance Destroyed Disabled Allocated Pending BackedUp") {
		pills = append(pills, components.Pill(s))
	}
	destroy := components.Action{
		Label: "Destroy", Icon: "trash-2", Post: "/act?destroy", Style: components.Danger,
		Confirm: components.Confirm{Level: components.Dialog, Title: "Destroy web-1?", Text: "It can be recovered for 24 hours.", Impact: []string{"1 volume with 40 GiB"}},
	}
	stop := *rowMenu(vms[0]).Inline
	job := components.JobSteps{
		ID: "0195a1c2-aaaa", Label: "Deploy instance queue-2", State: "failed", Actor: "mara", Started: present.Add(-7 * time.Minute), Took: 12 * time.Second,
		Cause: "No host in zone fra-1 has 2 GiB of free memory. Choose a smaller offering or another zone.",
		Steps: []components.Step{
			{Label: "Choose a host", State: "done", Took: 40 * time.Millisecond},
			{Label: "Reserve addresses", State: "done", Took: 1200 * time.Millisecond},
			{Label: "Copy the image", State: "running", Percent: 64},
			{Label: "Define the machine", State: "failed", Cause: "kvm-03: not enough memory"},
			{Label: "Start the machine", State: "pending"},
		},
		Actions: []components.Action{{Label: "Edit & retry", Href: "/form"}, {Label: "Retry", Icon: "rotate-ccw", Post: "/act?retry", Style: components.Primary}},
	}
	return in(layout.Portal(p),
		components.Heading{Title: "web-1", State: "Running", ID: vms[0].id, Actions: []components.Action{{Label: "Console", Icon: "terminal", Href: "/parts"}, stop, destroy}, Menu: withID(rowMenu(vms[0]))},
		components.Tabs{{Label: "Overview", Href: "/parts", Current: true}, {Label: "Volumes", Href: "/parts", Count: "2"}, {Label: "Networks", Href: "/parts"}, {Label: "Snapshots", Href: "/parts"}, {Label: "Events", Href: "/parts"}},
		all("grid",
			in(components.Panel{Title: "Specification", Class: "span-6"}, components.Properties{
				{Label: "ID", Copy: vms[0].id},
				{Label: "Offering", Value: components.Link{Label: "Medium: 2 × 2 GHz, 4 GiB", Href: "/parts"}},
				{Label: "Address", Value: components.Code("10.1.1.5")},
				{Label: "Group", Value: components.Text("")},
				{Label: "Created", Value: components.Moment(present), Help: "by mara"},
				{Label: "Tags", Value: all("buttons", components.Tag{Name: "env", Value: "prod", Href: "/list"}, components.Tag{Name: "team", Value: "platform"})},
			}),
			in(components.Panel{Title: "Events", Class: "span-6"}, components.Timeline{
				{Time: components.Time(present.Add(-time.Hour)), State: "running", Text: "Started", Actor: "mara", Href: "/parts"},
				{Time: components.Time(present.Add(-2 * time.Hour)), State: "info", Text: "Offering changed", Actor: "mara", Detail: components.Diff{{Field: "memory", Before: "2 GiB", After: "4 GiB"}, {Field: "group", After: "web"}}},
			}),
			in(components.Panel{Title: "States", Class: "span-6"}, all("buttons", pills...)),
			in(components.Panel{Title: "Buttons", Class: "span-6"}, all("buttons",
				components.Button{Label: "Primary", Style: components.Primary, Icon: "check"}, components.Button{Label: "Plain"},
				components.Button{Label: "Danger", Style: components.Danger}, components.Button{Label: "Quiet", Style: components.Quiet},
				components.Button{Label: "Disabled", Disabled: "You may not do this."}, components.Button{Label: "Refresh", Icon: "refresh-cw", IconOnly: true},
				components.Button{Label: "Small", Small: true})),
		),
		job,
		components.Notice{Tone: components.Warn, Title: "A restart is needed", Text: "The new offering applies after the next start.", Action: &components.Button{Label: "Restart", Small: true}},
		components.Notice{Tone: components.OK, Text: "This fits: 12 more of this size are free."},
		components.ShowCall{Command: "stopVirtualMachine", Params: []components.Pair{{Name: "id", Value: vms[0].id}, {Name: "displayname", Value: "it's web"}}, Endpoint: "https://cloud.example/client/api", Resource: "cloudstack_instance", Open: true},
		components.ErrorPage{Code: 404, Title: "There is no such page", Text: "It was moved or deleted, or you may not see it.", Request: "b41c", Actions: []components.Button{{Label: "Dashboard", Href: "/dashboard"}}},
	)
}

func withID(m components.Menu) components.Menu {
	m.ID, m.Name, m.Inline = "head-menu", "web-1", nil
	return m
}

func formPage(p layout.Page) templ.Component {
	p.Title = "Create instance"
	sizes := []components.Option{
		{Value: "s", Label: "Small", Help: "1 × 2 GHz, 1 GiB"},
		{Value: "m", Label: "Medium", Help: "2 × 2 GHz, 4 GiB"},
		{Value: "l", Label: "Large", Help: "8 × 2 GHz, 32 GiB", Disabled: "Your memory limit allows 12 GiB more."},
	}
	form := components.Form{
		Action: "/act", Submit: "Create instance", Cancel: "/list",
		Sections: []components.Section{
			{Title: "Image and size", Fields: []components.Field{
				{Name: "templateid", Label: "Template", Type: "select", Required: true, Value: "d13", Options: []components.Option{{Value: "d13", Label: "Debian 13", Group: "Public"}, {Value: "own", Label: "golden-7", Group: "Mine"}}},
				{Name: "serviceofferingid", Label: "Size", Type: "radio", Required: true, Value: "m", Options: sizes},
				{Name: "size", Label: "Root disk", Type: "number", Unit: "GiB", Value: "20", Least: "10", Required: true, Help: "Between 10 and 2,000."},
			}},
			{Title: "Access", Fields: []components.Field{
				{Name: "name", Label: "Name", Value: "web 9", Required: true, Max: 63, Error: "Only letters, digits and hyphens.", Help: "Also the host name."},
				{Name: "keypair", Label: "SSH key pair", Type: "combobox", Options: []components.Option{{Value: "mara", Label: "mara"}}},
				{Name: "networkids", Label: "Networks", Type: "checks", Values: []string{"n1"}, Options: []components.Option{{Value: "n1", Label: "prod", Help: "10.1.1.0/24"}, {Value: "n2", Label: "backup"}}},
				{Name: "startvm", Label: "Start it at once", Type: "checkbox", Value: "true"},
			}},
			{Title: "Advanced", Folded: true, Fields: []components.Field{
				{Name: "userdata", Label: "User data", Type: "textarea", Mono: true, Error: "Not valid YAML: line 3."},
				{Name: "file", Label: "File", Type: "file"},
			}},
		},
	}
	aside := templ.Join(
		components.Summary{
			ID: "summary", Title: "Summary", Fits: "Fits: 12 more of this size are free.",
			Lines: components.Properties{{Label: "Template", Value: components.Text("Debian 13")}, {Label: "Size", Value: components.Text("Medium")}, {Label: "Quota after", Value: components.Text("8 of 20 instances")}},
			Total: components.Property{Label: "Per month", Value: components.Text("12.40 EUR")},
		},
		components.ShowCall{Command: "deployVirtualMachine", Params: []components.Pair{{Name: "name", Value: "web-9"}}, Endpoint: "https://cloud.example/client/api"},
	)
	return in(layout.Portal(p), components.Heading{Title: "Create instance"}, in(components.Split(aside), form))
}
