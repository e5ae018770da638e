package portal

import (
	"net/url"
	"strconv"
	"strings"

	"aerie/locales"
	"aerie/services/compute"
	"aerie/services/storage"
	"aerie/views/components"
)

// limitedTo are the fields that limit an offering to domains and zones.
func limitedTo(r *Request) ([]components.Field, error) { return limitedNow(r, "", "") }

// limitedNow is limitedTo with those that are chosen, as stored lists of ids.
func limitedNow(r *Request, domainIDs, zoneIDs string) ([]components.Field, error) {
	domains, err := r.choices("listDomains", vals("listall", "true"))
	if err != nil {
		return nil, err
	}
	zones, err := r.choices("listZones", nil)
	if err != nil {
		return nil, err
	}
	d, z := r.in("domainid", "checks", ""), r.in("zoneid", "checks", "")
	d.Options, z.Options, d.Values, z.Values = domains, zones, picked(domainIDs), picked(zoneIDs)
	d.Help, z.Help = r.T("pg.h.limited"), r.T("pg.h.limited")
	if !r.Admin() {
		d.Help = r.T("pg.h.own_domains")
	}
	return []components.Field{d, z}, nil
}

// picked is a stored list of ids.
func picked(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}

// unlimited says in a change that nothing is ticked: for everybody, everywhere.
func (r *Request) unlimited(fixed url.Values) url.Values {
	if !r.posted() {
		return fixed
	}
	for name, all := range map[string]string{"domainid": "public", "zoneid": "all"} {
		if strings.Join(r.sent()[name], "") == "" {
			fixed.Set(name, all)
		}
	}
	return fixed
}

// rateFields are the limits of disks; now is what they are.
func rateFields(r *Request, now storage.LimitsView) []components.Field {
	n := func(name string, v int64, unit string) components.Field {
		text := ""
		if v > 0 {
			text = strconv.FormatInt(v, 10)
		}
		return r.number(name, text, unit)
	}
	cache := r.pick("cachemode", or(now.CacheMode, "none"), r.words("none", "writeback", "writethrough"), true)
	return []components.Field{
		n("bytesreadrate", now.BytesRead, "B/s"), n("bytesreadratemax", now.BytesReadMax, "B/s"), n("bytesreadratemaxlength", now.BytesReadLength, "s"),
		n("byteswriterate", now.BytesWrite, "B/s"), n("byteswriteratemax", now.BytesWriteMax, "B/s"), n("byteswriteratemaxlength", now.BytesWriteLength, "s"),
		n("iopsreadrate", now.IOPSRead, "IOPS"), n("iopsreadratemax", now.IOPSReadMax, "IOPS"), n("iopsreadratemaxlength", now.IOPSReadLength, "s"),
		n("iopswriterate", now.IOPSWrite, "IOPS"), n("iopswriteratemax", now.IOPSWriteMax, "IOPS"), n("iopswriteratemaxlength", now.IOPSWriteLength, "s"),
		cache,
	}
}

// rateNames are the parameters that a change may take back to no limit.
var rateNames = []string{
	"bytesreadrate", "bytesreadratemax", "bytesreadratemaxlength", "byteswriterate", "byteswriteratemax", "byteswriteratemaxlength",
	"iopsreadrate", "iopsreadratemax", "iopsreadratemaxlength", "iopswriterate", "iopswriteratemax", "iopswriteratemaxlength",
}

// zeroed are numbers that were sent empty: no limit.
func (r *Request) zeroed(fixed url.Values, names ...string) url.Values {
	if r.posted() {
		for _, name := range names {
			if v, ok := r.sent()[name]; ok && strings.Join(v, "") == "" {
				fixed.Set(name, "0")
			}
		}
	}
	return fixed
}

