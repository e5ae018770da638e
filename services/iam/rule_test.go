package iam_test

import (
	"testing"

	"aerie/services/iam"
)

func TestTheFirstRuleThatMatchesDecides(t *testing.T) {
	rules := iam.Rules{{"listHosts", false}, {"list*", true}, {"*VirtualMachine", true}, {"*", false}, {"createVolume", true}}
	for command, want := range map[string]bool{
		"listHosts": false, "listZones": true, "startVirtualMachine": true, "createVolume": false,
	} {
		if got := rules.Allow(command); got != want {
			t.Errorf("%s: got %v", command, got)
		}
	}
	if (iam.Rules{{"list*", true}}).Allow("createVolume") {
		t.Error("what no rule names passes")
	}
}

func TestPatterns(t *testing.T) {
	for text, want := range map[string]bool{"list*": true, "*": true, "listVirtualMachines": true, "": false, "list?": false, "a b": false, "[a-z]": false, "list\\*": false} {
		if iam.ValidPattern(text) != want {
			t.Errorf("%q: want %v", text, want)
		}
	}
}
