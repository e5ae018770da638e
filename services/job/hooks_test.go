package job_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"aerie/services/fault"
	"aerie/services/job"
)

func TestHooksSeeThePhases(t *testing.T) {
	b := setup(t)
	var phases []string
	b.e.Notify = func(ctx context.Context, r *job.Row, p job.Phase) error {
		if !b.db.InTx(ctx) {
			t.Error("outside the transaction")
		}
		phases = append(phases, fmt.Sprint(r.Kind, " ", p, " ", r.Status))
		return nil
	}
	b.e.Finish = func(ctx context.Context, r *job.Row) (json.RawMessage, error) {
		if r.Status == job.Failed {
			return nil, fault.New(fault.NotFound, "gone")
		}
		return json.RawMessage(`{"id":"` + r.ObjectID + `"}`), nil
	}
	job.Define(b.e, "good", job.Do("a", nothing, nil))
	job.Define(b.e, "bad", job.Do("a", func(context.Context, *none) error { return errors.New("no") }, nil))
	good := b.submit(job.Spec{Kind: "good", ObjectID: "7"})
	b.once(b.e)
	bad := b.submit(job.Spec{Kind: "bad"})
	b.once(b.e)
	if got := string(b.get(good.ID).Result); got != `{"id":"7"}` {
		t.Error(got)
	}
	if got := b.get(bad.ID); got.Status != job.Failed || got.Result != nil {
		t.Errorf("%+v", got)
	}
	want := []string{
		"good submitted queued", "good started running", "good succeeded succeeded",
		"bad submitted queued", "bad started running", "bad failed failed",
	}
	if !slices.Equal(phases, want) {
		t.Errorf("%q", phases)
	}
}

func TestAResultThatCannotBeRenderedDoesNotFailTheJob(t *testing.T) {
	b := setup(t)
	b.e.Finish = func(context.Context, *job.Row) (json.RawMessage, error) { return nil, errors.New("database away") }
	ran := 0
	job.Define(b.e, "k", job.Commit("a", func(context.Context, *none) error { ran++; return nil }, nil)).Attempts(3)
	row := b.submit(job.Spec{Kind: "k"})
	for range 4 {
		b.once(b.e)
		b.c.add(2 * time.Minute)
	}
	if got := b.get(row.ID); got.Status != job.Succeeded || got.Result != nil {
		t.Errorf("%+v", got)
	}
}

func TestTheSameTokenIsTheSameJob(t *testing.T) {
	b := setup(t)
	job.Define(b.e, "k", job.Do("a", nothing, nil))
	row := b.submit(job.Spec{Kind: "k", Entity: "vm/1", Token: "once"})
	if _, err := b.e.Submit(b.as(alice), job.Spec{Kind: "k", Token: "once"}); fault.Of(err).Key != "error.replayed" {
		t.Error(err)
	}
	b.once(b.e)
	if _, err := b.e.Submit(b.as(alice), job.Spec{Kind: "k", Entity: "vm/1", Token: "once"}); fault.Of(err).Key != "error.replayed" {
		t.Error("also after the job has ended: ", err)
	}
	if old, err := b.e.Replayed(b.as(alice), "once"); err != nil || old == nil || old.ID != row.ID {
		t.Error(old, err)
	}
	if same, err := b.e.Ensure(b.as(alice), job.Spec{Kind: "k", Token: "once"}); err != nil || same.ID != row.ID {
		t.Error(same, err)
	}
	if other, err := b.e.Ensure(b.as(alice), job.Spec{Kind: "k", Token: "twice"}); err != nil || other.ID == row.ID {
		t.Error(other, err)
	}
	if old, err := b.e.Replayed(b.as(alice), "never"); old != nil || err != nil {
		t.Error(old, err)
	}
}

func TestAJobWhoseStartCannotBeNotedDoesNotHoldUpOthers(t *testing.T) {
	b := setup(t)
	job.Define(b.e, "k", job.Do("a", nothing, nil))
	bad, good := b.submit(job.Spec{Kind: "k"}), b.submit(job.Spec{Kind: "k"})
	b.e.Notify = func(_ context.Context, r *job.Row, _ job.Phase) error {
		if r.ID == bad.ID {
			return errors.New("no event")
		}
		return nil
	}
	if _, err := b.e.Once(t.Context()); err == nil {
		t.Error("the failure is hidden")
	}
	if b.get(good.ID).Status != job.Succeeded || b.get(bad.ID).Status != job.Queued {
		t.Error(b.get(good.ID).Status, b.get(bad.ID).Status)
	}
}
