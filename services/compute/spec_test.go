package compute_test

import (
	"strings"
	"testing"

	"aerie/services/command"
	"aerie/services/command/spec"
	"aerie/services/proof"
)

// mine are the commands that have every parameter and field of CloudStack's.
var mine = []string{
	"createServiceOffering", "updateServiceOffering", "listServiceOfferings", "deleteServiceOffering",
	"createDiskOffering", "updateDiskOffering", "listDiskOfferings", "deleteDiskOffering",
	"createNetworkOffering", "updateNetworkOffering", "listNetworkOfferings", "deleteNetworkOffering",
	"createVPCOffering", "updateVPCOffering", "listVPCOfferings", "deleteVPCOffering", "isAccountAllowedToCreateOfferingsWithTags",
	"registerUserData", "listUserData", "deleteUserData", "getVirtualMachineUserData",
	"createInstanceGroup", "updateInstanceGroup", "deleteInstanceGroup", "listInstanceGroups",
	"createAffinityGroup", "deleteAffinityGroup", "listAffinityGroups", "listAffinityGroupTypes",
	"createSSHKeyPair", "registerSSHKeyPair", "listSSHKeyPairs", "deleteSSHKeyPair",
}

// inputs are the commands that have every parameter, and the result of another
// area.
var inputs = []string{"linkUserDataToTemplate", "resetUserDataForVirtualMachine", "updateVMAffinityGroup", "resetSSHKeyForVirtualMachine"}

// TestTheCommandsAreThoseOfCloudStack.
func TestTheCommandsAreThoseOfCloudStack(t *testing.T) {
	w := proof.New(t)
	for _, name := range mine {
		for _, p := range spec.Differences(w.Registry.Get(name)) {
			t.Error(p)
		}
	}
	for _, name := range inputs {
		for _, p := range spec.Differences(w.Registry.Get(name)) {
			if !strings.HasPrefix(p.What, "field:") {
				t.Error(p)
			}
		}
	}
	for _, c := range w.Registry.All() {
		known(t, c)
	}
}

// known: no parameter that CloudStack has none of.
func known(t *testing.T, c *command.Command) {
	t.Helper()
	there := map[string]bool{}
	for _, p := range spec.Commands()[c.Name].Params {
		there[strings.ToLower(p.Name)] = true
	}
	for _, p := range c.Params {
		if !there[p.Name] && (c.Object == "serviceoffering" || c.Object == "virtualmachine" || c.Object == "affinitygroup" || c.Object == "userdata") {
			t.Errorf("%s: CloudStack has no parameter %s", c.Name, p.Name)
		}
	}
}
