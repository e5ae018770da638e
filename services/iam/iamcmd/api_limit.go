package iamcmd

import (
	"context"

	"aerie/services/command"
	"aerie/services/iam"
	"aerie/services/store"
)

// RateView is how many calls an account has.
type RateView struct {
	Account   string `json:"account" doc:"the account name of the api remaining count"`
	AccountID string `json:"accountid" doc:"the account uuid of the api remaining count"`
	Allowed   int    `json:"apiAllowed" type:"int" doc:"currently allowed number of apis"`
	Issued    int    `json:"apiIssued" type:"int" doc:"number of api already issued"`
	Expires   int64  `json:"expireAfter" doc:"milliseconds left to reset counters"`
}

func (s *Service) getAPILimit() *command.Command {
	return command.New(command.Meta{Name: "getApiLimit", Object: "apilimit", Roles: command.Everyone, Doc: "Get API limit count for the caller"},
		func(ctx context.Context, _ command.None) (RateView, error) {
			a, _ := store.From(ctx)
			r, err := s.Throttle.Rate(ctx, a.AccountID)
			return RateView{
				Account: s.IAM.AccountName(ctx, a.AccountID), AccountID: a.AccountID,
				Allowed: r.Allowed, Issued: r.Issued, Expires: r.Expires.Milliseconds(),
			}, err
		})
}

type resetAPILimitRequest struct {
	Account string `json:"account" ref:"account" doc:"the ID of the account whose limit to reset; all accounts without one"`
}

func (s *Service) resetAPILimit() *command.Command {
	return command.New(command.Meta{Name: "resetApiLimit", Event: "API.LIMIT.RESET", Roles: command.Admin, Doc: "Reset api count"},
		func(ctx context.Context, r resetAPILimitRequest) (command.Success, error) {
			if r.Account == "-1" {
				r.Account = ""
			}
			if r.Account != "" {
				a, err := store.Find[iam.Account](ctx, s.IAM.DB(), r.Account)
				if err != nil {
					return command.Success{}, err
				}
				about(ctx, "account", a.ID, a.Name, a.Owner())
			}
			return command.OK, s.Throttle.Reset(ctx, r.Account)
		})
}
