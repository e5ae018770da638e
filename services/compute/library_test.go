package compute_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"aerie/drivers"
	"aerie/drivers/sim"
	"aerie/services/command"
	"aerie/services/compute"
	"aerie/services/iam"
	"aerie/services/image"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/network"
	"aerie/services/placement"
	"aerie/services/proof"
	"aerie/services/storage"
	"aerie/services/store"
)

// refused fails the test unless the command is refused with a word about it.
func refused(t *testing.T, w *proof.World, err error, word string) {
	t.Helper()
	if err == nil || !strings.Contains(command.Explain(err, "x", command.Admin).Text+err.Error(), word) {
		t.Errorf("%v, want a word about %q", err, word)
	}
}

func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// machineOf is the machine of an instance as its host has it.
func machineOf(w *proof.World, id string) drivers.VMSpec {
	w.Helper()
	for _, vm := range w.Center.Snapshot().VMs {
		if vm.Spec.ID == id {
			return vm.Spec
		}
	}
	w.Fatalf("no host knows %s", id)
	return drivers.VMSpec{}
}

// guestOf is what an instance's router serves it.
func guestOf(w *proof.World, name string) drivers.RouterHost {
	w.Helper()
	for _, r := range w.Center.Snapshot().Routers {
		for _, h := range r.Spec.Hosts {
			if h.Name == name {
				return h
			}
		}
	}
	w.Fatalf("no router serves %s", name)
	return drivers.RouterHost{}
}

// TestAMachineHasTheLimitsOfItsOfferings: what offerings say of processors,
// cards and disks is what the host is told.
func TestAMachineHasTheLimitsOfItsOfferings(t *testing.T) {
	w := proof.New(t)
	size := w.Call(w.Admin, "createServiceOffering", "name", "tight", "cpunumber", "2", "cpuspeed", "1000", "memory", "256", "limitcpuuse", "true",
		"networkrate", "100", "bytesreadrate", "1000000", "bytesreadratemax", "2000000", "bytesreadratemaxlength", "10", "iopswriterate", "500",
		"cachemode", "writeback").(compute.OfferingView)
	disk := w.Call(w.Admin, "createDiskOffering", "name", "slow", "disksize", "1", "maxiops", "300", "details[0].team", "blue").(storage.OfferingView)
	if disk.MaxIOPS != 300 || disk.Details["team"] != "blue" || size.BytesReadMax != 2000000 || size.CacheMode != "writeback" {
		t.Errorf("%+v %+v", size, disk)
	}
	id := w.Call(w.Admin, "deployVirtualMachine", "zoneid", w.Zone.ID, "name", "web", "serviceofferingid", size.ID, "templateid", w.Tiny(),
		"diskofferingid", disk.ID).(command.Accepted).ID
	m := machineOf(w, id)
	if m.CPUCap < 1 || m.CPUCap > 100 || m.NICs[0].Mbit != 100 {
		t.Errorf("cap %d %%, rate %d", m.CPUCap, m.NICs[0].Mbit)
	}
	root, data := m.Disks[0], m.Disks[1]
	want := drivers.DiskLimits{ReadBytes: drivers.Rate{Sustained: 1e6, Burst: 2e6, Seconds: 10}, WriteOps: drivers.Rate{Sustained: 500}}
	if root.Limits != want || root.Cache != "writeback" || data.Limits.TotalOps != 300 || data.Cache != "" {
		t.Errorf("root %+v %q, data %+v", root.Limits, root.Cache, data)
	}
	// Both may go; the instance keeps them, also over its next start.
	w.Call(w.Admin, "stopVirtualMachine", "id", id)
	w.JSON(w.Admin, "updateDiskOffering", "id", disk.ID, "iopsreadrate", "0", "bytesreadrate", "70000")
	w.Call(w.Admin, "deleteServiceOffering", "id", size.ID)
	w.Call(w.Admin, "deleteDiskOffering", "id", disk.ID)
	w.Call(w.Admin, "startVirtualMachine", "id", id)
	if again := machineOf(w, id); again.Disks[0].Limits != want || again.Disks[1].Limits.ReadBytes.Sustained != 70000 || again.NICs[0].Mbit != 100 {
		t.Errorf("after its offerings are removed: %+v", again)
	}
	if list := w.JSON(w.Admin, "listVirtualMachines", "id", id); !strings.Contains(list, `"serviceofferingname":"tight"`) {
		t.Error(list)
	}
	w.Sound()
}

