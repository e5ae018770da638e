package iamcmd

import (
	"context"

	"aerie/services/command"
	"aerie/services/iam"
	"aerie/services/job"
)

func (s *Service) enableAccount() *command.Command {
	return command.New(command.Meta{Name: "enableAccount", Object: "account", Event: "ACCOUNT.ENABLE", Roles: managers, Doc: "Enables an account"},
		func(ctx context.Context, r accountRef) (AccountView, error) {
			a, err := s.IAM.EnableAccount(ctx, r.ref())
			if err != nil {
				return AccountView{}, err
			}
			return s.accountView(ctx, a)
		})
}

type lockAccountRequest struct {
	Account  string `json:"account" required:"true" doc:"the name of the account"`
	DomainID string `json:"domainid" ref:"domain" required:"true" doc:"the domain of the account"`
}

func (s *Service) lockAccount() *command.Command {
	return command.New(command.Meta{Name: "lockAccount", Object: "account", Event: "ACCOUNT.LOCK", Roles: managers, Doc: "Locks an account: nobody signs in, what runs goes on"},
		func(ctx context.Context, r lockAccountRequest) (AccountView, error) {
			a, err := s.IAM.LockAccount(ctx, iam.AccountRef{Name: r.Account, DomainID: r.DomainID})
			if err != nil {
				return AccountView{}, err
			}
			return s.accountView(ctx, a)
		})
}

type disableAccountRequest struct {
	accountRef
	Lock bool `json:"lock" required:"true" doc:"true only locks: what runs goes on"`
}

// disableAccount shuts out at once; its job is done when the API asks.
func (s *Service) disableAccount() *command.Command {
	return command.Async(command.Meta{Name: "disableAccount", Object: "account", Event: "ACCOUNT.DISABLE", Roles: managers, Doc: "Disables or locks an account"},
		func(ctx context.Context, r disableAccountRequest) (job.Spec, error) {
			shut := s.IAM.DisableAccount
			if r.Lock {
				shut = s.IAM.LockAccount
			}
			a, err := shut(ctx, r.ref())
			if err != nil {
				return job.Spec{}, err
			}
			about(ctx, "account", a.ID, a.Name, a.Owner())
			return job.Spec{Kind: doneJob, Object: "account", ObjectID: a.ID, State: removal{ID: a.ID}}, nil
		}, s.accountByID)
}

type accountID struct {
	ID string `json:"id" ref:"account" required:"true" doc:"the id of the account"`
}

func (s *Service) deleteAccount() *command.Command {
	return command.Async[accountID, command.Success](
		command.Meta{Name: "deleteAccount", Event: "ACCOUNT.DELETE", Roles: managers, Doc: "Deletes an account with its users and all it owns"},
		func(ctx context.Context, r accountID) (job.Spec, error) {
			a, err := s.IAM.CloseAccount(ctx, r.ID)
			if err != nil {
				return job.Spec{}, err
			}
			about(ctx, "account", a.ID, a.Name, a.Owner())
			actor, err := actorOwner(ctx)
			return job.Spec{Kind: deleteAccountJob, Entity: "account/" + a.ID, Object: "account", ObjectID: a.ID, Owner: actor, State: removal{ID: a.ID}}, err
		}, nil)
}
