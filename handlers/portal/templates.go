package portal

import (
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"aerie/services/image"
	"aerie/services/infra"
	"aerie/views/components"
	"aerie/views/pages/pieces"
)

func templates() area {
	return area{
		entries: []entry{{Group: "nav.images", Key: "nav.templates", Icon: "image", Path: "/templates", Needs: "listTemplates", Create: "registerTemplate"}},
		routes: func(on routes) {
			on.GET("/templates", templatesPage)
			on.both("/templates/new", newTemplate)
			on.both("/templates/:id/prepare", prepareTemplate)
			on.both("/templates/:id/delete", endTemplate)
			on.both("/templates/:id/userdata", linkTemplate)
			on.both("/templates/delete", func(r *Request) error {
				return r.endMany("deleteTemplate", "templates", r.Path("/templates?show=self"))
			})
			on.onDetail("/templates", templatePage)
		},
		live: map[string]liveRows{"template": rowsOf(func(r *Request) listPage[image.View] { return templateList(r, r.anyTemplates()) })},
	}
}

// anyTemplates is the filter that finds all a reader may use.
func (r *Request) anyTemplates() string {
	if r.Managing() {
		return "all"
	}
	return "executable"
}

func templatesPage(r *Request) error {
	filters := []string{"featured", "self", r.anyTemplates()}
	now := r.QueryParam("show")
	if now != "self" && now != r.anyTemplates() {
		now = "featured"
	}
	l := templateList(r, now)
	for _, f := range filters {
		href := r.Path("/templates")
		if f != "featured" {
			href += "?show=" + f
		}
		l.Tabs = append(l.Tabs, components.Tab{Label: r.T("pg.templates.show_" + f), Href: href, Current: f == now})
	}
	return showList(r, l)
}

func templateList(r *Request, show string) listPage[image.View] {
	create := r.creating("registerTemplate", "register_template", r.Path("/templates/new"))
	status := colText(r, "status", func(t image.View) string { return t.Status })
	status.Cell = func(t image.View) templ.Component { return templateStatus(r, t) }
	l := listPage[image.View]{
		ID: "templates", Title: r.T("nav.templates"), Command: "listTemplates", Params: vals("templatefilter", show), Buttons: create, Kind: "template", IDs: "ids",
		RowID: func(t image.View) string { return t.ID }, Name: func(t image.View) string { return t.Name },
		Busy: func(t image.View) bool { return !t.Ready },
		Columns: []column[image.View]{
			colName(r, func(t image.View) string { return t.ID }, func(t image.View) string { return t.Name }, func(t image.View) string { return r.Path("/templates/", t.ID) }),
			status,
			colText(r, "os", func(t image.View) string { return t.OSType }),
			colText(r, "hypervisor", func(t image.View) string { return t.Hypervisor }),
			colBytes(r, "size", func(t image.View) int64 { return t.Bytes }),
			colText(r, "visibility", func(t image.View) string { return visibility(r, t) }),
			optional(colText(r, "format", func(t image.View) string { return t.Format })),
			optional(colText(r, "arch", func(t image.View) string { return t.Arch })),
			optional(colText(r, "zone", func(t image.View) string { return t.ZoneName })),
			colTime(r, "created", func(t image.View) timeOf { return t.Created }),
		},
		Actions: func(t image.View) components.Menu { return r.menu(templateDeeds(r, t)...) },
		Empty:   r.empty("templates", "image", create),
	}
	if r.Managing() {
		l.Columns = append(l.Columns, ownerCols(r, func(t image.View) (string, string) { return t.Account, t.Domain })...)
	}
	if show == "self" && r.May("deleteTemplate") {
		l.Bulk = []components.Bulk{{Label: r.T("pg.a.delete"), Icon: "trash-2", Post: r.Path("/templates/delete"), Style: components.Danger, Ask: true}}
	}
	return l
}

// templateStatus is a pill, with a bar while the image is on its way.
func templateStatus(r *Request, t image.View) templ.Component {
	if t.Ready {
		return components.Pill("Ready")
	}
	state, percent := "NotReady", 0
	for _, d := range t.Downloads {
		if n, _ := strconv.Atoi(d.Percent); d.State == string(image.Downloading) {
			state, percent = d.State, max(percent, n)
		} else if state == "NotReady" {
			state = d.State
		}
	}
	if percent == 0 {
		return components.Pill(state)
	}
	text := strconv.Itoa(percent) + "\u00a0%"
	return pieces.Stack(components.Pill(state), pieces.Progress(r.T("pg.templates.progress", "name", t.Name), percent, text))
}

