package proof_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"aerie/services/compute"
	"aerie/services/config"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/network"
	"aerie/services/proof"
	"aerie/services/store"
)

// decoded is a command's answer as JSON.
func decoded[T any](w *proof.World, body string) (out T) {
	w.Helper()
	if err := json.Unmarshal([]byte(body), &out); err != nil {
		w.Fatal(err, body)
	}
	return out
}

type eventList struct {
	Count int
	Event []struct {
		ID, ParentID, Username, Account, DomainPath, ResourceName string
		State                                                     event.State
	}
}

// TestEventsOfADeployment: scheduled, started and completed, held together by
// the first, with its job's actor.
func TestEventsOfADeployment(t *testing.T) {
	w := proof.New(t)
	joe := w.Account("acme", "joe", iam.RoleUser)
	id := w.Deploy(joe, "web")
	got := decoded[eventList](w, w.JSON(joe, "listEvents", "resourceid", id, "type", "VM.CREATE"))
	if len(got.Event) != 3 {
		t.Fatalf("%+v", got)
	}
	first := got.Event[2]
	for i, want := range []event.State{event.Completed, event.Started, event.Scheduled} {
		e := got.Event[i]
		parent := first.ID
		if i == 2 {
			parent = ""
		}
		if e.State != want || e.ParentID != parent || e.Username != "joe" || e.Account != "joe" || e.DomainPath != "ROOT/acme" || e.ResourceName == "" {
			t.Errorf("%d: %+v", i, e)
		}
	}
	if chain := decoded[eventList](w, w.JSON(joe, "listEvents", "startid", first.ID)); chain.Count != 3 {
		t.Error("by its first event:", chain.Count)
	}
	types := w.JSON(joe, "listEventTypes")
	for _, want := range []string{"VM.CREATE", "VM.STATE", "USER.LOGIN"} {
		if !strings.Contains(types, `"`+want+`"`) {
			t.Error("no type", want)
		}
	}
	if strings.Contains(types, "ZONE.CREATE") {
		t.Error("a user sees types of what it may not do")
	}
	eve := w.Account("rival", "eve", iam.RoleUser)
	for _, verb := range []string{"archiveEvents", "deleteEvents"} {
		if _, err := w.Try(eve, verb, "ids", first.ID); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s of another's: %v", verb, err)
		}
	}
	w.Call(joe, "archiveEvents", "ids", first.ID)
	if n := decoded[eventList](w, w.JSON(joe, "listEvents", "resourceid", id, "type", "VM.CREATE")).Count; n != 2 {
		t.Error("after archiving:", n)
	}
	w.Call(joe, "deleteEvents", "type", "VM.CREATE")
	if n := w.Count(&event.Row{}, "type = ?", "VM.CREATE"); n != 0 {
		t.Error("after deleting:", n)
	}
}

// tagged makes a size that asks for tags which have limits, and returns its id.
func tagged(w *proof.World) string {
	w.Helper()
	w.Call(w.Admin, "updateConfiguration", "name", "resource.limit.host.tags", "value", "gold,silver")
	w.Call(w.Admin, "updateConfiguration", "name", "resource.limit.storage.tags", "value", "ssd")
	w.Call(w.Admin, "createServiceOffering", "name", "golden", "displaytext", "golden", "cpunumber", "1", "cpuspeed", "100", "memory", "64", "hosttags", "gold", "tags", "ssd")
	return w.ID(&compute.Offering{}, "name = ?", "golden")
}

