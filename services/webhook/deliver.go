package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"gorm.io/gorm"

	"aerie/services/config"
	"aerie/services/fault"
	"aerie/services/guard"
	"aerie/services/iam"
	"aerie/services/job"
	"aerie/services/store"
)

const kind = "webhook.deliver"

// parcel is a delivery on its way. URL and Secret (sealed) are there when they
// are not the webhook's own.
type parcel struct {
	ID, URL, Secret string
	Given           bool // URL, Secret and Unverified are this delivery's
	Unverified      bool
}

// send writes a delivery and the job that makes it.
func (s *Service) send(ctx context.Context, w Webhook, d Delivery, own ...parcel) (Delivery, error) {
	d.ID, d.CreatedAt, d.WebhookID, d.Owned = s.db.NewID(), s.db.Now(), w.ID, w.Owned
	sys := store.System(ctx, "deliveries belong to the webhook's owner, who may be a project")
	if err := s.db.In(sys).Create(&d).Error; err != nil {
		return d, err
	}
	p := parcel{}
	if len(own) > 0 {
		p = own[0]
	}
	p.ID = d.ID
	_, err := s.Jobs.Submit(sys, job.Spec{Kind: kind, Owner: store.Owner{DomainPath: "/"}, Object: "webhookdelivery", ObjectID: d.ID, State: p})
	return d, err
}

// deliver posts a delivery. Run twice it may be posted twice, with one
// X-CS-Event-ID. What was deleted meanwhile is not posted.
func (s *Service) deliver(ctx context.Context, p *parcel) error {
	ctx = store.System(ctx, "deliver an event")
	d, err := gorm.G[Delivery](s.db.In(ctx)).Where("id = ?", p.ID).Take(ctx)
	if store.IsAbsent(err) || err == nil && d.EndedAt != nil {
		return nil
	}
	if err != nil {
		return err
	}
	to, why, err := s.target(ctx, d, p)
	if err != nil {
		return err
	}
	if why != "" {
		return s.ended(ctx, d, why, false)
	}
	if d.StartedAt == nil {
		now := s.db.Now()
		d.StartedAt = &now
	}
	d.Attempts++
	d.Headers, d.Response, d.Success = s.post(ctx, to, d)
	if d.Success || d.Attempts >= s.Settings.Tries.At(ctx, config.Place{DomainPath: d.DomainPath}) {
		return s.ended(ctx, d, d.Response, d.Success)
	}
	if err := s.keep(ctx, d, map[string]any{}); err != nil {
		return err
	}
	return job.Later(pause(d.Attempts), d.Response)
}

// pause is how long to wait after so many tries.
func pause(tries int) time.Duration { return min(10*time.Second<<(tries-1), 10*time.Minute) }

// target is where a delivery goes; why says that it goes nowhere any more.
type target struct {
	url, secret string
	unverified  bool
}

func (s *Service) target(ctx context.Context, d Delivery, p *parcel) (to target, why string, err error) {
	owner, err := s.IAM.AccountByID(ctx, d.AccountID)
	if store.IsAbsent(err) || err == nil && owner.State != iam.Enabled {
		return to, "the account is not enabled", nil
	}
	if err != nil {
		return to, "", err
	}
	sealed := store.Secret(p.Secret)
	to.url, to.unverified = p.URL, p.Unverified
	if !p.Given {
		w, err := gorm.G[Webhook](s.db.In(ctx)).Where("id = ?", d.WebhookID).Take(ctx)
		if store.IsAbsent(err) {
			return to, "the webhook is gone", nil
		}
		if err != nil {
			return to, "", err
		}
		if w.State != Enabled {
			return to, "the webhook is disabled", nil
		}
		sealed, to.url, to.unverified = w.SecretKey, w.PayloadURL, !w.SSLVerification
	}
	to.secret, err = s.db.Reveal(sealed)
	return to, "", err
}

// post sends the payload once. Nothing of the answer but its status is read, and
// of a connection that failed nothing is told.
func (s *Service) post(ctx context.Context, to target, d Delivery) (headers, response string, ok bool) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.url, strings.NewReader(d.Payload))
	if err != nil {
		return "", "the address is none", false
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "CS-Hookshot/"+d.ID)
	req.Header.Set("X-CS-Event-ID", or(d.EventID, d.ID))
	req.Header.Set("X-CS-Event", d.EventType)
	if to.secret != "" {
		req.Header.Set("X-CS-Signature", Sign(to.secret, d.Payload))
	}
	headers = headerText(req.Header)
	g := s.Guard
	g.Param = "payloadurl"
	g.Allowed = append(guard.ParseAllowed(s.Settings.Allowed.Get(ctx)), g.Allowed...)
	timeout := max(s.Settings.Timeout.At(ctx, config.Place{DomainPath: d.DomainPath}), time.Second)
	resp, err := g.Client(guard.Options{Header: timeout, All: timeout, NoRedirects: true, Unverified: to.unverified}).Do(req)
	if err != nil {
		if fault.Of(guard.Fault(err)).Kind == fault.Invalid {
			return headers, "the address is internal", false
		}
		return headers, "no answer", false
	}
	_ = resp.Body.Close()
	return headers, fmt.Sprintf("%d %s", resp.StatusCode, http.StatusText(resp.StatusCode)), resp.StatusCode/100 == 2
}

// Sign is the signature of a payload: HMAC-SHA256 in hexadecimal digits.
func Sign(secret, payload string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(payload))
	return hex.EncodeToString(mac.Sum(nil))
}

// headerText shows headers in a fixed order.
func headerText(h http.Header) string {
	var b strings.Builder
	for _, name := range []string{"Content-Type", "User-Agent", "X-Cs-Event-Id", "X-Cs-Event", "X-Cs-Signature"} {
		if v := h.Get(name); v != "" {
			fmt.Fprintf(&b, "%s: %s\n", strings.Replace(name, "X-Cs", "X-CS", 1), v)
		}
	}
	return b.String()
}

// ended notes how a delivery ended, and forgets the oldest of its webhook.
func (s *Service) ended(ctx context.Context, d Delivery, response string, ok bool) error {
	d.Response, d.Success = response, ok
	if err := s.keep(ctx, d, map[string]any{"ended_at": s.db.Now()}); err != nil {
		return err
	}
	return s.forgetOld(ctx, d)
}

func (s *Service) keep(ctx context.Context, d Delivery, set map[string]any) error {
	set["attempts"], set["headers"], set["response"], set["success"] = d.Attempts, d.Headers, d.Response, d.Success
	set["started_at"], set["server"] = d.StartedAt, s.Server
	return s.db.Tx(ctx, func(ctx context.Context) error {
		return s.db.In(ctx).Model(&Delivery{}).Where("id = ?", d.ID).Updates(set).Error
	})
}

// forgetOld keeps the latest deliveries of a webhook, and of an account's tries
// without one.
func (s *Service) forgetOld(ctx context.Context, d Delivery) error {
	keep := s.Settings.Keep.Get(ctx)
	var old []string
	err := s.db.In(ctx).Model(&Delivery{}).Where("webhook_id = ? AND account_id = ?", d.WebhookID, d.AccountID).
		Order("id DESC").Offset(keep).Limit(1000).Pluck("id", &old).Error
	if err != nil || len(old) == 0 {
		return err
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		return s.db.In(ctx).Where("id IN ?", old).Delete(&Delivery{}).Error
	})
}