func visibility(r *Request, t image.View) string {
	switch {
	case t.Featured && t.Public:
		return r.T("pg.o.featured")
	case t.Public:
		return r.T("pg.o.public")
	}
	return r.T("pg.o.private")
}

func templateDeeds(r *Request, t image.View) []deed {
	base, off := r.Path("/templates/", t.ID), ""
	if !t.Ready {
		off = r.T("pg.why.not_ready")
	}
	out := []deed{
		{Command: "deployVirtualMachine", Key: "deploy", Icon: "plus", Path: r.Path("/instances/new?templateid=", t.ID), Open: true, Off: off},
		{Command: "prepareTemplate", Key: "prepare", Icon: "cloud-download", Path: base + "/prepare", Open: true, Off: off},
	}
	if r.Admin() || t.AccountID == r.Who.Account.ID {
		out = append(out, deed{Command: "linkUserDataToTemplate", Key: "link_userdata", Icon: "link", Path: base + "/userdata", Open: true})
	}
	if r.Managing() || t.AccountID == r.Who.Account.ID {
		out = append(out, deed{Command: "deleteTemplate", Key: "delete", Icon: "trash-2", Path: base + "/delete", Page: true, Danger: true})
	}
	return out
}

func templateOf(r *Request) (image.View, error) {
	l, err := list[image.View](r, "listTemplates", vals("id", r.Param("id"), "templatefilter", r.anyTemplates()))
	if err != nil || len(l.Items) == 0 {
		return image.View{}, r.absent(err)
	}
	return l.Items[0], nil
}

func templateWay(r *Request, t image.View) components.Crumbs {
	return crumbs(r.T("nav.images"), "", r.T("nav.templates"), r.Path("/templates"), t.Name, r.Path("/templates/", t.ID))
}

func templatePage(r *Request) error {
	t, err := templateOf(r)
	if err != nil {
		return err
	}
	state := "Ready"
	if !t.Ready {
		state = "NotReady"
		if len(t.Downloads) > 0 {
			state = t.Downloads[0].State
		}
	}
	p := thingPage{
		Title: t.Name, State: state, ID: t.ID, Base: r.Path("/templates/", t.ID), Crumbs: templateWay(r, t)[:2], Deeds: templateDeeds(r, t), Shown: 2,
		Watch: []string{"template/" + t.ID},
		Tabs: []thingTab{
			{Key: "overview", Body: func() (templ.Component, error) { return templateOverview(r, t), nil }},
			r.history(t.ID),
		},
	}
	if t.DisplayText != t.Name {
		p.Text = t.DisplayText
	}
	return r.thing(p)
}

func templateOverview(r *Request, t image.View) templ.Component {
	spec := r.lines("os", t.OSType, "hypervisor", t.Hypervisor, "format", t.Format, "arch", t.Arch, "size", r.bytes(t.Bytes), "physicalsize", r.bytes(t.FileBytes),
		"checksum", components.Code(t.Checksum), "visibility", visibility(r, t), "extractable", t.Extractable, "password", t.Password, "sshkey", t.SSHKey,
		"dynamic", t.Scalable, "account", t.Account, "domain", t.DomainPath, "created", t.Created)
	if r.Admin() {
		spec = append(spec, r.lines("url", components.Code(t.URL))...)
	}
	l := listPage[image.Progress]{
		ID: "copies", Title: r.T("pg.templates.copies"), RowID: func(d image.Progress) string { return d.Store }, Name: func(d image.Progress) string { return d.Store },
		Columns: []column[image.Progress]{
			colText(r, "store", func(d image.Progress) string { return d.Store }),
			colPill(r, "state", func(d image.Progress) string { return d.State }),
			progressOf(r),
		},
		Empty: components.Empty{Icon: "cloud", Title: r.T("pg.templates.no_copies")},
	}
	parts := []templ.Component{boxed(r.T("pg.specification"), spec), sheet(r.T("pg.templates.copies"), bareList(r, l, t.Downloads))}
	if !t.Ready && strings.Contains(t.Status, " ") && !strings.Contains(t.Status, "%") {
		return pieces.Stack(components.Notice{Tone: components.Bad, Title: r.T("pg.templates.failed"), Text: t.Status}, halves(parts...))
	}
	return halves(parts...)
}

