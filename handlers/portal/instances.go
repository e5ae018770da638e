package portal

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"aerie/locales"
	"aerie/services/compute"
	"aerie/static"
	"aerie/views/components"
)

func instances() area {
	return area{
		entries: []entry{{Group: "nav.compute", Key: "nav.instances", Icon: "server", Path: "/instances", Needs: "listVirtualMachines", Create: "deployVirtualMachine"}},
		routes: func(on routes) {
			on.GET("/instances", func(r *Request) error { return showList(r, instanceList(r)) })
			on.GET("/instances/new", newInstance)
			on.GET("/instances/new/check", checkInstance)
			on.POST("/instances/new", makeInstance)
			on.GET("/instances/bulk/:verb", askInstances)
			on.POST("/instances/bulk/:verb", actOnInstances)
			on.GET("/instances/:id", showInstance)
			on.GET("/instances/:id/screen", screen)
			instanceForms(on)
			on.GET("/instances/:id/:tab", showInstance)
			on.POST("/instances/:id/settings", changeInstance)
			on.GET("/instances/:id/do/:verb", askInstance)
			on.POST("/instances/:id/do/:verb", actOnInstance)
		},
		live: map[string]liveRows{"virtualmachine": rowsOf(instanceList)},
	}
}

// verb is something that can be done to an instance.
type verb struct {
	Name    string
	Event   compute.Event // the state table says when; empty: see When
	Command string
	Icon    string
	Style   components.Style
	Level   components.Confirm
	// When are the states for verbs that move no state.
	When []compute.State
	// Impact are keys of what else is lost.
	Impact []string
}

// verbs is the one table of buttons. Its keys in locales are
// action.instance.<name> and its forms .title, .text and .going.
var verbs = []verb{
	{Name: "start", Event: compute.Start, Command: "startVirtualMachine", Icon: "play"},
	{Name: "stop", Event: compute.Stop, Command: "stopVirtualMachine", Icon: "square", Level: components.Confirm{Level: components.Ask}},
	{Name: "reboot", Event: compute.Reboot, Command: "rebootVirtualMachine", Icon: "rotate-ccw", Level: components.Confirm{Level: components.Ask}},
	{Name: "password", Command: "resetPasswordForVirtualMachine", Icon: "key-round", When: []compute.State{compute.Stopped}, Level: components.Confirm{Level: components.Ask}},
	{Name: "recover", Event: compute.Recover, Command: "recoverVirtualMachine", Icon: "undo-2"},
	{
		Name: "destroy", Event: compute.Destroy, Command: "destroyVirtualMachine", Icon: "trash-2", Style: components.Danger, Level: components.Confirm{Level: components.Dialog},
		Impact: []string{"instance.impact.stops", "instance.impact.addresses", "instance.impact.disks"},
	},
	{
		Name: "expunge", Command: "expungeVirtualMachine", Icon: "x", Style: components.Danger, When: []compute.State{compute.Destroyed, compute.Broken},
		Level: components.Confirm{Level: components.TypeName}, Impact: []string{"instance.impact.forever", "instance.impact.disks_gone"},
	},
}

func verbOf(name string) (verb, bool) {
	for _, v := range verbs {
		if v.Name == name {
			return v, true
		}
	}
	return verb{}, false
}

// hidden tells of verbs that make no sense for the instance at all; others
// stay visible and say why they cannot be had.
func (v verb) hidden(vm compute.View) bool {
	gone := vm.State == compute.Destroyed || vm.State == compute.Expunging
	switch v.Name {
	case "recover":
		return !gone
	case "expunge":
		return !gone && vm.State != compute.Broken
	case "password":
		return gone || !vm.PasswordEnabled
	}
	return gone
}

// refused is why the verb cannot be had now, or empty.
func (v verb) refused(r *Request, vm compute.View) string {
	from := v.When
	if v.Event != "" {
		from = compute.States.Sources(v.Event)
	}
	switch {
	case vm.JobID != "":
		return r.T("instance.busy")
	case v.Name == "destroy" && vm.DeleteProtection:
		return r.T("instance.protected")
	}
	var words []string
	for _, s := range from {
		if s == vm.State {
			return ""
		}
		if s != compute.Starting && s != compute.Stopping && s != compute.Expunging {
			words = append(words, locales.Or(r.Ctx(), "state."+strings.ToLower(string(s)), string(s)))
		}
	}
	return r.T("instance.needs", "states", strings.Join(words, ", "))
}

