package store

import (
	"errors"
	"sync/atomic"

	"gorm.io/gorm"
)

// counter counts statements.
type counter struct{ n *atomic.Int64 }

func (counter) Name() string { return "counter" }

func (c counter) Initialize(g *gorm.DB) error {
	add := func(g *gorm.DB) {
		if !g.DryRun { // a subquery, which is part of another statement
			c.n.Add(1)
		}
	}
	cb := g.Callback()
	return errors.Join(
		cb.Query().After("gorm:query").Register("counter:query", add),
		cb.Row().After("gorm:row").Register("counter:row", add),
		cb.Update().After("gorm:update").Register("counter:update", add),
		cb.Delete().After("gorm:delete").Register("counter:delete", add),
		cb.Create().After("gorm:create").Register("counter:create", add),
		cb.Raw().After("gorm:raw").Register("counter:raw", add),
	)
}
