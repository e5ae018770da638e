package webhook

import (
	"cmp"
	"context"
	"time"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/store"
)

// DeliveryView is a delivery as commands return it.
type DeliveryView struct {
	ID          string       `json:"id" doc:"the delivery"`
	EventID     string       `json:"eventid" doc:"the event"`
	EventType   string       `json:"eventtype" doc:"the kind of the event"`
	Headers     string       `json:"headers" doc:"the headers of the request"`
	Payload     string       `json:"payload" doc:"what was posted"`
	Success     bool         `json:"success" doc:"whether the address accepted it"`
	Response    string       `json:"response" doc:"the status of the answer; its body is not kept"`
	Attempts    int          `json:"attempts" doc:"how often it was tried"`
	Start       command.Time `json:"startdate" doc:"when it was tried first"`
	End         command.Time `json:"enddate" doc:"when it was done or given up; nothing while it is under way"`
	WebhookID   string       `json:"webhookid" doc:"the webhook"`
	WebhookName string       `json:"webhookname" doc:"the name of the webhook"`
	ServerID    string       `json:"managementserverid" view:"admin" doc:"servers have no ids"`
	ServerName  string       `json:"managementservername" view:"admin" doc:"the server that made it"`
}

func deliveryView(d Delivery, webhook string) DeliveryView {
	at := func(t *time.Time) command.Time { return command.Time{Time: *cmp.Or(t, &time.Time{})} }
	return DeliveryView{
		ID: d.ID, EventID: d.EventID, EventType: d.EventType, Headers: d.Headers, Payload: d.Payload, Success: d.Success, Response: d.Response,
		Attempts: d.Attempts, Start: at(d.StartedAt), End: at(d.EndedAt), WebhookID: d.WebhookID, WebhookName: webhook, ServerName: d.Server,
	}
}

// span is embedded by requests about deliveries of some time.
type span struct {
	Start    command.Date `json:"startdate" doc:"deliveries from then on"`
	End      command.Date `json:"enddate" day:"end" doc:"deliveries until then"`
	ServerID string       `json:"managementserverid" type:"uuid" view:"admin" doc:"the server that made them; servers have no ids"`
}

func (r span) apply(q *gorm.DB) *gorm.DB {
	if !r.Start.IsZero() {
		q = q.Where("created_at >= ?", r.Start.Time)
	}
	if !r.End.IsZero() {
		q = q.Where("created_at <= ?", r.End.Time)
	}
	if r.ServerID != "" {
		q = q.Where("1 = 0")
	}
	return q
}

type listDeliveriesRequest struct {
	command.Paging
	span
	ID        string `json:"id" ref:"webhookdelivery" doc:"the delivery"`
	WebhookID string `json:"webhookid" ref:"webhook" doc:"the webhook"`
	EventType string `json:"eventtype" doc:"the kind of the event"`
}

func (s *Service) listDeliveriesCommand() *command.Command {
	return command.New(command.Meta{Name: "listWebhookDeliveries", Object: "webhookdelivery", Roles: command.Everyone, Since: "4.20.0", Doc: "Lists the latest deliveries of webhooks, the latest first"},
		func(ctx context.Context, r listDeliveriesRequest) (out command.List[DeliveryView], err error) {
			q := r.apply(command.Equal(command.Equal(s.db.In(ctx).Model(&Delivery{}), "id", r.ID), "webhook_id", r.WebhookID))
			q = command.Equal(q, "event_type", r.EventType)
			rows, count, err := command.Rows[Delivery](r.Search(q, "event_type", "payload"), r.Paging, "id DESC")
			if err != nil {
				return out, err
			}
			ids := make([]string, len(rows))
			for i, d := range rows {
				ids[i] = d.WebhookID
			}
			names, err := store.Names[Webhook](ctx, s.db, ids)
			return command.ListOf(rows, count, func(d Delivery) DeliveryView { return deliveryView(d, names[d.WebhookID]) }), err
		})
}

type deleteDeliveryRequest struct {
	span
	ID        string `json:"id" ref:"webhookdelivery" doc:"the delivery"`
	WebhookID string `json:"webhookid" ref:"webhook" doc:"the webhook"`
}

