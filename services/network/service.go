package network

import (
	"context"

	"aerie/drivers"
	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/store"
)

// Service keeps networks.
type Service struct {
	db    *store.DB
	fleet *infra.Fleet
	locks keyed
	// Guests tells whom a network's router serves, with their metadata. It is
	// set by compute, which knows instances.
	Guests func(ctx context.Context, networkID string) ([]drivers.RouterHost, error)
	iam    *iam.Service
}

// New makes the service.
func New(db *store.DB, fleet *infra.Fleet, who *iam.Service) *Service {
	return &Service{db: db, fleet: fleet, iam: who, Guests: func(context.Context, string) ([]drivers.RouterHost, error) { return nil, nil }}
}

// Reserve counts one network of an owner against its limits. It belongs in a
// transaction.
func (s *Service) Reserve(ctx context.Context, o store.Owner) error {
	return s.iam.Reserve(ctx, o, iam.Networks, 1)
}
