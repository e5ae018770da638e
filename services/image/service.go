package image

import (
	"context"

	"golang.org/x/sync/singleflight"

	"aerie/services/command"
	"aerie/services/config"
	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/store"
)

// Parts is what the service stands on.
type Parts struct {
	DB       *store.DB
	Jobs     *job.Engine
	Fleet    *infra.Fleet
	IAM      *iam.Service
	Settings *Settings
}

// Settings are the global settings of templates.
type Settings struct {
	allowed config.Value[string]
	maxSize config.Value[int]
}

// DeclareSettings declares the settings of templates, under CloudStack's names.
func DeclareSettings(c *config.Service) *Settings {
	return &Settings{
		allowed: c.String("secstorage.allowed.internal.sites", "Advanced", ""),
		maxSize: c.Int("max.template.iso.size", "Advanced", 50, 1, 4096), // GiB
	}
}

// Service keeps templates.
type Service struct {
	parts Parts
	db    *store.DB
	fleet *infra.Fleet
	bases singleflight.Group
	// UserData tells of the user data that templates are linked to. It is set by
	// compute, which keeps it.
	UserData func(ctx context.Context, ids []string) (map[string]Linked, error)
}

// Linked is user data as a template shows it.
type Linked struct{ Name, Params string }

// New makes the service and defines its sagas.
func New(p Parts) *Service {
	s := &Service{parts: p, db: p.DB, fleet: p.Fleet}
	s.defineDownload()
	s.defineDelete()
	s.definePrepare()
	s.counts()
	s.wipes()
	return s
}

// Commands are the commands about templates.
func (s *Service) Commands() []*command.Command {
	return []*command.Command{s.listCommand(), s.registerCommand(), s.deleteCommand(), s.prepareCommand()}
}

// Refs tell whether an id that a request names is there for the caller.
func (s *Service) Refs(add func(kind string, exists func(context.Context, string) (bool, error))) {
	add("template", func(ctx context.Context, id string) (bool, error) { return store.Exists[Template](ctx, s.db, id) })
}
