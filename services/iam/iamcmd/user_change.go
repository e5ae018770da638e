package iamcmd

import (
	"context"

	"aerie/services/command"
	"aerie/services/iam"
	"aerie/services/job"
	"aerie/services/store"
)

type createUserRequest struct {
	newUser
	Account  string `json:"account" required:"true" doc:"the account that the user is added to"`
	DomainID string `json:"domainid" ref:"domain" doc:"the domain of the account; the caller's without one"`
}

func (s *Service) createUser() *command.Command {
	return command.NewReady(command.Meta{Name: "createUser", Object: "user", Event: "USER.CREATE", Roles: managers, Doc: "Adds a user to an account"},
		func(ctx context.Context, r createUserRequest) (iam.CreateUser, error) {
			user, err := s.readyUser(ctx, r.newUser, r.DomainID)
			return iam.CreateUser{Account: iam.AccountRef{Name: r.Account, DomainID: r.DomainID}, User: user}, err
		},
		func(ctx context.Context, r iam.CreateUser) (UserView, error) {
			u, err := s.IAM.CreateUser(ctx, r)
			if err != nil {
				return UserView{}, err
			}
			return s.userView(ctx, u)
		})
}

type updateUserRequest struct {
	ID              string `json:"id" ref:"user" required:"true" doc:"the id of the user"`
	Username        string `json:"username" doc:"the new name"`
	FirstName       string `json:"firstname" doc:"the first name"`
	LastName        string `json:"lastname" doc:"the last name"`
	Email           string `json:"email" doc:"the mail address"`
	Timezone        string `json:"timezone" doc:"the time zone"`
	Password        string `json:"password" secret:"true" max:"1024" doc:"the new password"`
	CurrentPassword string `json:"currentpassword" secret:"true" max:"1024" doc:"the password until now; needed by users for their own"`
	APIKeyAccess    string `json:"apikeyaccess" view:"admin" doc:"whether its API keys may be used: enabled, disabled or inherit"`
	Mandate2FA      *bool  `json:"mandate2fa" doc:"whether the user must sign in with two factors; only who manages it may say"`
	APIKey          string `json:"userapikey" doc:"an API key, with usersecretkey"`
	SecretKey       string `json:"usersecretkey" secret:"true" doc:"the secret of userapikey"`
}

func (s *Service) updateUser() *command.Command {
	return command.NewReady(command.Meta{Name: "updateUser", Object: "user", Event: "USER.UPDATE", Roles: command.Everyone, Doc: "Changes a user"},
		func(ctx context.Context, r updateUserRequest) (iam.UpdateUser, error) {
			return s.IAM.ReadyUpdate(ctx, iam.UpdateUser{
				ID: r.ID, Username: given(r.Username), FirstName: given(r.FirstName), LastName: given(r.LastName),
				Email: given(r.Email), Timezone: given(r.Timezone), Password: given(r.Password), CurrentPassword: r.CurrentPassword,
				APIKeyAccess: given(r.APIKeyAccess), APIKey: given(r.APIKey), SecretKey: given(r.SecretKey), KeepSession: s.IAM.SessionOf(ctx),
				MustTwoFactor: r.Mandate2FA,
			})
		},
		func(ctx context.Context, r iam.UpdateUser) (UserView, error) {
			u, err := s.IAM.UpdateUser(ctx, r)
			if err != nil {
				return UserView{}, err
			}
			return s.userView(ctx, u)
		})
}

type userID struct {
	ID string `json:"id" ref:"user" required:"true" doc:"the id of the user"`
}

func (s *Service) enableUser() *command.Command {
	return s.userState("enableUser", "USER.ENABLE", "Enables a user", s.IAM.EnableUser)
}

func (s *Service) lockUser() *command.Command {
	return s.userState("lockUser", "USER.LOCK", "Locks a user", s.IAM.LockUser)
}

func (s *Service) userState(name, event, doc string, set func(context.Context, string) (iam.User, error)) *command.Command {
	return command.New(command.Meta{Name: name, Object: "user", Event: event, Roles: managers, Doc: doc},
		func(ctx context.Context, r userID) (UserView, error) {
			u, err := set(ctx, r.ID)
			if err != nil {
				return UserView{}, err
			}
			return s.userView(ctx, u)
		})
}

// disableUser shuts out at once; its job is done when the API asks.
func (s *Service) disableUser() *command.Command {
	return command.Async(command.Meta{Name: "disableUser", Object: "user", Event: "USER.DISABLE", Roles: managers, Doc: "Disables a user"},
		func(ctx context.Context, r userID) (job.Spec, error) {
			u, err := s.IAM.DisableUser(ctx, r.ID)
			if err != nil {
				return job.Spec{}, err
			}
			about(ctx, "user", u.ID, u.Username, u.Owner())
			return job.Spec{Kind: doneJob, Object: "user", ObjectID: u.ID, State: removal{ID: u.ID}}, nil
		}, func(ctx context.Context, id string) (UserView, error) {
			u, err := s.IAM.UserByID(ctx, id)
			if store.IsAbsent(err) {
				return UserView{ID: id}, nil
			}
			if err != nil {
				return UserView{}, err
			}
			return s.userView(ctx, u)
		})
}

func (s *Service) deleteUser() *command.Command {
	return command.New(command.Meta{Name: "deleteUser", Event: "USER.DELETE", Roles: managers, Doc: "Deletes a user"},
		func(ctx context.Context, r userID) (command.Success, error) {
			u, err := s.IAM.UserByID(ctx, r.ID)
			if err != nil {
				return command.Success{}, err
			}
			about(ctx, "user", u.ID, u.Username, u.Owner())
			return command.OK, s.IAM.DeleteUser(ctx, r.ID)
		})
}

// actorOwner is the actor's own account: a job that removes an account belongs
// to who asked for it.
func actorOwner(ctx context.Context) (store.Owner, error) {
	a, ok := store.From(ctx)
	if !ok {
		return store.Owner{}, store.ErrNoActor
	}
	return a.Owner, nil
}