// TestLimitsOfTags: what carries a tag is limited besides, as it is counted
// from what is there, with 30 at once as well as one after the other.
func TestLimitsOfTags(t *testing.T) {
	w := proof.New(t)
	joe := w.Account("acme", "joe", iam.RoleUser)
	actor, _ := store.From(joe)
	size := tagged(w)
	of := []string{"account", "joe", "domainid", actor.DomainID}
	w.Call(w.Admin, "updateResourceLimit", append(of, "resourcetype", "0", "tag", "gold", "max", "3")...)
	w.Call(w.Admin, "updateResourceLimit", "domainid", actor.DomainID, "resourcetype", "2", "tag", "ssd", "max", "4")
	plan := func(i int) []string {
		p := w.Plan(fmt.Sprintf("web-%d", i))
		for j := 0; j < len(p); j += 2 {
			if p[j] == "serviceofferingid" {
				p[j+1] = size
			}
		}
		return append(p, "startvm", "false")
	}
	servers := []*proof.Server{w.Server, w.NewServer(job.New(w.DB, job.Options{Name: "b"})), w.NewServer(job.New(w.DB, job.Options{Name: "c"}))}
	var wg sync.WaitGroup
	for i := range 30 {
		p := plan(i)
		wg.Go(func() {
			if _, _, err := servers[i%3].Ask(joe, "deployVirtualMachine", p...); err != nil && !fault.Is(err, fault.Limit) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	w.Finish()
	if n := w.Count(&compute.VM{}, "account_id = ?", actor.AccountID); n != 3 {
		t.Error(n, "instances of 3")
	}
	w.Call(w.Admin, "updateResourceLimit", append(of, "resourcetype", "0", "tag", "gold", "max", "-1")...)
	w.Call(joe, "deployVirtualMachine", plan(40)...)
	if _, err := w.Try(joe, "deployVirtualMachine", plan(41)...); fault.Of(err).Key != "error.tag_limit_domain" {
		t.Error("the fifth disk of the domain:", err)
	}
	w.Call(joe, "deployVirtualMachine", w.Plan("other")...) // without a tag
	type limits struct {
		Limits []struct {
			Type, TypeName, Tag string
			Max                 int64
		} `json:"resourcelimit"`
	}
	list := decoded[limits](w, w.JSON(joe, "listResourceLimits", "tag", "gold"))
	if len(list.Limits) != 4 || list.Limits[0].Max != -1 || list.Limits[0].Tag != "gold" {
		t.Errorf("%+v", list)
	}
	if body := w.JSON(w.Admin, "updateResourceCount", append(of, "resourcetype", "0", "tag", "gold")...); !strings.Contains(body, `"resourcecount":4`) {
		t.Error(body)
	}
	if body := w.JSON(joe, "listAccounts", "tag", "ssd"); !strings.Contains(body, "resourcetype=volume,tag=ssd,limit=20,total=4,available=16") || strings.Contains(body, "tag=gold") {
		t.Error(body)
	}
	if body := w.JSON(w.Admin, "listDomains", "id", actor.DomainID); !strings.Contains(body, "resourcetype=volume,tag=ssd,limit=4,total=4,available=0") {
		t.Error(body)
	}
	for what, bad := range map[string][]string{
		"a tag without limits": {"resourcetype", "0", "tag", "bronze", "max", "1"},
		"a kind without tags":  {"resourcetype", "6", "tag", "gold", "max", "1"},
		"a tag of the other":   {"resourcetype", "0", "tag", "ssd", "max", "1"},
	} {
		if _, err := w.Try(w.Admin, "updateResourceLimit", append(of, bad...)...); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := w.Try(joe, "updateResourceLimit", append(of, "resourcetype", "0", "tag", "gold", "max", "9")...); err == nil {
		t.Error("a user raises its own limit")
	}
}

// TestAlertsOfCapacity: one alert when the public addresses run out, and its end
// when there are some again.
func TestAlertsOfCapacity(t *testing.T) {
	w := proof.New(t)
	watch := func() {
		t.Helper()
		for range 2 {
			w.Must(w.Infra.WatchCapacity(w.Sys(), w.Levels))
		}
	}
	standing := func() int64 { return w.Count(&event.AlertRow{}, "standing IS NOT NULL") }
	const name = "zone.virtualnetwork.publicip.capacity.notificationthreshold"
	watch()
	if n := standing(); n != 0 {
		t.Fatal(n, "alerts of an empty cloud")
	}
	w.Deploy(w.Admin, "web")
	w.Call(w.Admin, "updateConfiguration", "name", name, "value", "0.00001", "zoneid", w.Zone.ID)
	watch()
	if standing() != 1 || w.Count(&event.AlertRow{}, "type = ?", event.PublicIP.Number) != 1 || w.Count(&event.Notice{}, "phase = ?", event.Raised) != 2 {
		t.Error("not one alert of one kind:", standing())
	}
	w.Call(w.Admin, "resetConfiguration", "name", name, "zoneid", w.Zone.ID)
	watch()
	if standing() != 0 || w.Count(&event.Notice{}, "phase = ?", event.Cleared) != 2 {
		t.Error("it stands although there are addresses")
	}
	if w.Count(&network.PublicIP{}, "1 = 1") == 0 {
		t.Error("no address was in use")
	}
}

// TestAlertOfASilentHost: one when it stops answering, its end when it answers.
func TestAlertOfASilentHost(t *testing.T) {
	w := proof.New(t)
	host := func() int64 {
		return w.Count(&event.AlertRow{}, "type = ? AND standing IS NOT NULL", event.Host.Number)
	}
	w.Center.Partition("sim-1")
	for range 3 {
		w.Clock.Add(time.Minute)
		w.Must(w.Keeper.Round(t.Context()))
	}
	if host() != 1 {
		t.Error("alerts:", host())
	}
	w.Center.Heal("sim-1")
	w.Must(w.Keeper.Round(t.Context()))
	if host() != 0 || w.Count(&infra.Host{}, "state = ?", infra.HostUp) != 2 {
		t.Error("it still stands")
	}
}

// TestCallsOfAccounts: getApiLimit tells, resetApiLimit is an administrator's.
func TestCallsOfAccounts(t *testing.T) {
	w := proof.New(t)
	joe := w.Account("acme", "joe", iam.RoleUser)
	actor, _ := store.From(joe)
	for name, value := range map[string]string{"enabled": "true", "max": "2", "interval": "60"} {
		_, err := w.Config.SetAt(w.Sys(), "api.throttling."+name, config.Everywhere, value)
		w.Must(err)
	}
	for range 2 {
		w.Must(w.Who.Throttle.Allow(joe, actor))
	}
	err := w.Who.Throttle.Allow(joe, actor)
	if f := fault.Of(err); f.Kind.HTTP != 429 || f.Key != "error.api_limit" {
		t.Error(err)
	}
	if body := w.JSON(joe, "getApiLimit"); !strings.Contains(body, `"apiIssued":2`) || !strings.Contains(body, `"apiAllowed":0`) || !strings.Contains(body, `"account":"joe"`) {
		t.Error(body)
	}
	if _, err := w.Try(joe, "resetApiLimit", "account", actor.AccountID); !fault.Is(err, fault.Unsupported) {
		t.Error("a user resets:", err)
	}
	if _, err := w.Try(w.Admin, "resetApiLimit", "account", w.DB.NewID()); !fault.Is(err, fault.NotFound) {
		t.Error("nobody's limit:", err)
	}
	w.Call(w.Admin, "resetApiLimit", "account", actor.AccountID)
	w.Must(w.Who.Throttle.Allow(joe, actor))
}
