package iamcmd

import (
	"context"

	"aerie/services/command"
)

type moveDomainRequest struct {
	ID       string `json:"domainid" ref:"domain" required:"true" doc:"the domain to move"`
	ParentID string `json:"parentdomainid" ref:"domain" required:"true" doc:"the domain it is to be below"`
}

func (s *Service) moveDomain() *command.Command {
	return command.New(command.Meta{Name: "moveDomain", Object: "domain", Event: "DOMAIN.MOVE", Roles: command.Admin, Doc: "Moves a domain, with all below, under another parent"},
		func(ctx context.Context, r moveDomainRequest) (DomainView, error) {
			d, err := s.IAM.MoveDomain(ctx, r.ID, r.ParentID)
			if err != nil {
				return DomainView{}, err
			}
			return s.domainView(ctx, d)
		})
}
