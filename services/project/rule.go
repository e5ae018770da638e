package project

import (
	"context"
	"slices"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
)

// RuleView is a rule of a project's role as commands return it.
type RuleView struct {
	ID          string `json:"id" doc:"the rule"`
	ProjectID   string `json:"projectid" doc:"the project"`
	RoleID      string `json:"projectroleid" doc:"the role"`
	RoleName    string `json:"projectrolename" doc:"the name of the role"`
	Rule        string `json:"rule" doc:"a command, or a pattern of commands such as list*"`
	Permission  string `json:"permission" doc:"allow or deny"`
	Description string `json:"description" doc:"why"`
	command.Pending
}

const (
	allow = "allow"
	deny  = "deny"
)

func ruleView(r iam.ProjectRule, role string) RuleView {
	v := RuleView{ID: r.ID, ProjectID: r.ProjectID, RoleID: r.RoleID, RoleName: role, Rule: r.Pattern, Permission: deny, Description: r.Description}
	if r.Allow {
		v.Permission = allow
	}
	return v
}

// rules are a role's, in the order in which they are asked.
func (s *Service) rules(ctx context.Context, roleID string) ([]iam.ProjectRule, error) {
	return gorm.G[iam.ProjectRule](s.db.In(ctx)).Where("role_id = ?", roleID).Order("position, id").Find(ctx)
}

// CreateRuleRequest asks for a rule.
type CreateRuleRequest struct {
	ProjectID   string `json:"projectid" ref:"project" required:"true" doc:"the project"`
	RoleID      string `json:"projectroleid" type:"uuid" required:"true" doc:"the role"`
	Rule        string `json:"rule" required:"true" doc:"a command, or a pattern of commands such as list*"`
	Permission  string `json:"permission" required:"true" enum:"allow,deny" doc:"allow or deny"`
	Description string `json:"description" doc:"why"`
}

func (s *Service) createRuleCommand() *command.Command {
	return command.New(meta("createProjectRolePermission", "projectrolepermission", "PROJECT.ROLE.PERMISSION.CREATE", "Adds a rule to a role of a project, after those that it has"),
		func(ctx context.Context, r CreateRuleRequest) (RuleView, error) {
			role, err := s.changingRole(ctx, r.ProjectID, r.RoleID)
			if err != nil {
				return RuleView{}, err
			}
			if !iam.ValidPattern(r.Rule) {
				return RuleView{}, fault.Param("rule", "error.rule_pattern", "value", r.Rule)
			}
			have, err := s.rules(ctx, role.ID)
			if err != nil {
				return RuleView{}, err
			}
			row := iam.ProjectRule{
				ID: s.db.NewID(), CreatedAt: s.db.Now(), ProjectID: role.ProjectID, RoleID: role.ID,
				Pattern: r.Rule, Allow: r.Permission == allow, Description: r.Description,
			}
			if n := len(have); n > 0 {
				row.Position = have[n-1].Position + 1
			}
			err = s.db.In(ctx).Create(&row).Error
			if store.IsDuplicate(err) {
				err = fault.Param("rule", "error.name_taken", "value", r.Rule)
			}
			return ruleView(row, role.Name), err
		})
}

// changingRole finds a role of a project whose rules change.
func (s *Service) changingRole(ctx context.Context, projectID, roleID string) (Role, error) {
	p, err := s.changing(ctx, "projectid", projectID)
	if err != nil {
		return Role{}, err
	}
	return s.roleOf(ctx, p, "projectroleid", roleID)
}

// UpdateRuleRequest changes a rule, or the order of all.
type UpdateRuleRequest struct {
	ProjectID  string   `json:"projectid" ref:"project" required:"true" doc:"the project"`
	RoleID     string   `json:"projectroleid" type:"uuid" required:"true" doc:"the role"`
	RuleID     string   `json:"projectrolepermissionid" type:"uuid" doc:"the rule, with permission"`
	Permission string   `json:"permission" enum:"allow,deny" doc:"allow or deny"`
	Order      []string `json:"ruleorder" doc:"the ids of all rules of the role in their new order"`
}

