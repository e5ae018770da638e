package project

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/iam"
	"aerie/services/label"
	"aerie/services/store"
)

// ListMembersRequest asks for the members of a project.
type ListMembersRequest struct {
	command.Paging
	ProjectID string `json:"projectid" ref:"project" required:"true" doc:"the project"`
	Account   string `json:"account" doc:"only this account"`
	UserID    string `json:"userid" type:"uuid" doc:"only this user"`
	Role      string `json:"role" enum:"Admin,Regular" doc:"only admins, or only regular members"`
	RoleID    string `json:"projectroleid" type:"uuid" doc:"only members with this role of the project"`
}

// MemberView is a member of a project. CloudStack's list of fields is that of
// projects; these are what it sends besides.
type MemberView struct {
	View
	ProjectID   string     `json:"projectid" doc:"the project"`
	Project     string     `json:"project" doc:"the name of the project"`
	Account     string     `json:"account" doc:"the account"`
	AccountID   string     `json:"accountid" doc:"the id of the account"`
	AccountType int        `json:"accounttype" doc:"the type of the account"`
	UserID      string     `json:"userid" doc:"the user, when it is not the whole account"`
	Username    string     `json:"username" doc:"the name of the user"`
	Users       []UserView `json:"user" doc:"the users that are in the project by this"`
	Role        string     `json:"role" doc:"Admin or Regular"`
	RoleID      string     `json:"projectroleid" doc:"the project's role that restricts it"`
	RoleName    string     `json:"projectrolename" doc:"the name of that role"`
}

// UserView is a user of a member.
type UserView struct {
	ID        string `json:"id" doc:"the user"`
	Username  string `json:"username" doc:"the name to sign in with"`
	FirstName string `json:"firstname" doc:"the first name"`
	LastName  string `json:"lastname" doc:"the last name"`
	Email     string `json:"email" doc:"the mail address"`
}

func (s *Service) listMembersCommand() *command.Command {
	return command.New(meta("listProjectAccounts", "projectaccount", "", "Lists the members of a project"), s.ListMembers)
}

// ListMembers returns a page of a project's members.
func (s *Service) ListMembers(ctx context.Context, r ListMembersRequest) (out command.List[MemberView], err error) {
	p, err := s.seen(ctx, r.ProjectID)
	if err != nil {
		return out, err
	}
	// Who is in a project knows who else is.
	sys := store.System(ctx, "the members of a project that the caller sees")
	g := s.db.In(sys)
	q := g.Model(&iam.Member{}).Where("project_members.project_id = ?", p.ID)
	for column, v := range map[string]string{"user_id": r.UserID, "role": r.Role, "role_id": r.RoleID} {
		q = command.Equal(q, column, v)
	}
	named := func(where string, v any) *gorm.DB { return g.Model(&iam.Account{}).Where(where, v).Select("id") }
	if r.Account != "" {
		q = q.Where("account_id IN (?)", named("name = ?", r.Account))
	}
	if r.Keyword != "" {
		q = q.Where("account_id IN (?)", named("name LIKE ? ESCAPE '!'", store.Contains(r.Keyword)))
	}
	rows, n, err := command.Rows[iam.Member](q, r.Paging, "role, created_at, id")
	if err != nil {
		return out, err
	}
	views, err := s.memberViews(sys, p, rows)
	return command.List[MemberView]{Count: n, Items: views}, err
}

func (s *Service) memberViews(ctx context.Context, p iam.Project, rows []iam.Member) ([]MemberView, error) {
	var accounts, roles []string
	for _, m := range rows {
		accounts, roles = append(accounts, m.AccountID), append(roles, m.RoleID)
	}
	var list []iam.Account
	if err := s.db.In(ctx).Where("id IN ?", accounts).Find(&list).Error; err != nil {
		return nil, err
	}
	byID := map[string]iam.Account{}
	for _, a := range list {
		byID[a.ID] = a
	}
	var users []iam.User
	if err := s.db.In(ctx).Where("account_id IN ?", accounts).Order("username, id").Find(&users).Error; err != nil {
		return nil, err
	}
	names, err := store.NamesOf(ctx, s.db, store.Some{Model: &Role{}, IDs: roles}, store.Some{Model: &iam.Domain{}, IDs: []string{p.DomainID}})
	if err != nil {
		return nil, err
	}
	// The project's icon is not repeated for every member: it may be large, and
	// nobody asked for it.
	labels, err := label.Of(ctx, s.db, label.Want{IDs: []string{p.ID}, Tags: true})
	if err != nil {
		return nil, err
	}
	out := make([]MemberView, len(rows))
	for i, m := range rows {
		a := byID[m.AccountID]
		v := MemberView{
			ProjectID: p.ID, Project: p.Name, Account: a.Name, AccountID: a.ID, AccountType: int(a.Type), UserID: m.UserID,
			Role: m.Role, RoleID: m.RoleID, RoleName: names[m.RoleID], Users: []UserView{},
		}
		v.ID, v.Name, v.DisplayText, v.State, v.DomainID, v.Domain = p.ID, p.Name, p.DisplayText, p.State, p.DomainID, names[p.DomainID]
		v.Created, v.Owners, v.Tags = command.Time{Time: m.CreatedAt}, []OwnerView{}, labels.Tags(p.ID)
		for _, u := range users {
			if u.AccountID != m.AccountID || m.UserID != "" && u.ID != m.UserID {
				continue
			}
			v.Users = append(v.Users, UserView{ID: u.ID, Username: u.Username, FirstName: u.FirstName, LastName: u.LastName, Email: u.Email})
			if m.UserID != "" {
				v.Username = u.Username
			}
		}
		out[i] = v
	}
	return out, nil
}