func TestTagsDecideWhereThingsGo(t *testing.T) {
	w := proof.New(t)
	size := w.Call(w.Admin, "createServiceOffering", "name", "fast", "cpunumber", "1", "cpuspeed", "500", "memory", "128", "hosttags", "ssd").(compute.OfferingView)
	plan := []string{"zoneid", w.Zone.ID, "name", "web", "serviceofferingid", size.ID, "templateid", w.Tiny()}
	_, err := w.Try(w.Admin, "deployVirtualMachine", plan...)
	refused(t, w, err, "lacks the tags ssd")
	w.Must(w.DB.Tx(w.Sys(), func(ctx ctx) error {
		return w.DB.In(ctx).Model(&infra.Host{}).Where("name = ?", "sim-2").Update("tags", "ssd").Error
	}))
	plan[3] = "tagged"
	id := w.Call(w.Admin, "deployVirtualMachine", plan...).(command.Accepted).ID
	if host := w.ID(&infra.Host{}, "name = ?", "sim-2"); w.VM(id).HostID != host {
		t.Error("it is not on the host with the tag")
	}
	disk := w.Call(w.Admin, "createDiskOffering", "name", "gold", "disksize", "1", "tags", "gold").(storage.OfferingView)
	_, err = w.Try(w.Admin, "deployVirtualMachine", w.Plan("third", "diskofferingid", disk.ID)...)
	refused(t, w, err, "gold")
	if list := w.JSON(w.Admin, "listDiskOfferings", "id", disk.ID, "virtualmachineid", id); !strings.Contains(list, `"suitableforvirtualmachine":false`) {
		t.Error(list)
	}
	w.Must(w.DB.Tx(w.Sys(), func(ctx ctx) error {
		return w.DB.In(ctx).Model(&infra.Pool{}).Where("1 = 1").Update("tags", "gold").Error
	}))
	w.Deploy(w.Admin, "fourth", "diskofferingid", disk.ID)
	w.Sound()
}

// TestOfferingsAreForTheirDomainsAndZones: who may see, use, make and change
// which offering.
func TestOfferingsAreForTheirDomainsAndZones(t *testing.T) {
	w := proof.New(t)
	boss := w.Account("acme", "boss", iam.RoleDomainAdmin)
	user, other := w.Account("acme", "joe", iam.RoleUser), w.Account("beta", "bob", iam.RoleUser)
	acme := w.ID(&iam.Domain{}, "name = ?", "acme")
	fixed := []string{"cpunumber", "1", "cpuspeed", "500", "memory", "128"}
	sized := func(name string, more ...string) []string {
		return append(append([]string{"name", name}, fixed...), more...)
	}

	_, err := w.Try(boss, "createServiceOffering", sized("all")...)
	refused(t, w, err, "domainid")
	_, err = w.Try(boss, "createServiceOffering", sized("beta", "domainid", w.ID(&iam.Domain{}, "name = ?", "beta"))...)
	refused(t, w, err, "domainid")
	_, err = w.Try(boss, "createServiceOffering", sized("tagged", "domainid", acme, "hosttags", "ssd")...)
	refused(t, w, err, "hosttags")
	_, err = w.Try(user, "createServiceOffering", sized("users")...)
	refused(t, w, err, "")
	own := w.Call(boss, "createServiceOffering", sized("own", "domainid", acme)...).(compute.OfferingView)
	if own.Domains != "acme" {
		t.Errorf("%+v", own)
	}
	for who, sees := range map[string]bool{"user": true, "other": false} {
		ctx := map[string]ctx{"user": user, "other": other}[who]
		if got := strings.Contains(w.JSON(ctx, "listServiceOfferings", "name", "own"), own.ID); got != sees {
			t.Errorf("%s sees it: %v", who, got)
		}
		_, err := w.Try(ctx, "deployVirtualMachine", "zoneid", w.Zone.ID, "name", "vm", "serviceofferingid", own.ID, "templateid", w.Tiny())
		if (err == nil) != sees {
			t.Errorf("%s deploys of it: %v", who, err)
		}
	}
	w.Call(boss, "updateServiceOffering", "id", own.ID, "displaytext", "ours", "sortkey", "-5")
	_, err = w.Try(boss, "updateServiceOffering", "id", w.Small(), "name", "mine")
	refused(t, w, err, "root administrators")
	_, err = w.Try(boss, "deleteServiceOffering", "id", w.Small())
	refused(t, w, err, "root administrators")
	_, err = w.Try(boss, "updateServiceOffering", "id", own.ID, "domainid", "public")
	refused(t, w, err, "domainid")
	w.Call(boss, "deleteServiceOffering", "id", own.ID)

	elsewhere := w.Call(w.Admin, "createZone", "name", "far", "networktype", "Advanced", "dns1", "9.9.9.9", "internaldns1", "9.9.9.9").(infra.ZoneView)
	far := w.Call(w.Admin, "createServiceOffering", sized("far", "zoneid", elsewhere.ID)...).(compute.OfferingView)
	_, err = w.Try(w.Admin, "deployVirtualMachine", "zoneid", w.Zone.ID, "name", "vm", "serviceofferingid", far.ID, "templateid", w.Tiny())
	refused(t, w, err, "zone")
	if list := w.JSON(w.Admin, "listServiceOfferings", "zoneid", w.Zone.ID); strings.Contains(list, far.ID) {
		t.Error("it is listed for another zone")
	}
}

