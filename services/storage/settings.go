package storage

import (
	"context"

	"aerie/services/config"
	"aerie/services/infra"
)

// Settings are the settings of storage pools.
type Settings struct{ full config.Value[float64] }

// fullAt is how full a pool may be promised by default.
const fullAt = 0.85

// DeclareSettings declares the settings of storage pools, under CloudStack's
// names.
func DeclareSettings(c *config.Service) *Settings {
	return &Settings{
		full: c.Float("pool.storage.allocated.capacity.disablethreshold", "Alert", fullAt, 0, 1).For(config.Zone, config.Pool),
	}
}

// fill is how full a pool may be promised.
func (s *Settings) fill(ctx context.Context, p infra.Pool) float64 {
	if s == nil {
		return fullAt
	}
	return s.full.At(ctx, config.Place{PoolID: p.ID, ZoneID: p.ZoneID})
}