func (v verb) path(r *Request, id string) string { return r.Path("/instances/", id, "/do/", v.Name) }

// button is the verb as an action on one instance.
func (v verb) button(r *Request, vm compute.View) components.Action {
	key := "action.instance." + v.Name
	a := components.Action{Label: r.T(key), Icon: v.Icon, Style: v.Style, Post: v.path(r, vm.ID), Disabled: v.refused(r, vm)}
	if v.Level.Level == components.Never {
		return a
	}
	a.Confirm = components.Confirm{Level: v.Level.Level, Title: r.T(key+".title", "name", vm.DisplayName), Text: r.T(key + ".text"), Name: vm.DisplayName}
	for _, k := range v.Impact {
		a.Confirm.Impact = append(a.Confirm.Impact, r.T(k))
	}
	if a.Confirm.Level >= components.Dialog { // the question is a page of its own, not one more dialog in every row
		a.Page, a.Href, a.Post = true, a.Post, ""
	}
	return a
}

func (r *Request) instanceVerbs(vm compute.View) []components.Action {
	var out []components.Action
	for _, v := range verbs {
		if !v.hidden(vm) && r.May(v.Command) && (v.Name != "expunge" && v.Name != "recover" || r.Managing()) {
			out = append(out, v.button(r, vm))
		}
	}
	return out
}

// instanceMenu is the likeliest action in the row and the others behind "⋯".
func (r *Request) instanceMenu(vm compute.View) components.Menu {
	m := components.Menu{Name: vm.DisplayName}
	main := map[compute.State]string{compute.Stopped: "start", compute.Running: "stop", compute.Paused: "start", compute.Destroyed: "recover", compute.Broken: "destroy"}[vm.State]
	for _, a := range r.instanceVerbs(vm) {
		if main != "" && a.Label == r.T("action.instance."+main) && a.Disabled == "" && m.Inline == nil {
			first := a
			m.Inline = &first
			continue
		}
		m.Actions = append(m.Actions, a)
	}
	m.Actions = append(m.Actions, r.stoppedDeeds(vm)...)
	if open := r.consoleAction(vm); open != nil {
		m.Actions = append([]components.Action{*open}, m.Actions...)
	}
	return m
}

func (r *Request) consoleAction(vm compute.View) *components.Action {
	if !r.May("createConsoleEndpoint") || vm.State == compute.Destroyed || vm.State == compute.Expunging {
		return nil
	}
	a := components.Action{Label: r.T("action.instance.console"), Icon: "monitor", Href: compute.ConsolePage + "?id=" + vm.ID}
	if vm.State != compute.Running && vm.State != compute.Paused {
		a.Disabled = r.T("instance.needs", "states", r.T("state.running"))
	}
	return &a
}

func instanceList(r *Request) listPage[compute.View] {
	type view = compute.View
	l := listPage[view]{
		ID: "instances", Title: r.T("nav.instances"), Command: "listVirtualMachines", Kind: "virtualmachine", IDs: "ids",
		SearchLabel: r.T("instances.search"), RowID: func(v view) string { return v.ID }, Name: func(v view) string { return v.DisplayName },
		Busy: func(v view) bool { return v.JobID != "" }, Actions: r.instanceMenu, Columns: instanceColumns(r),
		Filters: []components.Filter{{Name: "state", Label: r.T("col.state"), Options: r.stateOptions(compute.States.States())}},
		Address: r.Path("/instances"),
		Empty:   components.Empty{Icon: "server", Title: r.T("instances.empty"), Text: r.T("instances.empty_text")},
	}
	if r.Admin() && r.at("/instances") {
		if zones, err := r.choices("listZones", nil); err == nil && len(zones) > 1 {
			l.Filters = append(l.Filters, components.Filter{Name: "zoneid", Label: r.T("col.zone"), Options: zones})
		}
	}
	if r.May("deployVirtualMachine") {
		l.Buttons = []components.Action{{Label: r.T("action.deploy"), Icon: "plus", Href: r.Path("/instances/new"), Style: components.Primary}}
		l.Empty.Actions = []components.Button{{Label: r.T("action.deploy"), Icon: "plus", Href: r.Path("/instances/new"), Style: components.Primary}}
	}
	for _, name := range []string{"start", "stop", "destroy"} {
		if v, _ := verbOf(name); r.May(v.Command) {
			l.Bulk = append(l.Bulk, components.Bulk{
				Label: r.T("action.instance." + name), Icon: v.Icon, Style: v.Style,
				Post: r.Path("/instances/bulk/", name), Ask: name != "start",
			})
		}
	}
	return l
}

