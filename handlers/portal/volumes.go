package portal

import (
	"strconv"

	"github.com/a-h/templ"

	"aerie/services/compute"
	"aerie/services/storage"
	"aerie/views/components"
)

func volumes() area {
	return area{
		entries: []entry{{Group: "nav.storage", Key: "nav.volumes", Icon: "hard-drive", Path: "/volumes", Needs: "listVolumes", Create: "createVolume"}},
		routes: func(on routes) {
			on.GET("/volumes", func(r *Request) error { return showList(r, volumeList(r)) })
			on.both("/volumes/new", newVolume)
			on.both("/volumes/:id/edit", editVolume)
			on.both("/volumes/:id/attach", attachVolume)
			on.both("/volumes/:id/resize", resizeVolume)
			on.both("/volumes/:id/delete", endVolume)
			on.POST("/volumes/:id/detach", volumeDeed("detachVolume", "pg.volumes.detaching"))
			on.POST("/volumes/:id/recover", volumeDeed("recoverVolume", "pg.volumes.recovered"))
			on.both("/volumes/delete", endVolumes)
			on.onDetail("/volumes", volumePage)
		},
		live: map[string]liveRows{"volume": rowsOf(volumeList)},
	}
}

func volumeList(r *Request) listPage[storage.View] {
	create := r.creating("createVolume", "create_volume", r.Path("/volumes/new"))
	l := listPage[storage.View]{
		ID: "volumes", Title: r.T("nav.volumes"), Command: "listVolumes", Buttons: create, Kind: "volume", IDs: "ids",
		RowID: func(v storage.View) string { return v.ID }, Name: func(v storage.View) string { return v.Name },
		Busy: func(v storage.View) bool { return v.JobID != "" },
		Columns: []column[storage.View]{
			colName(r, func(v storage.View) string { return v.ID }, func(v storage.View) string { return v.Name }, func(v storage.View) string { return r.Path("/volumes/", v.ID) }),
			volumeState(r),
			colBytes(r, "size", func(v storage.View) int64 { return v.Size }),
			colText(r, "type", func(v storage.View) string { return r.T("pg.o." + typeKey(v.Type)) }),
			phone(colLink(r, "instance", func(v storage.View) string { return v.VMName }, func(v storage.View) string { return r.Path("/instances/", v.VMID) })),
			colText(r, "offering", func(v storage.View) string { return or(v.OfferingName, v.SizeName) }),
			colText(r, "zone", func(v storage.View) string { return v.ZoneName }),
			colTime(r, "created", func(v storage.View) timeOf { return v.Created }),
		},
		Filters: []components.Filter{
			r.filter("state", r.states("Ready", "Allocated", "Creating", "Destroy")),
			r.filter("type", []components.Option{{Value: "ROOT", Label: r.T("pg.o.root")}, {Value: "DATADISK", Label: r.T("pg.o.data")}}),
		},
		Actions: func(v storage.View) components.Menu { return r.menu(volumeDeeds(r, v)...) },
		Empty:   r.empty("volumes", "hard-drive", create),
	}
	if r.Admin() {
		l.Columns = append(l.Columns, optional(colLink(r, "pool", func(v storage.View) string { return v.PoolName }, func(v storage.View) string { return r.Path("/primary-storage/", v.PoolID) })))
	}
	if r.Managing() {
		l.Columns = append(l.Columns, ownerCols(r, func(v storage.View) (string, string) { return v.Account, v.Domain })...)
	}
	if r.May("deleteVolume") {
		l.Bulk = []components.Bulk{{Label: r.T("pg.a.delete"), Icon: "trash-2", Post: r.Path("/volumes/delete"), Style: components.Danger, Ask: true}}
	}
	return l
}

func volumeState(r *Request) column[storage.View] {
	c := colText(r, "state", func(v storage.View) string { return string(v.State) })
	c.Cell = func(v storage.View) templ.Component {
		return components.JobPill{State: string(v.State), Href: jobHref(v.JobID)}
	}
	return c
}

func jobHref(id string) string {
	if id == "" {
		return ""
	}
	return "/jobs/" + id
}

func typeKey(kind string) string {
	if kind == storage.Root {
		return "root"
	}
	return "data"
}

