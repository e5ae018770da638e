package proof_test

import (
	"errors"
	"fmt"
	"testing"

	"aerie/services/catalog"
	"aerie/services/compute"
	"aerie/services/event"
	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/label"
	"aerie/services/proof"
)

// sagas has a case for every kind of job.
var sagas = map[string]func(*proof.World) proof.Case{
	"alert.generate":     alertGenerate,
	"compute.written":    affinityGroup,
	"host.reconnect":     hostReconnect,
	"iam.account.delete": accountDelete,
	"iam.domain.clean":   domainClean,
	"iam.domain.delete":  domainDelete,
	"catalog.written":    guestOS,
	"label.written":      zoneTags,
	"iam.done":           accountLock,
	"infra.written":      physicalNetwork,
	"mail.send":          mailSend,
	"network.delete":     networkDelete,
	"network.restart":    networkRestart,
	"network.shutdown":   networkShutdown,
	"network.update":     networkUpdate,
	"network.written":    vpcOffering,
	"project.delete":     projectDelete,
	"project.done":       projectDone,
	"project.suspend":    projectSuspend,
	"template.delete":    templateDelete,
	"template.download":  templateDownload,
	"template.prepare":   templatePrepare,
	"vm.create":          vmCreate,
	"vm.deploy":          vmDeploy,
	"vm.destroy":         vmDestroy,
	"vm.destroy.expunge": vmDestroyExpunge,
	"vm.expunge":         vmExpunge,
	"vm.password":        vmPassword,
	"vm.reboot":          vmReboot,
	"vm.start":           vmStart,
	"vm.sshkey":          vmSSHKey,
	"vm.stop":            vmStop,
	"webhook.deliver":    webhookDeliver,
}

// TestSagas proves every saga that servers know, and fails on one without a case.
func TestSagas(t *testing.T) {
	for _, kind := range proof.New(t).Engine.Kinds() {
		begin := sagas[kind]
		if begin == nil {
			t.Errorf("%s has no proof", kind)
			continue
		}
		t.Run(kind, func(t *testing.T) { proof.Saga(t, kind, begin) })
	}
}

// alertGenerate: one alert, however often its job is tried.
func alertGenerate(w *proof.World) proof.Case {
	const text = "The air conditioner is out of order."
	return proof.Case{
		Submit: w.Command("generateAlert", "type", "30000", "name", "ALERT.COLD", "description", text),
		Whole:  func() error { return some(w, 1, &event.AlertRow{}, "name = ?", "ALERT.COLD") },
		Empty:  func() error { return some(w, 0, &event.AlertRow{}, "name = ?", "ALERT.COLD") },
		After:  func() { _, _ = w.Try(w.Admin, "deleteAlerts", "type", "ALERT.COLD") },
	}
}

func hostReconnect(w *proof.World) proof.Case {
	host := w.ID(&infra.Host{}, "name = ?", "sim-1")
	ask := func() error {
		if w.Count(&infra.Host{}, "id = ? AND state = ?", host, infra.HostUp) != 1 {
			return errors.New("the host is not up")
		}
		return nil
	}
	return proof.Case{Submit: w.Command("reconnectHost", "id", host), Whole: ask, Empty: ask, After: func() {}}
}

// some says what is wrong when there are not so many rows.
func some(w *proof.World, want int64, model any, where string, args ...any) error {
	if n := w.Count(model, where, args...); n != want {
		return fmt.Errorf("%d rows of %T, want %d", n, model, want)
	}
	return nil
}

// tenant is an account in a domain of its own, with an instance, and how to
// take both away.
func tenant(w *proof.World) (account, domain string, drop func()) {
	joe := w.Account("acme", "joe", iam.RoleUser)
	w.Deploy(joe, "web")
	domain = w.ID(&iam.Domain{}, "name = ?", "acme")
	return w.ID(&iam.Account{}, "name = ?", "joe"), domain, func() {
		if w.Count(&iam.Domain{}, "id = ?", domain) > 0 {
			_, _ = w.Try(w.Admin, "deleteDomain", "id", domain, "cleanup", "true")
			w.Finish()
		}
	}
}

