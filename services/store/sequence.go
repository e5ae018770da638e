package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"
)

// running is one running number.
type running struct {
	Name  string `gorm:"primaryKey"`
	Value int64
}

// TableName is the table of running numbers.
func (running) TableName() string { return "counters" }

// Next returns the next of the running numbers called name, from 1. It belongs
// in a transaction; a number whose transaction rolls back is given again.
func (db *DB) Next(ctx context.Context, name string) (int64, error) {
	g := db.In(ctx)
	for first := true; ; first = false {
		set := g.Model(&running{}).Where("name = ?", name).Update("value", gorm.Expr("value + 1"))
		if set.Error != nil {
			return 0, set.Error
		}
		if set.RowsAffected > 0 {
			break
		}
		err := g.Create(&running{name, 1}).Error
		if err == nil {
			return 1, nil
		}
		if !first || !IsDuplicate(err) { // another server made it just now
			return 0, fmt.Errorf("running number %s: %w", name, err)
		}
	}
	row, err := gorm.G[running](g).Where("name = ?", name).Take(ctx)
	return row.Value, err
}
