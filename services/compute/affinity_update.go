package compute

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/job"
)

// UpdateAffinityRequest puts an instance into other affinity groups.
type UpdateAffinityRequest struct {
	ID    string   `json:"id" ref:"virtualmachine" required:"true" doc:"the instance, stopped"`
	IDs   []string `json:"affinitygroupids" ref:"affinitygroup" doc:"the groups that it is in from now on"`
	Names []string `json:"affinitygroupnames" doc:"names of the groups, instead of their ids"`
}

func (s *Service) updateAffinityCommand() *command.Command {
	return command.Async(instance("updateVMAffinityGroup", "VM.AFFINITY.GROUP.UPDATE",
		"Puts a stopped instance into other affinity groups; it obeys them from its next start"), s.updateAffinity, s.Get)
}

func (s *Service) updateAffinity(ctx context.Context, r UpdateAffinityRequest) (job.Spec, error) {
	vm, err := s.visible(ctx, r.ID)
	if err != nil {
		return job.Spec{}, err
	}
	groups, err := s.chosenAffinities(ctx, vm.Owner(), r.IDs, r.Names)
	if err != nil {
		return job.Spec{}, err
	}
	// Conditional, so that no start slips in between.
	n, err := gorm.G[VM](s.db.In(ctx)).Where("id = ? AND state = ?", vm.ID, Stopped).
		Select("bonded", "updated_at").Updates(ctx, VM{Bonded: len(groups) > 0, UpdatedAt: new(s.db.Now())})
	if err != nil {
		return job.Spec{}, err
	}
	if n == 0 {
		return job.Spec{}, mustBeStopped(&vm, "change affinity groups")
	}
	if err := s.bind(ctx, vm.ID, groups); err != nil {
		return job.Spec{}, err
	}
	return job.Spec{Kind: "compute.written", Entity: vm.Entity(), Object: "VirtualMachine", ObjectID: vm.ID, Owner: vm.Owner(), State: written{vm.ID}}, nil
}

func mustBeStopped(vm *VM, event string) error {
	return fault.New(fault.Conflict, "error.state", "entity", "virtualmachine", "id", vm.ID,
		"state", string(vm.State), "event", event, "want", string(Stopped))
}
