package portal

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"aerie/handlers/session"
	"aerie/locales"
	"aerie/services/fault"
	"aerie/services/store"
	"aerie/views/components"
	"aerie/views/layout"
)

// unseen are the kinds of which only administrators learn more than that.
var unseen = map[string]bool{fault.NoCapacity.Name: true, fault.Unavailable.Name: true, fault.Internal.Name: true}

// words says what went wrong, for whom it is said to.
func words(ctx context.Context, err error, rank store.Rank) string {
	f := fault.Of(err)
	text := wordsOf(ctx, f.Kind, f.Key, f.Args, rank)
	if cause := f.Unwrap(); cause != nil && rank == store.Admin && unseen[f.Kind.Name] {
		text += " " + locales.T(ctx, "portal.cause", "cause", cause.Error())
	}
	return text
}

// beyond is what the log's words for a fault tell that those of its key do not.
func beyond(logged, key string) string {
	_, rest, found := strings.Cut(logged, key)
	if key == "" || !found {
		return logged
	}
	_, rest, _ = strings.Cut(rest, ": ")
	return rest
}

// plainer are faults that the API tells with names and ids; a person sees the
// thing and needs to know what to do.
var plainer = map[string]string{"error.state": "portal.wrong_state", "error.busy": "portal.busy", "error.no_entity": "portal.no_entity"}

func wordsOf(ctx context.Context, k fault.Kind, key string, args []any, rank store.Rank) string {
	if other := plainer[key]; other != "" {
		return locales.Error(ctx, other, worded(ctx, args)...)
	}
	if !locales.Has(key) || unseen[k.Name] && rank != store.Admin && locales.Has("error.kind."+k.Name) {
		return locales.Or(ctx, "error.kind."+k.Name, locales.T(ctx, "error.internal"))
	}
	return locales.Error(ctx, key, args...)
}

// worded translates the state among the arguments.
func worded(ctx context.Context, args []any) []any {
	out := slices.Clone(args)
	for i := 0; i+1 < len(out); i += 2 {
		if state, ok := out[i+1].(string); ok && out[i] == "state" {
			out[i+1] = locales.Or(ctx, "state."+strings.ToLower(state), state)
		}
	}
	return out
}

// Words says to the reader what went wrong.
func (r *Request) Words(err error) string { return words(r.Ctx(), err, r.Who.Rank) }

// asFault understands echo's own errors, too.
func asFault(err error) *fault.Error {
	var e *echo.HTTPError
	if !errors.As(err, &e) {
		return fault.Of(err)
	}
	switch e.Code {
	case http.StatusNotFound:
		return fault.New(fault.NotFound, "portal.not_found").Because(err)
	case http.StatusMethodNotAllowed:
		return fault.New(fault.Method, "error.method").Because(err)
	case http.StatusRequestEntityTooLarge:
		return fault.New(fault.Invalid, "error.body_size").Because(err)
	}
	return fault.New(fault.Internal, "error.internal").Because(err)
}

// Fail answers an error: a page, or for htmx a message in the corner.
func (p *Portal) Fail(c echo.Context, err error) {
	f := asFault(err)
	r := &Request{Context: c, Portal: p, Who: session.From(c.Request().Context()), Began: p.DB.Now()}
	if f.Kind == fault.Internal {
		p.Log.ErrorContext(r.Ctx(), "page", "method", c.Request().Method, "path", c.Request().URL.Path, "error", err)
	}
	if r.Who.Language == "" { // the session has not been read
		lang := locales.Match(c.Request().Header.Get("Accept-Language"), "")
		c.SetRequest(c.Request().WithContext(locales.With(c.Request().Context(), lang)))
	}
	if err := r.fail(f); err != nil {
		p.Log.WarnContext(r.Ctx(), "error page", "error", err)
	}
}

func (r *Request) fail(f *fault.Error) error {
	if f.Kind == fault.Unauthenticated && !r.Who.SignedIn {
		return r.goTo("/login?next=" + url.QueryEscape(r.Request().URL.RequestURI()))
	}
	if r.htmx() {
		r.Response().Header().Set("HX-Reswap", "none")
		return r.write(f.Kind.HTTP, toast(components.Toast{Tone: components.Bad, Text: r.Words(f)}))
	}
	page := components.ErrorPage{
		Code: f.Kind.HTTP, Title: r.T("error.title." + f.Kind.Name), Text: r.Words(f),
		Request: r.Response().Header().Get(echo.HeaderXRequestID),
	}
	if r.Request().Method != http.MethodGet {
		page.Actions = append(page.Actions, components.Button{Label: r.T("portal.back"), Href: r.back("/"), Icon: "arrow-left"})
	}
	page.Actions = append(page.Actions, components.Button{Label: r.T("portal.home"), Href: "/", Style: components.Primary})
	if !r.Who.SignedIn {
		l := layout.Page{Title: page.Title, Theme: r.Who.Theme, Version: r.Portal.Version}
		return r.write(f.Kind.HTTP, templ.ComponentFunc(within(layout.SignIn(l), page)))
	}
	r.Scope = usual(r.Who)
	return r.Show(Page{Title: page.Title, Body: page, Status: f.Kind.HTTP})
}

// toast is a message in the corner, as htmx puts it there.
func toast(t components.Toast) templ.Component {
	return swap("#toasts", "beforeend", t)
}

// swap is a piece of a page that htmx puts where it belongs.
func swap(target, how string, c templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		if _, err := io.WriteString(w, `<hx-partial hx-target="`+templ.EscapeString(target)+`" hx-swap="`+how+`">`); err != nil {
			return err
		}
		if err := c.Render(ctx, w); err != nil {
			return err
		}
		_, err := io.WriteString(w, `</hx-partial>`)
		return err
	})
}

// within renders a component as the content of another.
func within(outer, inner templ.Component) func(context.Context, io.Writer) error {
	return func(ctx context.Context, w io.Writer) error {
		return outer.Render(templ.WithChildren(ctx, inner), w)
	}
}

// around is within as a component.
func around(outer, inner templ.Component) templ.Component {
	return templ.ComponentFunc(within(outer, inner))
}

func render(ctx context.Context, c templ.Component) (string, error) {
	var b bytes.Buffer
	err := c.Render(ctx, &b)
	return b.String(), err
}
