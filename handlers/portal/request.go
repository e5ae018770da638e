package portal

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"aerie/handlers/session"
	"aerie/locales"
	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/store"
)

// Request is one request for a page: who asks, and whose things are shown.
type Request struct {
	echo.Context
	Portal *Portal
	Who    session.State
	Scope  scope
	Began  time.Time // what the page shows may be as old
}

// Ctx is the request's context: actor, language and CSRF token are in it.
func (r *Request) Ctx() context.Context { return r.Request().Context() }

// T translates a key.
func (r *Request) T(key string, args ...any) string { return locales.T(r.Ctx(), key, args...) }

// Path is an address below the request's scope.
func (r *Request) Path(parts ...string) string { return r.Scope.path + strings.Join(parts, "") }

func (r *Request) home() string { return r.Path("/dashboard") }

// Admin tells whether a root administrator asks.
func (r *Request) Admin() bool { return r.Who.Rank == store.Admin }

// Managing tells whether other accounts' things may be on the page.
func (r *Request) Managing() bool { return r.Who.Rank != store.User }

// May tells whether the reader's role may call a command.
func (r *Request) May(name string) bool {
	_, err := r.Portal.Registry.Find(r.Ctx(), name)
	return err == nil
}

// Call calls a command for the reader.
func (r *Request) Call(name string, v url.Values) (any, error) {
	v = r.Scope.within(r.Portal.Registry.Get(name), v)
	_, out, err := r.Portal.Registry.Call(r.Ctx(), name, v)
	return out, err
}

// vals makes parameters of name, value pairs; empty values are left out.
func vals(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	return v
}

// one calls a command and types its result.
func one[T any](r *Request, name string, v url.Values) (T, error) {
	out, err := r.Call(name, v)
	if err != nil {
		var none T
		return none, err
	}
	typed, ok := out.(T)
	if !ok {
		return typed, fmt.Errorf("%s answered a %T", name, out)
	}
	return typed, nil
}

// list calls a list command for what the scope holds. It takes further
// parameters; an id among them finds what the reader may see anywhere.
func list[T any](r *Request, name string, v url.Values) (command.List[T], error) {
	c, err := r.Portal.Registry.Find(r.Ctx(), name)
	if err != nil {
		return command.List[T]{}, err
	}
	return one[command.List[T]](r, name, r.Scope.asking(c, v))
}

// some is a list that the page can do without: nothing when the reader may
// not call the command.
func some[T any](r *Request, name string, v url.Values) ([]T, error) {
	l, err := list[T](r, name, v)
	if fault.Is(err, fault.Unsupported) {
		return nil, nil
	}
	return l.Items, err
}

// find is the one thing of that id, by its list command.
func find[T any](r *Request, name, id string) (T, error) {
	var none T
	l, err := list[T](r, name, vals("id", id))
	if err != nil {
		// An id that is none is absent like one of somebody else's.
		if f := fault.Of(err); f.Fields["id"] != nil {
			return none, fault.New(fault.NotFound, "portal.not_found").Because(err)
		}
		return none, err
	}
	if len(l.Items) == 0 {
		return none, fault.New(fault.NotFound, "portal.not_found")
	}
	return l.Items[0], nil
}

// htmx tells whether htmx asks.
func (r *Request) htmx() bool { return r.Request().Header.Get("HX-Request") != "" }

// partial tells whether htmx asks for the element of that id alone.
func (r *Request) partial(id string) bool {
	h := r.Request().Header
	return h.Get("HX-Request-Type") == "partial" && strings.HasSuffix(h.Get("HX-Target"), id)
}

// write renders a component as the whole answer.
func (r *Request) write(status int, c templ.Component) error {
	h := r.Response().Header()
	h.Set(echo.HeaderContentType, echo.MIMETextHTMLCharsetUTF8)
	h.Add(echo.HeaderVary, "HX-Request")
	h.Add(echo.HeaderVary, "HX-Request-Type")
	r.Response().WriteHeader(status)
	return c.Render(r.Ctx(), r.Response())
}

// back is the page of this server that the browser came from, or other.
func (r *Request) back(other string) string {
	from := r.Request().Header.Get("HX-Current-URL")
	if from == "" {
		from = r.Request().Referer()
	}
	u, err := url.Parse(from)
	if err != nil || u.Host != r.Request().Host || u.Path == "" {
		return other
	}
	return session.Next(u.RequestURI())
}

// goTo leaves for another page, whatever asked.
func (r *Request) goTo(to string) error {
	if r.htmx() {
		r.Response().Header().Set("HX-Redirect", to)
		return r.NoContent(http.StatusNoContent)
	}
	return r.Redirect(http.StatusSeeOther, to)
}