func TestWhatOfferingsAreRefused(t *testing.T) {
	w := proof.New(t)
	fixed := []string{"name", "x", "cpunumber", "1", "cpuspeed", "500", "memory", "128"}
	custom := []string{"name", "x", "customized", "true"}
	for _, c := range []struct {
		name string
		base []string
		more string
		word string
	}{
		{"createServiceOffering", nil, "name=x&cpunumber=1&memory=2", "cpuspeed"},
		{"createServiceOffering", custom, "mincpunumber=4&maxcpunumber=2&minmemory=1&maxmemory=2", "mincpunumber"},
		{"createServiceOffering", custom, "mincpunumber=1&maxcpunumber=2", "minmemory"},
		{"createServiceOffering", fixed, "encryptroot=true", "encryptroot"},
		{"createServiceOffering", fixed, "isvolatile=true", "isvolatile"},
		{"createServiceOffering", fixed, "gpucount=1", "gpucount"},
		{"createServiceOffering", fixed, "issystem=true", "issystem"},
		{"createServiceOffering", fixed, "storagepolicy=" + w.Zone.ID, "storagepolicy"},
		{"createServiceOffering", fixed, "miniops=5", "miniops"},
		{"createServiceOffering", fixed, "hypervisorsnapshotreserve=5", "hypervisorsnapshotreserve"},
		{"createServiceOffering", fixed, "bytesreadratemax=5", "bytesreadratemax"},
		{"createServiceOffering", fixed, "bytesreadrate=9&bytesreadratemaxlength=5", "bytesreadratemaxlength"},
		{"createServiceOffering", fixed, "maxiops=5&iopsreadrate=5", "maxiops"},
		{"createServiceOffering", fixed, "deploymentplanner=BareMetalPlanner", "deploymentplanner"},
		{"createServiceOffering", fixed, "provisioningtype=fat", "provisioningtype"},
		{"createServiceOffering", fixed, "leaseexpiryaction=STOP", "leaseexpiryaction"},
		{"createServiceOffering", fixed, "externaldetails[0].a=b", "externaldetails"},
		{"createServiceOffering", fixed, "diskofferingid=" + w.ID(&storage.Offering{}, "name = ?", "Small") + "&tags=a", "diskofferingid"},
		{"createDiskOffering", nil, "name=x", "disksize"},
		{"createDiskOffering", nil, "name=x&disksize=1&customized=true", "disksize"},
		{"createDiskOffering", nil, "name=x&disksize=1&encrypt=true", "encrypt"},
		{"createDiskOffering", nil, "name=x&disksize=1&customizediops=true", "customizediops"},
	} {
		v, err := url.ParseQuery(c.more)
		w.Must(err)
		params := append([]string{}, c.base...)
		for name := range v {
			params = append(params, name, v.Get(name))
		}
		_, err = w.Try(w.Admin, c.name, params...)
		if err == nil || !strings.Contains(err.Error(), "param="+c.word) && !strings.Contains(command.Explain(err, c.name, command.Admin).Text, c.word) {
			t.Errorf("%s %s: %v", c.name, c.more, err)
		}
	}
}

func TestACustomSizeHasItsBounds(t *testing.T) {
	w := proof.New(t)
	size := w.Call(w.Admin, "createServiceOffering", "name", "custom", "customized", "true", "cpuspeed", "500", "mincpunumber", "2", "maxcpunumber", "4",
		"minmemory", "128", "maxmemory", "512").(compute.OfferingView)
	plan := func(name string, cpus, memory int) []string {
		return []string{
			"zoneid", w.Zone.ID, "name", name, "serviceofferingid", size.ID, "templateid", w.Tiny(),
			"details[0].cpuNumber", fmt.Sprint(cpus), "details[0].memory", fmt.Sprint(memory),
		}
	}
	for _, c := range [][2]int{{1, 128}, {5, 128}, {2, 64}, {2, 1024}} {
		_, err := w.Try(w.Admin, "deployVirtualMachine", plan("vm", c[0], c[1])...)
		refused(t, w, err, "details")
	}
	id := w.Call(w.Admin, "deployVirtualMachine", plan("vm", 3, 256)...).(command.Accepted).ID
	if vm := w.VM(id); vm.CPUs != 3 || vm.MemoryMiB != 256 {
		t.Errorf("%d CPUs, %d MiB", vm.CPUs, vm.MemoryMiB)
	}
	for cpus, found := range map[string]bool{"3": true, "5": false} {
		if got := strings.Contains(w.JSON(w.Admin, "listServiceOfferings", "cpunumber", cpus), size.ID); got != found {
			t.Errorf("listed for %s CPUs: %v", cpus, got)
		}
	}
	list := w.JSON(w.Admin, "listServiceOfferings", "virtualmachineid", id)
	if strings.Contains(list, size.ID) || strings.Contains(list, "Medium Instance") { // its own, and smaller than it runs
		t.Error(list)
	}
	w.Call(w.Admin, "stopVirtualMachine", "id", id)
	if list := w.JSON(w.Admin, "listServiceOfferings", "virtualmachineid", id); !strings.Contains(list, "Medium Instance") {
		t.Error(list)
	}
}

