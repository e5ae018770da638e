package proof_test

import (
	"fmt"
	"sync"
	"testing"

	"aerie/services/command"
	"aerie/services/compute"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/network"
	"aerie/services/proof"
	"aerie/services/store"
)

// TestFirstDeploymentsAtOnce: an account that has no network gets one, however
// many of its first instances are asked for at once, and no limit is overrun.
func TestFirstDeploymentsAtOnce(t *testing.T) {
	t.Parallel()
	const asked, limit = 12, 7
	w := proof.New(t)
	joe := w.Account("acme", "joe", iam.RoleUser)
	actor, _ := store.From(joe)
	w.JSON(w.Admin, "updateResourceLimit", "account", "joe", "domainid", actor.DomainID, "resourcetype", "0", "max", fmt.Sprint(limit))
	var wg sync.WaitGroup
	for i := range asked {
		plan := w.Plan(fmt.Sprintf("web-%d", i))
		wg.Go(func() {
			if _, _, err := w.Ask(joe, "deployVirtualMachine", plan...); err != nil && !fault.Is(err, fault.Limit) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	w.Finish()
	for what, n := range map[string][2]int64{
		"networks": {w.Count(&network.Network{}, "account_id = ?", actor.AccountID), 1}, "routers": {w.Count(&network.Router{}, "1 = 1"), 1},
		"instances": {w.Count(&compute.VM{}, "state = ?", compute.Running), limit}, "cards": {w.Count(&network.NIC{}, "1 = 1"), limit},
	} {
		if n[0] != n[1] {
			t.Errorf("%d %s, want %d", n[0], what, n[1])
		}
	}
	w.Sound()
}

// TestOneNameAtOnce: of several who ask for the same name one gets it.
func TestOneNameAtOnce(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	plan := w.Plan("web")
	var mu sync.Mutex
	var wg sync.WaitGroup
	var won []command.Accepted
	for range 8 {
		wg.Go(func() {
			_, out, err := w.Ask(w.Admin, "deployVirtualMachine", plan...)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won = append(won, out.(command.Accepted))
			} else if fault.Of(err).Fields["name"] == nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	w.Finish()
	if n := w.Count(&compute.VM{}, "name = ?", "web"); len(won) != 1 || n != 1 {
		t.Errorf("%d won, %d instances", len(won), n)
	}
	w.Sound()
}

// TestDeployOrDelete: of a deployment into a network and its deletion, asked
// for at once, one is refused.
func TestDeployOrDelete(t *testing.T) {
	t.Parallel()
	w := proof.New(t)
	offering := w.ID(&network.Offering{}, "availability = ?", "Required")
	for i := range 20 {
		joe := w.Account("acme", fmt.Sprintf("joe-%d", i), iam.RoleUser)
		name := fmt.Sprintf("net-%d", i)
		w.JSON(joe, "createNetwork", "name", name, "zoneid", w.Zone.ID, "networkofferingid", offering, "gateway", "10.0.0.1", "netmask", "255.255.255.0")
		id := w.ID(&network.Network{}, "name = ?", name)
		plan := w.Plan("web", "networkids", id)
		if i%2 == 1 { // the account's only one
			plan = w.Plan("web")
		}
		var deployed, deleted error
		var wg sync.WaitGroup
		wg.Go(func() { _, _, deployed = w.Ask(joe, "deployVirtualMachine", plan...) })
		wg.Go(func() { _, _, deleted = w.Ask(joe, "deleteNetwork", "id", id) })
		wg.Wait()
		if (deployed == nil) == (deleted == nil) && i%2 == 0 || deployed == nil && deleted == nil && w.Count(&network.NIC{}, "network_id = ?", id) > 0 {
			t.Fatalf("round %d: deployment: %v; deletion: %v", i, deployed, deleted)
		}
	}
	w.Finish()
	w.Sound()
}
