package api_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/apache/cloudstack-go/v2/cloudstack"

	"aerie/services/event"
	"aerie/services/store"
)

func (w *world) sdk(key string) *cloudstack.CloudStackClient {
	return cloudstack.NewAsyncClient(w.URL+"/client/api", key, secret, false)
}

func TestTheSDKLists(t *testing.T) {
	w := newWorld(t)
	cs := w.sdk("admin-key")
	z, n, err := cs.Zone.GetZoneByName("Bern")
	if err != nil || n != 1 || z.Id != "z2" {
		t.Errorf("by name: %v, %d, %v", z, n, err)
	}
	if z, n, err = cs.Zone.GetZoneByID(zoneID); err != nil || n != 1 || z.Dns1 != "8.8.8.8" || z.Resourcedetails["a b"] != "1" {
		t.Errorf("by id: %v, %d, %v", z, n, err)
	}
	// The SDK turns the text of an unknown id into a count of 0.
	_, n, err = cs.Zone.GetZoneByID(absent)
	if n != 0 || err == nil || !strings.Contains(err.Error(), "No match found for "+absent) {
		t.Errorf("an unknown id: %d, %v", n, err)
	}
	p := cs.Zone.NewListZonesParams()
	p.SetName("nowhere~*+ ü")
	if l, err := cs.Zone.ListZones(p); err != nil || l.Count != 0 || len(l.Zones) != 0 {
		t.Errorf("an empty list: %v, %v", l, err)
	}
}

func TestTheSDKChanges(t *testing.T) {
	w := newWorld(t)
	cs := w.sdk("admin-key")
	if r, err := cs.Zone.UpdateZone(cs.Zone.NewUpdateZoneParams(zoneID)); err != nil || r.Id != zoneID {
		t.Errorf("update: %v, %v", r, err)
	}
	if r, err := cs.Zone.DeleteZone(cs.Zone.NewDeleteZoneParams(zoneID)); err != nil || !r.Success {
		t.Errorf("delete: %v, %v", r, err)
	}
	if r, err := cs.Host.AddHost(cs.Host.NewAddHostParams("KVM", "p", "http://h", zoneID)); err != nil || r.Id != zoneID {
		t.Errorf("addHost: %v, %v", r, err)
	}
	_, err := w.sdk("user-key").Zone.DeleteZone(cs.Zone.NewDeleteZoneParams(zoneID))
	if err == nil || !strings.Contains(err.Error(), "CloudStack API error 432 (CSExceptionErrorCode: 9999)") {
		t.Errorf("a user deletes a zone: %v", err)
	}
	_, err = cs.Zone.DeleteZone(cs.Zone.NewDeleteZoneParams(absent))
	if err == nil || !strings.Contains(err.Error(), "CloudStack API error 431 (CSExceptionErrorCode: 4350)") {
		t.Errorf("an unknown zone: %v", err)
	}
}

func TestTheSDKWaitsForJobs(t *testing.T) {
	w := newWorld(t)
	cs := w.sdk("user-key")
	p := cs.VirtualMachine.NewDeployVirtualMachineParams("offering", "template", zoneID)
	p.SetName("web")
	p.SetUserdata(strings.Repeat("QUFB", 200000))
	p.SetDetails(map[string]string{"cpuNumber": "2", "memory": "1024"})
	vm, err := cs.VirtualMachine.DeployVirtualMachine(p)
	if err != nil || vm.Name != "web" || len(vm.Nic) != 1 || vm.JobID == "" {
		t.Fatalf("deploy: %+v, %v", vm, err)
	}
	made, _ := w.made.Load(vm.Id)
	if d := made.(deploy).Details; d["cpuNumber"] != "2" || d["memory"] != "1024" {
		t.Errorf("details: %v", d)
	}
	job, err := cs.Asyncjob.QueryAsyncJobResult(cs.Asyncjob.NewQueryAsyncJobResultParams(vm.JobID))
	if err != nil || job.Jobstatus != 1 || job.Jobresultcode != 0 || job.Jobresulttype != "object" || job.Cmd != "deployVirtualMachine" ||
		job.Jobinstanceid != vm.Id || job.Accountid != "ann" || job.Userid != "ann-user" || job.Created == "" || job.Completed == "" {
		t.Errorf("the job: %+v, %v", job, err)
	}
	events, err := cs.Event.ListEvents(cs.Event.NewListEventsParams())
	if err != nil || events.Count != 3 {
		t.Fatalf("events: %+v, %v", events, err)
	}
	for i, state := range []event.State{event.Completed, event.Started, event.Scheduled} {
		e := events.Events[i]
		if e.Type != "VM.CREATE" || e.State != string(state) || e.Resourceid != vm.Id || e.Resourcename != "web" || (e.Parentid == "") != (state == event.Scheduled) {
			t.Errorf("event %d: %+v", i, e)
		}
	}
	jobs, err := cs.Asyncjob.ListAsyncJobs(cs.Asyncjob.NewListAsyncJobsParams())
	if err != nil || jobs.Count != 1 || jobs.AsyncJobs[0].JobID != vm.JobID {
		t.Errorf("jobs: %+v, %v", jobs, err)
	}
}

