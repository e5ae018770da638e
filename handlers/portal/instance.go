package portal

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"aerie/locales"
	"aerie/services/command/builtin"
	"aerie/services/compute"
	"aerie/services/fault"
	"aerie/views/components"
	instanceview "aerie/views/pages/instances"
)

// or404 is the error, or that there is no such page.
func or404(err error) error {
	if err != nil {
		return err
	}
	return fault.New(fault.NotFound, "portal.not_found")
}

// tabs of an instance, with what shows them.
var instanceTabs = []struct {
	name string
	show func(*Request, compute.View) (templ.Component, error)
}{
	{"", instanceOverview},
	{"nics", instanceNICs},
	{"volumes", instanceVolumes},
	{"events", instanceEvents},
	{"jobs", instanceJobs},
	{"settings", instanceSettings},
}

func showInstance(r *Request) error {
	vm, err := theInstance(r)
	if err != nil {
		return err
	}
	for _, t := range instanceTabs {
		if t.name != r.Param("tab") {
			continue
		}
		body, err := t.show(r, vm)
		if err != nil {
			return err
		}
		return r.showTab(vm, t.name, body, 0)
	}
	return or404(nil)
}

func (r *Request) showTab(vm compute.View, tab string, body templ.Component, status int) error {
	parts := []templ.Component{r.instanceHead(vm), r.instanceTabs(vm, tab), body}
	return r.Show(Page{
		Title: vm.DisplayName, Crumbs: crumbs(r.T("nav.instances"), r.Path("/instances")), Body: templ.Join(parts...),
		Watch: []string{"virtualmachine/" + vm.ID}, Refresh: tab != "settings", Status: status,
	})
}

func (r *Request) instanceHead(vm compute.View) components.Heading {
	h := components.Heading{Title: vm.DisplayName, State: string(vm.State), ID: vm.ID}
	if vm.JobID != "" {
		h.JobHref = "/jobs/" + vm.JobID
	}
	menu := r.instanceMenu(vm)
	if open := r.consoleAction(vm); open != nil && open.Disabled == "" {
		h.Actions, menu.Actions = append(h.Actions, *open), menu.Actions[1:]
	}
	if menu.Inline != nil {
		h.Actions = append(h.Actions, *menu.Inline)
	}
	h.Menu = components.Menu{ID: "instance-menu", Name: vm.DisplayName, Actions: menu.Actions, Label: r.T("instance.actions")}
	return h
}

func (r *Request) instanceTabs(vm compute.View, current string) components.Tabs {
	var out components.Tabs
	for _, t := range instanceTabs {
		tab := components.Tab{Label: r.T("action.tab." + or(t.name, "overview")), Href: r.Path("/instances/", vm.ID), Current: t.name == current}
		if t.name != "" {
			tab.Href += "/" + t.name
		}
		if t.name == "nics" && len(vm.NICs) > 0 {
			tab.Count = strconv.Itoa(len(vm.NICs))
		}
		out = append(out, tab)
	}
	return out
}

func instanceOverview(r *Request, vm compute.View) (templ.Component, error) {
	recent, err := some[builtin.EventView](r, "listEvents", vals("resourceid", vm.ID, "page", "1", "pagesize", "6"))
	if err != nil {
		return nil, err
	}
	p := instanceview.Overview{Events: timeline(r, latest(recent)), AllEvents: r.Path("/instances/", vm.ID, "/events")}
	ctx := r.Ctx()
	p.What = components.Properties{
		{Label: r.T("col.image"), Value: components.Link{Label: vm.TemplateName, Href: r.pageOf("/templates", vm.TemplateID)}},
		{Label: r.T("col.size"), Value: components.Text(vm.OfferingName + " – " + sizeText(r, vm.CPUs, vm.MemoryMiB))},
		{Label: r.T("instance.os"), Value: components.Text(vm.OSDisplayName)},
		{Label: r.T("col.zone"), Value: components.Text(vm.ZoneName)},
		{Label: r.T("col.created"), Value: components.Moment(vm.Created.Time), Help: locales.Relative(ctx, vm.Created.Time)},
		{Label: r.T("instance.host_name"), Value: components.Code(vm.Name)},
	}
	if vm.KeyPairs != "" {
		p.What = append(p.What, components.Property{Label: r.T("instance.keypair"), Value: components.Text(strings.ReplaceAll(vm.KeyPairs, ",", ", "))})
	}
	p.What = append(p.What, r.belongings(vm)...)
	if r.Managing() {
		p.What = append(p.What, components.Property{Label: r.T("col.owner"), Value: components.Text(vm.Account + " · " + vm.Domain)})
	}
	if r.Admin() {
		p.What = append(p.What,
			components.Property{Label: r.T("col.host"), Value: components.Link{Label: vm.HostName, Href: r.pageOf("/hosts", vm.HostID)}},
			components.Property{Label: r.T("col.internal_name"), Value: components.Code(vm.InstanceName)})
	}
	for _, nic := range vm.NICs {
		line := components.Property{Label: nic.NetworkName, Copy: nic.IP}
		if nic.IsDefault {
			line.Help = r.T("instance.default_nic")
		}
		p.Net = append(p.Net, line)
	}
	if on := vm.State == compute.Running || vm.State == compute.Paused; on && r.May("createConsoleEndpoint") {
		p.Screen = r.Path("/instances/", vm.ID, "/screen") + "?at=" + strconv.FormatInt(vm.Updated.Unix(), 10)
		p.Console, p.Serial = compute.ConsolePage+"?id="+vm.ID, compute.ConsolePage+"/serial?id="+vm.ID
	}
	if vm.State == compute.Broken {
		p.Broken, err = r.whyBroken(vm)
	}
	return instanceview.Show(p), err
}

