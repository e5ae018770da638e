package image

import (
	"context"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"aerie/drivers"
	"aerie/services/fault"
	"aerie/services/infra"
	"aerie/services/store"
)

// EnsureBase makes the template a base in the pool, on the host, so that disks
// can be cloned from it. Of several who ask at once one does the work.
func (s *Service) EnsureBase(ctx context.Context, templateID string, pool infra.Pool, hostID string) error {
	there, err := s.hasBase(ctx, templateID, pool.ID)
	if err != nil || there {
		return err
	}
	_, err, _ = s.bases.Do(templateID+pool.ID, func() (any, error) { return nil, s.makeBase(ctx, templateID, pool, hostID) })
	return err
}

// Rebase is EnsureBase for a pool that turned out not to have the base that it
// is said to have.
func (s *Service) Rebase(ctx context.Context, templateID string, pool infra.Pool, hostID string) error {
	_, err, _ := s.bases.Do(templateID+pool.ID, func() (any, error) { return nil, s.makeBase(ctx, templateID, pool, hostID) })
	return err
}

func (s *Service) hasBase(ctx context.Context, templateID, poolID string) (bool, error) {
	n, err := gorm.G[Base](s.db.In(ctx)).Where("template_id = ? AND pool_id = ?", templateID, poolID).Count(ctx, "*")
	return n > 0, err
}

func (s *Service) makeBase(ctx context.Context, templateID string, pool infra.Pool, hostID string) error {
	t, err := store.Find[Template](ctx, s.db, templateID)
	if err != nil {
		return err
	}
	c, err := s.ReadyCopy(ctx, templateID, pool.ZoneID)
	if err != nil {
		return err
	}
	d, err := infra.Ability[drivers.DiskHost](ctx, s.fleet, hostID)
	if err != nil {
		return err
	}
	disk, err := d.EnsureImage(ctx, drivers.ImageSpec{ID: templateID, Pool: pool.DiskPool(), Source: c.Path, Format: strings.ToLower(t.Format)})
	if err != nil {
		return infra.Fault(fmt.Errorf("base of %s in %s: %w", t.Name, pool.Name, err))
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		there, err := s.hasBase(ctx, templateID, pool.ID)
		if err != nil || there {
			return err
		}
		return gorm.G[Base](s.db.In(ctx)).Create(ctx, &Base{TemplateID: templateID, PoolID: pool.ID, Bytes: disk.Allocated})
	})
}

// ReadyCopy returns a copy of the template that instances of the zone can use.
func (s *Service) ReadyCopy(ctx context.Context, templateID, zoneID string) (Copy, error) {
	c, err := gorm.G[Copy](s.db.In(ctx)).Where("template_id = ? AND zone_id = ? AND state = ?", templateID, zoneID, Ready).Order("id").Take(ctx)
	if store.IsAbsent(err) {
		return c, fault.Param("templateid", "error.template_not_ready", "template", templateID)
	}
	return c, err
}
