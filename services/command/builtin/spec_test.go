package builtin_test

import (
	"context"
	"testing"

	"aerie/services/command"
	"aerie/services/command/builtin"
	"aerie/services/command/spec"
)

func TestTheCommandsAreThoseOfCloudStack(t *testing.T) {
	r := &command.Registry{}
	(&builtin.Service{Registry: r}).Register()
	for _, kind := range []string{"zone", "pod"} {
		r.Ref(kind, func(context.Context, string) (bool, error) { return true, nil })
	}
	r.Check()
	for _, p := range spec.Compare(r, spec.Allow{}) {
		t.Error(p)
	}
}
