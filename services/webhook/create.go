package webhook

import (
	"context"
	"strings"

	"aerie/services/command"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
)

// View is a webhook as commands return it. Its secret is never in it.
type View struct {
	ID          string       `json:"id" doc:"the webhook"`
	Name        string       `json:"name" doc:"its name"`
	Description string       `json:"description" doc:"what it is for"`
	State       string       `json:"state" doc:"Enabled or Disabled"`
	Scope       string       `json:"scope" doc:"whose events it hears of: Local its account's, Domain its domain's, Global all"`
	PayloadURL  string       `json:"payloadurl" doc:"where events are posted to"`
	SecretKey   string       `json:"secretkey" doc:"never shown"`
	SSL         bool         `json:"sslverification" doc:"whether the certificate of the address is checked"`
	Created     command.Time `json:"created" doc:"when it was made"`
	iam.Belongs
}

func (s *Service) views(ctx context.Context, rows []Webhook) ([]View, error) {
	owners := make([]store.Owner, len(rows))
	for i, w := range rows {
		owners[i] = w.Owner()
	}
	belongs, err := s.IAM.Owners(ctx, owners)
	if err != nil {
		return nil, err
	}
	out := make([]View, len(rows))
	for i, w := range rows {
		out[i] = View{
			ID: w.ID, Name: w.Name, Description: w.Description, State: w.State, Scope: w.Scope, PayloadURL: w.PayloadURL,
			SSL: w.SSLVerification, Created: command.Time{Time: w.CreatedAt}, Belongs: belongs(w.Owner()),
		}
	}
	return out, nil
}

type createRequest struct {
	command.Owner
	Name        string `json:"name" required:"true" doc:"the name"`
	Description string `json:"description" max:"4095" doc:"what it is for"`
	PayloadURL  string `json:"payloadurl" required:"true" max:"2000" doc:"where events are posted to"`
	Scope       string `json:"scope" enum:"Local,Domain,Global" doc:"whose events it hears of: Local, the default, Domain or Global"`
	SecretKey   string `json:"secretkey" secret:"true" doc:"the key by which deliveries are signed (HMAC-SHA256)"`
	SSL         *bool  `json:"sslverification" doc:"false accepts any certificate"`
	State       string `json:"state" enum:"Enabled,Disabled" doc:"Enabled, the default, or Disabled"`
}

func (s *Service) createCommand() *command.Command {
	return command.New(command.Meta{Name: "createWebhook", Object: "webhook", Event: "WEBHOOK.CREATE", Roles: command.Everyone, Since: "4.20.0", Doc: "Makes a webhook"},
		func(ctx context.Context, r createRequest) (View, error) {
			ctx, err := r.Resolve(ctx)
			if err != nil {
				return View{}, err
			}
			w, err := s.create(ctx, r)
			if err != nil {
				return View{}, err
			}
			about(ctx, w)
			views, err := s.views(ctx, []Webhook{w})
			if err != nil {
				return View{}, err
			}
			return views[0], nil
		})
}

func (s *Service) create(ctx context.Context, r createRequest) (w Webhook, err error) {
	a, _ := store.From(ctx)
	w = Webhook{
		Row: store.Row{ID: s.db.NewID(), CreatedAt: s.db.Now()}, Owned: store.Owned(a.Target()), Name: strings.TrimSpace(r.Name), Description: r.Description,
		State: or(r.State, Enabled), Scope: or(r.Scope, Local), PayloadURL: r.PayloadURL, SSLVerification: r.SSL == nil || *r.SSL,
	}
	key := strings.ToLower(w.Name)
	w.NameKey = &key
	if err := checkURL(w.PayloadURL); err != nil {
		return w, err
	}
	if err := s.mayHear(ctx, w.Scope, w.AccountID); err != nil {
		return w, err
	}
	if w.SecretKey, err = s.db.Seal(r.SecretKey); err != nil {
		return w, err
	}
	s.db.AfterCommit(ctx, s.forget)
	return w, taken(s.db.In(ctx).Create(&w).Error, w.Name)
}

func taken(err error, name string) error {
	if store.IsDuplicate(err) {
		return fault.Param("name", "error.name_taken", "value", name)
	}
	return err
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func about(ctx context.Context, w Webhook) {
	command.About(ctx, event.Resource{Kind: "webhook", ID: w.ID, Name: w.Name}, w.Owner())
}
