package compute_test

import (
	"strings"
	"testing"

	"aerie/services/compute"
	"aerie/services/iam"
	"aerie/services/network"
	"aerie/services/proof"
)

func TestDisabledAccountsInstancesStop(t *testing.T) {
	w := proof.New(t)
	web := w.Account("acme", "web", iam.RoleUser)
	id := w.Deploy(web, "web")
	other := w.Deploy(w.Admin, "other")
	w.Call(w.Admin, "disableAccount", "id", w.ID(&iam.Account{}, "name = ?", "web"), "lock", "false")
	w.Must(w.Compute.StopDisabled(w.Context()))
	w.Finish()
	if vm := w.VM(id); vm.State != compute.Stopped {
		t.Errorf("its instance is %s", vm.State)
	}
	if vm := w.VM(other); vm.State != compute.Running {
		t.Errorf("another account's instance is %s", vm.State)
	}
	w.Sound()
}

func TestAccountThatOwnsStays(t *testing.T) {
	w := proof.New(t)
	web := w.Account("acme", "web", iam.RoleUser)
	account := w.ID(&iam.Account{}, "name = ?", "web")
	id := w.Deploy(web, "web")
	refused := func(what string) {
		t.Helper()
		err := func() error { _, err := w.Try(w.Admin, "deleteAccount", "id", account); return err }()
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("deleteAccount: %v, want a word about %s", err, what)
		}
		if w.Count(&iam.Account{}, "id = ?", account) != 1 {
			t.Fatal("the account is gone")
		}
		w.Sound()
	}
	refused("instances")
	w.Gone(w.Admin, id)
	refused("networks")
	w.Call(web, "deleteNetwork", "id", w.ID(&network.Network{}, "account_id = ?", account))
	w.Call(w.Admin, "deleteAccount", "id", account)
	if w.Count(&iam.Account{}, "id = ?", account) != 0 {
		t.Error("the account is still there")
	}
	w.Sound()
}
