package iamcmd

import (
	"context"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
)

// What a rule does.
const (
	allow = "allow"
	deny  = "deny"
)

// PermissionView is a rule of a role as the API shows it.
type PermissionView struct {
	ID          string `json:"id" doc:"the id of the rule"`
	RoleID      string `json:"roleid" doc:"the id of the role"`
	RoleName    string `json:"rolename" doc:"the name of the role"`
	Rule        string `json:"rule" doc:"a command, or a pattern with *"`
	Permission  string `json:"permission" doc:"allow or deny"`
	Description string `json:"description" doc:"what the rule is for"`
}

func permissionView(p iam.Permission, role string) PermissionView {
	v := PermissionView{p.ID, p.RoleID, role, p.Pattern, deny, p.Description}
	if p.Allow {
		v.Permission = allow
	}
	return v
}

// ruleExists resolves ids of rules; those of default roles have no rows.
func (s *Service) ruleExists(ctx context.Context, id string) (bool, error) {
	_, err := s.IAM.PermissionByID(ctx, id)
	return err == nil, err
}

type listPermissionsRequest struct {
	RoleID string `json:"roleid" ref:"role" doc:"the role; the rules of all roles without one"`
}

func (s *Service) listRolePermissions() *command.Command {
	return command.New(command.Meta{Name: "listRolePermissions", Object: "rolepermission", Roles: command.Admin, Since: "4.9.0", Doc: "Lists the rules of a role in the order in which they are asked"},
		func(ctx context.Context, r listPermissionsRequest) (out command.List[PermissionView], err error) {
			rows, err := s.rules(ctx, r.RoleID)
			if err != nil {
				return out, err
			}
			var ids []string
			for _, p := range rows {
				if len(ids) == 0 || ids[len(ids)-1] != p.RoleID {
					ids = append(ids, p.RoleID)
				}
			}
			names, err := store.Names[iam.Role](ctx, s.IAM.DB(), ids)
			return command.ListOf(rows, len(rows), func(p iam.Permission) PermissionView { return permissionView(p, names[p.RoleID]) }), err
		})
}

// rules are those of a role, or of all. A removed role has none.
func (s *Service) rules(ctx context.Context, roleID string) ([]iam.Permission, error) {
	if roleID == "" {
		return s.IAM.AllPermissions(ctx)
	}
	rows, err := s.IAM.Permissions(ctx, roleID)
	if fault.Is(err, fault.NotFound) {
		err = nil
	}
	return rows, err
}

type createPermissionRequest struct {
	RoleID string `json:"roleid" ref:"role" required:"true" doc:"the role"`
	ruleLine
}

func (s *Service) createRolePermission() *command.Command {
	return command.New(command.Meta{Name: "createRolePermission", Object: "rolepermission", Event: "ROLE.PERMISSION.CREATE", Roles: command.Admin, Since: "4.9.0", Doc: "Adds a rule to a role, behind its others"},
		func(ctx context.Context, r createPermissionRequest) (PermissionView, error) {
			p, err := s.IAM.CreatePermission(ctx, r.RoleID, iam.NewRule{Pattern: r.Rule, Allow: r.Permission == allow, Description: r.Description})
			if err != nil {
				return PermissionView{}, err
			}
			role, err := s.aboutRoleID(ctx, r.RoleID)
			command.Changed(ctx, nil, ruleText(p))
			return permissionView(p, role.Name), err
		})
}

// aboutRoleID notes the role whose rules a command changes.
func (s *Service) aboutRoleID(ctx context.Context, id string) (iam.Role, error) {
	role, err := s.IAM.RoleByID(ctx, id)
	s.aboutRole(ctx, role)
	return role, err
}

// ruleText is what the audit keeps of a rule.
func ruleText(p iam.Permission) map[string]string {
	return map[string]string{"rule": p.Pattern, "permission": permissionView(p, "").Permission}
}

type updatePermissionRequest struct {
	RoleID     string   `json:"roleid" ref:"role" required:"true" doc:"the role"`
	RuleOrder  []string `json:"ruleorder" ref:"rolepermission" doc:"the ids of all rules of the role in their new order"`
	RuleID     string   `json:"ruleid" ref:"rolepermission" doc:"the rule whose permission changes"`
	Permission string   `json:"permission" enum:"allow,deny" doc:"allow or deny, with ruleid"`
}

// Check wants one of the two ways.
func (r *updatePermissionRequest) Check(context.Context) error {
	switch {
	case len(r.RuleOrder) > 0 && (r.RuleID != "" || r.Permission != ""):
		return fault.Param("ruleorder", "error.rule_either")
	case len(r.RuleOrder) == 0 && r.RuleID == "":
		return fault.Param("ruleid", "error.rule_either")
	case len(r.RuleOrder) == 0 && r.Permission == "":
		return fault.Param("permission", "error.rule_either")
	}
	return nil
}

func (s *Service) updateRolePermission() *command.Command {
	return command.New(command.Meta{Name: "updateRolePermission", Event: "ROLE.PERMISSION.UPDATE", Roles: command.Admin, Since: "4.9.0", Doc: "Puts a role's rules into another order, or makes one allow or deny"},
		func(ctx context.Context, r updatePermissionRequest) (command.Success, error) {
			var err error
			if len(r.RuleOrder) > 0 {
				err = s.IAM.OrderPermissions(ctx, r.RoleID, r.RuleOrder)
			} else {
				var p iam.Permission
				p, err = s.IAM.SetPermission(ctx, r.RoleID, r.RuleID, r.Permission == allow)
				command.Changed(ctx, nil, ruleText(p))
			}
			if err != nil {
				return command.Success{}, err
			}
			_, err = s.aboutRoleID(ctx, r.RoleID)
			return command.OK, err
		})
}

type permissionID struct {
	ID string `json:"id" ref:"rolepermission" required:"true" doc:"the id of the rule"`
}

func (s *Service) deleteRolePermission() *command.Command {
	return command.New(command.Meta{Name: "deleteRolePermission", Event: "ROLE.PERMISSION.DELETE", Roles: command.Admin, Since: "4.9.0", Doc: "Takes a rule from its role"},
		func(ctx context.Context, r permissionID) (command.Success, error) {
			p, err := s.IAM.DeletePermission(ctx, r.ID)
			if err != nil {
				return command.Success{}, err
			}
			command.Changed(ctx, ruleText(p), nil)
			_, err = s.aboutRoleID(ctx, p.RoleID)
			return command.OK, err
		})
}