func TestARootDiskIsOfItsOffering(t *testing.T) {
	w := proof.New(t)
	disk := w.Call(w.Admin, "createDiskOffering", "name", "root", "disksize", "3", "iopsreadrate", "70").(storage.OfferingView)
	other := w.Call(w.Admin, "createDiskOffering", "name", "other", "disksize", "4").(storage.OfferingView)
	for strict, want := range map[string]bool{"true": false, "false": true} {
		size := w.Call(w.Admin, "createServiceOffering", "name", "s"+strict, "cpunumber", "1", "cpuspeed", "500", "memory", "128",
			"diskofferingid", disk.ID, "diskofferingstrictness", strict).(compute.OfferingView)
		plan := []string{"zoneid", w.Zone.ID, "name", "vm" + strict, "serviceofferingid", size.ID, "templateid", w.Tiny()}
		id := w.Call(w.Admin, "deployVirtualMachine", plan...).(command.Accepted).ID
		if m := machineOf(w, id); m.Disks[0].Limits.ReadOps.Sustained != 70 || w.Count(&storage.Volume{}, "vm_id = ? AND bytes = ?", id, 3<<30) != 1 {
			t.Errorf("%+v", m.Disks[0])
		}
		plan[3] = "other" + strict
		if _, err := w.Try(w.Admin, "deployVirtualMachine", append(plan, "overridediskofferingid", other.ID)...); (err == nil) != want {
			t.Errorf("strict %s: %v", strict, err)
		}
	}
	w.Sound()
}

func TestPlanners(t *testing.T) {
	for planner, hosts := range map[string]int{"UserDispersingPlanner": 3, "UserConcentratedPodPlanner": 0} {
		w := proof.NewWith(t, 3, sim.Options{})
		size := w.Call(w.Admin, "createServiceOffering", "name", planner, "cpunumber", "1", "cpuspeed", "100", "memory", "64", "deploymentplanner", planner).(compute.OfferingView)
		on := map[string]bool{}
		for i := range 3 {
			id := w.Call(w.Admin, "deployVirtualMachine", "zoneid", w.Zone.ID, "name", fmt.Sprint(planner[:6], i), "serviceofferingid", size.ID, "templateid", w.Tiny()).(command.Accepted).ID
			on[w.VM(id).HostID] = true
		}
		if hosts > 0 && len(on) != hosts {
			t.Errorf("%s: %d hosts", planner, len(on))
		}
	}
}

func TestLeasesEnd(t *testing.T) {
	w := proof.New(t)
	size := w.Call(w.Admin, "createServiceOffering", "name", "leased", "cpunumber", "1", "cpuspeed", "100", "memory", "64", "leaseduration", "2").(compute.OfferingView)
	plan := func(name string, more ...string) string {
		return w.Call(w.Admin, "deployVirtualMachine", append([]string{"zoneid", w.Zone.ID, "name", name, "serviceofferingid", size.ID, "templateid", w.Tiny()}, more...)...).(command.Accepted).ID
	}
	stops, ends, stays := plan("a"), plan("b", "leaseduration", "3", "leaseexpiryaction", "DESTROY"), plan("c", "leaseduration", "-1")
	step := func(d time.Duration, want ...compute.State) {
		t.Helper()
		w.Clock.Add(d)
		w.Must(w.Compute.EndLeases(w.Context()))
		w.Finish()
		for i, id := range []string{stops, ends, stays} {
			if got := w.VM(id).State; got != want[i] {
				t.Errorf("%d is %s, want %s", i, got, want[i])
			}
		}
	}
	step(47*time.Hour, compute.Running, compute.Running, compute.Running)
	step(2*time.Hour, compute.Stopped, compute.Running, compute.Running)
	w.Call(w.Admin, "startVirtualMachine", "id", stops)
	step(24*time.Hour, compute.Running, compute.Destroyed, compute.Running)
	w.Sound()
}

