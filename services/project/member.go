package project

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/job"
	"aerie/services/mail"
	"aerie/services/store"
)

// MemberRole is embedded by requests that bring somebody into a project.
type MemberRole struct {
	Email    string `json:"email" doc:"the address that the invitation is sent to"`
	RoleID   string `json:"projectroleid" type:"uuid" doc:"a role of the project that restricts what a regular member may"`
	RoleType string `json:"roletype" enum:"Admin,Regular" doc:"Admin manages the project; Regular is the default"`
}

// AddAccountRequest asks to bring an account into a project.
type AddAccountRequest struct {
	ProjectID string `json:"projectid" ref:"project" required:"true" doc:"the project"`
	Account   string `json:"account" doc:"name of the account, in the project's domain; without one whoever has the mail joins"`
	MemberRole
}

func (s *Service) addAccountCommand() *command.Command {
	return command.Async[AddAccountRequest, command.Success](meta("addAccountToProject", "", "PROJECT.ACCOUNT.ADD", "Brings an account into a project, or invites it"),
		func(ctx context.Context, r AddAccountRequest) (job.Spec, error) {
			p, err := s.changing(ctx, "projectid", r.ProjectID)
			if err != nil {
				return job.Spec{}, err
			}
			if err := s.mayRestrict(ctx, p, r.MemberRole); err != nil {
				return job.Spec{}, err
			}
			g := guest{MemberRole: r.MemberRole}
			if r.Account == "" && r.Email == "" {
				return job.Spec{}, fault.Param("account", "error.project_account_needed")
			}
			if r.Account != "" {
				a, err := s.IAM.AccountByName(store.System(ctx, "who joins a project of its domain"), p.DomainID, r.Account)
				if err != nil {
					return job.Spec{}, absentAs(err, "account", r.Account)
				}
				g.account = &a
			}
			return done(p), s.welcome(ctx, p, g)
		}, nil)
}

// AddUserRequest asks to bring one user into a project.
type AddUserRequest struct {
	ProjectID string `json:"projectid" ref:"project" required:"true" doc:"the project"`
	Username  string `json:"username" required:"true" doc:"name of the user, in the project's domain"`
	MemberRole
}

func (s *Service) addUserCommand() *command.Command {
	return command.Async[AddUserRequest, command.Success](meta("addUserToProject", "", "PROJECT.USER.ADD", "Brings one user into a project, or invites it"),
		func(ctx context.Context, r AddUserRequest) (job.Spec, error) {
			p, err := s.changing(ctx, "projectid", r.ProjectID)
			if err != nil {
				return job.Spec{}, err
			}
			if err := s.mayRestrict(ctx, p, r.MemberRole); err != nil {
				return job.Spec{}, err
			}
			sys := store.System(ctx, "who joins a project of its domain")
			u, err := s.IAM.UserByName(sys, p.DomainID, r.Username)
			if err != nil {
				return job.Spec{}, absentAs(err, "username", r.Username)
			}
			a, err := s.IAM.AccountByID(sys, u.AccountID)
			if err != nil {
				return job.Spec{}, err
			}
			return done(p), s.welcome(ctx, p, guest{MemberRole: r.MemberRole, account: &a, user: &u})
		}, nil)
}

// mayRestrict looks the role up that a new member shall have.
func (s *Service) mayRestrict(ctx context.Context, p iam.Project, r MemberRole) error {
	if r.RoleID == "" {
		return nil
	}
	_, err := s.roleOf(ctx, p, "projectroleid", r.RoleID)
	return err
}

// guest is who shall join.
type guest struct {
	MemberRole
	account *iam.Account // nil: whoever has the mail
	user    *iam.User    // nil: the whole account
}

func (g guest) ids() (account, user string) {
	if g.account != nil {
		account = g.account.ID
	}
	if g.user != nil {
		user = g.user.ID
	}
	return account, user
}