// limitLines are the limits of disks as a description.
func limitLines(r *Request, l storage.LimitsView) components.Properties {
	var out components.Properties
	add := func(key, text string) {
		out = append(out, components.Property{Label: r.T("pg.c." + key), Value: components.Text(text)})
	}
	for _, x := range []struct {
		key                  string
		rate, burst, seconds int64
		bytes                bool
	}{
		{"read_rate", l.BytesRead, l.BytesReadMax, l.BytesReadLength, true},
		{"write_rate", l.BytesWrite, l.BytesWriteMax, l.BytesWriteLength, true},
		{"read_ops", l.IOPSRead, l.IOPSReadMax, l.IOPSReadLength, false},
		{"write_ops", l.IOPSWrite, l.IOPSWriteMax, l.IOPSWriteLength, false},
		{"total_ops", l.MaxIOPS, 0, 0, false},
	} {
		if x.rate == 0 {
			continue
		}
		write := func(n int64) string {
			if x.bytes {
				return r.bytes(n) + "/s"
			}
			return locales.Number(r.Ctx(), n) + "\u00a0IOPS"
		}
		text := write(x.rate)
		if x.burst > 0 {
			text = r.T("pg.burst", "rate", text, "burst", write(x.burst), "seconds", max(x.seconds, 1))
		}
		add(x.key, text)
	}
	if len(out) == 0 {
		add("disk_limits", r.T("pg.no_limits"))
	}
	add("cachemode", r.T("pg.o."+or(l.CacheMode, "none")))
	return out
}

// leaseText tells when instances end by themselves.
func leaseText(r *Request, days int, action string) string {
	if days <= 0 {
		return r.T("pg.no_lease")
	}
	return locales.N(r.Ctx(), "pg.lease_"+strings.ToLower(action), days)
}

func sizeForm(r *Request) error {
	limits, err := limitedTo(r)
	if err != nil {
		return err
	}
	disks, err := r.choices("listDiskOfferings", nil)
	if err != nil {
		return err
	}
	behaviour := []components.Field{
		r.tick("offerha", false), r.tick("limitcpuuse", false), r.tick("dynamicscalingenabled", true), r.number("networkrate", "", "Mbit/s"),
		r.number("leaseduration", "", r.T("pg.days")), r.pick("leaseexpiryaction", "", r.words("STOP", "DESTROY"), false),
	}
	place := append([]components.Field{
		r.in("hosttags", "", ""), r.in("tags", "", ""),
		r.pick("deploymentplanner", "", r.words("FirstFitPlanner", "UserDispersingPlanner", "UserConcentratedPodPlanner"), false),
	}, limits...)
	root := []components.Field{
		r.number("rootdisksize", "", "GiB"), r.pick("diskofferingid", "", disks, false), r.tick("diskofferingstrictness", false),
	}
	f := formPage{
		Title: r.T("pg.compute_offerings.new"), Text: r.T("pg.compute_offerings.new_text"), Command: "createServiceOffering",
		Crumbs: offeringCrumbs(r, "compute"), Resource: "cloudstack_service_offering",
		Rename: map[string]string{"displaytext": "display_text", "cpunumber": "cpu_number", "cpuspeed": "cpu_speed", "hosttags": "host_tags", "offerha": "offer_ha"},
		Form: components.Form{Submit: r.T("pg.a.create_offering"), Cancel: r.Path("/offerings/compute"), Sections: []components.Section{
			{Title: r.T("pg.s.general"), Fields: []components.Field{needed(r.in("name", "", "")), r.in("displaytext", "", "")}},
			{Title: r.T("pg.s.fixed_size"), Fields: []components.Field{r.number("cpunumber", "1", ""), r.number("memory", "1024", "MiB"), r.number("cpuspeed", "1000", "MHz")}},
			{Title: r.T("pg.s.custom_size"), Folded: true, Fields: []components.Field{
				r.tick("customized", false), r.number("mincpunumber", "", ""), r.number("maxcpunumber", "", ""), r.number("minmemory", "", "MiB"), r.number("maxmemory", "", "MiB"),
			}},
			{Title: r.T("pg.s.root_disk"), Folded: true, Fields: root},
			{Title: r.T("pg.s.limits"), Folded: true, Fields: append(rateFields(r, storage.LimitsView{}), r.number("maxiops", "", "IOPS"))},
			{Title: r.T("pg.s.behaviour"), Folded: true, Fields: behaviour},
			{Title: r.T("pg.s.placement"), Folded: true, Fields: place},
		}},
	}
	f.Fixed = r.customSize()
	return r.formOr(f, r.T("pg.offerings.created"), always(r.Path("/offerings/compute")))
}

