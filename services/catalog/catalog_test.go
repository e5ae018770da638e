package catalog_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"strings"
	"testing"

	"aerie/services/catalog"
	"aerie/services/command"
	"aerie/services/command/spec"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/image"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/proof"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

func TestTheCommandsAreThoseOfCloudStack(t *testing.T) {
	db := storetest.Open(t)
	s := catalog.New(db, iam.New(db, iam.Options{Argon: iam.Argon{Time: 1, Memory: 64, Threads: 1}}), job.New(db, job.Options{}))
	for _, c := range s.Commands() {
		for _, p := range spec.Differences(c) {
			t.Error(p)
		}
	}
}

func refused(t *testing.T, err error, key string) {
	t.Helper()
	if err == nil || fault.Of(err).Key != key {
		t.Errorf("got %v, want %s", err, key)
	}
}

func has(t *testing.T, body string, all ...string) {
	t.Helper()
	for _, s := range all {
		if !strings.Contains(body, s) {
			t.Errorf("no %s in %s", s, body)
		}
	}
}

// fails calls a command that must fail with the fault of that key.
func fails(w *proof.World, t *testing.T, ctx context.Context, key, name string, params ...string) {
	t.Helper()
	_, err := w.Try(ctx, name, params...)
	if err == nil || fault.Of(err).Key != key {
		t.Errorf("%s %v: got %v, want %s", name, params, err, key)
	}
}

func osID(w *proof.World, name string) string {
	return w.ID(&catalog.Type{}, "display_name = ?", name)
}

func TestCategories(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	user := w.Account("alpha", "ann", iam.RoleUser)
	has(t, w.JSON(user, "listOsCategories"), `"name":"Ubuntu"`, `"name":"Windows"`, `"isfeatured":true`)
	c := w.Call(w.Admin, "addOsCategory", "name", "Plan 9", "isfeatured", "true").(catalog.CategoryView)
	fails(w, t, w.Admin, "error.name_taken", "addOsCategory", "name", "plan 9")
	fails(w, t, w.Admin, "error.name_taken", "updateOsCategory", "id", c.ID, "name", "Ubuntu")
	fails(w, t, user, "error.command", "addOsCategory", "name", "x")
	has(t, w.JSON(w.Admin, "updateOsCategory", "id", c.ID, "name", "Plan Nine", "sortkey", "-1"), `"name":"Plan Nine"`)
	if body := w.JSON(user, "listOsCategories", "page", "1", "pagesize", "1"); !strings.Contains(body, "Plan Nine") {
		t.Errorf("the least key is not first: %s", body)
	}
	ubuntu := w.ID(&catalog.Category{}, "name = ?", "Ubuntu")
	fails(w, t, w.Admin, "error.holds.ostypes", "deleteOsCategory", "id", ubuntu)
	w.Call(w.Admin, "deleteOsCategory", "id", c.ID)
	fails(w, t, w.Admin, "error.no_entity", "deleteOsCategory", "id", c.ID)
}

func TestGuestOS(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	user := w.Account("alpha", "ann", iam.RoleUser)
	linux := w.ID(&catalog.Category{}, "name = ?", "Other")
	has(t, w.JSON(user, "listOsTypes", "description", "ubuntu 24.04 lts"), `"count":1`, `"oscategoryname":"Ubuntu"`, `"isuserdefined":false`)
	add := []string{"oscategoryid", linux, "osdisplayname", "Haiku R1", "details[0].key", "disk", "details[0].value", "virtio"}
	id := w.Call(w.Admin, "addGuestOs", add...).(command.Accepted).ID
	if id == "" {
		id = osID(w, "Haiku R1")
	}
	fails(w, t, w.Admin, "error.name_taken", "addGuestOs", "oscategoryid", linux, "osdisplayname", "HAIKU R1")
	fails(w, t, user, "error.command", "addGuestOs", add...)
	has(t, w.JSON(w.Admin, "listResourceDetails", "resourcetype", "GuestOs", "resourceid", id), `"key":"disk"`)
	w.Call(w.Admin, "updateGuestOs", "id", id, "osdisplayname", "Haiku R2", "fordisplay", "false")
	if body := w.JSON(user, "listOsTypes", "keyword", "haiku"); body != "{}" {
		t.Errorf("a user sees what is hidden: %s", body)
	}
	has(t, w.JSON(w.Admin, "listOsTypes", "keyword", "haiku"), "Haiku R2")
	none := osID(w, "None")
	fails(w, t, w.Admin, "error.os_builtin", "updateGuestOs", "id", none, "osdisplayname", "Nothing")
	fails(w, t, w.Admin, "error.os_builtin", "removeGuestOs", "id", none)
	w.Call(w.Admin, "updateGuestOs", "id", none, "fordisplay", "false") // whether it is shown is the operator's
	w.Call(w.Admin, "removeGuestOs", "id", id)
	w.Call(w.Admin, "addGuestOs", "oscategoryid", linux, "osdisplayname", "Haiku R2") // the name is free again
}

