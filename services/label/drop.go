package label

import (
	"context"

	"aerie/services/iam"
	"aerie/services/store"
)

// Drop takes away all labels of resources. It belongs in the transaction that
// deletes them.
func Drop(ctx context.Context, db *store.DB, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	g := db.In(store.System(ctx, "labels of what is deleted"))
	for _, row := range []any{&Tag{}, &Detail{}, &Picture{}} {
		if err := g.Where("resource_id IN ?", ids).Delete(row).Error; err != nil {
			return err
		}
	}
	return g.Unscoped().Where("resource_id IN ?", ids).Delete(&Note{}).Error
}

// dropOwned takes away what an account that is deleted has put on things that
// stay, such as an operator's zones.
func (s *Service) dropOwned(ctx context.Context, a iam.Account) error {
	g := s.db.In(store.System(ctx, "labels of a deleted account"))
	for _, row := range []any{&Tag{}, &Detail{}, &Picture{}} {
		if err := g.Where("account_id = ?", a.ID).Delete(row).Error; err != nil {
			return err
		}
	}
	return g.Unscoped().Where("account_id = ?", a.ID).Delete(&Note{}).Error
}
