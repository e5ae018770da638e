package builtin_test

import (
	"testing"

	"aerie/services/command"
	"aerie/services/command/builtin"
	"aerie/services/command/spec"
)

func TestTheCommandsAreThoseOfCloudStack(t *testing.T) {
	r := &command.Registry{}
	(&builtin.Service{Registry: r}).Register()
	r.Check()
	for _, p := range spec.Compare(r, spec.Allow{
		"listEvents": {
			"param:duration":  "finds operations that never ended; jobs tell that, and no client asks",
			"param:entrytime": "belongs to duration",
		},
	}) {
		t.Error(p)
	}
}
