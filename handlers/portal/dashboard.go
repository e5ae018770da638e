package portal

import (
	"strconv"
	"strings"
	"time"

	"aerie/locales"
	"aerie/services/command/builtin"
	"aerie/services/compute"
	"aerie/services/iam/iamcmd"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/project"
	"aerie/views/components"
	"aerie/views/pages/dashboard"
)

func dashboards() area {
	return area{
		entries: []entry{{Key: "nav.dashboard", Icon: "layout-dashboard", Path: "/dashboard"}},
		routes:  func(on routes) { on.GET("/dashboard", showDashboard) },
	}
}

// watched are the kinds of things whose changes a dashboard counts anew.
var watched = []string{"virtualmachine", "job", "volume", "host", "network"}

func showDashboard(r *Request) error {
	if r.Scope.path == all.path {
		return rootDashboard(r)
	}
	return tenantDashboard(r)
}

// counted are the states that a dashboard counts, with the tone of a number
// that is not zero.
var counted = []struct {
	state compute.State
	tone  components.Tone
}{
	{compute.Running, components.OK},
	{compute.Stopped, components.Idle},
	{compute.Broken, components.Bad},
}

// instanceFigures counts instances by state; each links to its list.
func (r *Request) instanceFigures() (out []components.Figure, total int, err error) {
	for _, c := range append([]struct {
		state compute.State
		tone  components.Tone
	}{{}}, counted...) {
		v := vals("state", string(c.state), "page", "1", "pagesize", "1")
		f := components.Figure{Label: r.T("dashboard.instances"), Href: r.Path("/instances")}
		if c.state == "" {
			v.Set("state", "Present")
		} else {
			f.Label, f.Href = locales.Or(r.Ctx(), "state."+strings.ToLower(string(c.state)), string(c.state)), f.Href+"?state="+string(c.state)
		}
		l, err := list[compute.View](r, "listVirtualMachines", v)
		if err != nil {
			return nil, 0, err
		}
		if c.state == "" {
			total = l.Count
		}
		f.Value = locales.Number(r.Ctx(), l.Count)
		if l.Count > 0 {
			f.Tone = c.tone
		}
		out = append(out, f)
	}
	return out, total, nil
}

func tenantDashboard(r *Request) error {
	figures, total, err := r.instanceFigures()
	if err != nil {
		return err
	}
	p := dashboard.Tenant{Figures: figures}
	if p.Limits, err = r.limits(); err != nil {
		return err
	}
	if p.Attention, err = r.attention(); err != nil {
		return err
	}
	recent, err := r.recentEvents(8)
	if err != nil {
		return err
	}
	p.Events, p.AllEvents = timeline(r, recent), r.Path("/events")
	if total == 0 && r.Scope.path == me.path {
		p.Start = r.firstSteps()
	}
	title := r.T("nav.dashboard")
	p.Heading = components.Heading{Title: title, Text: r.scopeLine()}
	if r.May("deployVirtualMachine") {
		p.Heading.Actions = []components.Action{{Label: r.T("action.deploy"), Icon: "plus", Href: r.Path("/instances/new"), Style: components.Primary}}
	}
	return r.Show(Page{Title: title, Body: dashboard.ShowTenant(p), Watch: watched, Refresh: true})
}

func (r *Request) scopeLine() string {
	switch {
	case r.Scope.domain != "":
		return r.T("dashboard.of_domain", "name", r.Scope.label)
	case r.Scope.project != "":
		return r.T("dashboard.of_project", "name", r.Scope.label)
	}
	return r.T("dashboard.of_account", "name", r.Who.Account.Name)
}

// recentEvents are the last events, those that belong together as one.
func (r *Request) recentEvents(n int) ([]builtin.EventView, error) {
	const each = 4 // at most so many belong together
	all, err := some[builtin.EventView](r, "listEvents", vals("page", "1", "pagesize", strconv.Itoa(each*n)))
	all = latest(all)
	return all[:min(n, len(all))], err
}