func accountDelete(w *proof.World) proof.Case {
	account, _, drop := tenant(w)
	return proof.Case{
		Submit: w.Command("deleteAccount", "id", account), After: drop, Forward: true,
		Whole: func() error {
			w.Finish()
			return errors.Join(some(w, 0, &iam.Account{}, "id = ?", account), some(w, 0, &iam.User{}, "account_id = ?", account), some(w, 0, &compute.VM{}, "account_id = ?", account))
		},
		Empty: func() error { return nil },
	}
}

func domainClean(w *proof.World) proof.Case {
	account, domain, drop := tenant(w)
	return proof.Case{
		Submit: w.Command("deleteDomain", "id", domain, "cleanup", "true"), After: drop, Forward: true,
		Whole: func() error {
			w.Finish()
			return errors.Join(some(w, 0, &iam.Domain{}, "id = ?", domain), some(w, 0, &iam.Account{}, "id = ?", account), some(w, 0, &compute.VM{}, "account_id = ?", account))
		},
		Empty: func() error { return nil },
	}
}

func domainDelete(w *proof.World) proof.Case {
	w.Call(w.Admin, "createDomain", "name", "empty")
	domain := w.ID(&iam.Domain{}, "name = ?", "empty")
	return proof.Case{
		Submit: w.Command("deleteDomain", "id", domain),
		Whole:  func() error { return some(w, 0, &iam.Domain{}, "id = ?", domain) },
		Empty:  func() error { return some(w, 1, &iam.Domain{}, "id = ?", domain) },
		After: func() {
			if w.Count(&iam.Domain{}, "id = ?", domain) > 0 {
				w.Call(w.Admin, "deleteDomain", "id", domain)
			}
		},
	}
}

// accountLock: what the command says is done before its job, which cannot take
// it back.
func accountLock(w *proof.World) proof.Case {
	_, domain, drop := tenant(w)
	ask := func() error { return some(w, 1, &iam.Account{}, "name = ? AND state = ?", "joe", iam.Locked) }
	return proof.Case{Submit: w.Command("disableAccount", "account", "joe", "domainid", domain, "lock", "true"), Whole: ask, Empty: ask, After: drop}
}

// physicalNetwork is likewise done when its job is accepted.
func physicalNetwork(w *proof.World) proof.Case {
	ask := func() error { return some(w, 1, &infra.PhysicalNetwork{}, "name = ?", "second") }
	return proof.Case{Submit: w.Command("createPhysicalNetwork", "zoneid", w.Zone.ID, "name", "second"), Whole: ask, Empty: ask, After: func() {
		w.Call(w.Admin, "deletePhysicalNetwork", "id", w.ID(&infra.PhysicalNetwork{}, "name = ?", "second"))
	}}
}

func zoneTags(w *proof.World) proof.Case {
	ask := func() error { return some(w, 1, &label.Tag{}, "resource_id = ? AND tag_value = ?", w.Zone.ID, "b") }
	return proof.Case{
		Submit: w.Command("createTags", "resourceids", w.Zone.ID, "resourcetype", "Zone", "tags[0].key", "a", "tags[0].value", "b"),
		Whole:  ask, Empty: ask, After: func() { w.Call(w.Admin, "deleteTags", "resourceids", w.Zone.ID, "resourcetype", "Zone") },
	}
}

func guestOS(w *proof.World) proof.Case {
	ask := func() error { return some(w, 1, &catalog.Type{}, "display_name = ?", "Haiku") }
	return proof.Case{
		Submit: w.Command("addGuestOs", "oscategoryid", w.ID(&catalog.Category{}, "name = ?", "Other"), "osdisplayname", "Haiku"),
		Whole:  ask, Empty: ask, After: func() { w.Call(w.Admin, "removeGuestOs", "id", w.ID(&catalog.Type{}, "display_name = ?", "Haiku")) },
	}
}
