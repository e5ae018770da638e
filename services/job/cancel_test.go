package job_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"aerie/services/fault"
	"aerie/services/job"
)

type trail struct{ Done []string }

func steps(log *[]string, names ...string) []job.Step[none] {
	var out []job.Step[none]
	for _, n := range names {
		out = append(out, job.Do(n,
			func(context.Context, *none) error { *log = append(*log, n); return nil },
			func(context.Context, *none) error { *log = append(*log, "undo "+n); return nil }))
	}
	return out
}

func TestAQueuedJobIsCancelled(t *testing.T) {
	b := setup(t)
	var log []string
	job.Define(b.e, "k", steps(&log, "a", "b")...)
	row := b.submit(job.Spec{Kind: "k", After: time.Hour})
	if err := b.e.Cancel(b.as(alice), row.ID); err != nil {
		t.Fatal(err)
	}
	b.once(b.e) // at once, not in an hour
	got := b.get(row.ID)
	if got.Status != job.Failed || got.ErrorKey != "error.cancelled" || len(log) != 1 || log[0] != "undo a" {
		t.Errorf("%s %s %v", got.Status, got.ErrorKey, log)
	}
	if err := b.e.Cancel(b.as(alice), row.ID); !fault.Is(err, fault.Conflict) {
		t.Error("an ended job was cancelled: ", err)
	}
}

func TestARunningJobTurnsBackAtTheNextStep(t *testing.T) {
	b := setup(t)
	var log []string
	s := steps(&log, "a", "b", "c")
	do := s[1].Do
	var id string
	s[1].Do = func(ctx context.Context, n *none) error {
		if err := b.e.Cancel(b.as(alice), id); err != nil {
			t.Error(err)
		}
		return do(ctx, n)
	}
	job.Define(b.e, "k", s...)
	id = b.submit(job.Spec{Kind: "k"}).ID
	b.once(b.e)
	want := []string{"a", "b", "undo b", "undo a"}
	if got := b.get(id); got.Status != job.Failed || got.ErrorKey != "error.cancelled" || !equal(log, want) {
		t.Errorf("%s %v", got.Status, log)
	}
}

func TestAForwardJobCannotBeCancelledAndIsTriedUntilItWorks(t *testing.T) {
	b := setup(t)
	n, alerts := 0, 0
	b.e.Alert = func(context.Context, *job.Row, error) error { alerts++; return nil }
	job.Define(b.e, "k", job.Do("a", func(context.Context, *none) error {
		if n++; n <= 6 {
			return errors.New("no")
		}
		return nil
	}, nil)).Forward()
	row := b.submit(job.Spec{Kind: "k"})
	if err := b.e.Cancel(b.as(alice), row.ID); !fault.Is(err, fault.Conflict) {
		t.Error(err)
	}
	for range 7 {
		b.once(b.e)
		b.c.add(2 * time.Minute)
	}
	if got := b.get(row.ID); got.Status != job.Succeeded || alerts != 1 {
		t.Errorf("%s, %d alerts", got.Status, alerts)
	}
}

func TestAFailedJobIsRetriedFromItsBeginning(t *testing.T) {
	b := setup(t)
	broken := true
	job.Define(b.e, "k", job.Do("a", func(_ context.Context, s *trail) error {
		s.Done = append(s.Done, "a")
		if broken {
			return errors.New("no")
		}
		return nil
	}, nil)).Retryable()
	job.Define(b.e, "fixed", job.Do("a", func(context.Context, *trail) error { return errors.New("no") }, nil))
	row := b.submit(job.Spec{Kind: "k", Entity: "vm/1", State: trail{[]string{"asked"}}, Command: "c", Params: map[string]string{"name": "web"}})
	if _, err := b.e.Retry(b.as(alice), row.ID); !fault.Is(err, fault.Conflict) {
		t.Error("a live job was retried: ", err)
	}
	b.once(b.e)
	broken = false
	again, err := b.e.Retry(b.as(alice), row.ID)
	if err != nil {
		t.Fatal(err)
	}
	b.once(b.e)
	got := b.get(again.ID)
	if got.Status != job.Succeeded || got.RetryOf != row.ID || string(got.State) != `{"Done":["asked","a"]}` ||
		string(got.Params) != `{"name":"web"}` || got.Entity != "vm/1" || got.Command != "c" || got.AccountID != "a" {
		t.Errorf("%+v", got)
	}
	fixed := b.submit(job.Spec{Kind: "fixed"})
	b.once(b.e)
	if _, err := b.e.Retry(b.as(alice), fixed.ID); !fault.Is(err, fault.Conflict) {
		t.Error("its kind does not allow it: ", err)
	}
}

func TestAFailedJobIsNotRetriedOverANewerOne(t *testing.T) {
	b := setup(t)
	broken := true
	job.Define(b.e, "k", job.Do("a", func(context.Context, *none) error {
		if broken {
			return errors.New("no")
		}
		return nil
	}, nil)).Retryable()
	refused := func(id, what string) {
		t.Helper()
		if _, err := b.e.Retry(b.as(alice), id); fault.Of(err).Key != "error.retry_late" {
			t.Errorf("%s: %v", what, err)
		}
	}
	old := b.submit(job.Spec{Kind: "k", Entity: "vm/1"})
	alone := b.submit(job.Spec{Kind: "k"})
	b.once(b.e)
	newer := b.submit(job.Spec{Kind: "k", Entity: "vm/1"})
	refused(old.ID, "while the newer one lives")
	broken = false
	b.once(b.e)
	refused(old.ID, "after the newer one succeeded")
	if got := b.get(newer.ID); got.Status != job.Succeeded {
		t.Error(got.Status)
	}
	if _, err := b.e.Retry(b.as(alice), alone.ID); err != nil {
		t.Error("other entities' jobs are in its way:", err)
	}
	refused(alone.ID, "a second time")
}

func TestAJobWhoseActorLostTheRightDoesNotBegin(t *testing.T) {
	b := setup(t)
	var log []string
	job.Define(b.e, "k", steps(&log, "a", "b")...)
	b.e.Admit = func(context.Context, *job.Row) error { return fault.New(fault.Forbidden, "error.rank") }
	row := b.submit(job.Spec{Kind: "k"})
	b.once(b.e)
	if got := b.get(row.ID); got.Status != job.Failed || got.ErrorKey != "error.rank" || !equal(log, []string{"undo a"}) {
		t.Errorf("%s %v", got.Status, log)
	}
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
