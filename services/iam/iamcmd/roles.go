package iamcmd

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
)

// RoleView is a role as the API shows it.
type RoleView struct {
	ID          string `json:"id" doc:"the id of the role"`
	Name        string `json:"name" doc:"the name of the role"`
	Type        string `json:"type" doc:"Admin, ResourceAdmin, DomainAdmin or User"`
	Description string `json:"description" doc:"what the role is for"`
	IsDefault   bool   `json:"isdefault" doc:"whether it came with the installation"`
	IsPublic    bool   `json:"ispublic" doc:"whether others than root administrators see and give it"`
	State       string `json:"state" doc:"enabled or disabled"`
}

func roleView(r iam.Role) RoleView {
	return RoleView{r.ID, r.Name, r.Type, r.Description, r.IsDefault, r.IsPublic, r.State}
}

type listRolesRequest struct {
	command.Paging
	ID    string `json:"id" ref:"role" doc:"the id of the role"`
	Name  string `json:"name" doc:"the name of the role"`
	Type  string `json:"type" enum:"Admin,ResourceAdmin,DomainAdmin,User" doc:"the type of the role"`
	State string `json:"state" enum:"enabled,disabled" doc:"enabled or disabled"`
}

func (s *Service) listRoles() *command.Command {
	return command.New(command.Meta{Name: "listRoles", Object: "role", Roles: managers, Since: "4.9.0", Doc: "Lists the roles up to the caller's own"},
		func(ctx context.Context, r listRolesRequest) (out command.List[RoleView], err error) {
			q := command.Named(command.Equal(s.IAM.DB().In(ctx).Model(&iam.Role{}), "id", r.ID), "name", r.Name)
			q = command.Equal(command.Equal(q, "type", r.Type), "state", r.State)
			if q, err = s.grantable(ctx, q); err != nil {
				return out, err
			}
			rows, count, err := command.Rows[iam.Role](r.Search(q, "name", "description"), r.Paging, "level DESC, id")
			return command.ListOf(rows, count, roleView), err
		})
}

// grantable leaves out the roles above the caller's.
func (s *Service) grantable(ctx context.Context, q *gorm.DB) (*gorm.DB, error) {
	a, _ := store.From(ctx)
	level, err := s.IAM.LevelOf(ctx, a)
	return q.Where("level <= ?", level), err
}

// roleDone is the view of a role that a command changed.
func (s *Service) roleDone(ctx context.Context, r iam.Role, err error) (RoleView, error) {
	if err != nil {
		return RoleView{}, err
	}
	s.aboutRole(ctx, r)
	return roleView(r), nil
}

func (s *Service) aboutRole(ctx context.Context, r iam.Role) {
	about(ctx, "role", r.ID, r.Name, store.Owner{})
}

// shaped is what roles are made and changed with.
type shaped struct {
	Description *string `json:"description" doc:"what the role is for"`
	IsPublic    *bool   `json:"ispublic" doc:"false hides the role from all but root administrators"`
	Type        string  `json:"type" enum:"Admin,ResourceAdmin,DomainAdmin,User" doc:"the type of the role"`
}

func (r shaped) text() string {
	if r.Description == nil {
		return ""
	}
	return *r.Description
}

func (r shaped) private() bool { return r.IsPublic != nil && !*r.IsPublic }

type createRoleRequest struct {
	Name string `json:"name" required:"true" doc:"the name of the role"`
	shaped
	RoleID string `json:"roleid" ref:"role" doc:"the role to be copied, with its rules; or give type"`
}

func (s *Service) createRole() *command.Command {
	return command.New(command.Meta{Name: "createRole", Object: "role", Event: "ROLE.CREATE", Roles: command.Admin, Since: "4.9.0", Doc: "Creates a role that allows nothing yet, or copies one"},
		func(ctx context.Context, r createRoleRequest) (RoleView, error) {
			if r.RoleID == "" && r.Type == "" {
				return RoleView{}, fault.Param("type", "error.role_kind_or_copy")
			}
			role, err := s.IAM.CreateRole(ctx, iam.NewRole{Name: r.Name, Description: r.text(), Type: r.Type, From: r.RoleID, Private: r.private()})
			return s.roleDone(ctx, role, err)
		})
}

type updateRoleRequest struct {
	roleID
	Name string `json:"name" doc:"the new name"`
	shaped
}

func (s *Service) updateRole() *command.Command {
	return command.New(command.Meta{Name: "updateRole", Object: "role", Event: "ROLE.UPDATE", Roles: command.Admin, Since: "4.9.0", Doc: "Changes a role"},
		func(ctx context.Context, r updateRoleRequest) (RoleView, error) {
			role, err := s.IAM.UpdateRole(ctx, iam.UpdateRole{ID: r.ID, Name: given(r.Name), Description: r.Description, Type: given(r.Type), Public: r.IsPublic})
			return s.roleDone(ctx, role, err)
		})
}

type ruleLine struct {
	Rule        string `json:"rule" required:"true" doc:"a command, or a pattern with *"`
	Permission  string `json:"permission" required:"true" enum:"allow,deny" doc:"allow or deny"`
	Description string `json:"description" doc:"what the rule is for"`
}

type importRoleRequest struct {
	Name string `json:"name" required:"true" doc:"the name of the role"`
	shaped
	Rules  []ruleLine `json:"rules" required:"true" doc:"the rules in order: rules[0].rule, rules[0].permission, rules[0].description"`
	Forced bool       `json:"forced" doc:"true replaces a role of that name"`
}

func (s *Service) importRole() *command.Command {
	return command.New(command.Meta{Name: "importRole", Object: "role", Event: "ROLE.IMPORT", Roles: command.Admin, Since: "4.15.0", Doc: "Creates a role from a list of rules"},
		func(ctx context.Context, r importRoleRequest) (RoleView, error) {
			in := iam.ImportRole{Name: r.Name, Description: r.Description, Type: r.Type, Public: r.IsPublic, Forced: r.Forced}
			for _, l := range r.Rules {
				in.Rules = append(in.Rules, iam.NewRule{Pattern: l.Rule, Allow: l.Permission == allow, Description: l.Description})
			}
			role, err := s.IAM.ImportRole(ctx, in)
			return s.roleDone(ctx, role, err)
		})
}

type roleID struct {
	ID string `json:"id" ref:"role" required:"true" doc:"the id of the role"`
}

func (s *Service) deleteRole() *command.Command {
	return s.onRole("deleteRole", "ROLE.DELETE", "4.9.0", "Deletes a role that no account has", s.IAM.DeleteRole)
}

func (s *Service) enableRole() *command.Command {
	return s.onRole("enableRole", "ROLE.ENABLE", "4.20.0", "Enables a role", s.IAM.EnableRole)
}

func (s *Service) disableRole() *command.Command {
	return s.onRole("disableRole", "ROLE.DISABLE", "4.20.0", "Disables a role: its accounts may do nothing until it is enabled", s.IAM.DisableRole)
}

func (s *Service) onRole(name, event, since, doc string, do func(context.Context, string) (iam.Role, error)) *command.Command {
	return command.New(command.Meta{Name: name, Event: event, Roles: command.Admin, Since: since, Doc: doc},
		func(ctx context.Context, r roleID) (command.Success, error) {
			role, err := do(ctx, r.ID)
			if err != nil {
				return command.Success{}, err
			}
			s.aboutRole(ctx, role)
			return command.OK, nil
		})
}