// volumeDeeds are the deeds on a volume with why they cannot be done now.
func volumeDeeds(r *Request, v storage.View) []deed {
	base := r.Path("/volumes/", v.ID)
	why := func(reasons ...string) string { // pairs of "1" or "" and a key
		for i := 0; i+1 < len(reasons); i += 2 {
			if reasons[i] != "" {
				return r.T("pg.why." + reasons[i+1])
			}
		}
		return ""
	}
	is := func(b bool) string {
		if b {
			return "1"
		}
		return ""
	}
	busy, gone := is(v.JobID != ""), is(v.State == storage.Destroy || v.State == storage.Expunging || v.State == storage.Expunged)
	root, attached := is(v.Type == storage.Root), is(v.VMID != "")
	running := is(v.Type == storage.Root && v.VMState != "" && v.VMState != "Stopped")
	out := []deed{
		{Command: "attachVolume", Key: "attach", Icon: "plug", Path: base + "/attach", Open: true, Off: why(busy, "busy", gone, "destroyed", attached, "attached")},
		{
			Command: "detachVolume", Key: "detach", Icon: "unplug", Path: base + "/detach", Ask: r.T("pg.volumes.detach_title", "name", v.Name), Text: r.T("pg.volumes.detach_text"),
			Off: why(busy, "busy", is(v.VMID == ""), "detached", root, "root"),
		},
		{Command: "resizeVolume", Key: "resize", Icon: "move-right", Path: base + "/resize", Open: true, Off: why(busy, "busy", gone, "destroyed", running, "running")},
		{Command: "updateVolume", Key: "rename", Icon: "pencil", Path: base + "/edit", Open: true, Off: why(gone, "destroyed")},
	}
	if v.State == storage.Destroy {
		out = append(out, deed{Command: "recoverVolume", Key: "recover", Icon: "undo-2", Path: base + "/recover"})
	}
	return append(out, deed{
		Command: "deleteVolume", Key: "delete", Icon: "trash-2", Path: base + "/delete", Page: true, Danger: true,
		Off: why(busy, "busy", root, "root", attached, "attached", is(v.DeleteProtection), "protected"),
	})
}

func volumeWay(r *Request, v storage.View) components.Crumbs {
	return crumbs(r.T("nav.storage"), "", r.T("nav.volumes"), r.Path("/volumes"), v.Name, r.Path("/volumes/", v.ID))
}

func volumePage(r *Request) error {
	v, err := find[storage.View](r, "listVolumes", r.Param("id"))
	if err != nil {
		return err
	}
	return r.thing(thingPage{
		Title: v.Name, State: string(v.State), Job: v.JobID, ID: v.ID, Base: r.Path("/volumes/", v.ID), Crumbs: volumeWay(r, v)[:2],
		Deeds: volumeDeeds(r, v), Shown: 2, Watch: []string{"volume/" + v.ID},
		Tabs: []thingTab{{Key: "overview", Body: func() (templ.Component, error) {
			spec := r.lines("size", r.bytes(v.Size), "type", r.T("pg.o."+typeKey(v.Type)),
				"offering", volumeOffering(r, v), "storagetype", r.T("pg.o."+v.StorageType), "zone", v.ZoneName, "created", v.Created)
			if v.TemplateName != "" {
				spec = append(spec, r.lines("template", components.Link{Label: v.TemplateName, Href: r.Path("/templates/", v.TemplateID)})...)
			}
			if r.Admin() && v.PoolID != "" {
				spec = append(spec, r.lines("pool", components.Link{Label: v.PoolName, Href: r.Path("/primary-storage/", v.PoolID)}, "path", components.Code(v.Path))...)
			}
			use := r.lines("instance", instanceLink(r, v.VMID, v.VMName), "vmstate", stateOrNone(v.VMState), "device", device(v), "attached", v.Attached,
				"protected", v.DeleteProtection, "account", v.Account, "domain", v.DomainPath)
			return halves(boxed(r.T("pg.specification"), spec), boxed(r.T("pg.use"), use)), nil
		}}, r.history(v.ID)},
	})
}

func volumeOffering(r *Request, v storage.View) templ.Component {
	if v.OfferingName != "" {
		return components.Link{Label: v.OfferingName, Href: r.Path("/offerings/disk/", v.OfferingID)}
	}
	if v.SizeName != "" {
		return components.Link{Label: v.SizeName, Href: r.Path("/offerings/compute/", v.SizeID)}
	}
	return components.Text("")
}

func instanceLink(r *Request, id, name string) templ.Component {
	if id == "" {
		return components.Text("")
	}
	return components.Link{Label: name, Href: r.Path("/instances/", id)}
}

func stateOrNone(state string) templ.Component {
	if state == "" {
		return components.Text("")
	}
	return components.Pill(state)
}

func device(v storage.View) string {
	if v.DeviceID == nil {
		return ""
	}
	return strconv.FormatInt(*v.DeviceID, 10)
}

// diskOptions are the disk offerings with their sizes.
func diskOptions(r *Request) ([]components.Option, error) {
	list, err := some[storage.OfferingView](r, "listDiskOfferings", nil)
	var out []components.Option
	for _, o := range list {
		out = append(out, components.Option{Value: o.ID, Label: o.Name + " · " + diskSize(r, o)})
	}
	return out, err
}

