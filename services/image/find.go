package image

import (
	"context"

	"aerie/services/store"
)

// ByID returns templates by their ids, removed ones too, for showing them
// beside rows that the actor may see.
func (s *Service) ByID(ctx context.Context, ids []string) (map[string]Template, error) {
	out := map[string]Template{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []Template
	sys := store.System(ctx, "templates of what is shown")
	if err := s.db.In(sys).Unscoped().Where("id IN ?", ids).Find(&rows).Error; err != nil {
		return nil, err
	}
	for _, t := range rows {
		out[t.ID] = t
	}
	return out, nil
}