func TestMappings(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	user := w.Account("alpha", "ann", iam.RoleUser)
	debian := osID(w, "Debian GNU/Linux 12 (64-bit)")
	on := func(hypervisor string, more ...string) []string {
		return append([]string{"hypervisor", hypervisor, "hypervisorversion", "default", "ostypeid", debian, "osnameforhypervisor", "deb12"}, more...)
	}
	w.Call(w.Admin, "addGuestOsMapping", on("simulator")...)
	m := w.ID(&catalog.Mapping{}, "hypervisor = ? AND name = ?", "Simulator", "deb12")
	fails(w, t, w.Admin, "error.os_mapped", "addGuestOsMapping", on("Simulator")...)
	fails(w, t, w.Admin, "error.os_mapped", "addGuestOsMapping", on("KVM", "forced", "true")...) // it came with the installation
	fails(w, t, w.Admin, "error.choice", "addGuestOsMapping", on("Abacus")...)
	fails(w, t, w.Admin, "error.os_unchecked", "addGuestOsMapping", on("Simulator", "osmappingcheckenabled", "true")...)
	fails(w, t, user, "error.command", "addGuestOsMapping", on("Simulator")...)
	w.Call(w.Admin, "addGuestOsMapping", on("Simulator", "forced", "true", "osnameforhypervisor", "bookworm")...)
	has(t, w.JSON(w.Admin, "listGuestOsMapping", "hypervisor", "Simulator"), `"count":1`, `"osnameforhypervisor":"bookworm"`, `"isuserdefined":"true"`)
	w.Call(w.Admin, "updateGuestOsMapping", "id", m, "osnameforhypervisor", "debian12")
	builtin := w.ID(&catalog.Mapping{}, "hypervisor = ?", "KVM")
	fails(w, t, w.Admin, "error.os_builtin", "updateGuestOsMapping", "id", builtin, "osnameforhypervisor", "x")
	fails(w, t, w.Admin, "error.os_builtin", "removeGuestOsMapping", "id", builtin)

	fails(w, t, w.Admin, "error.choice", "getHypervisorGuestOsNames", "hypervisor", "KVM", "hypervisorversion", "7")
	for keyword, want := range map[string]string{"debian": `"guestoscount":1,"guestoslist":[{"osdisplayname":"Debian GNU/Linux 12 (64-bit)","osnameforhypervisor":"debian12"}]`, "zzz": `"guestoscount":0`} {
		a := w.Call(w.Admin, "getHypervisorGuestOsNames", "hypervisor", "simulator", "hypervisorversion", "default", "keyword", keyword).(command.Accepted)
		has(t, w.JSON(w.Admin, "queryAsyncJobResult", "jobid", a.JobID), want)
	}
	w.Call(w.Admin, "removeGuestOsMapping", "id", m)
	fails(w, t, w.Admin, "error.no_entity", "removeGuestOsMapping", "id", m)
}