func progressOf(r *Request) column[image.Progress] {
	c := colText(r, "progress", func(d image.Progress) string { return d.Percent })
	c.Cell = func(d image.Progress) templ.Component {
		n, _ := strconv.Atoi(d.Percent)
		if d.State == string(image.Ready) {
			n = 100
		}
		return pieces.Progress(c.Label, n, strconv.Itoa(n)+"\u00a0%")
	}
	return c
}

func newTemplate(r *Request) error {
	zones, err := r.choices("listZones", nil)
	if err != nil {
		return err
	}
	kinds, err := some[infra.HypervisorView](r, "listHypervisors", nil)
	if err != nil {
		return err
	}
	var hypervisors []string
	for _, k := range kinds {
		hypervisors = append(hypervisors, k.Name)
	}
	url := needed(r.in("url", "url", ""))
	url.Placeholder = "https://"
	sum := r.in("checksum", "", "")
	sum.Mono, sum.Placeholder = true, "{SHA-256}…"
	general := []components.Field{r.tick("passwordenabled", false), r.tick("sshkeyenabled", true), r.tick("isdynamicallyscalable", false), r.tick("isextractable", false), r.tick("ispublic", false)}
	if r.Admin() {
		general = append(general, r.tick("isfeatured", false))
	}
	// "-1" stands for every zone.
	zone := r.pick("zoneid", "-1", append([]components.Option{{Value: "-1", Label: r.T("pg.o.all_zones")}}, zones...), true)
	f := formPage{
		Title: r.T("pg.a.register_template"), Text: r.T("pg.templates.register_text"), Command: "registerTemplate", Crumbs: crumbs(r.T("nav.images"), "", r.T("nav.templates"), r.Path("/templates")),
		Resource: "cloudstack_template", Rename: map[string]string{"displaytext": "display_text", "zoneid": "zone", "ispublic": "is_public", "isfeatured": "is_featured"},
		Form: components.Form{Submit: r.T("pg.a.register_template"), Cancel: r.Path("/templates"), Sections: []components.Section{
			{Title: r.T("pg.s.image"), Fields: []components.Field{
				needed(r.in("name", "", "")), r.in("displaytext", "", ""), url, sum,
				r.pick("format", "QCOW2", r.words("QCOW2", "RAW"), true), r.pick("hypervisor", first(hypervisors), r.words(hypervisors...), true), zone,
			}},
			{Title: r.T("pg.s.behaviour"), Folded: true, Fields: general},
		}},
	}
	return r.formOr(f, r.T("pg.templates.registered"), func(out any) string {
		if l, ok := out.(image.View); ok {
			return r.Path("/templates/", l.ID)
		}
		return r.Path("/templates?show=self")
	})
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

func prepareTemplate(r *Request) error {
	t, err := templateOf(r)
	if err != nil {
		return err
	}
	zones, err := r.choices("listZones", nil)
	if err != nil {
		return err
	}
	fields := []components.Field{r.pick("zoneid", t.ZoneID, zones, true)}
	pools, err := r.choices("listStoragePools", nil)
	if err != nil {
		return err
	}
	if len(pools) > 0 {
		pool := r.pick("storageid", "", pools, false)
		pool.Options[0].Label = r.T("pg.o.all_pools")
		fields = append(fields, pool)
	}
	f := formPage{
		Title: r.T("pg.templates.prepare_title", "name", t.Name), Text: r.T("pg.templates.prepare_text"), Command: "prepareTemplate", Crumbs: templateWay(r, t), Fixed: vals("templateid", t.ID),
		Form: components.Form{Submit: r.T("pg.a.prepare"), Cancel: r.Path("/templates/", t.ID), Fields: fields},
	}
	return r.formOr(f, r.T("pg.templates.preparing", "name", t.Name), toJob(r.Path("/templates/", t.ID)))
}

func endTemplate(r *Request) error {
	t, err := templateOf(r)
	if err != nil {
		return err
	}
	return r.end(ending{Command: "deleteTemplate", Params: vals("id", t.ID), Kind: "templates", Name: t.Name, List: r.Path("/templates?show=self"), Crumbs: templateWay(r, t)})
}
