package project

import (
	"context"
	"strings"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/job"
	"aerie/services/store"
)

// CreateRequest asks for a project.
type CreateRequest struct {
	Name        string `json:"name" required:"true" doc:"name of the project, once in its domain"`
	DisplayText string `json:"displaytext" doc:"what it is for; the name without one"`
	Account     string `json:"account" doc:"the account that manages the project; the caller's without one"`
	DomainID    string `json:"domainid" ref:"domain" doc:"the domain of the account"`
	AccountID   string `json:"accountid" ref:"account" doc:"the account that manages the project, by its id"`
	UserID      string `json:"userid" ref:"user" doc:"the only user of the account that manages the project"`
}

func (s *Service) createCommand() *command.Command {
	m := meta("createProject", "project", "PROJECT.CREATE", "Makes a project; its first member manages it")
	m.Create = true
	return command.Async(m, func(ctx context.Context, r CreateRequest) (job.Spec, error) {
		actor, _ := store.From(ctx)
		if actor.Rank == store.User && !actor.IsSystem() && !s.Settings.Users.Get(ctx) {
			return job.Spec{}, fault.New(fault.Forbidden, "error.project_create")
		}
		owner, err := s.firstMember(ctx, r)
		if err != nil {
			return job.Spec{}, err
		}
		if r.DisplayText == "" {
			r.DisplayText = r.Name
		}
		p, err := s.IAM.CreateProject(ctx, iam.NewProject{Name: r.Name, DisplayText: r.DisplayText, Owner: owner, UserID: r.UserID})
		if err != nil {
			return job.Spec{}, err
		}
		about(ctx, p)
		return done(p), nil
	}, s.Show)
}

// firstMember is the account that will manage the project.
func (s *Service) firstMember(ctx context.Context, r CreateRequest) (a iam.Account, err error) {
	actor, _ := store.From(ctx)
	id := r.AccountID
	if r.UserID != "" {
		u, err := s.IAM.UserByID(ctx, r.UserID)
		if err != nil {
			return a, absentAs(err, "userid", r.UserID)
		}
		if id != "" && id != u.AccountID {
			return a, fault.Param("userid", "error.project_user_account")
		}
		id = u.AccountID
	}
	switch {
	case id != "":
		a, err = s.IAM.AccountByID(ctx, id)
		err = absentAs(err, "accountid", id)
	case r.Account != "":
		a, err = s.IAM.FindAccount(ctx, iam.AccountRef{Name: r.Account, DomainID: r.DomainID})
	case r.DomainID != "" && r.DomainID != actor.DomainID:
		return a, fault.Param("account", "error.project_account_needed")
	default:
		a, err = s.IAM.AccountByID(ctx, actor.AccountID)
	}
	if err != nil {
		return a, err
	}
	if r.Account != "" && !strings.EqualFold(a.Name, r.Account) {
		return a, fault.Param("account", "error.project_user_account")
	}
	if a.State != iam.Enabled {
		return a, fault.New(fault.Conflict, "error.project_account_state", "name", a.Name)
	}
	return a, nil
}

// absentAs names another parameter in a not-found fault.
func absentAs(err error, param, value string) error {
	if store.IsAbsent(err) {
		return fault.Absent(param, value)
	}
	return err
}
