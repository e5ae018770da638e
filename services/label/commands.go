package label

import (
	"context"

	"aerie/services/command"
	"aerie/services/event"
	"aerie/services/job"
	"aerie/services/store"
)

// Commands are the commands about labels.
func (s *Service) Commands() []*command.Command {
	return []*command.Command{
		s.createTagsCommand(), s.deleteTagsCommand(), s.listTagsCommand(),
		s.addDetailCommand(), s.removeDetailCommand(), s.listDetailsCommand(), s.detailOptionsCommand(),
		s.addNoteCommand(), s.listNotesCommand(), s.removeNoteCommand(), s.showNoteCommand(),
		s.uploadIconCommand(), s.deleteIconCommand(), s.listIconsCommand(),
	}
}

// Refs tell whether an id that a request names is there for the caller.
func (s *Service) Refs(add func(kind string, exists func(context.Context, string) (bool, error))) {
	add("annotation", func(ctx context.Context, id string) (bool, error) { return store.Exists[Note](ctx, s.db, id) })
}

// written is the state of the saga of commands that are jobs by their contract
// though rows are all they change, which is done when the job is accepted.
type written struct{ ID string }

func (s *Service) defineWritten(e *job.Engine) {
	job.Define(e, "label.written", job.Commit("written", func(context.Context, *written) error { return nil }, nil))
}

func done(k Kind, f Found) job.Spec {
	return job.Spec{Kind: "label.written", Object: k.Name, ObjectID: f.ID, ObjectName: event.Clip(f.Name), Owner: f.Owner, State: written{f.ID}}
}

func resource(k Kind, f Found) event.Resource {
	return event.Resource{Kind: k.Name, ID: f.ID, Name: f.Name}
}
