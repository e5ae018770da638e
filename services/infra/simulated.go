package infra

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/store"
)

// Simulated tells whether a zone's hosts are simulated, so that pages and the
// terminal can say so.
func (s *Service) Simulated(ctx context.Context) (bool, error) {
	ctx = store.System(ctx, "is anything simulated")
	n, err := gorm.G[Zone](s.db.In(ctx)).Where("simulated = ?", true).Count(ctx, "id")
	return n > 0, err
}
