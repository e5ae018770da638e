package image

import (
	"context"

	"aerie/services/catalog"
)

// offered tells of which categories there are templates for the caller; it is
// catalog.Service.Offered.
func (s *Service) offered(ctx context.Context, f catalog.OfferedFilter) (categories []string, err error) {
	g := s.db.In(ctx)
	templates := g.Model(&Template{}).Select("os_type_id")
	if f.Arch != "" {
		templates = templates.Where("arch = ?", f.Arch)
	}
	if f.ZoneID != "" {
		templates = templates.Where("id IN (?)", g.Model(&Copy{}).Where("zone_id = ?", f.ZoneID).Select("template_id"))
	}
	err = g.Model(&catalog.Type{}).Where("id IN (?)", templates).Distinct("category_id").Pluck("category_id", &categories).Error
	return categories, err
}
