package webhook

import (
	"context"
	"strings"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/store"
)

type updateRequest struct {
	ID          string  `json:"id" ref:"webhook" required:"true" doc:"the webhook"`
	Name        string  `json:"name" doc:"the new name"`
	Description *string `json:"description" max:"4095" doc:"what it is for"`
	PayloadURL  string  `json:"payloadurl" max:"2000" doc:"where events are posted to"`
	Scope       string  `json:"scope" enum:"Local,Domain,Global" doc:"whose events it hears of"`
	SecretKey   *string `json:"secretkey" secret:"true" doc:"the key by which deliveries are signed; empty for none"`
	SSL         *bool   `json:"sslverification" doc:"whether the certificate of the address is checked"`
	State       string  `json:"state" enum:"Enabled,Disabled" doc:"Enabled or Disabled"`
}

func (s *Service) updateCommand() *command.Command {
	return command.New(command.Meta{Name: "updateWebhook", Event: "WEBHOOK.UPDATE", Roles: command.Everyone, Since: "4.20.0", Doc: "Changes a webhook"},
		func(ctx context.Context, r updateRequest) (command.Success, error) {
			w, err := store.Find[Webhook](ctx, s.db, r.ID)
			if err != nil {
				return command.Success{}, err
			}
			about(ctx, w)
			set, err := s.changes(ctx, w, r)
			if err != nil || len(set) == 0 {
				return command.OK, err
			}
			s.db.AfterCommit(ctx, s.forget)
			done := s.db.In(ctx).Model(&Webhook{}).Where("id = ?", w.ID).Updates(set)
			if done.Error == nil && done.RowsAffected == 0 {
				return command.Success{}, fault.Absent("id", r.ID)
			}
			return command.OK, taken(done.Error, r.Name)
		})
}

func (s *Service) changes(ctx context.Context, w Webhook, r updateRequest) (map[string]any, error) {
	set := map[string]any{}
	if name := strings.TrimSpace(r.Name); name != "" {
		set["name"], set["name_key"] = name, strings.ToLower(name)
	}
	if r.Description != nil {
		set["description"] = *r.Description
	}
	if r.PayloadURL != "" {
		set["payload_url"] = r.PayloadURL
		if err := checkURL(r.PayloadURL); err != nil {
			return nil, err
		}
	}
	if r.Scope != "" {
		set["scope"] = r.Scope
		if err := s.mayHear(ctx, r.Scope, w.AccountID); err != nil {
			return nil, err
		}
	}
	if r.SSL != nil {
		set["ssl_verification"] = *r.SSL
	}
	if r.State != "" {
		set["state"] = r.State
	}
	if r.SecretKey == nil {
		return set, nil
	}
	sealed, err := s.db.Seal(*r.SecretKey)
	set["secret_key"] = sealed
	return set, err
}

type deleteRequest struct {
	ID string `json:"id" ref:"webhook" required:"true" doc:"the webhook"`
}

func (s *Service) deleteCommand() *command.Command {
	return command.New(command.Meta{Name: "deleteWebhook", Event: "WEBHOOK.DELETE", Roles: command.Everyone, Since: "4.20.0", Doc: "Removes a webhook and its deliveries"},
		func(ctx context.Context, r deleteRequest) (command.Success, error) {
			w, err := store.Find[Webhook](ctx, s.db, r.ID)
			if err != nil {
				return command.Success{}, err
			}
			about(ctx, w)
			s.db.AfterCommit(ctx, s.forget)
			done := s.db.In(ctx).Model(&Webhook{}).Where("id = ?", w.ID).
				Updates(map[string]any{"removed_at": s.db.Now(), "name_key": nil, "secret_key": ""})
			if done.Error != nil || done.RowsAffected == 0 {
				return command.OK, done.Error
			}
			return command.OK, s.db.In(ctx).Where("webhook_id = ?", w.ID).Delete(&Delivery{}).Error
		})
}
