package project

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/job"
	"aerie/services/label"
	"aerie/services/state"
	"aerie/services/store"
)

// The kinds of jobs.
const (
	doneJob    = "project.done"
	suspendJob = "project.suspend"
	deleteJob  = "project.delete"
)

// removal is what a job on a project knows.
type removal struct{ ID string }

func (s *Service) define() {
	nothing := func(context.Context, *removal) error { return nil }
	job.Define(s.Jobs, doneJob, job.Commit("done", nothing, nil))
	job.Define(s.Jobs, suspendJob, job.Do("stop", func(ctx context.Context, _ *removal) error { return s.Stop(ctx) }, nil))
	job.Define(s.Jobs, deleteJob,
		job.Do("clear", s.clear, nil),
		job.Commit("remove", s.remove, nil)).Forward()
}

// clear takes away what the project owns, waiting for the jobs that do it.
func (s *Service) clear(ctx context.Context, r *removal) error {
	left, err := s.IAM.Clear(ctx, r.ID)
	if err == nil && left > 0 {
		err = job.Later(2*time.Second, "what the project owns is being taken away")
	}
	return err
}

// remove forgets the project and all that hangs on it.
func (s *Service) remove(ctx context.Context, r *removal) error {
	ctx = store.System(ctx, "remove a project")
	p, err := store.Find[iam.Project](ctx, s.db, r.ID)
	if store.IsAbsent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.IAM.RemoveProject(ctx, p); err != nil {
		return err
	}
	g := s.db.In(ctx)
	return errors.Join(
		label.Drop(ctx, s.db, p.ID),
		g.Unscoped().Where("project_id = ?", p.ID).Delete(&Invitation{}).Error,
		g.Where("project_id = ?", p.ID).Delete(&iam.ProjectRule{}).Error,
		g.Unscoped().Where("project_id = ?", p.ID).Delete(&Role{}).Error)
}

// begin takes a project out of use and says which job takes it away. It belongs
// in the transaction that submits the job.
func (s *Service) begin(ctx context.Context, p *iam.Project) (job.Spec, error) {
	if err := state.Move(ctx, s.db, p, iam.ProjectStates, iam.RemoveProject); err != nil {
		return job.Spec{}, err
	}
	if err := s.IAM.SetProjectAccount(ctx, *p, iam.Disabled); err != nil {
		return job.Spec{}, err
	}
	return job.Spec{Kind: deleteJob, Entity: "project/" + p.ID, Object: "project", ObjectID: p.ID, ObjectName: p.Name, State: removal{p.ID}}, nil
}

// EndAll begins to delete the projects of a domain and all below it and tells
// how many are left.
func (s *Service) EndAll(ctx context.Context, domainPath string) (int64, error) {
	ctx = store.System(ctx, "delete the projects of a domain")
	list, err := gorm.G[iam.Project](s.db.In(ctx)).Where(clause.Like{Column: store.Column("domain_path"), Value: domainPath + "%"}).Find(ctx)
	if err != nil {
		return 0, err
	}
	var all error
	for i := range list {
		err := s.db.Tx(ctx, func(ctx context.Context) error {
			p := list[i] // as it was, also when this runs again
			spec, err := s.begin(ctx, &p)
			if err != nil {
				return err
			}
			spec.Owner, spec.Event = p.Owner(), "PROJECT.DELETE"
			_, err = s.Jobs.Submit(ctx, spec)
			return err
		})
		if !fault.Is(err, fault.Conflict) { // which says that it is going already
			all = errors.Join(all, err)
		}
	}
	return int64(len(list)), all
}