func (s *Service) updateRuleCommand() *command.Command {
	return command.New(meta("updateProjectRolePermission", "", "PROJECT.ROLE.PERMISSION.UPDATE", "Changes a rule of a project's role, or the order of its rules"),
		func(ctx context.Context, r UpdateRuleRequest) (command.Success, error) {
			role, err := s.changingRole(ctx, r.ProjectID, r.RoleID)
			if err != nil {
				return command.Success{}, err
			}
			one := r.RuleID != "" || r.Permission != ""
			switch {
			case one == (len(r.Order) > 0):
				return command.Success{}, fault.Param("ruleorder", "error.rule_either")
			case one:
				return command.OK, s.permit(ctx, role, r)
			}
			return command.OK, s.order(ctx, role, r.Order)
		})
}

func (s *Service) permit(ctx context.Context, role Role, r UpdateRuleRequest) error {
	n, err := gorm.G[iam.ProjectRule](s.db.In(ctx)).Where("id = ? AND role_id = ?", r.RuleID, role.ID).Count(ctx, "id")
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.Absent("projectrolepermissionid", r.RuleID)
	}
	if r.Permission == "" {
		return fault.Param("permission", "error.rule_either")
	}
	return s.db.In(ctx).Model(&iam.ProjectRule{}).Where("id = ? AND role_id = ?", r.RuleID, role.ID).Update("allow", r.Permission == allow).Error
}

// order gives the rules new places; each must be named once.
func (s *Service) order(ctx context.Context, role Role, ids []string) error {
	have, err := s.rules(ctx, role.ID)
	if err != nil {
		return err
	}
	var want []string
	for _, r := range have {
		want = append(want, r.ID)
	}
	given := slices.Clone(ids)
	slices.Sort(want)
	slices.Sort(given)
	if !slices.Equal(want, given) {
		return fault.Param("ruleorder", "error.rule_order")
	}
	for i, id := range ids {
		if err := s.db.In(ctx).Model(&iam.ProjectRule{}).Where("id = ?", id).Update("position", i).Error; err != nil {
			return err
		}
	}
	return nil
}

// DeleteRuleRequest asks to delete a rule.
type DeleteRuleRequest struct {
	ProjectID string `json:"projectid" ref:"project" required:"true" doc:"the project"`
	ID        string `json:"id" type:"uuid" required:"true" doc:"the rule"`
}

func (s *Service) deleteRuleCommand() *command.Command {
	return command.New(meta("deleteProjectRolePermission", "", "PROJECT.ROLE.PERMISSION.DELETE", "Deletes a rule of a project's role"),
		func(ctx context.Context, r DeleteRuleRequest) (command.Success, error) {
			p, err := s.changing(ctx, "projectid", r.ProjectID)
			if err != nil {
				return command.Success{}, err
			}
			gone := s.db.In(ctx).Where("id = ? AND project_id = ?", r.ID, p.ID).Delete(&iam.ProjectRule{})
			if gone.Error == nil && gone.RowsAffected == 0 {
				return command.Success{}, fault.Absent("id", r.ID)
			}
			return command.OK, gone.Error
		})
}

// ListRulesRequest asks for the rules of a project's roles.
type ListRulesRequest struct {
	ProjectID string `json:"projectid" ref:"project" required:"true" doc:"the project"`
	RoleID    string `json:"projectroleid" type:"uuid" doc:"the role; those of all roles without one"`
}

func (s *Service) listRulesCommand() *command.Command {
	return command.New(meta("listProjectRolePermissions", "projectrolepermission", "", "Lists the rules of a project's roles, in their order"), s.ListRules)
}

// ListRules returns the rules of a project's roles, in the order in which they
// are asked.
func (s *Service) ListRules(ctx context.Context, r ListRulesRequest) (out command.List[RuleView], err error) {
	p, err := s.seen(ctx, r.ProjectID)
	if err != nil {
		return out, err
	}
	roles, err := gorm.G[Role](s.db.In(ctx)).Where("project_id = ?", p.ID).Find(ctx)
	if err != nil {
		return out, err
	}
	names := map[string]string{}
	for _, role := range roles {
		names[role.ID] = role.Name
	}
	var rows []iam.ProjectRule
	q := command.Equal(s.db.In(ctx).Where("project_id = ?", p.ID), "role_id", r.RoleID)
	if err := q.Order("role_id, position, id").Find(&rows).Error; err != nil {
		return out, err
	}
	return command.ListOf(rows, len(rows), func(r iam.ProjectRule) RuleView { return ruleView(r, names[r.RoleID]) }), nil
}
