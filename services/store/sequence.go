package store

import (
	"context"
	"fmt"
	"sync"
	"time"

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

// Number is Next for numbers that may have gaps and come in any order. On
// MySQL, servers set some aside: a running number is a row that all of them
// lock until they commit.
func (db *DB) Number(ctx context.Context, name string) (int64, error) {
	n, low := db.aside.take(name)
	if low && db.mysql {
		db.AfterCommit(ctx, func() { db.setAside(name) })
	}
	if n > 0 {
		return n, nil
	}
	return db.Next(ctx, name)
}

// block is how many numbers a server sets aside at once.
const block = 64

// aside holds numbers for later.
type aside struct {
	mu    sync.Mutex
	spare map[string][]int64
	busy  map[string]bool // more are on the way
	calls sync.WaitGroup
}

// take returns a number, or 0, and whether more shall be set aside.
func (a *aside) take(name string) (n int64, low bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := a.spare[name]
	if len(all) > 0 {
		n, a.spare[name] = all[0], all[1:]
	}
	return n, len(all) <= block/2 && !a.busy[name]
}

// setAside fetches numbers without making anybody wait for them.
func (db *DB) setAside(name string) {
	a := &db.aside
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.busy == nil {
		a.busy, a.spare = map[string]bool{}, map[string][]int64{}
	}
	if a.busy[name] {
		return
	}
	a.busy[name] = true
	a.calls.Go(func() {
		last, err := db.addTo(name)
		a.mu.Lock()
		defer a.mu.Unlock()
		a.busy[name] = false
		if err != nil {
			db.log.Warn("running numbers", "name", name, "error", err)
			return
		}
		for n := last - block + 1; n <= last; n++ {
			a.spare[name] = append(a.spare[name], n)
		}
	})
}

// addTo moves a running number on by a block and returns its last one.
func (db *DB) addTo(name string) (last int64, err error) {
	ctx, cancel := context.WithTimeout(System(context.Background(), "running numbers"), time.Minute)
	defer cancel()
	err = db.Tx(ctx, func(ctx context.Context) error {
		if err := db.In(ctx).Model(&running{}).Where("name = ?", name).Update("value", gorm.Expr("value + ?", block)).Error; err != nil {
			return err
		}
		row, err := gorm.G[running](db.In(ctx)).Where("name = ?", name).Take(ctx)
		last = row.Value
		return err
	})
	return last, err
}
