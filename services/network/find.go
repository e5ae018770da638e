package network

import (
	"context"

	"aerie/services/store"
)

// ByID returns networks by their ids, removed ones too, for showing them
// beside rows that the actor may see.
func (s *Service) ByID(ctx context.Context, ids []string) (map[string]Network, error) {
	out := map[string]Network{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []Network
	sys := store.System(ctx, "networks of what is shown")
	if err := s.db.In(sys).Unscoped().Where("id IN ?", ids).Find(&rows).Error; err != nil {
		return nil, err
	}
	for _, n := range rows {
		out[n.ID] = n
	}
	return out, nil
}