// stateOptions are states as a filter offers them.
func (r *Request) stateOptions(states []compute.State) []components.Option {
	var out []components.Option
	for _, s := range states {
		out = append(out, components.Option{Value: string(s), Label: locales.Or(r.Ctx(), "state."+strings.ToLower(string(s)), string(s))})
	}
	return out
}

func instanceColumns(r *Request) []column[compute.View] {
	type view = compute.View
	cols := []column[view]{
		{Key: "name", Label: r.T("col.name"), Text: func(v view) string { return v.DisplayName }, Cell: func(v view) templ.Component {
			return templ.Join(components.Link{Label: v.DisplayName, Href: r.Path("/instances/", v.ID)}, components.CopyID{Value: v.ID, Short: true})
		}},
		{Key: "state", Label: r.T("col.state"), Text: func(v view) string { return string(v.State) }, Cell: func(v view) templ.Component { return instanceState(v) }},
		{Key: "ip", Label: r.T("col.ip"), Text: func(v view) string { return v.IP }, Cell: func(v view) templ.Component { return components.Code(v.IP) }},
		{Key: "size", Label: r.T("col.size"), Text: func(v view) string { return sizeText(r, v.CPUs, v.MemoryMiB) }},
		{Key: "template", Label: r.T("col.image"), Text: func(v view) string { return v.TemplateName }},
		{Key: "owner", Label: r.T("col.owner"), Optional: !r.Managing(), Text: func(v view) string { return v.Account }},
		{Key: "zone", Label: r.T("col.zone"), Optional: true, Text: func(v view) string { return v.ZoneName }},
	}
	if r.Admin() {
		cols = append(cols,
			column[view]{Key: "host", Label: r.T("col.host"), Text: func(v view) string { return v.HostName }, Cell: func(v view) templ.Component {
				return components.Link{Label: v.HostName, Href: r.objectPath("host", v.HostID)}
			}},
			column[view]{Key: "internal", Label: r.T("col.internal_name"), Optional: true, Text: func(v view) string { return v.InstanceName }})
	}
	return append(cols,
		column[view]{Key: "network", Label: r.T("col.networks"), Optional: true, Text: func(v view) string {
			var names []string
			for _, nic := range v.NICs {
				names = append(names, nic.NetworkName)
			}
			return strings.Join(names, ", ")
		}},
		column[view]{Key: "id", Label: r.T("col.id"), Optional: true, Text: func(v view) string { return v.ID }, Cell: func(v view) templ.Component { return components.CopyID{Value: v.ID} }},
		column[view]{
			Key: "age", Label: r.T("col.created"), Text: func(v view) string { return v.Created.UTC().Format(time.RFC3339) },
			Cell: func(v view) templ.Component { return components.Time(v.Created.Time) },
		})
}

func instanceState(v compute.View) templ.Component {
	p := components.JobPill{State: string(v.State)}
	if v.JobID != "" {
		p.Href = "/jobs/" + v.JobID
	}
	return p
}

// sizeText is "2 CPUs, 4 GiB".
func sizeText(r *Request, cpus, memoryMiB int) string {
	return locales.N(r.Ctx(), "instance.size", cpus, "memory", locales.Bytes(r.Ctx(), int64(memoryMiB)<<20))
}

