package portal

import (
	"cmp"

	"github.com/a-h/templ"

	"aerie/services/command"
	"aerie/services/webhook"
	"aerie/views/components"
	"aerie/views/pages/pieces"
)

func webhooks() area {
	return area{
		entries: []entry{{Group: "nav.activity", Key: "nav.webhooks", Icon: "zap", Path: "/webhooks", Needs: "listWebhooks", Create: "createWebhook"}},
		routes: func(on routes) {
			on.GET("/webhooks", func(r *Request) error { return showList(r, webhookList(r)) })
			on.both("/webhooks/new", newWebhook)
			on.both("/webhooks/:id/edit", editWebhook)
			on.both("/webhooks/:id/delete", endWebhook)
			on.POST("/webhooks/:id/state", webhookState)
			on.POST("/webhooks/:id/try", tryWebhook)
			on.POST("/webhooks/:id/deliveries/again", deliverAgain)
			on.POST("/webhooks/:id/deliveries/delete", dropDelivery)
			on.onDetail("/webhooks", webhookPage)
		},
	}
}

func webhookID(v webhook.View) string   { return v.ID }
func webhookName(v webhook.View) string { return v.Name }

func webhookList(r *Request) listPage[webhook.View] {
	type view = webhook.View
	create := r.creating("createWebhook", "create_webhook", r.Path("/webhooks/new"))
	l := listPage[view]{
		ID: "webhooks", Title: r.T("nav.webhooks"), Text: r.T("pg.webhooks.text"), Command: "listWebhooks", Buttons: create,
		RowID: webhookID, Name: webhookName,
		Columns: []column[view]{
			colName(r, webhookID, webhookName, func(v view) string { return r.Path("/webhooks/", v.ID) }),
			colPill(r, "state", func(v view) string { return v.State }),
			colText(r, "hears", func(v view) string { return r.hears(v.Scope) }),
			colCode(r, "url", func(v view) string { return v.PayloadURL }),
			optional(colText(r, "description", func(v view) string { return v.Description })),
			optional(colTime(r, "created", func(v view) command.Time { return v.Created })),
		},
		Filters: []components.Filter{r.filter("state", r.states(webhook.Enabled, webhook.Disabled)), {Name: "scope", Label: r.T("pg.c.hears"), Options: r.ears(webhook.Local, webhook.Domain, webhook.Global)}},
		Actions: func(v view) components.Menu { return r.menu(webhookDeeds(r, v)...) },
		Empty:   r.empty("webhooks", "zap", create),
	}
	if r.Managing() {
		l.Columns = append(l.Columns, ownerCols(r, func(v view) (string, string) { return v.Account, v.Domain })...)
	}
	return l
}

// ears are scopes of webhooks as options.
func (r *Request) ears(scopes ...string) []components.Option {
	var out []components.Option
	for _, s := range scopes {
		out = append(out, components.Option{Value: s, Label: r.hears(s)})
	}
	return out
}

func (r *Request) hears(scope string) string {
	switch scope {
	case webhook.Domain:
		return r.T("pg.webhooks.domain")
	case webhook.Global:
		return r.T("pg.webhooks.global")
	}
	return r.T("pg.webhooks.local")
}

func webhookDeeds(r *Request, v webhook.View) []deed {
	base, off := r.Path("/webhooks/", v.ID), ""
	turn := deed{Command: "updateWebhook", Key: "disable", Icon: "power", Path: base + "/state", Fields: []components.Pair{{Name: "state", Value: webhook.Disabled}}}
	if v.State == webhook.Disabled {
		off = r.T("pg.webhooks.off")
		turn.Key, turn.Icon, turn.Fields[0].Value = "enable", "circle-play", webhook.Enabled
	}
	return []deed{
		{Command: "executeWebhookDelivery", Key: "try_webhook", Icon: "play", Path: base + "/try", Off: off},
		{Command: "updateWebhook", Key: "edit", Icon: "pencil", Path: base + "/edit", Open: true},
		turn,
		{Command: "deleteWebhook", Key: "delete", Icon: "trash-2", Path: base + "/delete", Page: true, Danger: true},
	}
}

func webhookOf(r *Request) (webhook.View, error) {
	return find[webhook.View](r, "listWebhooks", r.Param("id"))
}

func webhookWay(r *Request, v webhook.View) components.Crumbs {
	return crumbs(r.T("nav.webhooks"), r.Path("/webhooks"), v.Name, r.Path("/webhooks/", v.ID))
}

func webhookPage(r *Request) error {
	v, err := webhookOf(r)
	if err != nil {
		return err
	}
	return r.thing(thingPage{
		Title: v.Name, Text: v.Description, State: v.State, ID: v.ID, Base: r.Path("/webhooks/", v.ID), Crumbs: webhookWay(r, v)[:1], Deeds: webhookDeeds(r, v), Shown: 2,
		Tabs: []thingTab{
			{Key: "overview", Body: func() (templ.Component, error) {
				return boxed(r.T("pg.specification"), r.lines("hears", r.hears(v.Scope), "url", components.Code(v.PayloadURL),
					"sslverification", v.SSL, "description", v.Description, "account", v.Account, "domain", v.Domain, "created", v.Created)), nil
			}},
			{Key: "deliveries", Needs: "listWebhookDeliveries", Body: func() (templ.Component, error) { return deliveries(r, v) }},
			r.history(v.ID),
		},
	})
}

