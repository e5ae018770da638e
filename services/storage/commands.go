package storage

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/image"
	"aerie/services/infra"
	"aerie/services/store"
)

// Commands are the commands about volumes.
func (s *Service) Commands() []*command.Command {
	return []*command.Command{
		s.listVolumesCommand(), s.listOfferingsCommand(), s.createOfferingCommand(), s.updateOfferingCommand(), s.deleteOfferingCommand(),
	}
}

// Refs tell whether an id that a request names is there for the caller.
func (s *Service) Refs(add func(kind string, exists func(context.Context, string) (bool, error))) {
	add("volume", func(ctx context.Context, id string) (bool, error) { return store.Exists[Volume](ctx, s.db, id) })
	add("diskoffering", func(ctx context.Context, id string) (bool, error) { return store.Exists[Offering](ctx, s.db, id) })
}

// Holds tells infra what of this package hangs on a zone, a pool or an image
// store; it is an infra.Holder.
func (s *Service) Holds(ctx context.Context, kind, id string) ([]infra.Left, error) {
	ctx = store.System(ctx, "what hangs on a thing")
	var n int64
	var err error
	what := "volumes"
	switch kind {
	case "zone":
		n, err = gorm.G[Volume](s.db.In(ctx)).Where("zone_id = ?", id).Count(ctx, "id")
	case "storagepool":
		n, err = gorm.G[Volume](s.db.In(ctx)).Where("pool_id = ?", id).Count(ctx, "id")
	case "imagestore":
		what = "templates"
		n, err = gorm.G[image.Copy](s.db.In(ctx)).Where("store_id = ?", id).Count(ctx, "id")
	}
	return []infra.Left{{What: what, N: n}}, err
}
