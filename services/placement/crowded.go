package placement

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/catalog"
	"aerie/services/infra"
	"aerie/services/store"
)

// crowded tells whether a host runs as many instances as its hypervisor allows
// (listHypervisorCapabilities). Where there is a limit it holds the host, so
// that nobody else adds the last one.
func crowded(ctx context.Context, db *store.DB, h infra.Host) (bool, error) {
	able, err := catalog.Of(ctx, db, h.Hypervisor, h.HypervisorVersion)
	if err != nil || able.MaxGuests == 0 {
		return false, err
	}
	if _, err := store.Hold[infra.Host](ctx, db, h.ID); err != nil {
		return false, err
	}
	n, err := gorm.G[Claim](db.In(ctx)).Where("host_id = ?", h.ID).Count(ctx, "entity")
	return n >= able.MaxGuests, err
}
