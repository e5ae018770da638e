package network

import (
	"context"

	"aerie/drivers"
	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/store"
)

// Service keeps networks. Its hooks are set before the first call.
type Service struct {
	db    *store.DB
	fleet *infra.Fleet
	locks keyed
	// Guests tells whom a network's router serves, with their metadata. It is
	// set by compute, which knows instances.
	Guests func(ctx context.Context, networkID string) ([]drivers.RouterHost, error)
	// Busy tells in which of the networks an instance runs or is about to. It
	// is set by compute; without it no network is ever taken for idle.
	Busy     func(ctx context.Context, networkIDs []string) (map[string]bool, error)
	iam      *iam.Service
	jobs     *job.Engine
	settings *Settings
}

// New makes the service. Before commands run, Define gives it its sagas.
func New(db *store.DB, fleet *infra.Fleet, who *iam.Service) *Service {
	s := &Service{db: db, fleet: fleet, iam: who, Guests: func(context.Context, string) ([]drivers.RouterHost, error) { return nil, nil }}
	s.counts()
	s.wipes()
	return s
}

// Define makes the sagas of networks known to the engine.
func (s *Service) Define(e *job.Engine, settings *Settings) {
	s.jobs, s.settings = e, settings
	s.defineUpdate()
	s.defineRestart()
	s.defineDelete()
	s.defineShutdown()
	s.defineWritten()
}

// Reserve counts one network of an owner against its limits. It belongs in a
// transaction.
func (s *Service) Reserve(ctx context.Context, o store.Owner) error {
	return s.iam.Reserve(ctx, o, iam.Networks, 1)
}
