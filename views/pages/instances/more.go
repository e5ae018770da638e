package instances

import (
	"context"

	"aerie/locales"
	"aerie/views/components"
)

// more leads to the whole list, if there is such a page.
func more(ctx context.Context, to string) []components.Button {
	if to == "" {
		return nil
	}
	return []components.Button{{Label: locales.T(ctx, "search.more"), Href: to, Small: true, Style: components.Quiet}}
}
