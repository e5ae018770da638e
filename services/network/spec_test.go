package network_test

import (
	"strings"
	"testing"

	"aerie/services/command"
	"aerie/services/command/spec"
	"aerie/services/iam"
	"aerie/services/network"
	"aerie/services/store/storetest"
)

// TestTheCommandsAreThoseOfCloudStack lets parameters and fields be missing:
// what the commands do have, and what they require, must fit.
func TestTheCommandsAreThoseOfCloudStack(t *testing.T) {
	db := storetest.Open(t)
	s := network.New(db, nil, iam.New(db, iam.Options{Argon: iam.Argon{Time: 1, Memory: 64, Threads: 1}}))
	for _, c := range s.Commands() {
		t.Run(c.Name, func(t *testing.T) { compare(t, c) })
	}
}

func compare(t *testing.T, c *command.Command) {
	for _, p := range spec.Differences(c) {
		if p.Text != "is missing" {
			t.Error(p)
		}
	}
	for _, p := range spec.Commands()[c.Name].Params {
		if _, ok := c.Param(p.Name); p.Required && !ok {
			t.Errorf("%s: %s is required", c.Name, p.Name)
		}
	}
	for _, p := range c.Params {
		known := false
		for _, q := range spec.Commands()[c.Name].Params {
			known = known || strings.EqualFold(p.Name, q.Name)
		}
		if !known {
			t.Errorf("%s: CloudStack has no parameter %s", c.Name, p.Name)
		}
	}
}
