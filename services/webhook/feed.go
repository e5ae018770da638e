package webhook

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"gorm.io/gorm"

	"aerie/services/event"
	"aerie/services/store"
)

// fresh is how long a server may go on with the webhooks that it read: the time
// in which one that was made elsewhere begins to hear.
const fresh = time.Second

// feed hands an event to the webhooks that hear of it, in the transaction that
// writes it: what is rolled back is told to nobody.
func (s *Service) feed(ctx context.Context, created any) error {
	e, ok := created.(*event.Row)
	if !ok {
		return nil
	}
	ctx = store.System(ctx, "an event for the webhooks that hear of it")
	hooks, err := s.enabled(ctx)
	if err != nil {
		return err
	}
	for _, w := range hooks {
		if !w.hears(e.Owner()) {
			continue
		}
		payload, err := payloadOf(ctx, e)
		if err != nil {
			return err
		}
		if _, err := s.send(ctx, w, Delivery{EventID: e.ID, EventType: e.Type, Payload: payload}); err != nil {
			return err
		}
	}
	return nil
}

// hears tells whether an event of that owner is for the webhook.
func (w Webhook) hears(o store.Owner) bool {
	switch w.Scope {
	case Global:
		return true
	case Domain:
		return w.DomainPath != "" && strings.HasPrefix(o.DomainPath, w.DomainPath)
	}
	return w.AccountID == o.AccountID
}

func (s *Service) enabled(ctx context.Context) ([]Webhook, error) {
	now := s.db.Now()
	s.mu.Lock()
	hooks, known := s.hooks, s.read && now.Sub(s.readAt).Abs() < fresh
	s.mu.Unlock()
	if known {
		return hooks, nil
	}
	hooks, err := gorm.G[Webhook](s.db.In(ctx)).Where("state = ?", Enabled).Order("id").Find(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks, s.readAt, s.read = hooks, now, true
	return hooks, nil
}

func (s *Service) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read = false
}

// message is an event as it is posted, with the names of CloudStack's event bus.
type message struct {
	When        string `json:"eventDateTime"`
	Event       string `json:"event"`
	ID          string `json:"eventid"`
	Status      string `json:"status"`
	Level       string `json:"level"`
	Description string `json:"description"`
	Entity      string `json:"entity,omitempty"`
	EntityID    string `json:"entityuuid,omitempty"`
	EntityName  string `json:"entityname,omitempty"`
	Account     string `json:"account"`
	Domain      string `json:"domain"`
	User        string `json:"user,omitempty"`
	Username    string `json:"username,omitempty"`
	Job         string `json:"jobid,omitempty"`
}

func payloadOf(ctx context.Context, e *event.Row) (string, error) {
	doc, err := json.Marshal(message{
		When: e.CreatedAt.UTC().Format("2006-01-02T15:04:05-0700"), Event: e.Type, ID: e.ID, Status: string(e.State), Level: string(e.Level),
		Description: e.Text(ctx), Entity: e.ResourceType, EntityID: e.ResourceID, EntityName: e.ResourceName,
		Account: e.AccountID, Domain: e.DomainID, User: e.UserID, Username: e.Username, Job: e.JobID,
	})
	return string(doc), err
}
