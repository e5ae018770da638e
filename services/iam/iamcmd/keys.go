package iamcmd

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/iam"
	"aerie/services/store"
)

// KeysView is a user's key pair. The secret is there for the user itself, and
// when the pair is made.
type KeysView struct {
	APIKey    string `json:"apikey" doc:"the API key"`
	SecretKey string `json:"secretkey" doc:"the secret"`
	Access    bool   `json:"apikeyaccess" doc:"whether the keys may be used"`
}

func (s *Service) registerUserKeys() *command.Command {
	return command.New(command.Meta{Name: "registerUserKeys", Object: "userkeys", Event: "REGISTER.USER.KEY", Roles: command.Everyone, Doc: "Gives a user new API keys"},
		func(ctx context.Context, r userID) (KeysView, error) {
			k, err := s.IAM.RegisterKeys(ctx, r.ID)
			return KeysView{k.APIKey, k.Secret, k.Usable}, err
		})
}

func (s *Service) getUserKeys() *command.Command {
	return command.New(command.Meta{Name: "getUserKeys", Object: "userkeys", Roles: command.Everyone, Since: "4.10.0", Doc: "Shows a user's API keys; the secret only to the user itself"},
		func(ctx context.Context, r userID) (KeysView, error) {
			k, err := s.IAM.KeysOf(ctx, r.ID)
			return KeysView{k.APIKey, k.Secret, k.Usable}, err
		})
}

// RoleView is a role as the API shows it.
type RoleView struct {
	ID          string `json:"id" doc:"the id of the role"`
	Name        string `json:"name" doc:"the name of the role"`
	Type        string `json:"type" doc:"Admin, ResourceAdmin, DomainAdmin or User"`
	Description string `json:"description" doc:"what the role is for"`
	IsDefault   bool   `json:"isdefault" doc:"whether it came with the installation"`
	IsPublic    bool   `json:"ispublic" doc:"whether domain admins may give it"`
	State       string `json:"state" doc:"enabled or disabled"`
}

type listRolesRequest struct {
	command.Paging
	ID    string `json:"id" ref:"role" doc:"the id of the role"`
	Name  string `json:"name" doc:"the name of the role"`
	Type  string `json:"type" enum:"Admin,ResourceAdmin,DomainAdmin,User" doc:"the type of the role"`
	State string `json:"state" doc:"enabled or disabled"`
}

func (s *Service) listRoles() *command.Command {
	return command.New(command.Meta{Name: "listRoles", Object: "role", Roles: managers, Since: "4.9.0", Doc: "Lists the roles that the caller may give"},
		func(ctx context.Context, r listRolesRequest) (out command.List[RoleView], err error) {
			q := command.Named(command.Equal(s.IAM.DB().In(ctx).Model(&iam.Role{}), "id", r.ID), "name", r.Name)
			q = command.Named(command.Equal(q, "type", r.Type), "state", r.State)
			if q, err = s.grantable(ctx, q); err != nil {
				return out, err
			}
			rows, count, err := command.Rows[iam.Role](r.Search(q, "name", "description"), r.Paging, "level DESC, id")
			return command.ListOf(rows, count, func(r iam.Role) RoleView {
				return RoleView{r.ID, r.Name, r.Type, r.Description, r.IsDefault, r.IsPublic, r.State}
			}), err
		})
}

// grantable leaves out the roles above the caller's.
func (s *Service) grantable(ctx context.Context, q *gorm.DB) (*gorm.DB, error) {
	a, _ := store.From(ctx)
	if a.IsSystem() {
		return q, nil
	}
	own, err := s.IAM.RoleByID(ctx, a.RoleID)
	if err != nil {
		return nil, err
	}
	return q.Where("level <= ?", own.Level), nil
}
