package compute

import (
	"context"

	"aerie/services/catalog"
)

// retype is image.Service.Retype for instances.
func (s *Service) retype(ctx context.Context, templateID string, os catalog.Type, force bool) (n int64, err error) {
	q := s.db.In(ctx).Model(&VM{}).Where("template_id = ?", templateID)
	if !force {
		err = q.Count(&n).Error
		return n, err
	}
	set := q.Updates(map[string]any{"os_type_id": os.ID, "os_type": os.DisplayName})
	return set.RowsAffected, set.Error
}