func TestInstanceGroups(t *testing.T) {
	w := proof.New(t)
	web, other := w.Account("acme", "web", iam.RoleUser), w.Account("beta", "bob", iam.RoleUser)
	g := w.Call(web, "createInstanceGroup", "name", "front").(compute.GroupView)
	_, err := w.Try(web, "createInstanceGroup", "name", "front")
	refused(t, w, err, "name")
	one := w.Deploy(web, "one", "group", "front")
	two := w.Deploy(web, "two", "group", "back")
	if list := w.JSON(web, "listVirtualMachines", "groupid", g.ID); !strings.Contains(list, one) || strings.Contains(list, two) || !strings.Contains(list, `"group":"front"`) {
		t.Error(list)
	}
	w.Call(web, "updateVirtualMachine", "id", two, "group", "front")
	if w.Count(&compute.VM{}, "group_id = ?", g.ID) != 2 || w.Count(&compute.Group{}, "1 = 1") != 2 {
		t.Error("it did not change its group")
	}
	w.Call(web, "updateInstanceGroup", "id", g.ID, "name", "edge")
	_, err = w.Try(web, "updateInstanceGroup", "id", g.ID, "name", "back")
	refused(t, w, err, "name")
	for _, c := range []string{"updateInstanceGroup", "deleteInstanceGroup"} {
		_, err = w.Try(other, c, "id", g.ID)
		refused(t, w, err, g.ID)
	}
	if list := w.JSON(other, "listInstanceGroups", "listall", "true"); strings.Contains(list, "edge") {
		t.Error(list)
	}
	if list := w.JSON(web, "listAccounts"); !strings.Contains(list, `"groups":["back","edge"]`) {
		t.Error(list)
	}
	w.Call(web, "deleteInstanceGroup", "id", g.ID)
	if vm := w.VM(one); vm.GroupID != "" {
		t.Error("it is still in the group")
	}
}

// affinity makes a group of the administrator.
func affinity(w *proof.World, name, kind string) string {
	w.Helper()
	return w.Call(w.Admin, "createAffinityGroup", "name", name, "type", kind).(command.Accepted).ID
}

func TestAffinityGroups(t *testing.T) {
	w := proof.NewWith(t, 3, sim.Options{})
	hosts := func(ids ...string) int {
		on := map[string]bool{}
		for _, id := range ids {
			on[w.VM(id).HostID] = true
		}
		return len(on)
	}
	for _, c := range []struct {
		kind string
		want int
	}{{compute.Together, 1}, {compute.Apart, 3}, {compute.TogetherIfCan, 1}, {compute.ApartIfCan, 3}} {
		group := affinity(w, c.kind, c.kind)
		var ids []string
		for i := range 3 {
			ids = append(ids, w.Deploy(w.Admin, strings.ReplaceAll(c.kind, " ", "-")+fmt.Sprint(i), "affinitygroupids", group))
		}
		if n := hosts(ids...); n != c.want {
			t.Errorf("%s: on %d hosts, want %d", c.kind, n, c.want)
		}
		_, err := w.Try(w.Admin, "deployVirtualMachine", w.Plan("fourth-"+strings.ReplaceAll(c.kind, " ", "-"), "affinitygroupnames", c.kind)...)
		if c.kind != compute.Apart && err != nil {
			t.Errorf("%s: %v", c.kind, err)
		}
		if c.kind == compute.Apart {
			refused(t, w, err, "affinity group host anti-affinity")
			// Who stops gives its seat up.
			w.Call(w.Admin, "stopVirtualMachine", "id", ids[0])
			w.Deploy(w.Admin, "fifth", "affinitygroupids", group)
			_, err := w.Try(w.Admin, "startVirtualMachine", "id", ids[0])
			refused(t, w, err, "affinity")
			_, err = w.Try(w.Admin, "updateVMAffinityGroup", "id", ids[1], "affinitygroupids", "")
			refused(t, w, err, "Stopped")
			w.Call(w.Admin, "updateVMAffinityGroup", "id", ids[0])
			w.Call(w.Admin, "startVirtualMachine", "id", ids[0])
		}
	}
	list := w.JSON(w.Admin, "listAffinityGroups", "type", compute.Apart)
	if !strings.Contains(list, `"virtualmachineIds":[`) || strings.Count(list, `"id"`) != 1 {
		t.Error(list)
	}
	if types := w.JSON(w.Admin, "listAffinityGroupTypes"); !strings.Contains(types, compute.ApartIfCan) {
		t.Error(types)
	}
	w.Sound()
	for _, kind := range compute.AffinityTypes {
		w.Call(w.Admin, "deleteAffinityGroup", "name", kind)
	}
	if n := w.Count(&placement.Seat{}, "1 = 1") + w.Count(&placement.Home{}, "1 = 1") + w.Count(&compute.Member{}, "1 = 1"); n != 0 {
		t.Errorf("%d seats are left", n)
	}
}