// welcome makes a guest a member, or invites it where members are asked. Who is
// known by a mail address only is always asked.
func (s *Service) welcome(ctx context.Context, p iam.Project, g guest) error {
	if g.RoleType == "" {
		g.RoleType = iam.ProjectRegular
	}
	if g.Email != "" && !mail.Address(g.Email) {
		return fault.Param("email", "error.mail_address", "value", g.Email)
	}
	account, user := g.ids()
	if account != "" {
		n, err := gorm.G[iam.Member](s.db.In(ctx)).Where("project_id = ? AND account_id = ? AND user_id = ?", p.ID, account, user).Count(ctx, "id")
		if err != nil {
			return err
		}
		if n > 0 {
			return fault.New(fault.Conflict, "error.project_member", "name", g.account.Name)
		}
	}
	if account == "" || s.Settings.Invite.Get(ctx) {
		return s.invite(ctx, p, g)
	}
	_, err := s.IAM.AddMember(ctx, p, iam.Member{AccountID: account, UserID: user, Role: g.RoleType, RoleID: g.RoleID})
	return err
}

// member finds a member by the name of its account, or by its user.
func (s *Service) member(ctx context.Context, p iam.Project, account, user string) (m iam.Member, err error) {
	param, value, id := "userid", user, ""
	if account != "" {
		param, value = "account", account
		a, err := s.IAM.AccountByName(store.System(ctx, "a member of a project"), p.DomainID, account)
		if err != nil {
			return m, absentAs(err, param, value)
		}
		id = a.ID
	}
	q := gorm.G[iam.Member](s.db.In(ctx)).Where("project_id = ? AND user_id = ?", p.ID, user)
	if id != "" {
		q = q.Where("account_id = ?", id)
	}
	m, err = q.Take(ctx)
	return m, absentAs(err, param, value)
}

// DeleteAccountRequest asks to put an account out of a project.
type DeleteAccountRequest struct {
	ProjectID string `json:"projectid" ref:"project" required:"true" doc:"the project"`
	Account   string `json:"account" required:"true" doc:"name of the account"`
}

func (s *Service) deleteAccountCommand() *command.Command {
	return command.Async[DeleteAccountRequest, command.Success](meta("deleteAccountFromProject", "", "PROJECT.ACCOUNT.REMOVE", "Puts an account out of a project; what it made there stays"),
		func(ctx context.Context, r DeleteAccountRequest) (job.Spec, error) {
			return s.putOut(ctx, r.ProjectID, r.Account, "")
		}, nil)
}

// DeleteUserRequest asks to put a user out of a project.
type DeleteUserRequest struct {
	ProjectID string `json:"projectid" ref:"project" required:"true" doc:"the project"`
	UserID    string `json:"userid" type:"uuid" required:"true" doc:"the user"`
}

func (s *Service) deleteUserCommand() *command.Command {
	return command.Async[DeleteUserRequest, command.Success](meta("deleteUserFromProject", "", "PROJECT.USER.REMOVE", "Puts a user out of a project; what it made there stays"),
		func(ctx context.Context, r DeleteUserRequest) (job.Spec, error) {
			return s.putOut(ctx, r.ProjectID, "", r.UserID)
		}, nil)
}

// putOut removes a member. Members may leave by themselves, at any time.
func (s *Service) putOut(ctx context.Context, projectID, account, user string) (job.Spec, error) {
	p, err := s.rows(ctx, "projectid", projectID)
	if err != nil {
		return job.Spec{}, err
	}
	m, err := s.member(ctx, p, account, user)
	actor, _ := store.From(ctx)
	leaves := err == nil && m.AccountID == actor.AccountID && (m.UserID == "" || m.UserID == actor.UserID)
	if !leaves {
		if _, refused := s.managed(ctx, "projectid", projectID); refused != nil {
			return job.Spec{}, refused
		}
	}
	if err != nil {
		return job.Spec{}, err
	}
	about(ctx, p)
	if err := s.IAM.RemoveMember(ctx, m); err != nil {
		return job.Spec{}, err
	}
	spec := done(p)
	if leaves {
		spec = own(ctx, spec)
	}
	return spec, nil
}