func TestTheSDKHearsOfAFailedJob(t *testing.T) {
	w := newWorld(t)
	cs := w.sdk("user-key")
	p := cs.VirtualMachine.NewDeployVirtualMachineParams("offering", "template", zoneID)
	p.SetName("full")
	_, err := cs.VirtualMachine.DeployVirtualMachine(p)
	if err == nil || !strings.Contains(err.Error(), `Undefined error: {"errorcode":533,"errortext":"Unable to complete the request`) {
		t.Fatalf("got %v", err)
	}
	var rows []event.Row
	if err := w.db.In(store.System(t.Context(), "test")).Order("id DESC").Find(&rows).Error; err != nil {
		t.Fatal(err)
	}
	if len(rows) != 3 || rows[0].Level != event.Error || rows[0].State != event.Completed || rows[0].AccountID != "ann" {
		t.Errorf("events: %+v", rows)
	}
	jobs, err := cs.Asyncjob.ListAsyncJobs(cs.Asyncjob.NewListAsyncJobsParams())
	if err != nil || jobs.Count != 1 || jobs.AsyncJobs[0].Jobresultcode != 533 {
		t.Errorf("jobs: %+v, %v", jobs, err)
	}
}

func TestTheSDKDoesNotWait(t *testing.T) {
	w := newWorld(t)
	cs := cloudstack.NewClient(w.URL+"/client/api/", "user-key", secret, false)
	r, err := cs.VirtualMachine.DeployVirtualMachine(cs.VirtualMachine.NewDeployVirtualMachineParams("offering", "template", zoneID))
	if err != nil || r.Id == "" || r.JobID == "" {
		t.Errorf("got %+v, %v", r, err)
	}
	if _, err := w.sdk("user-key").Asyncjob.QueryAsyncJobResult(cs.Asyncjob.NewQueryAsyncJobResultParams(absent)); err == nil ||
		!strings.Contains(err.Error(), "Invalid parameter jobid value="+absent) {
		t.Errorf("an unknown job: %v", err)
	}
}

func TestTheSDKReadsTheRest(t *testing.T) {
	w := newWorld(t)
	cs := w.sdk("admin-key")
	caps, err := cs.Configuration.ListCapabilities(cs.Configuration.NewListCapabilitiesParams())
	if err != nil || caps.Capabilities.Cloudstackversion != "4.22.1.0" {
		t.Errorf("capabilities: %+v, %v", caps, err)
	}
	apis, err := cs.APIDiscovery.ListApis(cs.APIDiscovery.NewListApisParams())
	if err != nil || apis.Count < 12 {
		t.Errorf("apis: %v", err)
	}
	types, err := cs.Event.ListEventTypes(cs.Event.NewListEventTypesParams())
	if err != nil || types.Count < 5 {
		t.Errorf("event types: %+v, %v", types, err)
	}
	ctx := store.System(t.Context(), "test")
	_, err = event.Raise(ctx, w.db, event.Alert{Kind: event.Host, Subject: "h", Message: "alert.generated", Args: []any{"text", "gone"}})
	alerts, err2 := cs.Alert.ListAlerts(cs.Alert.NewListAlertsParams())
	if err := errors.Join(err, err2); err != nil || alerts.Count != 1 || alerts.Alerts[0].Type != 7 || alerts.Alerts[0].Description != "gone" {
		t.Errorf("alerts: %+v, %v", alerts, err)
	}
	if _, err := w.sdk("user-key").Alert.ListAlerts(cs.Alert.NewListAlertsParams()); err == nil {
		t.Error("a user reads alerts")
	}
}

func TestTheSDKArchivesAndDeletesEvents(t *testing.T) {
	w := newWorld(t)
	cs, db := w.sdk("user-key"), w.db
	var ids []string
	for range 3 {
		row, err := event.Log(store.With(t.Context(), user), db, event.Event{Type: "VM.STOP"})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, row.ID)
	}
	foreign, err := event.Log(store.With(t.Context(), admin), db, event.Event{Type: "VM.STOP"})
	if err != nil {
		t.Fatal(err)
	}
	count := func(archived bool) int {
		p := cs.Event.NewListEventsParams()
		p.SetType("VM.STOP")
		p.SetArchived(archived)
		l, err := cs.Event.ListEvents(p)
		if err != nil {
			t.Fatal(err)
		}
		return l.Count
	}
	p := cs.Event.NewArchiveEventsParams()
	p.SetIds([]string{ids[0], foreign.ID})
	if _, err := cs.Event.ArchiveEvents(p); err == nil || count(true) != 0 {
		t.Errorf("one foreign id refuses all: %v", err)
	}
	p.SetIds(ids[:1])
	if r, err := cs.Event.ArchiveEvents(p); err != nil || !r.Success || count(true) != 1 || count(false) != 2 {
		t.Errorf("archive: %v, %v", r, err)
	}
	d := cs.Event.NewDeleteEventsParams()
	if _, err := cs.Event.DeleteEvents(d); err == nil {
		t.Error("deleted without a choice")
	}
	d.SetType("VM.STOP")
	if r, err := cs.Event.DeleteEvents(d); err != nil || !r.Success || count(true)+count(false) != 0 {
		t.Errorf("delete: %v, %v", r, err)
	}
	if _, err := store.Find[event.Row](store.System(t.Context(), "test"), db, foreign.ID); err != nil {
		t.Errorf("another's event went: %v", err)
	}
}

func TestAskingTwiceWithATokenMakesOne(t *testing.T) {
	w := newWorld(t)
	q := "command=deployVirtualMachine&serviceofferingid=o&zoneid=" + zoneID + "&clientToken="
	first, again := w.ask(t, "user-key", q+"a"), w.ask(t, "user-key", q+"a")
	if first.code != 200 || first.body != again.body {
		t.Errorf("%s and then %s", first.body, again.body)
	}
	for name, a := range map[string]answer{"another token": w.ask(t, "user-key", q+"b"), "another account": w.ask(t, "admin-key", q+"a")} {
		if a.code != 200 || a.body == first.body {
			t.Errorf("%s: %s", name, a.body)
		}
	}
}
