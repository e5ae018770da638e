// Package placement decides what goes where and keeps account of it: values of
// pools (addresses, VLANs, ports) and capacity of hosts. Every claim is keyed
// by who holds it, so claiming twice is claiming once, and the database, not a
// read before it, decides who gets the last one.
package placement

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/store"
)

// Allocation is one value of a pool and who holds it.
type Allocation struct {
	Pool      string `gorm:"primaryKey"`
	Value     int64  `gorm:"primaryKey"`
	Purpose   string
	Owner     string
	CreatedAt time.Time
}

// Want is a request for a value between First and Last, both included.
type Want struct {
	Pool        string
	Purpose     string
	Owner       string
	First, Last int64
	Exactly     int64 // this very value; 0 means any
}

// Allocate gives the owner a value of the pool, or the one it already holds.
// Values are given above the highest that is held, and gaps are filled only when
// the top is reached, so that an address that was freed mostly rests. It belongs
// in a transaction.
func Allocate(ctx context.Context, db *store.DB, w Want) (int64, error) {
	g := db.In(ctx)
	const tries = 16 // each lost to another transaction that took the same value
	for range tries {
		v, err := pick(ctx, g, w)
		if fault.Is(err, fault.NoCapacity) {
			return held(ctx, g, w)
		}
		if err != nil {
			return 0, err
		}
		err = gorm.G[Allocation](g).Create(ctx, &Allocation{Pool: w.Pool, Value: v, Purpose: w.Purpose, Owner: w.Owner})
		if err == nil {
			return v, nil
		}
		if !store.IsDuplicate(err) {
			return 0, err
		}
		if v, err = held(ctx, g, w); err == nil || w.Exactly != 0 || !fault.Is(err, fault.NoCapacity) {
			return v, err
		}
	}
	return 0, errTaken(w)
}

// held is the value that the owner already has. Nearly always it has none, so
// this is asked when a new one cannot be had: an owner has one value of a pool.
func held(ctx context.Context, g *gorm.DB, w Want) (int64, error) {
	a, err := gorm.G[Allocation](g).Where("pool = ? AND purpose = ? AND owner = ?", w.Pool, w.Purpose, w.Owner).Take(ctx)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = errTaken(w)
	}
	return a.Value, err
}

func errTaken(w Want) error {
	return fault.New(fault.NoCapacity, "error.pool_exhausted", "pool", w.Pool, "first", w.First, "last", w.Last)
}

func pick(ctx context.Context, g *gorm.DB, w Want) (int64, error) {
	if w.Exactly != 0 {
		if w.Exactly < w.First || w.Exactly > w.Last {
			return 0, errTaken(w)
		}
		return w.Exactly, nil
	}
	top, err := gorm.G[Allocation](g).Where("pool = ? AND value BETWEEN ? AND ?", w.Pool, w.First, w.Last).Order("value DESC").Take(ctx)
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound):
		return w.First, nil
	case err != nil:
		return 0, err
	case top.Value < w.Last:
		return top.Value + 1, nil
	}
	return gap(g, w)
}

// gap finds the lowest free value of a pool whose top is taken.
func gap(g *gorm.DB, w Want) (int64, error) {
	var taken []int64
	err := g.Model(&Allocation{}).Where("pool = ? AND value BETWEEN ? AND ?", w.Pool, w.First, w.Last).
		Order("value").Pluck("value", &taken).Error
	if err != nil {
		return 0, err
	}
	for i, v := range taken {
		if v != w.First+int64(i) {
			return w.First + int64(i), nil
		}
	}
	return 0, errTaken(w)
}

// Free gives back everything the owner holds of pools for a purpose; what is
// not held is success.
func Free(ctx context.Context, db *store.DB, purpose, owner string) error {
	_, err := gorm.G[Allocation](db.In(ctx)).Where("purpose = ? AND owner = ?", purpose, owner).Delete(ctx)
	return err
}