// deliveries are the latest; the cloud keeps few of each webhook.
func deliveries(r *Request, v webhook.View) (templ.Component, error) {
	type view = webhook.DeliveryView
	list, err := some[view](r, "listWebhookDeliveries", vals("webhookid", v.ID, "page", "1", "pagesize", "100"))
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return components.Empty{Icon: "zap", Title: r.T("pg.deliveries.empty"), Text: r.T("pg.deliveries.empty_text")}, nil
	}
	l := listPage[view]{
		ID: "deliveries", RowID: func(d view) string { return d.ID }, Name: func(d view) string { return d.EventType },
		Columns: []column[view]{
			colText(r, "event", func(d view) string { return d.EventType }),
			colText(r, "response", func(d view) string { return cmp.Or(d.Response, r.T("pg.deliveries.under_way")) }),
			colTime(r, "tried", func(d view) command.Time { return d.Start }),
			colCount(r, "attempts", func(d view) int { return d.Attempts }),
			colYes(r, "accepted", func(d view) bool { return d.Success }),
		},
		Actions: func(d view) components.Menu {
			id := []components.Pair{{Name: "delivery", Value: d.ID}}
			return r.menu(
				deed{Command: "executeWebhookDelivery", Key: "deliver_again", Icon: "refresh-cw", Path: r.Path("/webhooks/", v.ID, "/deliveries/again"), Fields: id},
				deed{Command: "deleteWebhookDelivery", Key: "delete", Icon: "trash-2", Path: r.Path("/webhooks/", v.ID, "/deliveries/delete"), Fields: id, Danger: true},
			)
		},
	}
	sent := r.in("payload", "textarea", list[0].Headers+"\n"+list[0].Payload)
	sent.ReadOnly, sent.Mono, sent.Rows = true, true, 12
	return pieces.Stack(sheet(r.T("pg.t.deliveries"), bareList(r, l, list)), boxed(r.T("pg.deliveries.latest"), sent)), nil
}

// webhookFields are the fields that a webhook is made and changed with. Whoever
// manages nobody hears of its own events alone.
func (r *Request) webhookFields(v webhook.View, key string) []components.Field {
	url := needed(r.in("payloadurl", "url", v.PayloadURL))
	url.Placeholder = "https://example.org/hook"
	secret := r.in("secretkey", "password", "")
	secret.Autocomplete, secret.Help = "off", key
	fields := []components.Field{needed(r.in("name", "", v.Name)), url, r.in("description", "", v.Description), secret, r.tick("sslverification", v.SSL)}
	if !r.Managing() {
		return fields
	}
	scopes := []string{webhook.Local, webhook.Domain}
	if r.Admin() {
		scopes = append(scopes, webhook.Global)
	}
	scope := r.pick("scope", v.Scope, r.ears(scopes...), true)
	scope.Label = r.T("pg.c.hears")
	return append(fields, scope)
}

func newWebhook(r *Request) error {
	f := formPage{
		Title: r.T("pg.a.create_webhook"), Text: r.T("pg.webhooks.new_text"), Command: "createWebhook", Crumbs: crumbs(r.T("nav.webhooks"), r.Path("/webhooks")),
		Form: components.Form{Submit: r.T("pg.a.create_webhook"), Cancel: r.Path("/webhooks"), Fields: r.webhookFields(webhook.View{SSL: true, Scope: webhook.Local}, r.T("pg.webhooks.key"))},
	}
	return r.formOr(f, r.T("pg.created"), func(out any) string {
		if v, ok := out.(webhook.View); ok {
			return r.Path("/webhooks/", v.ID)
		}
		return r.Path("/webhooks")
	})
}

func editWebhook(r *Request) error {
	v, err := webhookOf(r)
	if err != nil {
		return err
	}
	f := formPage{
		Title: r.T("pg.edit", "name", v.Name), Command: "updateWebhook", Crumbs: webhookWay(r, v), Fixed: r.cleared(vals("id", v.ID), "description"),
		Form: components.Form{Submit: r.T("pg.a.save"), Cancel: r.Path("/webhooks/", v.ID), Fields: r.webhookFields(v, r.T("pg.webhooks.key_kept"))},
	}
	return r.formOr(f, r.T("pg.saved", "name", v.Name), always(r.Path("/webhooks/", v.ID)))
}

func webhookState(r *Request) error {
	v, err := webhookOf(r)
	if err != nil {
		return err
	}
	return r.act(action{Command: "updateWebhook", Params: vals("id", v.ID, "state", r.FormValue("state")), Text: r.T("pg.saved", "name", v.Name), To: r.Path("/webhooks/", v.ID)})
}

func tryWebhook(r *Request) error {
	return r.act(action{Command: "executeWebhookDelivery", Params: vals("webhookid", r.Param("id")), Text: r.T("pg.deliveries.sent"), To: r.Path("/webhooks/", r.Param("id"), "/deliveries")})
}

func deliverAgain(r *Request) error {
	return r.act(action{Command: "executeWebhookDelivery", Params: vals("id", r.FormValue("delivery")), Text: r.T("pg.deliveries.sent"), To: r.Path("/webhooks/", r.Param("id"), "/deliveries")})
}

func dropDelivery(r *Request) error {
	return r.act(action{Command: "deleteWebhookDelivery", Params: vals("id", r.FormValue("delivery")), Text: r.T("pg.deliveries.deleted"), To: r.Path("/webhooks/", r.Param("id"), "/deliveries")})
}

func endWebhook(r *Request) error {
	v, err := webhookOf(r)
	if err != nil {
		return err
	}
	return r.end(ending{Command: "deleteWebhook", Params: vals("id", v.ID), Kind: "webhooks", Name: v.Name, List: r.Path("/webhooks"), Crumbs: webhookWay(r, v)})
}