func newVolume(r *Request) error {
	zones, err := r.choices("listZones", vals("available", "true"))
	if err != nil {
		return err
	}
	disks, err := diskOptions(r)
	if err != nil {
		return err
	}
	size := r.number("size", "", "GiB")
	size.Least, size.Help = "1", r.T("pg.h.size_custom")
	f := formPage{
		Title: r.T("pg.a.create_volume"), Command: "createVolume", Resource: "cloudstack_disk", Crumbs: crumbs(r.T("nav.storage"), "", r.T("nav.volumes"), r.Path("/volumes")),
		Rename: map[string]string{"diskofferingid": "disk_offering", "zoneid": "zone"},
		Form: components.Form{Submit: r.T("pg.a.create_volume"), Cancel: r.Path("/volumes"), Fields: []components.Field{
			needed(r.in("name", "", "")), r.pick("zoneid", "", zones, true), r.pick("diskofferingid", "", disks, true), size,
		}},
	}
	if len(disks) == 0 {
		f.Aside = components.Notice{Tone: components.Warn, Text: r.T("pg.volumes.no_offering")}
	}
	return r.formOr(f, "", toJob(r.Path("/volumes")))
}

// aVolume is the volume of the address and a form that changes it.
func aVolume(r *Request, cmd, label string) (storage.View, formPage, error) {
	v, err := find[storage.View](r, "listVolumes", r.Param("id"))
	return v, formPage{
		Title: r.T("pg.a."+label) + ": " + v.Name, Command: cmd, Crumbs: volumeWay(r, v), Fixed: vals("id", v.ID),
		Form: components.Form{Submit: r.T("pg.a." + label), Cancel: r.Path("/volumes/", v.ID)},
	}, err
}

func editVolume(r *Request) error {
	v, f, err := aVolume(r, "updateVolume", "rename")
	if err != nil {
		return err
	}
	f.Form.Fields = []components.Field{needed(r.in("name", "", v.Name))}
	return r.formOr(f, "", toJob(r.Path("/volumes/", v.ID)))
}

func attachVolume(r *Request) error {
	v, f, err := aVolume(r, "attachVolume", "attach")
	if err != nil {
		return err
	}
	vms, err := some[compute.View](r, "listVirtualMachines", vals("zoneid", v.ZoneID, "account", v.Account, "domainid", v.DomainID, "page", "1", "pagesize", "200"))
	if err != nil {
		return err
	}
	var options []components.Option
	for _, vm := range vms {
		if vm.State == "Running" || vm.State == "Stopped" {
			options = append(options, components.Option{Value: vm.ID, Label: or(vm.DisplayName, vm.Name)})
		}
	}
	f.Form.Fields = []components.Field{r.pick("virtualmachineid", "", options, true)}
	if len(options) == 0 {
		f.Aside = components.Notice{Tone: components.Warn, Text: r.T("pg.volumes.no_instance")}
	}
	return r.formOr(f, "", toJob(r.Path("/volumes/", v.ID)))
}

func resizeVolume(r *Request) error {
	v, f, err := aVolume(r, "resizeVolume", "resize")
	if err != nil {
		return err
	}
	size := needed(r.number("size", strconv.FormatInt(v.Size>>30, 10), "GiB"))
	size.Least, size.Help = "1", r.T("pg.h.size_grow", "size", r.bytes(v.Size))
	f.Form.Fields = []components.Field{size}
	if v.Type != storage.Root {
		disks, err := diskOptions(r)
		if err != nil {
			return err
		}
		f.Form.Fields = append(f.Form.Fields, r.pick("diskofferingid", "", disks, false))
	}
	return r.formOr(f, "", toJob(r.Path("/volumes/", v.ID)))
}

func volumeDeed(cmd, text string) Handler {
	return func(r *Request) error {
		v, err := find[storage.View](r, "listVolumes", r.Param("id"))
		if err != nil {
			return err
		}
		return r.act(action{Command: cmd, Params: vals("id", v.ID), Kind: "volume", ID: v.ID, Text: r.T(text, "name", v.Name), To: r.Path("/volumes/", v.ID)})
	}
}

func endVolume(r *Request) error {
	v, err := find[storage.View](r, "listVolumes", r.Param("id"))
	if err != nil {
		return err
	}
	return r.end(ending{
		Command: "deleteVolume", Params: vals("id", v.ID), Kind: "volumes", Name: v.Name, List: r.Path("/volumes"), Crumbs: volumeWay(r, v),
		Impact: []string{r.T("pg.volumes.impact", "size", r.bytes(v.Size))},
	})
}

func endVolumes(r *Request) error { return r.endMany("deleteVolume", "volumes", r.Path("/volumes")) }
