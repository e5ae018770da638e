package iam

import (
	"context"
	"encoding/json"

	"aerie/services/fault"
	"aerie/services/store"
)

// UpdateAccount asks for changes; nil leaves as it is.
type UpdateAccount struct {
	AccountRef
	NewName       *string
	NetworkDomain *string
	RoleID        *string
	APIKeyAccess  *string
	Details       map[string]string
	DefaultZoneID *string
}

// UpdateAccount renames an account, changes its role, details or key access. A
// role of another type is refused: it would change what the account sees.
func (s *Service) UpdateAccount(ctx context.Context, r UpdateAccount) (Account, error) {
	var a Account
	err := s.db.Tx(ctx, func(ctx context.Context) (err error) {
		if a, err = s.FindAccount(ctx, r.AccountRef); err != nil {
			return err
		}
		if err := s.mayManage(ctx, a); err != nil {
			return err
		}
		set, err := s.accountChanges(ctx, a, r)
		if err != nil || len(set) == 0 {
			return err
		}
		name := a.Name
		if r.NewName != nil {
			name = *r.NewName
		}
		return taken(s.db.In(ctx).Model(&Account{}).Where("id = ?", a.ID).Updates(set).Error, "newname", name)
	})
	if err != nil {
		return a, err
	}
	return s.AccountByID(ctx, a.ID)
}

func (s *Service) accountChanges(ctx context.Context, a Account, r UpdateAccount) (map[string]any, error) {
	set := map[string]any{}
	if r.NewName != nil {
		if err := checkName("newname", *r.NewName, "/"); err != nil {
			return nil, err
		}
		set["name"], set["name_key"] = *r.NewName, fold(*r.NewName)
	}
	if r.NetworkDomain != nil {
		set["network_domain"] = *r.NetworkDomain
	}
	if r.DefaultZoneID != nil {
		set["default_zone_id"] = *r.DefaultZoneID
	}
	if r.APIKeyAccess != nil {
		access, err := keyAccess(*r.APIKeyAccess)
		if err != nil {
			return nil, err
		}
		set["api_key_access"] = access
	}
	if r.Details != nil {
		details, err := json.Marshal(r.Details)
		if err != nil {
			return nil, err
		}
		set["details"] = details
	}
	if r.RoleID != nil && *r.RoleID != a.RoleID {
		if err := s.mayChangeRole(ctx, a, *r.RoleID); err != nil {
			return nil, err
		}
		set["role_id"] = *r.RoleID
	}
	return set, nil
}

func (s *Service) mayChangeRole(ctx context.Context, a Account, roleID string) error {
	role, err := s.mayGrant(ctx, roleID)
	if err != nil {
		return err
	}
	if role.typ.Rank() != a.Type {
		return fault.Param("roleid", "error.role_type")
	}
	if err := s.holdRole(ctx, role); err != nil {
		return err
	}
	if err := notSelf(ctx, "", a.ID); err != nil {
		return err
	}
	if err := s.keepAnAdmin(ctx, a); err != nil {
		return err
	}
	sys := store.System(ctx, "a new role asks for new sessions")
	users := s.db.In(sys).Model(&User{}).Where("account_id = ?", a.ID).Select("id")
	return s.revokeWhere(sys, "user_id IN (?)", users)
}