// limits are the bars of what the account, or the accounts of a domain
// together, may have.
func (r *Request) limits() ([]components.LimitBar, error) {
	if r.Scope.project != "" {
		p, err := find[project.View](r, "listProjects", r.Scope.project)
		return resourceBars(r, p.Resources), err
	}
	v := vals("id", r.Who.AccountID)
	accounts, err := some[iamcmd.AccountView](r, "listAccounts", v)
	if err != nil || len(accounts) == 0 || r.Scope.domain != "" && r.Scope.path != usual(r.Who).path {
		return nil, err
	}
	a := accounts[0]
	var out []components.LimitBar
	for _, x := range []struct {
		key, limit, href string
		used             int64
	}{
		{"limit.user_vm", a.VMLimit, "/instances", a.VMTotal},
		{"limit.cpu", a.CPULimit, "", a.CPUTotal},
		{"limit.memory", a.MemoryLimit, "", a.MemoryTotal},
		{"limit.volume", a.VolumeLimit, "/volumes", a.VolumeTotal},
		{"limit.primary_storage", a.PrimaryLimit, "", a.PrimaryTotal},
		{"limit.secondary_storage", a.SecondaryLimit, "", int64(a.SecondaryTotal)},
		{"limit.snapshot", a.SnapshotLimit, "/snapshots", a.SnapshotTotal},
		{"limit.public_ip", a.IPLimit, "/addresses", a.IPTotal},
		{"limit.network", a.NetworkLimit, "/networks", a.NetworkTotal},
		{"limit.template", a.TemplateLimit, "/templates", a.TemplateTotal},
	} {
		bar := components.LimitBar{Label: r.T(x.key), Used: float64(x.used), UsedText: locales.Number(r.Ctx(), x.used), Total: -1}
		if n, err := strconv.ParseInt(x.limit, 10, 64); err == nil {
			bar.Total, bar.TotalText = float64(n), locales.Number(r.Ctx(), n)
		}
		if x.href != "" && r.hasPage(x.href) {
			bar.Href = r.Path(x.href)
		}
		out = append(out, bar)
	}
	return out, nil
}

// attention is what somebody should look at.
func (r *Request) attention() ([]dashboard.Trouble, error) {
	var out []dashboard.Trouble
	broken, err := some[compute.View](r, "listVirtualMachines", vals("state", string(compute.Broken), "page", "1", "pagesize", "5"))
	if err != nil {
		return nil, err
	}
	for _, vm := range broken {
		out = append(out, dashboard.Trouble{Tone: components.Bad, Text: r.T("dashboard.broken", "name", vm.DisplayName), Href: r.Path("/instances/", vm.ID), Label: r.T("dashboard.why")})
	}
	disks, err := entries[struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		VM   string `json:"virtualmachineid"`
	}](r, "listVolumes", vals("type", "DATADISK", "page", "1", "pagesize", "100"))
	if err != nil {
		return nil, err
	}
	loose := 0
	for _, d := range disks {
		if d.VM == "" {
			loose++
		}
	}
	if loose > 0 && r.hasPage("/volumes") {
		out = append(out, dashboard.Trouble{Tone: components.Warn, Text: locales.N(r.Ctx(), "dashboard.loose_disks", loose), Href: r.Path("/volumes"), Label: r.T("dashboard.look")})
	}
	return out, nil
}

func (r *Request) firstSteps() []dashboard.Step {
	var out []dashboard.Step
	add := func(command, path, key, icon, to string) {
		if r.hasPage(path) && r.May(command) {
			out = append(out, dashboard.Step{Title: r.T("action.first." + key), Text: r.T("action.first." + key + "_text"), Href: r.Path(to), Icon: icon, Label: r.T("action.first." + key + "_do")})
		}
	}
	add("registerSSHKeyPair", "/keys", "key", "key-round", "/keys")
	add("createNetwork", "/networks", "network", "network", "/networks")
	add("deployVirtualMachine", "/instances", "deploy", "server", "/instances/new")
	return out
}

