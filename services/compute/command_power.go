package compute

import (
	"context"

	"aerie/services/command"
	"aerie/services/event"
	"aerie/services/job"
	"aerie/services/store"
)

func resource(vm *VM) event.Resource {
	return event.Resource{Kind: "virtualmachine", ID: vm.ID, Name: vm.DisplayName}
}

func (s *Service) deployCommand() *command.Command {
	m := instance("deployVirtualMachine", "VM.CREATE", "Creates and starts an instance from an image and a size")
	m.Create = true
	return command.Async(m, s.deploy, s.withPassword)
}

// withPassword is the view of an instance in the result of the job that gave
// it a password: the one place where it is shown.
func (s *Service) withPassword(ctx context.Context, id string) (View, error) {
	vm, err := store.Find[VM](ctx, s.db, id)
	if err != nil {
		return View{}, err
	}
	v, err := s.view(ctx, vm)
	if err != nil || !vm.PasswordEnabled {
		return v, err
	}
	v.Password, err = s.db.Reveal(vm.Password)
	return v, err
}

func (s *Service) listCommand() *command.Command {
	m := instance("listVirtualMachines", "", "Lists instances")
	return command.New(m, s.List)
}

// StartRequest asks to start an instance.
type StartRequest struct {
	ID     string `json:"id" ref:"virtualmachine" required:"true" doc:"the instance"`
	HostID string `json:"hostid" ref:"host" doc:"the host to start on; administrators only"`
}

func (s *Service) startCommand() *command.Command {
	return command.Async(instance("startVirtualMachine", "VM.START", "Starts a stopped instance"),
		func(ctx context.Context, r StartRequest) (job.Spec, error) {
			vm, err := s.visible(ctx, r.ID)
			if err != nil {
				return job.Spec{}, err
			}
			return s.StartJob(ctx, &vm, r.HostID)
		}, s.Get)
}

// StopRequest asks to stop an instance.
type StopRequest struct {
	ID     string `json:"id" ref:"virtualmachine" required:"true" doc:"the instance"`
	Forced bool   `json:"forced" doc:"true pulls the plug instead of asking the guest"`
}

func (s *Service) stopCommand() *command.Command {
	return command.Async(instance("stopVirtualMachine", "VM.STOP", "Stops an instance: by ACPI, then by force"),
		func(ctx context.Context, r StopRequest) (job.Spec, error) {
			vm, err := s.visible(ctx, r.ID)
			if err != nil {
				return job.Spec{}, err
			}
			return s.StopJob(ctx, &vm, r.Forced)
		}, s.Get)
}

// RebootRequest asks to restart an instance.
type RebootRequest struct {
	ID     string `json:"id" ref:"virtualmachine" required:"true" doc:"the instance"`
	Forced bool   `json:"forced" doc:"true resets instead of asking the guest"`
}

func (s *Service) rebootCommand() *command.Command {
	return command.Async(instance("rebootVirtualMachine", "VM.REBOOT", "Restarts an instance"),
		func(ctx context.Context, r RebootRequest) (job.Spec, error) {
			vm, err := s.visible(ctx, r.ID)
			if err != nil {
				return job.Spec{}, err
			}
			return s.RebootJob(ctx, &vm, r.Forced)
		}, s.Get)
}
