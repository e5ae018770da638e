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
	set := g.Model(&running{}).Where("name = ?", name).Update("value", gorm.Expr("value + 1"))
	if set.Error != nil {
		return 0, set.Error
	}
	if set.RowsAffected == 0 {
		if err := g.Create(&running{name, 1}).Error; err != nil {
			return 0, fmt.Errorf("running number %s: %w", name, err)
		}
		return 1, nil
	}
	row, err := gorm.G[running](g).Where("name = ?", name).Take(ctx)
	return row.Value, err
}