// kinds are the columns of root's matrix, by the API's numbers.
var kinds = []struct {
	number int16
	key    string
	bytes  bool
}{
	{4, "dashboard.capacity.ip", false},
	{2, "dashboard.capacity.storage", true},
	{3, "dashboard.capacity.allocated", true},
	{6, "dashboard.capacity.secondary", true},
	{1, "dashboard.capacity.cpu", false},
	{0, "dashboard.capacity.memory", true},
}

func rootDashboard(r *Request) error {
	p := dashboard.Root{Now: time.Now()}
	var err error
	if p.Figures, _, err = r.instanceFigures(); err != nil {
		return err
	}
	if p.Zones, err = r.matrix(); err != nil {
		return err
	}
	for _, k := range kinds {
		p.Columns = append(p.Columns, r.T(k.key))
	}
	if p.Alerts, err = some[builtin.AlertView](r, "listAlerts", vals("page", "1", "pagesize", "8")); err != nil {
		return err
	}
	p.AllAlerts, p.MayArchive = r.alertsPage(), r.May("archiveAlerts")
	hosts, err := some[infra.HostView](r, "listHosts", vals("page", "1", "pagesize", "50"))
	if err != nil {
		return err
	}
	for _, h := range hosts {
		p.Hosts = append(p.Hosts, dashboard.Host{Name: h.Name, State: string(h.State), Where: h.ZoneName, Href: r.pageOf("/hosts", h.ID)})
	}
	failed, err := r.jobRows(vals("status", string(job.Failed), "page", "1", "pagesize", "5"))
	if err != nil {
		return err
	}
	for _, j := range failed.Items {
		p.Failed = append(p.Failed, components.JobRow{
			ID: j.ID, Label: j.Title, State: string(j.Status), Href: "/jobs/" + j.ID, Actor: j.Actor,
			Started: j.CreatedAt, Cause: r.cause(&j.Row), Object: components.Link{Label: j.Name, Href: r.objectPath(j.Object, j.ObjectID)},
		})
	}
	p.AllFailed = r.Path("/jobs") + "?status=failed"
	recent, err := r.recentEvents(8)
	if err != nil {
		return err
	}
	p.Events, p.AllEvents = timeline(r, recent), r.Path("/events")
	title := r.T("nav.dashboard")
	p.Heading = components.Heading{Title: title, Text: r.T("dashboard.of_cloud")}
	return r.Show(Page{Title: title, Body: dashboard.ShowRoot(p), Watch: watched, Refresh: true})
}

func (r *Request) alertsPage() string {
	if r.hasPage("/alerts") {
		return r.Path("/alerts")
	}
	return ""
}

// matrix is zone by resource: how full each is.
func (r *Request) matrix() ([]dashboard.Zone, error) {
	full, err := some[infra.CapacityView](r, "listCapacity", nil)
	if err != nil {
		return nil, err
	}
	byZone := map[string]map[int16]infra.CapacityView{}
	var order []string
	names := map[string]string{}
	for _, c := range full {
		if byZone[c.ZoneID] == nil {
			byZone[c.ZoneID] = map[int16]infra.CapacityView{}
			order = append(order, c.ZoneID)
		}
		byZone[c.ZoneID][c.Type], names[c.ZoneID] = c, c.ZoneName
	}
	var out []dashboard.Zone
	for _, id := range order {
		z := dashboard.Zone{Name: names[id], Href: r.pageOf("/zones", id)}
		for _, k := range kinds {
			c, ok := byZone[id][k.number]
			cell := dashboard.Cell{Known: ok && c.Total > 0}
			if cell.Known {
				cell.Meter = components.Meter{Label: r.T(k.key), Used: float64(c.Used), Total: float64(c.Total)}
				cell.Share = locales.Percent(r.Ctx(), float64(c.Used)/float64(c.Total))
				cell.Text = r.amount(k.number, k.bytes, c.Used) + " / " + r.amount(k.number, k.bytes, c.Total)
			}
			z.Cells = append(z.Cells, cell)
		}
		out = append(out, z)
	}
	return out, nil
}

func (r *Request) amount(kind int16, bytes bool, n int64) string {
	switch {
	case bytes:
		return r.bytes(n)
	case kind == 1:
		return r.mhz(n)
	}
	return r.figure(n)
}
