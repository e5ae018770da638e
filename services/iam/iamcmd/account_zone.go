package iamcmd

import (
	"context"

	"aerie/services/command"
	"aerie/services/iam"
	"aerie/services/job"
)

type defaultZoneRequest struct {
	Account  string `json:"account" required:"true" doc:"the name of the account"`
	DomainID string `json:"domainid" ref:"domain" required:"true" doc:"the domain of the account"`
	ZoneID   string `json:"zoneid" ref:"zone" required:"true" doc:"the zone that is proposed for the account's new instances"`
}

func (s *Service) markDefaultZone() *command.Command {
	return command.Async(command.Meta{Name: "markDefaultZoneForAccount", Object: "account", Event: "ACCOUNT.MARK.DEFAULT.ZONE", Roles: command.Admin, Doc: "Sets the default zone of an account"},
		func(ctx context.Context, r defaultZoneRequest) (job.Spec, error) {
			a, err := s.IAM.UpdateAccount(ctx, iam.UpdateAccount{
				AccountRef: iam.AccountRef{Name: r.Account, DomainID: r.DomainID}, DefaultZoneID: &r.ZoneID,
			})
			if err != nil {
				return job.Spec{}, err
			}
			about(ctx, "account", a.ID, a.Name, a.Owner())
			return job.Spec{Kind: doneJob, Object: "account", ObjectID: a.ID, State: removal{ID: a.ID}}, nil
		}, s.accountByID)
}
