// Package catalog keeps what the cloud knows of the world around it: guest
// operating systems and what hypervisors call them, what hypervisors are able
// to do, and the regions beside this one.
package catalog

import (
	"context"

	"aerie/services/command"
	"aerie/services/iam"
	"aerie/services/job"
	"aerie/services/label"
	"aerie/services/store"
)

// Service has the verbs.
type Service struct {
	db  *store.DB
	iam *iam.Service
	// Offered tells whether templates of a guest operating system's category are
	// there for the caller, for listOsCategories; image sets it.
	Offered func(ctx context.Context, f OfferedFilter) (categories []string, err error)
}

// OfferedFilter narrows which templates count for Service.Offered.
type OfferedFilter struct{ ZoneID, Arch string }

// New makes the service and defines its jobs.
func New(db *store.DB, people *iam.Service, jobs *job.Engine) *Service {
	s := &Service{db: db, iam: people}
	s.defineWritten(jobs)
	return s
}

// Commands are the commands of the catalogue.
func (s *Service) Commands() []*command.Command {
	return []*command.Command{
		s.listCategoriesCommand(), s.addCategoryCommand(), s.updateCategoryCommand(), s.deleteCategoryCommand(),
		s.listTypesCommand(), s.addTypeCommand(), s.updateTypeCommand(), s.removeTypeCommand(),
		s.listMappingsCommand(), s.addMappingCommand(), s.updateMappingCommand(), s.removeMappingCommand(), s.namesCommand(),
		s.listRegionsCommand(), s.addRegionCommand(), s.updateRegionCommand(), s.removeRegionCommand(),
		s.listAbilitiesCommand(), s.updateAbilitiesCommand(),
		s.listPlannersCommand(), s.cloudCommand(),
	}
}

// Refs tell whether an id that a request names is there.
func (s *Service) Refs(add func(kind string, exists func(context.Context, string) (bool, error))) {
	add("oscategory", func(ctx context.Context, id string) (bool, error) { return store.Exists[Category](ctx, s.db, id) })
	add("ostype", func(ctx context.Context, id string) (bool, error) { return store.Exists[Type](ctx, s.db, id) })
	add("guestosmapping", func(ctx context.Context, id string) (bool, error) { return store.Exists[Mapping](ctx, s.db, id) })
	add("hypervisorcapabilities", func(ctx context.Context, id string) (bool, error) { return store.Exists[Ability](ctx, s.db, id) })
}

// Kinds tell label what here carries labels.
func (s *Service) Kinds(l *label.Service) {
	l.Kind(label.Kind{
		Name: "GuestOsCategory", Can: label.Icons, Model: &Category{}, Column: "name",
		Find: label.Operators(s.db, func(c Category) string { return c.Name }),
	})
	l.Kind(label.Kind{
		Name: "GuestOs", Can: label.Details, Model: &Type{}, Column: "display_name",
		Find: label.Operators(s.db, func(t Type) string { return t.DisplayName }), Own: &label.OwnDetails{Read: s.typeDetails, Write: s.setTypeDetails},
	})
}

// written is the state of the saga of commands that are jobs by their contract
// though rows are all they change, which is done when the job is accepted.
type written struct{ ID string }

func (s *Service) defineWritten(e *job.Engine) {
	job.Define(e, "catalog.written", job.Commit("written", func(context.Context, *written) error { return nil }, nil))
}

func done(object, id, name string) job.Spec {
	return job.Spec{Kind: "catalog.written", Object: object, ObjectID: id, ObjectName: name, State: written{id}}
}