// TestHomesEmptyAndMove: a group that strictly stays together moves when none
// of its members has a place.
func TestHomesEmptyAndMove(t *testing.T) {
	w := proof.New(t)
	group := affinity(w, "pair", compute.Together)
	a := w.Deploy(w.Admin, "a", "affinitygroupids", group)
	first := w.VM(a).HostID
	w.Call(w.Admin, "stopVirtualMachine", "id", a)
	other := w.ID(&infra.Host{}, "id <> ?", first)
	b := w.Deploy(w.Admin, "b", "affinitygroupids", group, "hostid", other)
	w.Call(w.Admin, "startVirtualMachine", "id", a)
	if w.VM(a).HostID != other || w.VM(b).HostID != other {
		t.Error("they are not together")
	}
	_, err := w.Try(w.Admin, "deployVirtualMachine", w.Plan("c", "affinitygroupids", group, "hostid", first)...)
	refused(t, w, err, "affinity")
	w.Gone(w.Admin, a)
	w.Gone(w.Admin, b)
	if w.Count(&placement.Seat{}, "1 = 1")+w.Count(&compute.Member{}, "vm_id IN ?", []string{a, b}) != 0 || w.Count(&placement.Home{}, "placed <> 0") != 0 {
		t.Error("seats are left")
	}
	w.Sound()
}

