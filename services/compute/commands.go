package compute

import (
	"context"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/store"
)

// Commands are the commands about instances.
func (s *Service) Commands() []*command.Command {
	return []*command.Command{
		s.deployCommand(), s.listCommand(), s.startCommand(), s.stopCommand(), s.rebootCommand(), s.destroyCommand(),
		s.recoverCommand(), s.expungeCommand(), s.updateCommand(), s.resetPasswordCommand(), s.consoleCommand(),
		s.listNICsCommand(), s.createKeyCommand(), s.registerKeyCommand(), s.listKeysCommand(), s.deleteKeyCommand(),
		s.listOfferingsCommand(), s.createOfferingCommand(), s.updateOfferingCommand(), s.deleteOfferingCommand(),
		s.mayTagCommand(), s.resetKeyCommand(),
		s.createGroupCommand(), s.updateGroupCommand(), s.deleteGroupCommand(), s.listGroupsCommand(),
		s.createAffinityCommand(), s.deleteAffinityCommand(), s.listAffinityCommand(), s.listAffinityTypesCommand(), s.updateAffinityCommand(),
		s.registerUserDataCommand(), s.listUserDataCommand(), s.deleteUserDataCommand(), s.linkUserDataCommand(),
		s.resetUserDataCommand(), s.getUserDataCommand(),
	}
}

// Refs tell whether an id that a request names is there for the caller.
func (s *Service) Refs(add func(kind string, exists func(context.Context, string) (bool, error))) {
	add("virtualmachine", func(ctx context.Context, id string) (bool, error) { return store.Exists[VM](ctx, s.db, id) })
	add("serviceoffering", func(ctx context.Context, id string) (bool, error) { return store.Exists[Offering](ctx, s.db, id) })
	add("instancegroup", func(ctx context.Context, id string) (bool, error) { return store.Exists[Group](ctx, s.db, id) })
	add("affinitygroup", func(ctx context.Context, id string) (bool, error) { return store.Exists[AffinityGroup](ctx, s.db, id) })
	add("userdata", func(ctx context.Context, id string) (bool, error) { return store.Exists[UserData](ctx, s.db, id) })
}

// about is the request of a command on one instance.
type about struct {
	ID string `json:"id" ref:"virtualmachine" required:"true" doc:"the instance"`
}

func instance(name, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: "virtualmachine", Event: event, Roles: command.Everyone, Doc: doc}
}

// visible finds an instance; for users a destroyed one is gone.
func (s *Service) visible(ctx context.Context, id string) (VM, error) {
	vm, err := store.Find[VM](ctx, s.db, id)
	if err != nil {
		return vm, named(err, "id", id)
	}
	actor, _ := store.From(ctx)
	if hidden := vm.State == Destroyed || vm.State == Expunging; hidden && actor.Rank == store.User && !actor.IsSystem() && !s.Settings.UserRecover(ctx) {
		return vm, fault.Absent("id", id)
	}
	command.About(ctx, resource(&vm), vm.Owner())
	return vm, nil
}