func (s *Service) deleteDeliveryCommand() *command.Command {
	return command.New(command.Meta{Name: "deleteWebhookDelivery", Event: "WEBHOOK.DELIVERY.DELETE", Roles: command.Everyone, Since: "4.20.0", Doc: "Forgets deliveries: one, or those of a webhook"},
		func(ctx context.Context, r deleteDeliveryRequest) (command.Success, error) {
			if r.ID == "" && r.WebhookID == "" {
				return command.Success{}, fault.Param("id", "error.webhook_which")
			}
			q := r.apply(command.Equal(command.Equal(s.db.In(ctx), "id", r.ID), "webhook_id", r.WebhookID))
			return command.OK, q.Delete(&Delivery{}).Error
		})
}

type executeRequest struct {
	ID         string  `json:"id" ref:"webhookdelivery" doc:"a delivery that is made again"`
	WebhookID  string  `json:"webhookid" ref:"webhook" doc:"the webhook that is tried"`
	Payload    string  `json:"payload" max:"65536" doc:"what is posted; a test message without it"`
	PayloadURL string  `json:"payloadurl" max:"2000" doc:"where to, instead of the webhook's address"`
	SecretKey  *string `json:"secretkey" secret:"true" doc:"the key to sign with, instead of the webhook's"`
	SSL        *bool   `json:"sslverification" doc:"whether the certificate is checked, instead of what the webhook says"`
}

// testEvent is the kind of a delivery that is no event's.
const testEvent = "TEST.WEBHOOK"

func (s *Service) executeCommand() *command.Command {
	return command.New(command.Meta{Name: "executeWebhookDelivery", Object: "webhookdelivery", Event: "WEBHOOK.DELIVERY.EXECUTE", Roles: command.Everyone, Since: "4.20.0", Doc: "Delivers again, or tries a webhook or an address; listWebhookDeliveries tells how it went"},
		func(ctx context.Context, r executeRequest) (DeliveryView, error) {
			w, d, err := s.again(ctx, r)
			if err != nil {
				return DeliveryView{}, err
			}
			p, err := s.own(w, r)
			if err != nil {
				return DeliveryView{}, err
			}
			d, err = s.send(ctx, w, d, p...)
			return deliveryView(d, w.Name), err
		})
}

// again is what is to be delivered, and the webhook, which may be none.
func (s *Service) again(ctx context.Context, r executeRequest) (w Webhook, d Delivery, err error) {
	d = Delivery{EventType: testEvent, Payload: r.Payload}
	if r.ID != "" {
		old, err := gorm.G[Delivery](s.db.In(ctx)).Where("id = ?", r.ID).Take(ctx)
		if err != nil {
			return w, d, fault.Absent("id", r.ID)
		}
		d.EventID, d.EventType, d.Payload = old.EventID, old.EventType, or(r.Payload, old.Payload)
		if r.WebhookID == "" {
			r.WebhookID = old.WebhookID
		}
	}
	if d.Payload == "" {
		d.Payload = `{"event":"` + testEvent + `","description":"A test of Aerie"}`
	}
	if r.WebhookID != "" {
		w, err = store.Find[Webhook](ctx, s.db, r.WebhookID)
		return w, d, err
	}
	a, _ := store.From(ctx)
	w.Owned = store.Owned(a.Target())
	if r.PayloadURL == "" {
		err = fault.Param("webhookid", "error.webhook_which")
	}
	return w, d, err
}

// own is where the delivery goes when that is not as the webhook says. A key of
// the webhook signs only what goes to its own address.
func (s *Service) own(w Webhook, r executeRequest) ([]parcel, error) {
	if r.PayloadURL == "" && r.SecretKey == nil && r.SSL == nil {
		return nil, nil
	}
	p := parcel{Given: true, URL: or(r.PayloadURL, w.PayloadURL), Unverified: w.ID != "" && !w.SSLVerification}
	if err := checkURL(p.URL); err != nil {
		return nil, err
	}
	if r.SSL != nil {
		p.Unverified = !*r.SSL
	}
	switch {
	case r.SecretKey != nil:
		sealed, err := s.db.Seal(*r.SecretKey)
		p.Secret = string(sealed)
		return []parcel{p}, err
	case r.PayloadURL == "":
		p.Secret = string(w.SecretKey)
	}
	return []parcel{p}, nil
}
