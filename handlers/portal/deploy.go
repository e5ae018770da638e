package portal

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"aerie/locales"
	"aerie/services/command"
	"aerie/services/iam/iamcmd"
	"aerie/views/components"
	instanceview "aerie/views/pages/instances"
)

// parts of a deployment that a page offers, as their list commands' JSON has
// them.
type (
	offeredImage struct {
		ID          string `json:"id"`
		Name        string `json:"name"`
		DisplayText string `json:"displaytext"`
		OSType      string `json:"ostypename"`
		Bytes       int64  `json:"size"`
		Ready       bool   `json:"isready"`
		Password    bool   `json:"passwordenabled"`
		ZoneID      string `json:"zoneid"`
	}
	offeredSize struct {
		ID         string `json:"id"`
		Name       string `json:"name"`
		CPUs       int    `json:"cpunumber"`
		MemoryMiB  int    `json:"memory"`
		RootGiB    int64  `json:"rootdisksize"`
		Customized bool   `json:"iscustomized"`
	}
	offeredDisk struct {
		ID         string `json:"id"`
		Name       string `json:"name"`
		GiB        int64  `json:"disksize"`
		Customized bool   `json:"iscustomized"`
	}
	offeredNetwork struct {
		ID        string `json:"id"`
		Name      string `json:"name"`
		CIDR      string `json:"cidr"`
		CanDeploy *bool  `json:"canusefordeploy"`
	}
)

// offered is all that there is to choose from.
type offered struct {
	zones, keys []choice
	affinity    []choice
	library     []choice
	groups      []choice
	images      []offeredImage
	sizes       []offeredSize
	disks       []offeredDisk
	nets        []offeredNetwork
	hosts       []choice
}

// preferred puts the choice with that id before the others.
func preferred(list []choice, id *string) []choice {
	if id != nil {
		if i := slices.IndexFunc(list, func(c choice) bool { return c.ID == *id }); i > 0 {
			c := list[i]
			return slices.Insert(slices.Delete(list, i, i+1), 0, c)
		}
	}
	return list
}

func (r *Request) offered() (o offered, err error) {
	zone := r.sent().Get("zoneid")
	if o.zones, err = entries[choice](r, "listZones", vals("available", "true")); err != nil {
		return o, err
	}
	o.zones = preferred(o.zones, r.Who.Account.DefaultZoneID)
	if zone == "" && len(o.zones) > 0 {
		zone = o.zones[0].ID
	}
	images, err := entries[offeredImage](r, "listTemplates", vals("templatefilter", "executable", "zoneid", zone))
	if err != nil {
		return o, err
	}
	seen := map[string]bool{}
	for _, t := range images { // a template has a row for each zone
		if !seen[t.ID] {
			seen[t.ID] = true
			o.images = append(o.images, t)
		}
	}
	if o.sizes, err = entries[offeredSize](r, "listServiceOfferings", nil); err != nil {
		return o, err
	}
	slices.SortStableFunc(o.sizes, func(a, b offeredSize) int {
		return cmp.Or(cmp.Compare(b2i(a.Customized), b2i(b.Customized)), cmp.Compare(a.CPUs, b.CPUs), cmp.Compare(a.MemoryMiB, b.MemoryMiB))
	})
	if o.disks, err = entries[offeredDisk](r, "listDiskOfferings", nil); err != nil {
		return o, err
	}
	mine := *r
	mine.Scope = me // networks and keys are those of whom the instance will belong to
	if o.nets, err = entries[offeredNetwork](&mine, "listNetworks", vals("zoneid", zone)); err != nil {
		return o, err
	}
	if o.keys, err = entries[choice](&mine, "listSSHKeyPairs", nil); err != nil {
		return o, err
	}
	for name, into := range map[string]*[]choice{"listAffinityGroups": &o.affinity, "listUserData": &o.library, "listInstanceGroups": &o.groups} {
		if *into, err = entries[choice](&mine, name, nil); err != nil {
			return o, err
		}
	}
	if r.Admin() {
		o.hosts, err = entries[choice](r, "listHosts", vals("zoneid", zone, "state", "Up"))
	}
	return o, err
}

