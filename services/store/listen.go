package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"
)

// AfterCreate calls fn with each row that is created in a table, in the same
// transaction; an error rolls that back. It belongs into the wiring.
func (db *DB) AfterCreate(table string, fn func(ctx context.Context, row any) error) {
	pools := []*gorm.DB{db.write}
	if db.read != db.write {
		pools = append(pools, db.read)
	}
	for _, g := range pools {
		name := fmt.Sprintf("listen:%s:%d", table, db.listeners.Add(1))
		err := g.Callback().Create().After("gorm:create").Register(name, func(g *gorm.DB) {
			if g.Error == nil && g.Statement.Schema != nil && g.Statement.Schema.Table == table {
				_ = g.AddError(fn(g.Statement.Context, g.Statement.Dest))
			}
		})
		if err != nil {
			panic(err) // the name is new
		}
	}
}
