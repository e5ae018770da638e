package webhook

import (
	"context"

	"aerie/services/command"
)

type listRequest struct {
	command.Paging
	command.Scope
	ID    string `json:"id" ref:"webhook" doc:"the webhook"`
	Name  string `json:"name" doc:"its name"`
	State string `json:"state" enum:"Enabled,Disabled" doc:"its state"`
	Hears string `json:"scope" enum:"Local,Domain,Global" doc:"whose events it hears of"`
}

func (s *Service) listCommand() *command.Command {
	return command.New(command.Meta{Name: "listWebhooks", Object: "webhook", Roles: command.Everyone, Since: "4.20.0", Doc: "Lists webhooks"},
		func(ctx context.Context, r listRequest) (out command.List[View], err error) {
			q, err := r.Apply(ctx, s.db.In(ctx).Model(&Webhook{}), r.ID)
			if err != nil {
				return out, err
			}
			q = command.Equal(command.Equal(command.Named(command.Equal(q, "id", r.ID), "name", r.Name), "state", r.State), "scope", r.Hears)
			rows, count, err := command.Rows[Webhook](r.Search(q, "name", "description", "payload_url"), r.Paging, "name, id")
			if err != nil {
				return out, err
			}
			views, err := s.views(ctx, rows)
			return command.List[View]{Count: count, Items: views}, err
		})
}
