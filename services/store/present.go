package store

import (
	"context"
	"strings"
)

// Present tells which of several tables have rows whose column is one of the
// ids, whoever owns them: one query, where most have none.
func Present(ctx context.Context, db *DB, column string, ids []string, models ...any) ([]bool, error) {
	g := db.In(System(ctx, "which tables have something"))
	out := make([]bool, len(models))
	var union []string
	var args []any
	for i, m := range models {
		union = append(union, "SELECT ? AS n FROM (?) t")
		args = append(args, i, g.Model(m).Where(column+" IN ?", ids).Select(column).Limit(1))
	}
	if len(union) == 0 || len(ids) == 0 {
		return out, nil
	}
	var found []int
	err := g.Raw(strings.Join(union, " UNION ALL "), args...).Scan(&found).Error
	for _, i := range found {
		out[i] = true
	}
	return out, err
}
