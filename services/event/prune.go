package event

import (
	"context"
	"fmt"
	"time"

	"aerie/services/store"
)

// batch is how many rows one transaction deletes: others write in between.
const batch = 500

// Prune deletes events and ended alerts that are older, some at a time, and
// returns how many events went.
func Prune(ctx context.Context, db *store.DB, olderThan time.Duration) (total int64, err error) {
	ctx = store.System(ctx, "events are kept for a time only")
	cutoff := db.Now().Add(-olderThan)
	if total, err = prune(ctx, db, &Row{}, "created_at", cutoff); err != nil {
		return total, fmt.Errorf("prune events: %w", err)
	}
	return total, nil
}

// PruneAlerts deletes alerts that ended before that, some at a time.
func PruneAlerts(ctx context.Context, db *store.DB, olderThan time.Duration) (total int64, err error) {
	ctx = store.System(ctx, "alerts are kept for a time only")
	if total, err = prune(ctx, db, &AlertRow{}, "resolved_at", db.Now().Add(-olderThan)); err != nil {
		return total, fmt.Errorf("prune alerts: %w", err)
	}
	return total, nil
}

func prune(ctx context.Context, db *store.DB, model any, column string, before time.Time) (total int64, err error) {
	for {
		var ids []string
		err := db.Tx(ctx, func(ctx context.Context) error {
			ids = nil
			err := db.In(ctx).Model(model).Where(column+" < ?", before).Order(column).Limit(batch).Pluck("id", &ids).Error
			if err != nil || len(ids) == 0 {
				return err
			}
			return db.In(ctx).Where("id IN ?", ids).Delete(model).Error
		})
		if err != nil {
			return total, err
		}
		if total += int64(len(ids)); len(ids) < batch {
			return total, nil
		}
	}
}