// found instance of the address.
func theInstance(r *Request) (compute.View, error) {
	return find[compute.View](r, "listVirtualMachines", r.Param("id"))
}

func instanceWay(r *Request, vm compute.View) components.Crumbs {
	return crumbs(r.T("nav.instances"), r.Path("/instances"), vm.DisplayName, r.Path("/instances/", vm.ID))
}

func askInstance(r *Request) error {
	v, ok := verbOf(r.Param("verb"))
	vm, err := theInstance(r)
	if err != nil || !ok {
		return or404(err)
	}
	return r.askVerb(v, vm, false)
}

func (r *Request) askVerb(v verb, vm compute.View, wrong bool) error {
	a := v.button(r, vm)
	if a.Disabled != "" { // it has changed meanwhile; the command says so, too
		r.flash(flash{Tone: components.Warn, Text: a.Disabled})
		return r.Redirect(http.StatusSeeOther, r.Path("/instances/", vm.ID))
	}
	a.Post, a.Href, a.Page = v.path(r, vm.ID), "", false
	if a.Confirm.Title == "" {
		a.Confirm.Title = r.T("action.instance."+v.Name) + ": " + vm.DisplayName
	}
	return r.ask(a, r.Path("/instances/", vm.ID), wrong, instanceWay(r, vm))
}

func actOnInstance(r *Request) error {
	v, ok := verbOf(r.Param("verb"))
	vm, err := theInstance(r)
	if err != nil || !ok {
		return or404(err)
	}
	if v.Level.Level == components.TypeName && strings.TrimSpace(r.FormValue("confirm")) != vm.DisplayName {
		return r.askVerb(v, vm, true)
	}
	return r.act(action{
		Command: v.Command, Params: vals("id", vm.ID), Kind: "virtualmachine", ID: vm.ID,
		Text: r.T("action.instance."+v.Name+".going", "name", vm.DisplayName), To: r.Path("/instances/", vm.ID),
	})
}

// askInstances asks about all selected instances at once.
func askInstances(r *Request) error {
	v, ok := verbOf(r.Param("verb"))
	if !ok {
		return or404(nil)
	}
	ids := r.QueryParams()["id"]
	vms, err := instanceList(r).some(r, ids)
	if err != nil {
		return err
	}
	if len(vms) == 0 {
		r.flash(flash{Tone: components.Warn, Text: r.T("error.selection_empty")})
		return r.Redirect(http.StatusSeeOther, r.Path("/instances"))
	}
	key := "action.instance." + v.Name
	a := components.Action{
		Label: r.T(key), Icon: v.Icon, Style: v.Style, Post: r.Path("/instances/bulk/", v.Name), Full: true,
		Confirm: components.Confirm{Level: components.Dialog, Title: r.T("instances.ask", "action", r.T(key), "n", len(vms)), Text: r.T(key + ".text")},
	}
	for _, vm := range vms {
		a.Fields = append(a.Fields, components.Pair{Name: "id", Value: vm.ID})
		a.Confirm.Impact = append(a.Confirm.Impact, vm.DisplayName)
	}
	return r.ask(a, r.Path("/instances"), false, crumbs(r.T("nav.instances"), r.Path("/instances")))
}

func actOnInstances(r *Request) error {
	v, ok := verbOf(r.Param("verb"))
	if !ok || v.Level.Level == components.TypeName {
		return or404(nil)
	}
	return r.bulk(v.Command, url.Values{}, r.Path("/instances"))
}

// screen is a picture of an instance's screen.
func screen(r *Request) error {
	if !r.May("createConsoleEndpoint") {
		return or404(nil)
	}
	vm, err := theInstance(r)
	if err != nil {
		return err
	}
	p, err := r.Portal.Compute.Screenshot(r.Ctx(), vm.ID)
	r.Response().Header().Set("Cache-Control", "no-store")
	if err != nil { // it may have stopped since the page was made
		return r.Redirect(http.StatusSeeOther, static.URL("img/no-picture.svg"))
	}
	return r.Blob(http.StatusOK, p.MIME, p.Data)
}
