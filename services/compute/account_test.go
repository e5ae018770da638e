package compute_test

import (
	"context"
	"strings"
	"testing"

	"aerie/services/compute"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/network"
	"aerie/services/proof"
	"aerie/services/storage"
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

// TestAnAccountGoesWithAllItOwns: also a data disk that no instance has.
func TestAnAccountGoesWithAllItOwns(t *testing.T) {
	w := proof.New(t)
	web := w.Account("acme", "web", iam.RoleUser)
	account := w.ID(&iam.Account{}, "name = ?", "web")
	w.Deploy(web, "web")
	w.Must(w.DB.Tx(w.Sys(), func(ctx context.Context) error {
		return w.DB.In(ctx).Model(&storage.Volume{}).Where("account_id = ?", account).Update("type", storage.Data).Error
	}))
	w.Deploy(web, "db")
	held, err := w.IAM.Holdings(w.Admin, account)
	w.Must(err)
	if got := iam.Words(held); got != "instances 2, volumes 2, templates 0, networks 1" {
		t.Error("it would take:", got)
	}
	if _, err := w.Try(w.Admin, "deleteAccount", "id", account); err == nil {
		t.Error("all at once is gone")
	}
	if _, err := w.Try(w.Admin, "enableAccount", "id", account); fault.Of(err).Key != "error.account_closing" {
		t.Error("it comes back:", err)
	}
	w.Finish()
	for _, model := range []any{&iam.Account{}, &compute.VM{}, &storage.Volume{}, &network.Network{}} {
		where := "account_id = ?"
		if _, is := model.(*iam.Account); is {
			where = "id = ?"
		}
		if n := w.Count(model, where, account); n != 0 {
			t.Errorf("%T: %d are left", model, n)
		}
	}
	w.Call(w.Admin, "deleteDomain", "id", w.ID(&iam.Domain{}, "name = ?", "acme"))
	w.Sound()
}

func TestADomainGoesWithAllBelow(t *testing.T) {
	w := proof.New(t)
	web := w.Account("acme", "web", iam.RoleUser)
	acme := w.ID(&iam.Domain{}, "name = ?", "acme")
	id := w.Deploy(web, "web")
	w.Call(w.Admin, "createDomain", "name", "team", "parentdomainid", acme)
	if _, err := w.Try(w.Admin, "deleteDomain", "id", acme); err == nil || !strings.Contains(err.Error(), "domain") {
		t.Error("a full domain without cleanup:", err)
	}
	w.Call(w.Admin, "updateVirtualMachine", "id", id, "deleteprotection", "true")
	if _, err := w.Try(w.Admin, "deleteDomain", "id", acme, "cleanup", "true"); fault.Of(err).Key != "error.holds.protected" {
		t.Error("a protected instance:", err)
	}
	w.Call(w.Admin, "updateVirtualMachine", "id", id, "deleteprotection", "false")
	g, err := w.IAM.WouldGo(w.Admin, acme)
	w.Must(err)
	if len(g.Domains) != 1 || len(g.Accounts) != 1 || g.Holdings[0].N != 1 {
		t.Errorf("%+v", g)
	}
	_, _ = w.Try(w.Admin, "deleteDomain", "id", acme, "cleanup", "true")
	if _, err := w.Try(w.Admin, "createDomain", "name", "late", "parentdomainid", acme); err == nil {
		t.Error("something is added to what goes")
	}
	w.Finish()
	if n := w.Count(&iam.Domain{}, "full_name LIKE ?", "ROOT/acme%"); n != 0 {
		t.Error(n, "domains are left")
	}
	if n := w.Count(&compute.VM{}, "id = ?", id); n != 0 {
		t.Error("the instance is left")
	}
	w.Sound()
}