// TestTemplatesSayWhatTheyHold: from the registration to the instances.
func TestTemplatesSayWhatTheyHold(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	user := w.Account("alpha", "ann", iam.RoleUser)
	ubuntu, debian := osID(w, "Ubuntu 24.04 LTS"), osID(w, "Debian GNU/Linux 12 (64-bit)")
	image1 := func(ctx context.Context, name, os string) (any, error) {
		return w.Try(ctx, "registerTemplate", "name", name, "url", "http://example.com/x", "format", "QCOW2", "hypervisor", "Simulator", "zoneid", w.Zone.ID, "ostypeid", os)
	}
	_, err := image1(user, "a", w.DB.NewID())
	refused(t, err, "error.no_entity")
	out, err := image1(user, "a", ubuntu)
	w.Must(err)
	v := out.(image.View)
	if v.OSTypeID != ubuntu || v.OSType != "Ubuntu 24.04 LTS" {
		t.Errorf("%+v", v)
	}
	has(t, w.JSON(user, "listTemplates", "templatefilter", "self", "oscategoryid", w.ID(&catalog.Category{}, "name = ?", "Ubuntu")), `"ostypeid":"`+ubuntu+`"`)
	if body := w.JSON(user, "listTemplates", "templatefilter", "self", "oscategoryid", w.ID(&catalog.Category{}, "name = ?", "Debian")); body != "{}" {
		t.Error(body)
	}
	has(t, w.JSON(user, "listOsCategories", "zoneid", w.Zone.ID), `"count":1`, "Ubuntu")

	vm := w.Deploy(w.Admin, "web")
	fails(w, t, user, "error.no_entity", "updateTemplate", "id", w.Tiny(), "name", "mine")
	fails(w, t, w.Admin, "error.template_used", "updateTemplate", "id", w.Tiny(), "ostypeid", debian)
	fails(w, t, w.Admin, "error.choice", "updateTemplate", "id", w.Tiny(), "format", "RAW")
	fails(w, t, user, "error.admin_only", "updateTemplate", "id", v.ID, "templatetag", "ssd")
	w.Call(w.Admin, "updateTemplate", "id", w.Tiny(), "ostypeid", debian, "forceupdateostype", "true", "details[0].key", "a", "details[0].value", "b")
	has(t, w.JSON(w.Admin, "listVirtualMachines", "id", vm), `"ostypeid":"`+debian+`"`, `"osdisplayname":"Debian GNU/Linux 12 (64-bit)"`)
	has(t, w.JSON(w.Admin, "listTemplates", "templatefilter", "all", "id", w.Tiny()), `"details":{"a":"b"}`)
	tiny := w.Tiny()
	w.Call(w.Admin, "updateTemplate", "id", tiny, "cleanupdetails", "true", "name", "small")
	has(t, w.JSON(w.Admin, "listTemplates", "templatefilter", "all", "id", tiny), `"name":"small"`, `"details":{}`)
}

func TestRegions(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	user := w.Account("alpha", "ann", iam.RoleUser)
	has(t, w.JSON(user, "listRegions"), `"count":1`, `"id":1,"name":"Local"`)
	add := func(id, name, endpoint string) []string {
		return []string{"id", id, "name", name, "endpoint", endpoint}
	}
	has(t, w.JSON(w.Admin, "addRegion", add("2", "South", "https://south.example.com/client/")...), `"id":2`)
	fails(w, t, w.Admin, "error.name_taken", "addRegion", add("2", "North", "https://north.example.com/")...)
	fails(w, t, w.Admin, "error.name_taken", "addRegion", add("3", "SOUTH", "https://north.example.com/")...)
	fails(w, t, w.Admin, "error.url", "addRegion", add("3", "North", "javascript:alert(1)")...)
	fails(w, t, w.Admin, "error.range", "addRegion", add("0", "North", "https://north.example.com/")...)
	fails(w, t, user, "error.command", "addRegion", add("3", "North", "https://north.example.com/")...)
	has(t, w.JSON(w.Admin, "updateRegion", "id", "2", "name", "Far South"), "Far South", "south.example.com")
	fails(w, t, w.Admin, "error.no_entity", "updateRegion", "id", "9", "name", "x")
	fails(w, t, w.Admin, "error.region_own", "removeRegion", "id", "1")
	w.Call(w.Admin, "removeRegion", "id", "2")
	has(t, w.JSON(user, "listRegions", "keyword", "o"), `"count":1`)
}

