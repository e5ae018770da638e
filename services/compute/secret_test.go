package compute_test

import (
	"fmt"
	"strings"
	"testing"

	"aerie/services/iam"
	"aerie/services/job"
	"aerie/services/proof"
)

// Only who deployed an instance reads its password in the job's result.
func TestPasswordIsForWhoAsked(t *testing.T) {
	w := proof.New(t)
	web := w.Account("acme", "web", iam.RoleUser)
	w.Deploy(web, "web")
	id := w.ID(&job.Row{}, "command = ?", "deployVirtualMachine")
	var stored struct{ State, Input, Params, Result string }
	err := w.DB.In(w.Admin).Model(&job.Row{}).Select("state", "COALESCE(input, '') AS input", "params", "result").Where("id = ?", id).Scan(&stored).Error
	if err != nil {
		t.Fatal(err)
	}
	own, password := w.JSON(web, "queryAsyncJobResult", "jobid", id), ""
	if _, rest, ok := strings.Cut(own, `"password":"`); ok {
		password, _, _ = strings.Cut(rest, `"`)
	}
	if all := fmt.Sprint(stored); password == "" || strings.Contains(all, password) || strings.Contains(stored.Result, "displayname") {
		t.Errorf("the password %q rests in the clear: %s", password, all)
	}
	if own := w.JSON(web, "queryAsyncJobResult", "jobid", id); !strings.Contains(own, `"password":"`) {
		t.Errorf("its owner is not told the password: %s", own)
	}
	for _, command := range []string{"queryAsyncJobResult", "listAsyncJobs"} {
		params := []string{"jobid", id}
		if command == "listAsyncJobs" {
			params = []string{"listall", "true"}
		}
		if other := w.JSON(w.Admin, command, params...); strings.Contains(other, `"password":"`) || !strings.Contains(other, `"displayname":"web"`) {
			t.Errorf("%s for another user: %s", command, other)
		}
	}
}

// What a router would refuse is refused before it is a row: it would take the
// whole network down.
func TestWhatRoutersRefuse(t *testing.T) {
	w := proof.New(t)
	for name, value := range map[string]string{"macaddress": "foo", "name": "Data-Server", "password": "two\nlines"} {
		plan := w.Plan("web")
		if name == "name" {
			plan = w.Plan(value)
		} else {
			plan = append(plan, name, value)
		}
		if _, err := w.Try(w.Admin, "deployVirtualMachine", plan...); err == nil {
			t.Errorf("%s %q was taken", name, value)
		}
	}
	first := w.Plan("first", "macaddress", "02:00:00:00:00:99")
	w.Call(w.Admin, "deployVirtualMachine", first...)
	if _, err := w.Try(w.Admin, "deployVirtualMachine", w.Plan("second", "macaddress", "02:00:00:00:00:99")...); err == nil {
		t.Error("two cards have one MAC address")
	}
	w.Sound()
}
