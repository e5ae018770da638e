package project

import (
	"context"
	"strings"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/job"
	"aerie/services/store"
)

// AnswerRequest accepts or declines an invitation.
type AnswerRequest struct {
	ProjectID string `json:"projectid" type:"uuid" required:"true" doc:"the project"`
	Accept    *bool  `json:"accept" doc:"false declines; accepting is the default"`
	Account   string `json:"account" doc:"the account that was invited; the caller's without one"`
	UserID    string `json:"userid" ref:"user" doc:"the user that was invited; the caller without one"`
	Token     string `json:"token" secret:"true" doc:"what the mail says, for who was invited by an address"`
}

func (s *Service) updateInvitationCommand() *command.Command {
	return command.Async[AnswerRequest, command.Success](meta("updateProjectInvitation", "", "PROJECT.INVITATION.UPDATE", "Accepts or declines an invitation to a project"),
		func(ctx context.Context, r AnswerRequest) (job.Spec, error) {
			who, err := s.answering(ctx, r)
			if err != nil {
				return job.Spec{}, err
			}
			// The guest does not see the project yet.
			sys := store.System(ctx, "an invitation for the caller")
			i, err := s.invitationFor(sys, r, who)
			if err != nil {
				return job.Spec{}, err
			}
			p, err := store.Find[iam.Project](sys, s.db, i.ProjectID)
			if err != nil {
				return job.Spec{}, absentAs(err, "projectid", r.ProjectID)
			}
			about(ctx, p)
			return own(ctx, done(p)), s.answer(sys, p, i, who, r.Accept == nil || *r.Accept)
		}, nil)
}

// answering is the user that the answer is for: the caller, or one that it
// administers.
func (s *Service) answering(ctx context.Context, r AnswerRequest) (iam.User, error) {
	actor, _ := store.From(ctx)
	id := r.UserID
	if id == "" {
		id = actor.UserID
	}
	u, err := s.IAM.UserByID(ctx, id)
	if err != nil || r.Account == "" {
		return u, absentAs(err, "userid", id)
	}
	// The account must be one that the caller sees; a user of it stands for it.
	own, err := s.IAM.AccountByID(ctx, u.AccountID)
	if err != nil || strings.EqualFold(own.Name, r.Account) {
		return u, err
	}
	if r.UserID != "" {
		return u, fault.Param("account", "error.project_user_account")
	}
	account, err := gorm.G[iam.Account](s.db.In(ctx)).Where("name_key = ?", strings.ToLower(r.Account)).Order("id").Take(ctx)
	if err != nil {
		return u, absentAs(err, "account", r.Account)
	}
	return iam.User{Owned: store.Owned(account.Owner())}, nil
}

// invitationFor finds the pending invitation that the answer is for.
func (s *Service) invitationFor(ctx context.Context, r AnswerRequest, who iam.User) (Invitation, error) {
	q := gorm.G[Invitation](s.db.In(ctx), store.ToHold).Where("project_id = ? AND state = ?", r.ProjectID, Pending)
	if r.Token != "" {
		q = q.Where("token = ?", digest(r.Token))
	} else {
		q = q.Where("account_id = ? AND user_id IN ?", who.AccountID, []string{"", who.ID})
	}
	i, err := q.Order("user_id DESC").Take(ctx)
	if store.IsAbsent(err) {
		return i, fault.Absent("projectid", r.ProjectID)
	}
	if err == nil && s.overdue(i) {
		err = fault.New(fault.Conflict, "error.invitation_expired")
	}
	return i, err
}

// answer makes the guest a member, or notes that it does not want to be one.
func (s *Service) answer(ctx context.Context, p iam.Project, i Invitation, who iam.User, accept bool) error {
	if !accept {
		return s.answered(ctx, i, Declined)
	}
	if p.State != iam.ProjectActive {
		return fault.New(fault.Conflict, "error.project_suspended", "project", p.ID)
	}
	if err := s.answered(ctx, i, Completed); err != nil {
		return err
	}
	m := iam.Member{AccountID: i.AccountID, UserID: i.UserID, Role: i.Role, RoleID: i.RoleID}
	if m.AccountID == "" { // whoever has the mail: its account
		m.AccountID = who.AccountID
	}
	if m.AccountID != who.AccountID || m.UserID != "" && m.UserID != who.ID {
		return fault.New(fault.Forbidden, "error.invitation_other")
	}
	if m.RoleID != "" {
		if _, err := s.roleOf(ctx, p, "projectroleid", m.RoleID); err != nil {
			return err
		}
	}
	_, err := s.IAM.AddMember(ctx, p, m)
	return err
}

// DeleteInvitationRequest takes an invitation back.
type DeleteInvitationRequest struct {
	ID string `json:"id" ref:"projectinvitation" required:"true" doc:"the invitation"`
}

func (s *Service) deleteInvitationCommand() *command.Command {
	return command.Async[DeleteInvitationRequest, command.Success](meta("deleteProjectInvitation", "", "PROJECT.INVITATION.REMOVE", "Takes an invitation back"),
		func(ctx context.Context, r DeleteInvitationRequest) (job.Spec, error) {
			i, err := store.Find[Invitation](ctx, s.db, r.ID)
			if err != nil {
				return job.Spec{}, err
			}
			p, err := s.managed(ctx, "id", i.ProjectID)
			if store.IsAbsent(err) { // the guest sees the invitation, not the project
				err = fault.New(fault.Forbidden, "error.invitation_decline")
			}
			if err != nil {
				return job.Spec{}, err
			}
			return done(p), s.db.In(ctx).Where("id = ?", i.ID).Delete(&Invitation{}).Error
		}, nil)
}
