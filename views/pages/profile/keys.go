package profile

import (
	"context"
	"strings"

	"aerie/locales"
	"aerie/services/iam/iamcmd"
	"aerie/views/components"
)

// keyFacts are what is said of a key pair.
func keyFacts(ctx context.Context, k iamcmd.KeysView) components.Properties {
	out := components.Properties{{Label: k.Name, Copy: k.APIKey}}
	add := func(key string, value string) {
		if value != "" {
			out = append(out, components.Property{Label: locales.T(ctx, key), Value: components.Text(value)})
		}
	}
	add("profile.keys_for", k.Description)
	add("profile.keys_from", strings.Join(k.CIDRs, ", "))
	if k.Restricted {
		add("profile.keys_rules", locales.T(ctx, "pg.yes"))
	}
	if !k.Start.IsZero() {
		out = append(out, components.Property{Label: locales.T(ctx, "profile.keys_start"), Value: components.Moment(k.Start.Time)})
	}
	if !k.End.IsZero() {
		out = append(out, components.Property{Label: locales.T(ctx, "profile.keys_until"), Value: components.Moment(k.End.Time)})
	}
	if !k.Used.IsZero() {
		out = append(out, components.Property{Label: locales.T(ctx, "profile.keys_used"), Value: components.Time(k.Used.Time)})
	}
	return out
}
