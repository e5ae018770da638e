package proof_test

import (
	"encoding/json"
	"testing"

	"aerie/services/compute"
	"aerie/services/config"
	"aerie/services/config/configcmd"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/proof"
)

// TestScopesOfSettings: what is nearer decides, at once and on all servers, and
// domain admins deal with what is left to them, in their domain.
func TestScopesOfSettings(t *testing.T) {
	w := proof.New(t)
	web := w.Account("acme", "web", iam.RoleUser)
	boss := w.Account("acme", "boss", iam.RoleDomainAdmin)
	w.Account("rival", "eve", iam.RoleDomainAdmin)
	acme, rival := w.ID(&iam.Domain{}, "name = ?", "acme"), w.ID(&iam.Domain{}, "name = ?", "rival")
	account := w.ID(&iam.Account{}, "name = ?", "web")
	const name = "allow.user.expunge.recover.vm"
	id := w.Deploy(web, "web")
	w.Call(web, "destroyVirtualMachine", "id", id)
	refused := func(what string, want bool) {
		t.Helper()
		_, err := w.Try(web, "recoverVirtualMachine", "id", id)
		if (err != nil) != want {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("by default", true)
	w.Call(boss, "updateConfiguration", "name", name, "value", "true")
	w.Call(w.Admin, "updateConfiguration", "name", name, "value", "false", "accountid", account)
	refused("set for the account", true)
	w.Call(boss, "resetConfiguration", "name", name, "accountid", account)
	refused("set for the domain", false)
	if vm := w.VM(id); vm.State != compute.Stopped {
		t.Error("it is", vm.State)
	}
	for what, params := range map[string][]string{
		"another domain":     {"name", name, "value", "true", "domainid", rival},
		"a zone":             {"name", name, "value", "true", "zoneid", w.Zone.ID},
		"not left to them":   {"name", "expunge.delay", "value", "1"},
		"two things at once": {"name", name, "value", "true", "domainid", acme, "accountid", account},
		"not a truth":        {"name", name, "value", "maybe"},
	} {
		if _, err := w.Try(boss, "updateConfiguration", params...); !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := w.Try(w.Admin, "updateConfiguration", "name", name, "value", "true", "zoneid", w.Zone.ID); fault.Of(err).Key != "error.setting_scope" {
		t.Error("a zone:", err)
	}
	var list struct {
		Count    int
		Settings []configcmd.View `json:"configuration"`
	}
	body := w.JSON(boss, "listConfigurations")
	w.Must(json.Unmarshal([]byte(body), &list))
	if list.Count != 1 || list.Settings[0].Value != "true" || list.Settings[0].Scope != "Global,Domain,Account" {
		t.Errorf("the domain admin's list: %s", body)
	}
}

// TestAPoolIsFilledAsFarAsIsSet uses a setting of one storage pool.
func TestAPoolIsFilledAsFarAsIsSet(t *testing.T) {
	w := proof.New(t)
	pool := w.ID(&infra.Pool{}, "1 = 1")
	w.Call(w.Admin, "updateConfiguration", "name", "pool.storage.allocated.capacity.disablethreshold", "value", "0", "storageid", pool)
	if _, err := w.Try(w.Admin, "deployVirtualMachine", w.Plan("none")...); err == nil {
		t.Error("a closed pool takes a disk")
	}
	w.Call(w.Admin, "resetConfiguration", "name", "pool.storage.allocated.capacity.disablethreshold", "storageid", pool)
	w.Deploy(w.Admin, "some")
	w.Sound()
}

func TestUndoOfASetting(t *testing.T) {
	w := proof.New(t)
	const name = "expunge.delay"
	w.Call(w.Admin, "updateConfiguration", "name", name, "value", "60")
	w.Call(w.Admin, "updateConfiguration", "name", name, "value", "90")
	all, err := w.Config.Changes(w.Admin, name, 10)
	w.Must(err)
	if len(all) != 2 || *all[0].Now != "90" || *all[0].Was != "60" || all[1].Was != nil {
		t.Fatalf("%+v", all)
	}
	if _, err := w.Config.Undo(w.Admin, all[1].ID); fault.Of(err).Key != "error.setting_changed" {
		t.Error("an earlier change:", err)
	}
	_, err = w.Config.Undo(w.Admin, all[0].ID)
	w.Must(err)
	if v, err := w.Config.Get(w.Admin, name); v != "60" || err != nil {
		t.Error(v, err)
	}
}

func TestSecretSettings(t *testing.T) {
	w := proof.New(t)
	v := w.Config.Secret("test.secret", "Hidden")
	_, err := w.Config.SetAt(w.Admin, "test.secret", config.Everywhere, "canary-7")
	w.Must(err)
	if got := v.Get(w.Admin); got != "canary-7" {
		t.Error(got)
	}
	var stored, changes []string
	w.Must(w.DB.In(w.Sys()).Table("settings").Where("name = ?", "test.secret").Pluck("value", &stored).Error)
	w.Must(w.DB.In(w.Sys()).Table("setting_changes").Where("name = ?", "test.secret").Pluck("now", &changes).Error)
	if stored[0] == "canary-7" || changes[0] != config.Hidden {
		t.Error(stored, changes)
	}
}
