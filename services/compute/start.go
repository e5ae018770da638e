package compute

import (
	"context"

	"aerie/services/job"
	"aerie/services/state"
)

func (s *Service) defineDeploy() {
	job.Define(s.Jobs, "vm.deploy", s.bootSteps()...)
}

func (s *Service) defineStart() {
	job.Define(s.Jobs, "vm.start", s.bootSteps()...)
}

// bootSteps bring an instance up; they are the same the first time and later.
func (s *Service) bootSteps() []job.Step[boot] {
	return []job.Step[boot]{
		job.Commit("place", s.place, s.unplace),
		job.Do("disks", s.disks, s.dropDisks).NoCheckpoint(),
		job.Do("router", s.routers, nil).NoCheckpoint(),
		job.Do("define", s.define, s.undefine).NoCheckpoint(),
		job.Do("start", s.start, s.undefine),
		job.Commit("running", s.running, nil),
	}
}

// StartJob takes an instance to Starting and says which job does the rest. It
// belongs in the transaction that submits the job.
func (s *Service) StartJob(ctx context.Context, vm *VM, hostID string) (job.Spec, error) {
	if err := state.Move(ctx, s.db, vm, States, Start, map[string]any{"updated_at": s.db.Now()}); err != nil {
		return job.Spec{}, err
	}
	return job.Spec{
		Kind: "vm.start", Entity: vm.Entity(), Object: "VirtualMachine", ObjectID: vm.ID, Owner: vm.Owner(),
		State: boot{VM: vm.ID, Host: hostID},
	}, nil
}