// customSize drops what users choose for themselves.
func (r *Request) customSize() url.Values {
	fixed := url.Values{}
	if r.posted() && r.FormValue("customized") == "true" {
		for _, name := range []string{"cpunumber", "memory"} {
			fixed[name] = nil
		}
	}
	return fixed
}

func changeSize(r *Request) error {
	o, err := find[compute.OfferingView](r, "listServiceOfferings", r.Param("id"))
	if err != nil {
		return err
	}
	limits, err := limitedNow(r, o.DomainIDs, o.ZoneIDs)
	if err != nil {
		return err
	}
	f := formPage{
		Title: r.T("pg.edit", "name", o.Name), Command: "updateServiceOffering", Crumbs: offeringCrumbs(r, "compute"),
		Fixed: r.unlimited(r.cleared(vals("id", o.ID), "hosttags", "storagetags")),
		Form: components.Form{Submit: r.T("pg.a.save"), Cancel: r.Path("/offerings/compute/", o.ID), Fields: append([]components.Field{
			needed(r.in("name", "", o.Name)), r.in("displaytext", "", o.DisplayText), r.pick("state", o.State, r.states("Active", "Inactive"), true),
			r.in("hosttags", "", o.HostTags), r.in("storagetags", "", o.StorageTags),
		}, limits...)},
	}
	return r.formOr(f, r.T("pg.saved", "name", o.Name), always(r.Path("/offerings/compute/", o.ID)))
}

func diskForm(r *Request) error {
	limits, err := limitedTo(r)
	if err != nil {
		return err
	}
	f := formPage{
		Title: r.T("pg.disk_offerings.new"), Command: "createDiskOffering", Crumbs: offeringCrumbs(r, "disk"), Resource: "cloudstack_disk_offering",
		Rename: map[string]string{"displaytext": "display_text", "disksize": "disk_size"},
		Form: components.Form{Submit: r.T("pg.a.create_offering"), Cancel: r.Path("/offerings/disk"), Sections: []components.Section{
			{Title: r.T("pg.s.general"), Fields: []components.Field{needed(r.in("name", "", "")), r.in("displaytext", "", "")}},
			{Title: r.T("pg.s.size"), Fields: []components.Field{
				r.number("disksize", "", "GiB"), r.tick("customized", false), r.tick("disksizestrictness", false),
				r.pick("storagetype", "shared", r.words("shared", "local"), true),
			}},
			{Title: r.T("pg.s.limits"), Folded: true, Fields: append(rateFields(r, storage.LimitsView{}), r.number("maxiops", "", "IOPS"))},
			{Title: r.T("pg.s.placement"), Folded: true, Fields: append([]components.Field{r.in("tags", "", ""), r.tick("displayoffering", true)}, limits...)},
		}},
	}
	return r.formOr(f, r.T("pg.offerings.created"), always(r.Path("/offerings/disk")))
}

func changeDisk(r *Request) error {
	o, err := find[storage.OfferingView](r, "listDiskOfferings", r.Param("id"))
	if err != nil {
		return err
	}
	limits, err := limitedNow(r, o.DomainIDs, o.ZoneIDs)
	if err != nil {
		return err
	}
	f := formPage{
		Title: r.T("pg.edit", "name", o.Name), Command: "updateDiskOffering", Crumbs: offeringCrumbs(r, "disk"),
		Fixed: r.zeroed(r.unlimited(r.cleared(vals("id", o.ID), "tags")), rateNames...),
		Form: components.Form{Submit: r.T("pg.a.save"), Cancel: r.Path("/offerings/disk/", o.ID), Sections: []components.Section{
			{Title: r.T("pg.s.general"), Fields: []components.Field{
				needed(r.in("name", "", o.Name)), r.in("displaytext", "", o.DisplayText), r.pick("state", o.State, r.states("Active", "Inactive"), true),
				r.tick("displayoffering", o.Display),
			}},
			{Title: r.T("pg.s.limits"), Fields: rateFields(r, o.LimitsView)},
			{Title: r.T("pg.s.placement"), Fields: append([]components.Field{r.in("tags", "", o.Tags)}, limits...)},
		}},
	}
	return r.formOr(f, r.T("pg.saved", "name", o.Name), always(r.Path("/offerings/disk/", o.ID)))
}