// TestAHostTakesNoMoreThanItsHypervisorAllows: the limits that are enforced are
// the ones that an operator sees.
func TestAHostTakesNoMoreThanItsHypervisorAllows(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	user := w.Account("alpha", "ann", iam.RoleUser)
	has(t, w.JSON(w.Admin, "listHypervisorCapabilities", "hypervisor", "kvm"), `"count":1`, `"maxguestslimit":200`, `"hypervisorversion":"default"`)
	fails(w, t, user, "error.command", "listHypervisorCapabilities")
	id := w.ID(&catalog.Ability{}, "hypervisor = ?", "Simulator")
	has(t, w.JSON(w.Admin, "updateHypervisorCapabilities", "id", id, "maxguestslimit", "1", "vmsnapshotenabled", "true"), `"maxguestslimit":1`, `"vmsnapshotenabled":true`)
	fails(w, t, w.Admin, "error.not_yet", "updateHypervisorCapabilities", "id", id, "securitygroupenabled", "true")
	fails(w, t, w.Admin, "error.choice", "updateHypervisorCapabilities", "hypervisor", "Simulator", "hypervisorversion", "9")
	fails(w, t, w.Admin, "error.required", "updateHypervisorCapabilities", "maxguestslimit", "1")
	w.Deploy(w.Admin, "a")
	w.Deploy(w.Admin, "b") // each host has one
	_, err := w.Try(w.Admin, "deployVirtualMachine", w.Plan("c")...)
	if err == nil || !strings.Contains(err.Error(), "no_host") && !strings.Contains(err.Error(), "fail") {
		t.Errorf("a third one: %v", err)
	}
	w.Call(w.Admin, "updateHypervisorCapabilities", "hypervisor", "simulator", "hypervisorversion", "default", "maxguestslimit", "0")
	w.Deploy(w.Admin, "d")
	w.Sound()
}

func TestAClusterTakesNoMoreHostsThanItsHypervisorAllows(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	var h infra.Host
	w.Must(w.DB.In(w.Sys()).Take(&h).Error)
	host := func(name string) error {
		_, err := w.Try(w.Admin, "addHost", "zoneid", h.ZoneID, "podid", h.PodID, "clusterid", h.ClusterID, "hypervisor", "Simulator", "url", "sim://"+name,
			"username", "root", "password", "x")
		return err
	}
	w.Call(w.Admin, "updateHypervisorCapabilities", "hypervisor", "Simulator", "hypervisorversion", "default", "maxhostspercluster", "2")
	refused(t, host("sim-9"), "error.holds.cluster_full")
	w.Call(w.Admin, "updateHypervisorCapabilities", "hypervisor", "Simulator", "hypervisorversion", "default", "maxhostspercluster", "3")
	w.Must(host("sim-9"))
}

func TestPlannersAndCloud(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	user, other := w.Account("alpha", "ann", iam.RoleUser), w.Account("beta", "bob", iam.RoleUser)
	has(t, w.JSON(w.Admin, "listDeploymentPlanners"), `"deploymentPlanner":[{"name":"FirstFitPlanner"}]`)
	if body := w.JSON(w.Admin, "listDeploymentPlanners", "keyword", "dice"); body != "{}" {
		t.Error(body)
	}
	me, _ := store.From(user)
	fails(w, t, user, "error.no_keys", "getCloudIdentifier", "userid", me.UserID)
	keys, err := w.IAM.RegisterKeys(user, me.UserID)
	w.Must(err)
	out := w.Call(user, "getCloudIdentifier", "userid", me.UserID).(catalog.CloudView)
	mac := hmac.New(sha1.New, []byte(keys.Secret))
	mac.Write([]byte(out.Cloud))
	if want := base64.StdEncoding.EncodeToString(mac.Sum(nil)); out.Signature != want || out.Cloud == "" {
		t.Errorf("%+v, want %s", out, want)
	}
	if again := w.Call(user, "getCloudIdentifier", "userid", me.UserID).(catalog.CloudView); again != out {
		t.Errorf("%+v, then %+v", out, again)
	}
	fails(w, t, other, "error.no_entity", "getCloudIdentifier", "userid", me.UserID)
	fails(w, t, user, "error.required", "getCloudIdentifier")
}