// TestApartIsNeverShared: of many deployments at once into one group that is
// strictly apart, as many run as there are hosts, each on its own.
func TestApartIsNeverShared(t *testing.T) {
	const hosts, many = 4, 9
	w := proof.NewWith(t, hosts, sim.Options{})
	group := affinity(w, "apart", compute.Apart)
	w.Gone(w.Admin, w.Deploy(w.Admin, "warm"))
	for i := range many {
		_, _, err := w.Ask(w.Admin, "deployVirtualMachine", w.Plan(fmt.Sprint("vm-", i), "affinitygroupids", group)...)
		w.Must(err)
	}
	var wg sync.WaitGroup
	for range many { // workers of several servers, in effect
		wg.Go(func() {
			for range 3 * many {
				if _, err := w.Engine.Once(w.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	w.Finish()
	var vms []compute.VM
	w.Must(w.DB.In(w.Sys()).Where("state = ?", compute.Running).Find(&vms).Error)
	on := map[string]int{}
	for _, vm := range vms {
		on[vm.HostID]++
	}
	if len(vms) != hosts || len(on) != hosts {
		t.Errorf("%d run, on %v; want one on each of %d", len(vms), on, hosts)
	}
	w.Sound()
}

func TestAffinityGroupsOfOthers(t *testing.T) {
	w := proof.New(t)
	web, other := w.Account("acme", "web", iam.RoleUser), w.Account("beta", "bob", iam.RoleUser)
	id := w.Call(web, "createAffinityGroup", "name", "g", "type", "Host Anti-Affinity").(command.Accepted).ID
	_, err := w.Try(other, "deployVirtualMachine", w.Plan("x", "affinitygroupids", id)...)
	refused(t, w, err, id)
	_, err = w.Try(w.Admin, "deployVirtualMachine", w.Plan("x", "affinitygroupids", id)...)
	refused(t, w, err, id) // the instance would be the administrator's
	_, err = w.Try(other, "deleteAffinityGroup", "name", "g")
	refused(t, w, err, "g")
	_, err = w.Try(web, "createAffinityGroup", "name", "h", "type", "close")
	refused(t, w, err, "type")
	_, err = w.Try(web, "createAffinityGroup", "name", "g", "type", compute.Apart)
	refused(t, w, err, "name")
	if list := w.JSON(other, "listAffinityGroups", "listall", "true"); strings.Contains(list, id) {
		t.Error(list)
	}
	w.Call(web, "deleteAffinityGroup", "id", id)
}

func TestUserDataOfTheLibrary(t *testing.T) {
	w := proof.New(t)
	trusting := w.Account("acme", "web", iam.RoleUser)
	other := w.Account("beta", "bob", iam.RoleUser)
	const script = "#cloud-config\nhostname: {{ ds.meta_data.team }}\n"
	w.Call(trusting, "registerUserData", "name", "base", "userdata", b64(script), "params", "team, size")
	id := w.ID(&compute.UserData{}, "name = ?", "base")
	for params, word := range map[string]string{
		"name=base&userdata=" + url.QueryEscape(b64("x")):      "name",
		"name=b&userdata=***":                                  "userdata",
		"name=b&userdata=" + b64("x") + "&params=public-keys":  "params",
		"name=b&userdata=" + b64(strings.Repeat("x", 1024*25)): "max",
	} {
		v, err := url.ParseQuery(params)
		w.Must(err)
		_, _, err = w.Registry.Call(trusting, "registerUserData", v)
		refused(t, w, err, word)
	}
	_, err := w.Try(trusting, "deployVirtualMachine", w.Plan("x", "userdataid", id, "userdatadetails[0].team", "blue")...)
	refused(t, w, err, "size")
	_, err = w.Try(trusting, "deployVirtualMachine", w.Plan("x", "userdataid", id, "userdata", b64("y"))...)
	refused(t, w, err, "userdataid")
	_, err = w.Try(other, "deployVirtualMachine", w.Plan("x", "userdataid", id)...)
	refused(t, w, err, id)
	vm := w.Deploy(trusting, "vm", "userdataid", id, "userdatadetails[0].team", "blue", "userdatadetails[0].size", "m")
	if h := guestOf(w, "vm"); string(h.UserData) != script || h.Metadata["team"] != "blue" || h.Metadata["local-hostname"] != "vm" {
		t.Errorf("%q %v", h.UserData, h.Metadata)
	}
	_, err = w.Try(trusting, "deleteUserData", "id", id)
	refused(t, w, err, "instances")
	if got := w.JSON(trusting, "getVirtualMachineUserData", "virtualmachineid", vm); !strings.Contains(got, b64(script)) {
		t.Error(got)
	}
	if list := w.JSON(trusting, "listVirtualMachines", "userdataid", id, "userdata", "true"); !strings.Contains(list, b64(script)) || !strings.Contains(list, `"userdataname":"base"`) {
		t.Error(list)
	}
	_, err = w.Try(trusting, "resetUserDataForVirtualMachine", "id", vm, "userdata", b64("z"))
	refused(t, w, err, "Stopped")
	w.Call(trusting, "stopVirtualMachine", "id", vm)
	w.Call(trusting, "resetUserDataForVirtualMachine", "id", vm, "userdata", b64("#!/bin/sh\n"))
	w.Call(trusting, "startVirtualMachine", "id", vm)
	if h := guestOf(w, "vm"); string(h.UserData) != "#!/bin/sh\n" || h.Metadata["team"] != "" {
		t.Errorf("%q %v", h.UserData, h.Metadata)
	}
	if list := w.JSON(other, "listUserData", "listall", "true"); strings.Contains(list, id) {
		t.Error(list)
	}
	w.Call(trusting, "deleteUserData", "id", id)
}

// TestTemplatesBringUserData by each policy.
func TestTemplatesBringUserData(t *testing.T) {
	w := proof.New(t)
	w.Call(w.Admin, "registerUserData", "name", "of template", "userdata", b64("#cloud-config\na: 1\n"))
	id := w.ID(&compute.UserData{}, "1 = 1")
	own := b64("#!/bin/sh\necho own\n")
	for _, c := range []struct {
		policy, given string
		want          []string // parts of what the guest gets; none: refused
		not           string
	}{
		{"", "", []string{"a: 1"}, ""},
		{"ALLOWOVERRIDE", own, []string{"echo own"}, "a: 1"},
		{"APPEND", own, []string{"multipart/mixed", "text/cloud-config", "text/x-shellscript", b64("#!/bin/sh\necho own\n")}, ""},
		{"APPEND", "", []string{"a: 1"}, "multipart"},
		{"DENYOVERRIDE", "", []string{"a: 1"}, ""},
		{"DENYOVERRIDE", own, nil, ""},
	} {
		linked := w.Call(w.Admin, "linkUserDataToTemplate", "templateid", w.Tiny(), "userdataid", id, "userdatapolicy", c.policy).(image.View)
		if linked.DataID != id || linked.DataName != "of template" {
			t.Errorf("%+v", linked)
		}
		name := fmt.Sprintf("vm-%d", w.Count(&compute.VM{}, "1 = 1"))
		plan := w.Plan(name)
		if c.given != "" {
			plan = append(plan, "userdata", c.given)
		}
		_, err := w.Try(w.Admin, "deployVirtualMachine", plan...)
		if c.want == nil {
			refused(t, w, err, "userdata")
			continue
		}
		w.Must(err)
		data := string(guestOf(w, name).UserData)
		for _, part := range c.want {
			if !strings.Contains(data, part) {
				t.Errorf("%s: %q lacks %q", c.policy, data, part)
			}
		}
		if c.not != "" && strings.Contains(data, c.not) {
			t.Errorf("%s: %q has %q", c.policy, data, c.not)
		}
	}
	_, err := w.Try(w.Admin, "deleteUserData", "id", id)
	refused(t, w, err, "templates")
	web := w.Account("acme", "web", iam.RoleUser)
	_, err = w.Try(web, "linkUserDataToTemplate", "templateid", w.Tiny())
	refused(t, w, err, "another account")
	w.Call(w.Admin, "linkUserDataToTemplate", "templateid", w.Tiny())
	if w.Count(&image.Template{}, "user_data_id <> ''") != 0 {
		t.Error("the link is still there")
	}
}

const second = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGKYcxSGlD8lSC4XL8IHWXBeBmVJn6yUPjYtfMLlWTM6 x"

func TestSSHKeysAreReset(t *testing.T) {
	w := proof.New(t)
	web, other := w.Account("acme", "web", iam.RoleUser), w.Account("beta", "bob", iam.RoleUser)
	w.JSON(web, "createSSHKeyPair", "name", "one")
	w.JSON(web, "registerSSHKeyPair", "name", "two", "publickey", second)
	w.JSON(other, "createSSHKeyPair", "name", "foreign")
	_, err := w.Try(web, "createSSHKeyPair", "name", "a,b")
	refused(t, w, err, "name")
	id := w.Deploy(web, "vm", "keypairs", "one,two")
	if h := guestOf(w, "vm"); strings.Count(h.Metadata["public-keys"], "ssh-ed25519") != 2 {
		t.Error(h.Metadata["public-keys"])
	}
	for _, name := range []string{"one", "two"} {
		if !strings.Contains(w.JSON(web, "listVirtualMachines", "keypair", name), id) {
			t.Errorf("it is not found by %s", name)
		}
	}
	_, err = w.Try(web, "resetSSHKeyForVirtualMachine", "id", id, "keypair", "two")
	refused(t, w, err, "Stopped")
	w.Call(web, "stopVirtualMachine", "id", id)
	for _, bad := range []string{"foreign", "none"} {
		_, err = w.Try(web, "resetSSHKeyForVirtualMachine", "id", id, "keypair", bad)
		refused(t, w, err, bad)
	}
	_, err = w.Try(other, "resetSSHKeyForVirtualMachine", "id", id, "keypair", "foreign")
	refused(t, w, err, id)
	w.Call(web, "resetSSHKeyForVirtualMachine", "id", id, "keypairs", "two")
	if vm := w.VM(id); vm.KeyPairs != "two" || guestOf(w, "vm").Metadata["public-keys"] != strings.TrimSuffix(second, " x") {
		t.Errorf("%q %q", vm.KeyPairs, guestOf(w, "vm").Metadata["public-keys"])
	}
	w.Sound()
}

func TestMayTag(t *testing.T) {
	w := proof.New(t)
	boss := w.Account("acme", "boss", iam.RoleDomainAdmin)
	actor, _ := store.From(boss)
	for _, want := range []string{"false", "true"} {
		if got := w.JSON(w.Admin, "isAccountAllowedToCreateOfferingsWithTags", "id", actor.AccountID); !strings.Contains(got, `"isallowed":`+want) {
			t.Error(got)
		}
		w.JSON(w.Admin, "updateConfiguration", "name", "allow.domain.admins.to.create.tagged.offerings", "value", "true")
	}
}

func TestVPCOfferings(t *testing.T) {
	w := proof.New(t)
	id := w.Call(w.Admin, "createVPCOffering", "name", "vpc", "supportedservices", "Dhcp,Dns,SourceNat").(command.Accepted).ID
	for _, c := range [][]string{
		{"createVPCOffering", "name", "vpc", "supportedservices", "Dhcp"},
		{"createVPCOffering", "name", "other", "supportedservices", "Magic"},
		{"createVPCOffering", "name", "other", "supportedservices", "Dhcp", "enable", "true"},
		{"updateVPCOffering", "id", id, "state", "Enabled"},
		{"deleteVPCOffering", "id", w.ID(&network.VPCOffering{}, "is_default = ?", true)},
	} {
		if _, err := w.Try(w.Admin, c[0], c[1:]...); err == nil {
			t.Errorf("%v was taken", c)
		}
	}
	w.Call(w.Admin, "updateVPCOffering", "id", id, "displaytext", "changed", "sortkey", "3")
	if list := w.JSON(w.Admin, "listVPCOfferings", "id", id); !strings.Contains(list, `"displaytext":"changed"`) || !strings.Contains(list, `"name":"SourceNat"`) {
		t.Error(list)
	}
	if list := w.JSON(w.Account("acme", "web", iam.RoleUser), "listVPCOfferings"); strings.Contains(list, id) {
		t.Error("a user sees what is disabled")
	}
	w.Call(w.Admin, "deleteVPCOffering", "id", id)
	if w.Count(&job.Row{}, "kind = ? AND status <> ?", "network.written", job.Succeeded) != 0 {
		t.Error("a job did not end")
	}
}

type ctx = context.Context