// belongings are the groups, the user data and the lease of an instance.
func (r *Request) belongings(vm compute.View) (out components.Properties) {
	if vm.GroupID != "" {
		out = append(out, components.Property{Label: r.T("pg.f.group"), Value: components.Link{Label: vm.Group, Href: r.pageOf("/instance-groups", vm.GroupID)}})
	}
	for _, a := range vm.AffinityGroups {
		out = append(out, components.Property{
			Label: r.T("pg.c.affinity"), Value: components.Link{Label: a.Name, Href: r.pageOf("/affinity", a.ID)}, Help: affinityType(r, a.Type),
		})
	}
	if vm.UserDataID != "" {
		out = append(out, components.Property{Label: r.T("nav.userdata"), Value: components.Link{Label: vm.UserDataName, Href: r.pageOf("/userdata", vm.UserDataID)}})
	}
	if !vm.LeaseEnds.IsZero() {
		out = append(out, components.Property{Label: r.T("pg.c.lease"), Value: components.Moment(vm.LeaseEnds.Time), Help: leaseText(r, vm.LeaseDays, vm.LeaseAction)})
	}
	return out
}

// pageOf is the page of a thing if the navigation has its list.
func (r *Request) pageOf(path, id string) string {
	if id == "" || !r.hasPage(path) {
		return ""
	}
	return r.Path(path, "/", id)
}

// whyBroken leads to the job whose failure left the instance behind.
func (r *Request) whyBroken(vm compute.View) (*instanceview.Why, error) {
	l, err := r.jobRows(url.Values{"objectid": {vm.ID}, "status": {"failed"}, "page": {"1"}, "pagesize": {"1"}})
	if err != nil || len(l.Items) == 0 {
		return nil, err
	}
	j := l.Items[0]
	return &instanceview.Why{Text: r.cause(&j.Row), Job: "/jobs/" + j.ID, Again: r.Path("/instances/new") + "?" + again(vm).Encode()}, nil
}

// again are the values with which the same instance would be deployed.
func again(vm compute.View) url.Values {
	v := vals("zoneid", vm.ZoneID, "templateid", vm.TemplateID, "serviceofferingid", vm.OfferingID, "displayname", vm.DisplayName, "group", vm.Group, "userdataid", vm.UserDataID)
	v["keypairs"] = picked(vm.KeyPairs)
	for _, a := range vm.AffinityGroups {
		v.Add("affinitygroupids", a.ID)
	}
	for _, nic := range vm.NICs {
		v.Add("networkids", nic.NetworkID)
	}
	return v
}

func instanceNICs(r *Request, vm compute.View) (templ.Component, error) {
	type nic = compute.NICView
	l := listPage[nic]{ID: "nics", Title: r.T("action.tab.nics"), RowID: func(n nic) string { return n.ID }, Columns: []column[nic]{
		{Key: "network", Label: r.T("col.network"), Text: func(n nic) string { return n.NetworkName }, Cell: func(n nic) templ.Component {
			return components.Link{Label: n.NetworkName, Href: r.pageOf("/networks", n.NetworkID)}
		}},
		{Key: "ip", Label: r.T("col.ip"), Cell: func(n nic) templ.Component { return components.Code(n.IP) }},
		{Key: "default", Label: r.T("col.default"), Text: func(n nic) string {
			if n.IsDefault {
				return r.T("portal.yes")
			}
			return ""
		}},
		{Key: "gateway", Label: r.T("col.gateway"), Cell: func(n nic) templ.Component { return components.Code(n.Gateway) }},
		{Key: "netmask", Label: r.T("col.netmask"), Cell: func(n nic) templ.Component { return components.Code(n.Netmask) }},
		{Key: "mac", Label: r.T("col.mac"), Cell: func(n nic) templ.Component { return components.Code(n.MAC) }},
	}}
	return bare(r, l, vm.NICs, components.Empty{Icon: "network", Title: r.T("instance.no_nics")}), nil
}

// bare is a small table of what the page has anyway.
func bare[T any](r *Request, l listPage[T], rows []T, empty components.Empty) templ.Component {
	t := l.table(components.Query{Path: r.Request().URL.Path})
	t.Bare, t.Rows, t.Empty, t.CSV, t.Search = true, rows, empty, "", ""
	return around(components.Panel{Title: l.Title, Flush: true}, t)
}

