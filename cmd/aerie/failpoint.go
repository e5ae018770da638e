package main

import (
	"context"
	"os"
	"strings"
	"syscall"

	"aerie/services/job"
)

// failpointVar is a hook for tests of crashes, such as
// "vm.deploy/disks/after": at that moment the process kills itself, as by
// kill -9. "after" is when the step has had its effect and its checkpoint is
// not written. Unset, as it is outside of tests, nothing is in the way of jobs.
const failpointVar = "AERIE_FAILPOINT"

// around is job.Options.Around with the failpoint of the environment, if any.
func around() func(context.Context, job.Moment, func(context.Context) error) error {
	where := strings.Split(os.Getenv(failpointVar), "/")
	if len(where) != 3 {
		return nil
	}
	return func(ctx context.Context, m job.Moment, try func(context.Context) error) error {
		here := !m.Undo && m.Kind == where[0] && m.Step == where[1]
		if here && where[2] == "before" {
			die()
		}
		err := try(ctx)
		if here && where[2] == "after" {
			die()
		}
		return err
	}
}

// die ends the process without a word, and nothing of it goes on meanwhile.
func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}
