package proof_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"

	"aerie/services/proof"
	"aerie/services/webhook"
)

// webhookDeliver: what was posted cannot be taken back, and may come twice.
func webhookDeliver(w *proof.World) proof.Case {
	var got atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { got.Add(1) }))
	_, err := w.Config.Set(w.Admin, "webhook.allowed.internal.sites", "127.0.0.1")
	w.Must(err)
	name := w.DB.NewID() // each run has one of its own
	w.JSON(w.Admin, "createWebhook", "name", name, "payloadurl", server.URL, "state", webhook.Disabled)
	id := w.ID(&webhook.Webhook{}, "name = ?", name)
	return proof.Case{
		Submit: w.Command("executeWebhookDelivery", "webhookid", id, "payloadurl", server.URL),
		Whole: func() error {
			if got.Load() == 0 {
				return errors.New("nothing came")
			}
			return some(w, 0, &webhook.Delivery{}, "webhook_id = ? AND (ended_at IS NULL OR NOT success)", id)
		},
		Empty: func() error { return nil },
		After: server.Close,
	}
}
