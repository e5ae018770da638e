package project

import (
	"context"
	"strings"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
)

// RoleView is a role of a project as commands return it.
type RoleView struct {
	ID          string `json:"id" doc:"the role"`
	Name        string `json:"name" doc:"its name"`
	Description string `json:"description" doc:"what it is for"`
	ProjectID   string `json:"projectid" doc:"the project"`
	Public      bool   `json:"ispublic" doc:"whether all members may see it; all are"`
	command.Pending
}

func roleView(r Role) RoleView {
	return RoleView{ID: r.ID, Name: r.Name, Description: r.Description, ProjectID: r.ProjectID, Public: true}
}

// roleOf finds a role of the project; another project's is not there.
func (s *Service) roleOf(ctx context.Context, p iam.Project, param, id string) (Role, error) {
	r, err := gorm.G[Role](s.db.In(ctx)).Where("id = ? AND project_id = ?", id, p.ID).Take(ctx)
	return r, absentAs(err, param, id)
}

// CreateRoleRequest asks for a role.
type CreateRoleRequest struct {
	ProjectID   string `json:"projectid" ref:"project" required:"true" doc:"the project"`
	Name        string `json:"name" required:"true" doc:"name of the role, once in the project"`
	Description string `json:"description" doc:"what it is for"`
}

func (s *Service) createRoleCommand() *command.Command {
	return command.New(meta("createProjectRole", "projectrole", "PROJECT.ROLE.CREATE", "Makes a role of a project; it denies everything until it has rules"),
		func(ctx context.Context, r CreateRoleRequest) (RoleView, error) {
			p, err := s.changing(ctx, "projectid", r.ProjectID)
			if err != nil {
				return RoleView{}, err
			}
			row := Role{
				Row: store.Row{ID: s.db.NewID(), CreatedAt: s.db.Now()}, ProjectID: p.ID, Name: r.Name,
				NameKey: new(strings.ToLower(r.Name)), Description: r.Description,
			}
			return roleView(row), taken(s.db.In(ctx).Create(&row).Error, r.Name)
		})
}

// taken makes a duplicate name the fault for that parameter.
func taken(err error, name string) error {
	if store.IsDuplicate(err) {
		return fault.Param("name", "error.name_taken", "value", name)
	}
	return err
}

// UpdateRoleRequest asks to change a role.
type UpdateRoleRequest struct {
	ProjectID   string  `json:"projectid" ref:"project" required:"true" doc:"the project"`
	ID          string  `json:"id" type:"uuid" required:"true" doc:"the role"`
	Name        string  `json:"name" doc:"the new name"`
	Description *string `json:"description" doc:"what it is for"`
}

func (s *Service) updateRoleCommand() *command.Command {
	return command.New(meta("updateProjectRole", "projectrole", "PROJECT.ROLE.UPDATE", "Changes a role of a project"),
		func(ctx context.Context, r UpdateRoleRequest) (RoleView, error) {
			p, err := s.changing(ctx, "projectid", r.ProjectID)
			if err != nil {
				return RoleView{}, err
			}
			row, err := s.roleOf(ctx, p, "id", r.ID)
			if err != nil {
				return RoleView{}, err
			}
			set := map[string]any{}
			if r.Name != "" {
				row.Name = r.Name
				set["name"], set["name_key"] = r.Name, strings.ToLower(r.Name)
			}
			if r.Description != nil {
				row.Description = *r.Description
				set["description"] = row.Description
			}
			if len(set) == 0 {
				return roleView(row), nil
			}
			return roleView(row), taken(s.db.In(ctx).Model(&Role{}).Where("id = ?", row.ID).Updates(set).Error, r.Name)
		})
}

// DeleteRoleRequest asks to delete a role.
type DeleteRoleRequest struct {
	ProjectID string `json:"projectid" ref:"project" required:"true" doc:"the project"`
	ID        string `json:"id" type:"uuid" required:"true" doc:"the role; no member may have it"`
}

func (s *Service) deleteRoleCommand() *command.Command {
	return command.New(meta("deleteProjectRole", "", "PROJECT.ROLE.DELETE", "Deletes a role of a project"),
		func(ctx context.Context, r DeleteRoleRequest) (command.Success, error) {
			p, err := s.changing(ctx, "projectid", r.ProjectID)
			if err != nil {
				return command.Success{}, err
			}
			row, err := s.roleOf(ctx, p, "id", r.ID)
			if err != nil {
				return command.Success{}, err
			}
			g := s.db.In(ctx)
			n, err := gorm.G[iam.Member](g).Where("role_id = ?", row.ID).Count(ctx, "id")
			if err != nil {
				return command.Success{}, err
			}
			if n > 0 { // without its role a member would be restricted no more
				return command.Success{}, fault.New(fault.InUse, "error.project_role_used", "name", row.Name, "n", n)
			}
			if err := g.Where("role_id = ?", row.ID).Delete(&iam.ProjectRule{}).Error; err != nil {
				return command.Success{}, err
			}
			gone := g.Model(&Role{}).Where("id = ?", row.ID).Updates(map[string]any{"removed_at": s.db.Now(), "name_key": nil})
			return command.OK, gone.Error
		})
}

// ListRolesRequest asks for the roles of a project.
type ListRolesRequest struct {
	command.Paging
	ProjectID string `json:"projectid" ref:"project" required:"true" doc:"the project"`
	RoleID    string `json:"projectroleid" type:"uuid" doc:"the role"`
	Name      string `json:"name" doc:"name of the role, as a whole"`
}

func (s *Service) listRolesCommand() *command.Command {
	return command.New(meta("listProjectRoles", "projectrole", "", "Lists the roles of a project"), s.ListRoles)
}

// ListRoles returns a page of a project's roles.
func (s *Service) ListRoles(ctx context.Context, r ListRolesRequest) (out command.List[RoleView], err error) {
	p, err := s.seen(ctx, r.ProjectID)
	if err != nil {
		return out, err
	}
	q := s.db.In(ctx).Model(&Role{}).Where("project_id = ?", p.ID)
	q = command.Named(command.Equal(q, "id", r.RoleID), "name", r.Name)
	rows, n, err := command.Rows[Role](r.Search(q, "name", "description"), r.Paging, "name, id")
	return command.ListOf(rows, n, roleView), err
}
