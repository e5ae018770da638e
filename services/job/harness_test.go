package job_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"aerie/services/job"
	"aerie/services/job/jobtest"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

type deployState struct{ VM, Host string }

// TestDeploySagaSurvivesEverything is the saga of the architecture: effects in
// a host outside and rows in the database (here rows of the running numbers).
func TestDeploySagaSurvivesEverything(t *testing.T) {
	db := storetest.Open(t)
	jobtest.Harness(t, func(t testing.TB) jobtest.World { return deployWorld(t, db) })
}

func deployWorld(t testing.TB, db *store.DB) jobtest.World {
	vm := db.NewID()
	host := map[string]bool{}
	outside := func(name string) job.Step[deployState] {
		return job.Do(name,
			func(_ context.Context, s *deployState) error { host[name+s.VM] = true; return nil },
			func(_ context.Context, s *deployState) error { delete(host, name+s.VM); return nil })
	}
	rows := func(name string) job.Step[deployState] {
		return job.Commit(name,
			func(ctx context.Context, s *deployState) error { s.Host += name; return put(ctx, db, name+s.VM) },
			func(ctx context.Context, s *deployState) error { return drop(ctx, db, name+s.VM) })
	}
	names := []string{"place", "address", "volumes", "router", "used", "start"}
	left := func() []string {
		out := slices.Collect(maps.Keys(host))
		for _, n := range names {
			if has(t, db, n+vm) {
				out = append(out, n+vm)
			}
		}
		return out
	}
	return jobtest.World{
		DB: db,
		Define: func(e *job.Engine) {
			job.Define(e, "vm.deploy", rows("place"), rows("address"), outside("volumes"), outside("router"), rows("used"), outside("start"))
		},
		Submit: func(ctx context.Context, e *job.Engine) (*job.Row, error) {
			return e.Submit(ctx, job.Spec{Kind: "vm.deploy", Entity: "vm/" + vm, State: deployState{VM: vm}})
		},
		Whole: func() error {
			if n := len(left()); n != len(names) {
				return fmt.Errorf("%d of %d effects", n, len(names))
			}
			row, err := job.New(db, job.Options{}).LiveOn(system(t), "vm/"+vm)
			if row != nil {
				return fmt.Errorf("a live job, %w", err)
			}
			return err
		},
		Empty: func() error {
			if l := left(); len(l) > 0 {
				return fmt.Errorf("left over: %v", l)
			}
			return nil
		},
	}
}

// TestDeleteSagaOnlyGoesForward: failures of a Forward kind are tried again
// until it is done.
func TestDeleteSagaOnlyGoesForward(t *testing.T) {
	db := storetest.Open(t)
	jobtest.Harness(t, func(t testing.TB) jobtest.World {
		vm := db.NewID()
		host := map[string]bool{"disk": true, "domain": true}
		remove := func(name string) job.Step[deployState] {
			return job.Do(name, func(context.Context, *deployState) error { delete(host, name); return nil }, nil)
		}
		return jobtest.World{
			DB: db, Forward: true,
			Define: func(e *job.Engine) {
				job.Define(e, "vm.delete", remove("domain"), remove("disk"),
					job.Commit("row", func(ctx context.Context, s *deployState) error { return put(ctx, db, "gone"+s.VM) }, nil)).Forward()
			},
			Submit: func(ctx context.Context, e *job.Engine) (*job.Row, error) {
				return e.Submit(ctx, job.Spec{Kind: "vm.delete", Entity: "vm/" + vm, State: deployState{VM: vm}})
			},
			Whole: func() error {
				if len(host) > 0 || !has(t, db, "gone"+vm) {
					return fmt.Errorf("still there: %v", host)
				}
				return nil
			},
			Empty: func() error { return fmt.Errorf("a deletion turned back") },
		}
	})
}

// thing is a row that a step makes; any table does, this one is always there.
type thing struct {
	Name  string `gorm:"primaryKey"`
	Value int64
}

func (thing) TableName() string { return "counters" }

func put(ctx context.Context, db *store.DB, name string) error {
	name = short(name)
	res := db.In(ctx).Model(&thing{}).Where("name = ?", name).Update("value", 1)
	if res.Error != nil || res.RowsAffected > 0 {
		return res.Error
	}
	return db.In(ctx).Create(&thing{name, 1}).Error
}

func drop(ctx context.Context, db *store.DB, name string) error {
	return db.In(ctx).Where("name = ?", short(name)).Delete(&thing{}).Error
}

func has(t testing.TB, db *store.DB, name string) bool {
	var n int64
	if err := db.In(system(t)).Model(&thing{}).Where("name = ?", short(name)).Count(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n > 0
}

func short(s string) string { return strings.ReplaceAll(s, "-", "") }

func system(t testing.TB) context.Context { return store.System(t.Context(), "test") }