// disk is a volume as an instance's page shows it.
type disk struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Type     string `json:"type"`
	State    string `json:"state"`
	Size     int64  `json:"size"`
	DeviceID *int64 `json:"deviceid"`
	Offering string `json:"diskofferingname"`
}

func instanceVolumes(r *Request, vm compute.View) (templ.Component, error) {
	disks, err := entries[disk](r, "listVolumes", vals("virtualmachineid", vm.ID))
	if err != nil {
		return nil, err
	}
	l := listPage[disk]{ID: "disks", Title: r.T("action.tab.volumes"), RowID: func(d disk) string { return d.ID }, Columns: []column[disk]{
		{Key: "name", Label: r.T("col.name"), Text: func(d disk) string { return d.Name }, Cell: func(d disk) templ.Component {
			return components.Link{Label: d.Name, Href: r.pageOf("/volumes", d.ID)}
		}},
		{Key: "state", Label: r.T("col.state"), Cell: func(d disk) templ.Component { return components.Pill(d.State) }},
		{Key: "size", Label: r.T("col.size"), Number: true, Cell: func(d disk) templ.Component { return components.Bytes(d.Size) }},
		{Key: "type", Label: r.T("col.type"), Text: func(d disk) string { return d.Type }},
		{Key: "offering", Label: r.T("col.offering"), Text: func(d disk) string { return d.Offering }},
		{Key: "device", Label: r.T("col.device"), Number: true, Text: func(d disk) string {
			if d.DeviceID == nil {
				return ""
			}
			return strconv.FormatInt(*d.DeviceID, 10)
		}},
	}}
	return bare(r, l, disks, components.Empty{Icon: "hard-drive", Title: r.T("instance.no_disks")}), nil
}

func instanceEvents(r *Request, vm compute.View) (templ.Component, error) {
	return r.table(eventList(r, vals("resourceid", vm.ID, "listall", "true")))
}

func instanceJobs(r *Request, vm compute.View) (templ.Component, error) {
	l := jobList(r)
	l.Params = vals("objectid", vm.ID)
	return r.tableOf(l)
}

func (r *Request) table(l listPage[builtin.EventView]) (templ.Component, error) {
	l.NoSearch = true
	t, _, err := l.load(r, components.Of(r.Request().URL))
	t.CSV, t.Partial = "", false
	return t, err
}

func (r *Request) tableOf(l listPage[jobRow]) (templ.Component, error) {
	l.NoSearch = true
	t, _, err := l.load(r, components.Of(r.Request().URL))
	t.CSV, t.Partial = "", false
	return t, err
}

func (r *Request) settingsForm(vm compute.View) formPage {
	return formPage{
		Command: "updateVirtualMachine", Fixed: vals("id", vm.ID), Resource: "cloudstack_instance",
		Form: components.Form{Action: r.Path("/instances/", vm.ID, "/settings"), Submit: r.T("action.save"), Fields: []components.Field{
			{Name: "displayname", Label: r.T("instance.display_name"), Value: vm.DisplayName},
			{Name: "name", Label: r.T("instance.host_name"), Value: vm.Name, Mono: true, Help: r.T("instance.host_name_help")},
			{Name: "group", Label: r.T("pg.f.group"), Value: vm.Group, Help: r.T("pg.h.group")},
			{Name: "haenable", Type: "checkbox", Label: r.T("instance.ha"), Value: strconv.FormatBool(vm.HA), Help: r.T("instance.ha_help")},
			{Name: "isdynamicallyscalable", Type: "checkbox", Label: r.T("instance.dynamic"), Value: strconv.FormatBool(vm.Dynamic)},
			{Name: "deleteprotection", Type: "checkbox", Label: r.T("instance.protection"), Value: strconv.FormatBool(vm.DeleteProtection), Help: r.T("instance.protection_help")},
		}},
	}
}

func instanceSettings(r *Request, vm compute.View) (templ.Component, error) {
	if !r.May("updateVirtualMachine") {
		return components.Notice{Text: r.T("portal.read_only")}, nil
	}
	return r.settings(vm, nil), nil
}

func (r *Request) settings(vm compute.View, wrong error) templ.Component {
	f := r.settingsForm(vm)
	r.fill(&f, wrong)
	return around(components.Split(r.call(f)), around(components.Panel{Title: r.T("action.tab.settings")}, f.Form))
}

func changeInstance(r *Request) error {
	vm, err := theInstance(r)
	if err != nil {
		return err
	}
	v, err := r.values(r.settingsForm(vm))
	if err != nil {
		return err
	}
	if v.Get("name") == vm.Name {
		v.Del("name")
	}
	v = r.cleared(v, "group")
	if _, err := one[compute.View](r, "updateVirtualMachine", v); err != nil {
		if fault.Of(err).Kind == fault.Internal {
			return err
		}
		return r.showTab(vm, "settings", r.settings(vm, err), 422)
	}
	r.flash(flash{Tone: components.OK, Text: r.T("portal.saved")})
	return r.goTo(r.Path("/instances/", vm.ID, "/settings"))
}
