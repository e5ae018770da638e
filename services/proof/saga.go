package proof

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/job/jobtest"
	"aerie/services/placement"
	"aerie/services/store"
)

// Case is what one scenario of a saga works on.
type Case struct {
	// Submit asks for the job, in a transaction.
	Submit func(ctx context.Context) error
	// Whole and Empty say what is wrong after the job succeeded and after it was
	// undone, besides what an audit finds.
	Whole, Empty func() error
	// After takes away what the case made. Then the world must be as before.
	After func()
	// Forward: the saga never turns back.
	Forward bool
}

// Saga kills, fails, repeats and overtakes every step of a saga and asks each
// time whether the world is whole or empty, by its rows, by its hosts and by an
// audit, and whether nothing is left when its thing is gone.
func Saga(t *testing.T, kind string, begin func(w *World) Case) {
	t.Helper()
	t.Parallel()
	shared := New(t)
	shared.Gone(shared.Admin, shared.Deploy(shared.Admin, "warm")) // the default network and the base are there
	before := shared.Mark()
	jobtest.Harness(t, func(t testing.TB) jobtest.World {
		w := shared.In(lasting{t})
		c := begin(w)
		t.Cleanup(func() {
			c.After()
			if after := w.Mark(); after != before {
				t.Errorf("something is left or lost. Before:\n%s\nafter:\n%s", before, after)
			}
		})
		return jobtest.World{
			DB: w.DB, Forward: c.Forward,
			Define: func(e *job.Engine) {
				w.services(e)
				e.Finish, e.Notify = w.Registry.Finish, w.Registry.Notify
			},
			Submit: func(ctx context.Context, _ *job.Engine) (*job.Row, error) {
				if err := c.Submit(ctx); err != nil {
					return nil, err
				}
				var row job.Row
				return &row, w.DB.In(store.System(ctx, "test")).Order("id DESC").Take(&row, "kind = ? AND live = ?", kind, true).Error
			},
			Whole: func() error { return errors.Join(c.Whole(), w.Findings()) },
			Empty: func() error { return errors.Join(c.Empty(), w.settle(), w.Findings()) },
		}
	})
}

// settle lets the loops do what a failed job leaves to them.
func (w *World) settle() error {
	w.Finish()
	return w.Net.HealAll(w.Sys())
}

// Command submits a command as the administrator.
func (w *World) Command(name string, params ...string) func(context.Context) error {
	a, _ := store.From(w.Admin)
	return func(ctx context.Context) error {
		_, _, err := w.Ask(store.With(ctx, a), name, params...)
		return err
	}
}

// Gone destroys and expunges an instance.
func (w *World) Gone(ctx context.Context, id string) {
	w.Helper()
	if vm := w.VM(id); !vm.RemovedAt.Valid {
		w.Call(ctx, "destroyVirtualMachine", "id", id, "expunge", "true")
	}
}

// Mark is all that instances, networks and templates take: two marks that
// differ tell of something lost or left.
func (w *World) Mark() string {
	w.Helper()
	var b strings.Builder
	snap := w.Center.Snapshot()
	fmt.Fprintf(&b, "%d machines, %d routers, %d bridges, disks:", len(snap.VMs), len(snap.Routers), len(snap.Bridges))
	for _, d := range snap.Disks {
		fmt.Fprintf(&b, " %s/%v", d.State.ID, d.IsImage)
	}
	for _, table := range []any{&placement.Claim{}, &placement.Allocation{}} {
		fmt.Fprintf(&b, "\n%T: %d", table, w.Count(table, "1 = 1"))
	}
	var hosts []infra.Host
	w.Must(w.DB.In(w.Sys()).Order("id").Find(&hosts).Error)
	for _, h := range hosts {
		fmt.Fprintf(&b, "\n%s: %d MHz %d MiB", h.Name, h.UsedMhz, h.UsedMib)
	}
	var pools []infra.Pool
	w.Must(w.DB.In(w.Sys()).Order("id").Find(&pools).Error)
	for _, p := range pools {
		fmt.Fprintf(&b, "\n%s: %d bytes", p.Name, p.Allocated)
	}
	root, err := w.IAM.Root(w.Sys())
	w.Must(err)
	admin, err := w.IAM.AccountByName(w.Sys(), root.ID, "admin")
	w.Must(err)
	limits, err := w.IAM.Limits(w.Sys(), iam.Subject{Account: &admin})
	w.Must(err)
	for _, l := range limits {
		fmt.Fprintf(&b, "\n%s: %d", l.Kind, l.Used)
	}
	files, err := filepath.Glob(filepath.Join(w.Images, "*"))
	w.Must(err)
	fmt.Fprintf(&b, "\nfiles: %v", files)
	return b.String()
}

// There tells whether a file is there.
func There(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// lasting is a test whose context lives on in its cleanups.
type lasting struct{ testing.TB }

// Context is the test's, without its end.
func (l lasting) Context() context.Context { return context.WithoutCancel(l.TB.Context()) }
