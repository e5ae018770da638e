package iam

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"aerie/services/state"
	"aerie/services/store"
)

// ProjectState is where a project is in its life.
type ProjectState string

// ProjectEvent moves a project.
type ProjectEvent string

// The states of a project, by CloudStack's names.
const (
	ProjectActive    ProjectState = "Active"
	ProjectSuspended ProjectState = "Suspended" // nothing of it runs or changes
	ProjectDisabled  ProjectState = "Disabled"  // going, with all it has
)

// The events of a project.
const (
	SuspendProject  ProjectEvent = "suspend"
	ActivateProject ProjectEvent = "activate"
	RemoveProject   ProjectEvent = "delete"
)

// ProjectStates is the life of a project.
var ProjectStates = state.Machine[ProjectState, ProjectEvent]{
	ProjectActive:    {SuspendProject: ProjectSuspended, ActivateProject: ProjectActive, RemoveProject: ProjectDisabled},
	ProjectSuspended: {ActivateProject: ProjectActive, SuspendProject: ProjectSuspended, RemoveProject: ProjectDisabled},
	ProjectDisabled:  {RemoveProject: ProjectDisabled},
}

// Project is what several accounts own together. Its id is that of its account,
// which owns what is the project's and has no users.
type Project struct {
	store.Row
	DomainID    string
	DomainPath  string
	Name        string
	NameKey     *string
	DisplayText string
	State       ProjectState
}

// Ref is the project's state for state.Move.
func (p *Project) Ref() (entity, id string, s *ProjectState) { return "project", p.ID, &p.State }

// Scope lets admins see their subtree's projects and users those that they are
// members of.
func (Project) Scope(a store.Actor) clause.Expression {
	switch {
	case a.IsSystem(), a.Rank == store.Admin:
		return nil
	case a.Rank == store.DomainAdmin:
		return below("domain_path", a.DomainPath)
	}
	ids := make([]any, len(a.Projects))
	for i, p := range a.Projects {
		ids[i] = p.AccountID
	}
	return clause.IN{Column: store.Column("id"), Values: ids} // of nothing: nothing
}

// Owner is the project as an owner of rows.
func (p Project) Owner() store.Owner {
	return store.Owner{AccountID: p.ID, DomainID: p.DomainID, DomainPath: p.DomainPath}
}

// What members are to their project.
const (
	ProjectAdmin   = "Admin"
	ProjectRegular = "Regular"
)

// Member is an account, or one user of it, in a project. UserID is empty when
// all of the account's users are meant; what is said of a user goes before what
// is said of its account.
type Member struct {
	ID        string `gorm:"primaryKey;size:36"`
	ProjectID string
	AccountID string
	UserID    string
	Role      string // Admin or Regular
	RoleID    string // the project's role that restricts it; empty for none
	CreatedAt time.Time
}

// TableName is the table of members.
func (Member) TableName() string { return "project_members" }

// ProjectRule is a rule of a project's role, with its place among the others.
type ProjectRule struct {
	ID          string `gorm:"primaryKey;size:36"`
	CreatedAt   time.Time
	ProjectID   string
	RoleID      string
	Position    int
	Pattern     string
	Allow       bool
	Description string
}

// TableName is the table of projects' rules.
func (ProjectRule) TableName() string { return "project_rules" }

// memberships are the projects of an actor. Only plain users have any: admins
// see the projects of their subtree, and members are of the project's domain.
func (s *Service) memberships(ctx context.Context, a store.Actor) ([]store.Project, error) {
	if a.Rank != store.User {
		return nil, nil
	}
	var rows []struct {
		Member
		DomainID, DomainPath string
		State                ProjectState
	}
	ctx = store.System(ctx, "projects of who asks")
	err := s.db.In(ctx).Model(&Member{}).
		Joins("JOIN projects p ON p.id = project_members.project_id AND p.removed_at IS NULL").
		Where("project_members.account_id = ? AND project_members.user_id IN ?", a.AccountID, []string{"", a.UserID}).
		Order("project_members.project_id, project_members.user_id DESC").
		Select("project_members.*", "p.domain_id", "p.domain_path", "p.state").Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("projects of who asks: %w", err)
	}
	var out []store.Project
	for _, m := range rows {
		if n := len(out); n > 0 && out[n-1].AccountID == m.ProjectID {
			continue // the user's own place came first
		}
		out = append(out, store.Project{
			Owner: store.Owner{AccountID: m.ProjectID, DomainID: m.DomainID, DomainPath: m.DomainPath},
			Admin: m.Role == ProjectAdmin, RoleID: m.RoleID, Suspended: m.State != ProjectActive,
		})
	}
	return out, nil
}

// Narrow returns ctx for a command: what is of projects whose role denies it,
// or which are suspended while it changes something, is not there. Roles of
// projects only restrict: the actor's own role was asked before.
func (s *Service) Narrow(ctx context.Context, command string, changes bool) (context.Context, error) {
	a, _ := store.From(ctx)
	if len(a.Projects) == 0 || a.IsSystem() {
		return ctx, nil
	}
	rules, err := s.rulesOf(ctx, a.Projects)
	if err != nil {
		return nil, err
	}
	narrowed := make([]store.Project, len(a.Projects))
	for i, p := range a.Projects {
		if p.Suspended && changes {
			p.Barred = "error.project_suspended"
		}
		// An admin of the project cannot lock itself out of it.
		if p.RoleID != "" && !p.Admin && !rules[p.RoleID].Allow(command) {
			p.Barred = "error.project_role"
		}
		narrowed[i] = p
	}
	return store.Within(ctx, narrowed), nil
}

func (s *Service) rulesOf(ctx context.Context, projects []store.Project) (map[string]Rules, error) {
	var ids []string
	for _, p := range projects {
		if p.RoleID != "" {
			ids = append(ids, p.RoleID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := gorm.G[ProjectRule](s.db.In(ctx)).Where("role_id IN ?", ids).Order("role_id, position, id").Find(ctx)
	out := map[string]Rules{}
	for _, r := range rows {
		out[r.RoleID] = append(out[r.RoleID], Rule{Pattern: r.Pattern, Allow: r.Allow})
	}
	return out, err
}
