package store

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"aerie/services/fault"
)

// Find returns the row with that id if the actor may see it and it is not
// removed; otherwise fault.NotFound.
func Find[T any](ctx context.Context, db *DB, id string) (T, error) {
	row, err := gorm.G[T](db.In(ctx)).Where("id = ?", id).Take(ctx)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, fault.Absent("id", id)
	}
	return row, err
}

// Exists tells whether a row with that id is, or was, there for the actor:
// clients may name what is removed and get an empty list, while an id that
// never was is an error.
func Exists[T any](ctx context.Context, db *DB, id string) (bool, error) {
	var n int64
	err := db.In(ctx).Unscoped().Model(new(T)).Where("id = ?", id).Limit(1).Count(&n).Error
	return n > 0, err
}

// IsDuplicate tells whether err is a unique key that is taken.
func IsDuplicate(err error) bool { return errors.Is(err, gorm.ErrDuplicatedKey) }

// IsAbsent tells whether err says that no row matched.
func IsAbsent(err error) bool {
	return errors.Is(err, gorm.ErrRecordNotFound) || fault.Is(err, fault.NotFound)
}
