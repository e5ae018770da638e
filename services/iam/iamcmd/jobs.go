package iamcmd

import (
	"context"
	"time"

	"aerie/services/iam"
	"aerie/services/job"
	"aerie/services/store"
)

// The kinds of jobs.
const (
	deleteAccountJob = "iam.account.delete"
	deleteDomainJob  = "iam.domain.delete"
	cleanDomainJob   = "iam.domain.clean"
	doneJob          = "iam.done"
)

// removal is what a deleting job knows.
type removal struct{ ID string }

// look is how soon a deletion looks again for what is left.
const look = 2 * time.Second

// still waits for what is left to go.
func still(left []iam.Holding, err error) error {
	if err == nil && len(left) > 0 {
		return job.Later(look, iam.Words(left))
	}
	return err
}

// define tells the engine the jobs. What a deletion with all there is began,
// when the command was accepted, Aerie itself ends, whoever asked for it. Shutting somebody out happens at once, when
// the command is accepted; only then doneJob follows, for the API's sake.
func (s *Service) define(e *job.Engine) {
	job.Define(e, deleteAccountJob, job.Do("delete", func(ctx context.Context, r *removal) error {
		left, err := s.IAM.DeleteAll(ctx, r.ID)
		return gone(ctx, r.ID, s.IAM.AccountByID, still(left, err))
	}, nil)).Forward()
	job.Define(e, deleteDomainJob, job.Commit("delete", func(ctx context.Context, r *removal) error {
		return gone(ctx, r.ID, s.IAM.DomainByID, s.IAM.DeleteDomain(asked(ctx), r.ID, false))
	}, nil))
	job.Define(e, cleanDomainJob, job.Do("projects", s.endProjects, nil), job.Do("delete", func(ctx context.Context, r *removal) error {
		left, err := s.IAM.DeleteAllIn(ctx, r.ID)
		return gone(ctx, r.ID, s.IAM.DomainByID, still(left, err))
	}, nil)).Forward()
	job.Define(e, doneJob, job.Commit("done", func(context.Context, *removal) error { return nil }, nil))
}

// endProjects deletes the projects of a domain that is cleaned up, and waits
// until they are gone.
func (s *Service) endProjects(ctx context.Context, r *removal) error {
	if s.EndProjects == nil {
		return nil
	}
	d, err := s.IAM.DomainByID(ctx, r.ID)
	if store.IsAbsent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	left, err := s.EndProjects(ctx, d.Path)
	if err == nil && left > 0 {
		err = job.Later(2*time.Second, "projects are being deleted")
	}
	return err
}

// gone makes a deletion that found nothing a success, unless the thing is there
// and only hidden from who asked.
func gone[T any](ctx context.Context, id string, find func(context.Context, string) (T, error), err error) error {
	if !store.IsAbsent(err) {
		return err
	}
	if _, absent := find(ctx, id); store.IsAbsent(absent) {
		return nil
	}
	return err
}

// asked is the context of whom the job is for: its rights are looked at again.
func asked(ctx context.Context) context.Context {
	info := job.From(ctx)
	if info == nil || info.Actor.UserID == "" { // Aerie itself asked
		return ctx
	}
	return store.With(ctx, info.Actor)
}
