package project

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/iam"
	"aerie/services/store"
)

// ListInvitationsRequest asks for invitations.
type ListInvitationsRequest struct {
	command.Paging
	ID        string `json:"id" ref:"projectinvitation" doc:"the invitation"`
	ProjectID string `json:"projectid" ref:"project" doc:"invitations to the project, for who manages it"`
	Account   string `json:"account" doc:"invitations of the account"`
	DomainID  string `json:"domainid" ref:"domain" doc:"the domain of the account, or invitations in the domain"`
	Recursive bool   `json:"isrecursive" doc:"true lists the domains below domainid too"`
	ListAll   bool   `json:"listall" doc:"true lists everything the caller may see, not only its own"`
	UserID    string `json:"userid" ref:"user" doc:"invitations of the user"`
	State     string `json:"state" enum:"Pending,Completed,Declined,Expired" doc:"the state"`
	Active    *bool  `json:"activeonly" doc:"true lists only those that can be accepted"`
}

// InvitationView is an invitation as commands return it.
type InvitationView struct {
	ID string `json:"id" doc:"the invitation"`
	iam.Belongs
	UserID  string       `json:"userid" doc:"the user that is invited, when it is not the whole account"`
	Email   string       `json:"email" doc:"the address that it was sent to"`
	State   string       `json:"state" doc:"Pending, Completed, Declined or Expired"`
	Role    string       `json:"role" doc:"what the guest will be: Admin or Regular"`
	Expires command.Time `json:"expires" doc:"until when it can be accepted"`
	command.Pending
}

func (s *Service) listInvitationsCommand() *command.Command {
	return command.New(meta("listProjectInvitations", "projectinvitation", "", "Lists invitations to projects"), s.ListInvitations)
}

// ListInvitations returns a page of invitations.
func (s *Service) ListInvitations(ctx context.Context, r ListInvitationsRequest) (out command.List[InvitationView], err error) {
	q, err := s.invitationScope(ctx, s.db.In(ctx).Model(&Invitation{}), r)
	if err != nil {
		return out, err
	}
	q = command.Equal(q, "id", r.ID)
	now := s.db.Now()
	switch {
	case r.Active != nil && *r.Active:
		q = q.Where("state = ? AND expires_at > ?", Pending, now)
	case r.State == Pending:
		q = q.Where("state = ? AND expires_at > ?", Pending, now)
	case r.State == Expired:
		q = q.Where("state = ? AND expires_at <= ?", Pending, now)
	default:
		q = command.Equal(q, "state", r.State)
	}
	rows, n, err := command.Rows[Invitation](r.Search(q, "email"), r.Paging, "created_at DESC, id DESC")
	if err != nil {
		return out, err
	}
	views, err := s.invitationViews(ctx, rows)
	return command.List[InvitationView]{Count: n, Items: views}, err
}

// invitationScope narrows to what is asked for: without anything else what is
// for the caller.
func (s *Service) invitationScope(ctx context.Context, q *gorm.DB, r ListInvitationsRequest) (*gorm.DB, error) {
	actor, _ := store.From(ctx)
	switch {
	case r.ProjectID != "":
		if _, err := s.seen(ctx, r.ProjectID); err != nil {
			return nil, err
		}
		q = q.Where("project_id = ?", r.ProjectID)
		return q, nil
	case r.UserID != "":
		return q.Where("user_id = ?", r.UserID), nil
	case r.Account != "":
		a, err := s.IAM.FindAccount(ctx, iam.AccountRef{Name: r.Account, DomainID: r.DomainID})
		return q.Where("account_id = ?", a.ID), absentAs(err, "account", r.Account)
	case r.DomainID != "":
		path, err := s.IAM.LookupDomain(ctx, r.DomainID)
		if r.Recursive {
			return q.Where("domain_path LIKE ?", path+"%"), absentAs(err, "domainid", r.DomainID)
		}
		return q.Where("domain_id = ?", r.DomainID), absentAs(err, "domainid", r.DomainID)
	case r.ID != "" || r.ListAll || actor.IsSystem():
		return q, nil
	}
	return q.Where("account_id = ? AND user_id IN ?", actor.AccountID, []string{"", actor.UserID}), nil
}

func (s *Service) invitationViews(ctx context.Context, rows []Invitation) ([]InvitationView, error) {
	var owners []store.Owner
	for _, i := range rows {
		owners = append(owners, store.Owner{AccountID: i.ProjectID, DomainID: i.DomainID}, store.Owner{AccountID: i.AccountID, DomainID: i.DomainID})
	}
	belongs, err := s.IAM.Owners(ctx, owners)
	if err != nil {
		return nil, err
	}
	out := make([]InvitationView, len(rows))
	for n, i := range rows {
		v := InvitationView{ID: i.ID, Belongs: belongs(store.Owner{AccountID: i.ProjectID, DomainID: i.DomainID}), UserID: i.UserID, Email: i.Email, State: i.State, Role: i.Role, Expires: command.Time{Time: i.ExpiresAt}}
		v.Account = belongs(store.Owner{AccountID: i.AccountID, DomainID: i.DomainID}).Account
		if s.overdue(i) {
			v.State = Expired
		}
		out[n] = v
	}
	return out, nil
}
