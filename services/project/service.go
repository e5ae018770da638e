// Package project holds the commands about projects: what several accounts own
// together, who they are, how they are invited and what roles restrict them to.
// Rows that every request needs, and the rules about members, are in iam.
package project

import (
	"context"
	"net/url"
	"time"

	"gorm.io/gorm/clause"

	"aerie/services/command"
	"aerie/services/config"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/iam/iamcmd"
	"aerie/services/job"
	"aerie/services/mail"
	"aerie/services/store"
)

// Parts is what a Service is made of.
type Parts struct {
	DB       *store.DB
	Jobs     *job.Engine
	IAM      *iam.Service
	Settings Settings
	// Mail sends invitations.
	Mail *mail.Sender
	// Origin is where the portal is, for the links in invitations.
	Origin func(context.Context) *url.URL
	// Work tells what projects do at the moment, by their ids.
	Work func(ctx context.Context, ids []string) (map[string]iamcmd.Work, error)
	// Stop stops what runs in accounts that are disabled.
	Stop func(context.Context) error
}

// Settings are what the operator decides about projects.
type Settings struct {
	Invite config.Value[bool]          // members join only when they accept
	Expire config.Value[time.Duration] // of an invitation
	Users  config.Value[bool]          // may make projects
}

// DeclareSettings declares the settings of projects, under CloudStack's names.
func DeclareSettings(c *config.Service) Settings {
	return Settings{
		Invite: c.Bool("project.invite.required", "Project Defaults", false),
		Expire: c.Duration("project.invite.timeout", "Project Defaults", 24*time.Hour, time.Millisecond),
		Users:  c.Bool("allow.user.create.projects", "Project Defaults", true),
	}
}

// Service has the commands.
type Service struct {
	Parts
	db *store.DB
}

// New makes the service and tells the engine its jobs.
func New(p Parts) *Service {
	s := &Service{Parts: p, db: p.DB}
	s.define()
	return s
}

// Commands are the commands about projects.
func (s *Service) Commands() []*command.Command {
	return []*command.Command{
		s.createCommand(), s.listCommand(), s.updateCommand(), s.activateCommand(), s.suspendCommand(), s.deleteCommand(),
		s.addAccountCommand(), s.addUserCommand(), s.deleteAccountCommand(), s.deleteUserCommand(), s.listMembersCommand(),
		s.listInvitationsCommand(), s.updateInvitationCommand(), s.deleteInvitationCommand(),
		s.createRoleCommand(), s.updateRoleCommand(), s.deleteRoleCommand(), s.listRolesCommand(),
		s.createRuleCommand(), s.updateRuleCommand(), s.deleteRuleCommand(), s.listRulesCommand(),
	}
}

// Refs tell whether an id that a request names is there for the caller.
func (s *Service) Refs(add func(kind string, exists func(context.Context, string) (bool, error))) {
	add("projectinvitation", func(ctx context.Context, id string) (bool, error) { return store.Exists[Invitation](ctx, s.db, id) })
}

// Role is a role of a project: it restricts the members that have it.
type Role struct {
	store.Row
	ProjectID   string
	Name        string
	NameKey     *string
	Description string
}

// TableName is the table of projects' roles.
func (Role) TableName() string { return "project_roles" }

// The states of an invitation, by CloudStack's names.
const (
	Pending   = "Pending"
	Completed = "Completed"
	Declined  = "Declined"
	Expired   = "Expired"
)

// Invitation asks an account, one user of it, or whoever has the token that was
// sent to an address, to join a project.
type Invitation struct {
	store.Row
	ProjectID  string
	DomainID   string
	DomainPath string
	AccountID  string // empty when only the address is known
	UserID     string // empty when all of the account's users are meant
	Email      string
	Role       string
	RoleID     string
	Token      string // a digest
	State      string
	ExpiresAt  time.Time
}

// TableName is the table of invitations.
func (Invitation) TableName() string { return "project_invitations" }

// Scope shows invitations to whom they are for and to who manages the project.
func (Invitation) Scope(a store.Actor) clause.Expression {
	switch {
	case a.IsSystem(), a.Rank == store.Admin:
		return nil
	case a.Rank == store.DomainAdmin:
		return clause.Like{Column: store.Column("domain_path"), Value: a.DomainPath + "%"}
	}
	mine := clause.And(
		clause.Eq{Column: store.Column("account_id"), Value: a.AccountID},
		clause.IN{Column: store.Column("user_id"), Values: []any{"", a.UserID}})
	var managed []any
	for _, p := range a.Projects {
		if p.Admin {
			managed = append(managed, p.AccountID)
		}
	}
	return clause.Or(mine, clause.IN{Column: store.Column("project_id"), Values: managed})
}

func meta(name, object, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: object, Event: event, Roles: command.Everyone, Doc: doc}
}

// about names the project in the command's event, which is the project's.
func about(ctx context.Context, p iam.Project) {
	command.About(ctx, event.Resource{Kind: "project", ID: p.ID, Name: p.Name}, p.Owner())
}

// seen finds a project for a command that reads: the caller is in it, and its
// role there lets it, or administers it.
func (s *Service) seen(ctx context.Context, id string) (iam.Project, error) {
	if _, err := command.FindProject(ctx, "projectid", id); err != nil {
		return iam.Project{}, err
	}
	return s.rows(ctx, "projectid", id)
}

// managed finds a project that the caller manages: as one of its admins, or as
// an administrator of its domain or one above.
func (s *Service) managed(ctx context.Context, param, id string) (iam.Project, error) {
	p, err := s.rows(ctx, param, id)
	if err != nil {
		return p, err
	}
	about(ctx, p)
	actor, _ := store.From(ctx)
	if m := actor.Project(id); actor.Rank == store.User && !actor.IsSystem() && (m == nil || !m.Admin) {
		return p, fault.New(fault.Forbidden, "error.project_admin", "name", p.Name)
	}
	return p, nil
}

// rows finds a project whatever the caller may do in it.
func (s *Service) rows(ctx context.Context, param, id string) (iam.Project, error) {
	p, err := store.Find[iam.Project](ctx, s.db, id)
	if store.IsAbsent(err) {
		err = fault.Absent(param, id)
	}
	return p, err
}

// changing is managed for what only an active project lets happen. It holds the
// project until the transaction ends.
func (s *Service) changing(ctx context.Context, param, id string) (iam.Project, error) {
	p, err := s.managed(ctx, param, id)
	if err != nil {
		return p, err
	}
	if p, err = store.Hold[iam.Project](ctx, s.db, id); err != nil {
		return p, err
	}
	if p.State != iam.ProjectActive {
		err = fault.New(fault.Conflict, "error.project_suspended", "project", p.ID)
	}
	return p, err
}

// done is the job of what is done when the command is accepted.
func done(p iam.Project) job.Spec {
	return job.Spec{Kind: doneJob, Object: "project", ObjectID: p.ID, ObjectName: event.Clip(p.Name), Owner: p.Owner(), State: removal{ID: p.ID}}
}

// own makes a job its caller's: who is not in the project (any more) follows it.
func own(ctx context.Context, spec job.Spec) job.Spec {
	actor, _ := store.From(ctx)
	spec.Owner = actor.Owner
	return spec
}