// b2i orders what is made to measure behind what is ready.
func b2i(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func (o offered) image(id string) offeredImage {
	for _, t := range o.images {
		if t.ID == id {
			return t
		}
	}
	return offeredImage{}
}

func (o offered) size(id string) offeredSize {
	for _, s := range o.sizes {
		if s.ID == id {
			return s
		}
	}
	return offeredSize{}
}

func (o offered) disk(id string) offeredDisk {
	for _, d := range o.disks {
		if d.ID == id {
			return d
		}
	}
	return offeredDisk{}
}

const gibibyte = 1 << 30

// deployForm has the five questions; the rest is folded.
func (r *Request) deployForm(o offered) formPage {
	f := formPage{
		Title: r.T("deploy.title"), Text: r.T("deploy.text"), Command: "deployVirtualMachine", Resource: "cloudstack_instance",
		Crumbs: crumbs(r.T("nav.instances"), r.Path("/instances")),
		Rename: map[string]string{
			"zoneid": "zone", "serviceofferingid": "service_offering", "templateid": "template", "networkids": "network_id",
			"displayname": "display_name", "userdata": "user_data", "rootdisksize": "root_disk_size", "startvm": "start_vm",
		},
	}
	f.Form = components.Form{
		ID: "deploy", Action: r.Path("/instances/new"), Submit: r.T("deploy.submit"), Icon: "play", Cancel: r.Path("/instances"),
		Check: r.Path("/instances/new/check"), CheckInto: "#deploy-summary",
		Hidden: []components.Pair{{Name: "clienttoken", Value: or(r.sent().Get("clienttoken"), r.Portal.DB.NewID())}},
		Sections: []components.Section{
			{Title: r.T("deploy.image"), Fields: r.imageFields(o)},
			{Title: r.T("deploy.size"), Fields: r.sizeFields(o)},
			{Title: r.T("deploy.disks"), Fields: r.diskFields(o)},
			{Title: r.T("deploy.network"), Fields: r.networkFields(o)},
			{Title: r.T("deploy.access"), Fields: r.accessFields(o)},
			{Title: r.T("deploy.advanced"), Folded: true, Fields: r.advancedFields(o)},
		},
	}
	return f
}

func (r *Request) imageFields(o offered) []components.Field {
	name := components.Field{Name: "displayname", Label: r.T("deploy.name"), Help: r.T("deploy.name_help"), Required: true, Max: 63, Autocomplete: "off"}
	zone := components.Field{Name: "zoneid", Label: r.T("col.zone"), Type: "select", Required: true, Options: optionsOf(o.zones)}
	if len(o.zones) == 1 {
		zone = components.Field{Name: "zoneid", Type: "hidden", Value: o.zones[0].ID}
	} else if len(o.zones) > 0 {
		zone.Value = o.zones[0].ID
	}
	image := components.Field{Name: "templateid", Label: r.T("deploy.choose_image"), Type: "radio", Required: true}
	for i, t := range o.images {
		opt := components.Option{Value: t.ID, Label: t.Name, Help: or(t.OSType, t.DisplayText), Icon: "disc-3"}
		if !t.Ready {
			opt.Disabled = r.T("deploy.image_not_ready")
		}
		if i == 0 && t.Ready {
			image.Value = t.ID
		}
		image.Options = append(image.Options, opt)
	}
	if len(o.images) == 0 {
		image.Help = r.T("deploy.no_images")
	}
	return []components.Field{name, zone, image}
}

func optionsOf(list []choice) []components.Option {
	var out []components.Option
	for _, c := range list {
		out = append(out, components.Option{Value: c.ID, Label: c.Name})
	}
	return out
}

func (r *Request) sizeFields(o offered) []components.Field {
	size := components.Field{Name: "serviceofferingid", Label: r.T("deploy.choose_size"), Type: "radio", Required: true}
	custom := false
	for i, s := range o.sizes {
		opt := components.Option{Value: s.ID, Label: s.Name, Help: sizeText(r, s.CPUs, s.MemoryMiB), Icon: "cpu"}
		if s.Customized {
			opt.Help, custom = r.T("deploy.custom"), true
		}
		if i == 0 {
			size.Value = s.ID
		}
		size.Options = append(size.Options, opt)
	}
	fields := []components.Field{size}
	if custom {
		fields = append(fields,
			components.Field{Name: "details[0].cpuNumber", Label: r.T("deploy.cpus"), Help: r.T("deploy.custom_help"), Type: "number", Least: "1"},
			components.Field{Name: "details[0].memory", Label: r.T("deploy.memory"), Type: "number", Least: "64", Unit: "MiB"})
	}
	return fields
}

func (r *Request) diskFields(o offered) []components.Field {
	root := components.Field{Name: "rootdisksize", Label: r.T("deploy.root"), Help: r.T("deploy.root_help"), Type: "number", Least: "1", Most: "64000", Unit: "GiB"}
	if len(o.disks) == 0 {
		return []components.Field{root}
	}
	disk := components.Field{Name: "diskofferingid", Label: r.T("deploy.disk"), Type: "select", Options: []components.Option{{Label: r.T("deploy.no_disk")}}}
	custom := false
	for _, d := range o.disks {
		label := d.Name
		if d.Customized {
			custom = true
		} else if d.GiB > 0 {
			label += " – " + locales.Bytes(r.Ctx(), d.GiB*gibibyte)
		}
		disk.Options = append(disk.Options, components.Option{Value: d.ID, Label: label})
	}
	if !custom {
		return []components.Field{root, disk}
	}
	return []components.Field{root, disk, {Name: "size", Label: r.T("deploy.disk_size"), Help: r.T("deploy.disk_size_help"), Type: "number", Least: "1", Most: "64000", Unit: "GiB"}}
}

func (r *Request) networkFields(o offered) []components.Field {
	nets := components.Field{Name: "networkids", Label: r.T("deploy.networks"), Type: "checks", Help: r.T("deploy.networks_help")}
	for _, n := range o.nets {
		if n.CanDeploy == nil || *n.CanDeploy {
			nets.Options = append(nets.Options, components.Option{Value: n.ID, Label: n.Name, Help: n.CIDR})
		}
	}
	if len(nets.Options) == 0 {
		nets.Help = r.T("deploy.network_made")
	} else if len(nets.Options) == 1 && !r.posted() {
		nets.Values = []string{nets.Options[0].Value}
	}
	return []components.Field{nets}
}

func (r *Request) accessFields(o offered) []components.Field {
	key := components.Field{Name: "keypairs", Label: r.T("instance.keypair"), Type: "checks", Help: r.T("deploy.key_help")}
	for _, k := range o.keys {
		key.Options = append(key.Options, components.Option{Value: k.Name, Label: k.Name})
	}
	if len(o.keys) == 0 {
		key.Help = r.T("deploy.no_key")
	}
	return []components.Field{key}
}

func (r *Request) advancedFields(o offered) []components.Field {
	fields := []components.Field{
		{Name: "name", Label: r.T("instance.host_name"), Help: r.T("deploy.host_name_help"), Mono: true, Max: 63, Pattern: "[A-Za-z0-9]([A-Za-z0-9\\-]*[A-Za-z0-9])?"},
		{Name: "ipaddress", Label: r.T("deploy.ip"), Help: r.T("deploy.ip_help"), Mono: true},
		r.groupField(o),
		{Name: userDataField, Label: r.T("deploy.user_data"), Type: "textarea", Help: r.T("deploy.user_data_help"), Mono: true, Rows: 6},
		r.libraryField(o), r.valuesField(),
		{Name: "stopped", Label: r.T("deploy.stopped"), Type: "checkbox"},
	}
	if len(o.affinity) > 0 {
		groups := r.in("affinitygroupids", "checks", "")
		groups.Options = optionsOf(o.affinity)
		fields = append(fields, groups)
	}
	fields = append(fields, r.number("leaseduration", "", r.T("pg.days")), r.pick("leaseexpiryaction", "", r.words("STOP", "DESTROY"), false))
	if len(o.hosts) > 0 {
		fields = append(fields, components.Field{
			Name: "hostid", Label: r.T("deploy.host"), Type: "select",
			Options: append([]components.Option{{Label: r.T("deploy.any_host")}}, optionsOf(o.hosts)...),
		})
	}
	return fields
}

func (r *Request) groupField(o offered) components.Field {
	f := r.in("group", "combobox", "")
	for _, g := range o.groups {
		f.Options = append(f.Options, components.Option{Value: g.Name, Label: g.Name})
	}
	return f
}

func (r *Request) libraryField(o offered) components.Field {
	return r.pick("userdataid", "", optionsOf(o.library), false)
}

func (r *Request) valuesField() components.Field {
	f := r.in(userDataValues, "textarea", "")
	f.Mono, f.Rows, f.Placeholder = true, 3, "name=value"
	return f
}

// userDataField holds plain text; the command wants base64.
const userDataField = "userdata_text"

// deployValues are the command's parameters: what people need not know is
// worked out here.
func (r *Request) deployValues(f formPage) (url.Values, error) {
	v, err := r.values(f)
	if err != nil {
		return nil, err
	}
	plainUserData(v)
	if v.Get("stopped") == "true" {
		v.Set("startvm", "false")
	}
	v.Del("stopped")
	if v.Get("name") == "" {
		v.Set("name", hostNameOf(v.Get("displayname")))
	}
	for name := range v { // two of the folded questions belong to some sizes only
		if v.Get(name) == "" {
			v.Del(name)
		}
	}
	return v, nil
}

// hostNameOf makes a host name of any name, or none.
func hostNameOf(name string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			b.WriteRune(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	s := b.String()
	return strings.Trim(s[:min(len(s), 63)], "-")
}

func newInstance(r *Request) error { return r.showDeploy(nil) }

func (r *Request) showDeploy(wrong error) error {
	if _, err := r.Portal.Registry.Find(r.Ctx(), "deployVirtualMachine"); err != nil {
		return err
	}
	o, err := r.offered()
	if err != nil {
		return err
	}
	f := r.deployForm(o)
	f.NoCall = true
	if f.Aside, err = r.deployAside(o, f); err != nil {
		return err
	}
	return r.showForm(f, wrong)
}

// checkInstance answers every change of the form with the summary.
func checkInstance(r *Request) error {
	o, err := r.offered()
	if err != nil {
		return err
	}
	aside, err := r.deployAside(o, r.deployForm(o))
	if err != nil {
		return err
	}
	return r.write(http.StatusOK, aside)
}

func (r *Request) deployAside(o offered, f formPage) (templ.Component, error) {
	v, err := r.deployValues(f)
	if err != nil {
		return nil, err
	}
	s, err := r.deploySummary(o, v)
	if err != nil {
		return nil, err
	}
	call := components.ShowCall{Command: f.Command, Endpoint: r.origin() + "/client/api", Resource: f.Resource, Rename: f.Rename}
	for _, name := range sortedKeys(v) {
		call.Params = append(call.Params, components.Pair{Name: name, Value: v.Get(name)})
	}
	return instanceview.Aside(s, call), nil
}

// deploySummary is what one gets, and what is left of the limits then.
func (r *Request) deploySummary(o offered, v url.Values) (components.Summary, error) {
	image, size, disk := o.image(v.Get("templateid")), o.size(v.Get("serviceofferingid")), o.disk(v.Get("diskofferingid"))
	if n := number(v.Get("details[0].cpuNumber"), 0); size.Customized && n > 0 {
		size.CPUs = n
	}
	if n := number(v.Get("details[0].memory"), 0); size.Customized && n > 0 {
		size.MemoryMiB = n
	}
	root := max(image.Bytes, size.RootGiB*gibibyte)
	if n := int64(number(v.Get("rootdisksize"), 0)); n > 0 {
		root = n * gibibyte
	}
	data := disk.GiB * gibibyte
	if disk.Customized {
		data = int64(number(v.Get("size"), 0)) * gibibyte
	}
	ctx := r.Ctx()
	s := components.Summary{ID: "deploy-fits", Title: r.T("deploy.summary"), Lines: components.Properties{
		{Label: r.T("deploy.image"), Value: components.Text(image.Name)},
		{Label: r.T("deploy.size"), Value: components.Text(sizeText(r, size.CPUs, size.MemoryMiB))},
		{Label: r.T("deploy.root"), Value: components.Text(locales.Bytes(ctx, root))},
	}}
	if data > 0 {
		s.Lines = append(s.Lines, components.Property{Label: r.T("deploy.disk"), Value: components.Text(locales.Bytes(ctx, data))})
	}
	if image.Bytes > 0 && root < image.Bytes {
		s.Problems = append(s.Problems, r.T("deploy.root_small", "size", locales.Bytes(ctx, image.Bytes)))
	}
	mine, err := list[iamcmd.AccountView](r, "listAccounts", vals("id", r.Who.AccountID))
	if err != nil || len(mine.Items) == 0 {
		return s, err
	}
	a := mine.Items[0]
	disks := int64(1)
	if data > 0 {
		disks++
	}
	for _, q := range []struct {
		key, limit string
		used, more int64
	}{
		{"limit.user_vm", a.VMLimit, a.VMTotal, 1},
		{"limit.cpu", a.CPULimit, a.CPUTotal, int64(size.CPUs)},
		{"limit.memory", a.MemoryLimit, a.MemoryTotal, int64(size.MemoryMiB)},
		{"limit.volume", a.VolumeLimit, a.VolumeTotal, disks},
		{"limit.primary_storage", a.PrimaryLimit, a.PrimaryTotal, (root + data + gibibyte - 1) / gibibyte},
	} {
		top, err := strconv.ParseInt(q.limit, 10, 64)
		if err != nil {
			continue // no limit
		}
		after := locales.Number(ctx, q.used) + " + " + locales.Number(ctx, q.more) + " / " + locales.Number(ctx, top)
		s.Lines = append(s.Lines, components.Property{Label: r.T(q.key), Value: components.Text(after)})
		if q.used+q.more > top {
			s.Problems = append(s.Problems, r.T("deploy.over_limit", "resource", r.T(q.key), "after", after))
		}
	}
	if len(s.Problems) == 0 && image.ID != "" && size.ID != "" {
		s.Fits = r.T("deploy.fits")
	}
	return s, nil
}

func makeInstance(r *Request) error {
	o, err := r.offered()
	if err != nil {
		return err
	}
	f := r.deployForm(o)
	v, err := r.deployValues(f)
	if err != nil {
		return err
	}
	v.Set("clienttoken", r.FormValue("clienttoken"))
	out, err := one[command.Accepted](r, f.Command, v)
	if err != nil {
		return r.showDeploy(err)
	}
	return r.goTo("/jobs/" + out.JobID)
}
