package portal

import (
	"net/url"
	"strings"

	"aerie/handlers/session"
	"aerie/locales"
	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/store"
	"aerie/views/layout"
)

// scope is whose things a page shows. It stands at the beginning of its path.
type scope struct {
	path   string // "/me", "/all", "/d/<id>"
	domain string
	label  string // of a domain
}

var (
	me  = scope{path: "/me"}
	all = scope{path: "/all"}
)

// usual is the scope in which a user begins.
func usual(who session.State) scope {
	switch who.Rank {
	case store.Admin:
		return all
	case store.DomainAdmin:
		return scope{path: "/d/" + who.Domain.ID, domain: who.Domain.ID, label: who.Domain.Name}
	case store.User:
	}
	return me
}

// scopeOf reads the scope of a path. One that the reader may not look at is
// not there.
func (r *Request) scopeOf(path string) (scope, error) {
	first, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	absent := fault.New(fault.NotFound, "portal.not_found")
	switch first {
	case "me":
		return me, nil
	case "all":
		if r.Who.Rank == store.Admin {
			return all, nil
		}
	case "d":
		id, _, _ := strings.Cut(rest, "/")
		if id == r.Who.Domain.ID && r.Who.Rank != store.User {
			return scope{"/d/" + id, id, r.Who.Domain.Name}, nil
		}
		below, err := r.Portal.IAM.LookupDomain(r.Ctx(), id)
		if err != nil || r.Who.Rank == store.User || !strings.HasPrefix(below, r.Who.Domain.Path) {
			return scope{}, absent
		}
		name, _ := r.Portal.IAM.DomainName(r.Ctx(), id)
		return scope{"/d/" + id, id, name}, nil
	}
	return scope{}, absent
}

// params asks a list command for what the scope holds, as far as the command
// knows of scopes.
func (s scope) params(c *command.Command) url.Values {
	want := url.Values{}
	switch {
	case s.domain != "":
		want = url.Values{"domainid": {s.domain}, "isrecursive": {"true"}, "listall": {"true"}}
	case s.path == all.path:
		want = url.Values{"listall": {"true"}}
	}
	out := url.Values{}
	for _, p := range c.Params {
		if v, ok := want[p.Name]; ok {
			out[p.Name] = v
		}
	}
	return out
}

// scopes are the choices of the bar.
func (r *Request) scopes() layout.Scope {
	item := func(s scope) layout.NavItem {
		return layout.NavItem{Label: r.scopeLabel(s), Href: s.path + "/dashboard", Icon: s.icon(), Current: s.path == r.Scope.path}
	}
	out := layout.Scope{Label: r.scopeLabel(r.Scope), Icon: r.Scope.icon()}
	if r.Who.Rank == store.User {
		return out
	}
	out.Choices = append(out.Choices, item(me), item(usual(r.Who)))
	if s := r.Scope; s.domain != "" && s.path != usual(r.Who).path {
		out.Choices = append(out.Choices, item(s))
	}
	return out
}

func (s scope) icon() string {
	switch {
	case s.domain != "":
		return "building-2"
	case s.path == all.path:
		return "cloud"
	}
	return "user"
}

func (r *Request) scopeLabel(s scope) string {
	switch {
	case s.domain != "":
		return s.label
	case s.path == all.path:
		return locales.T(r.Ctx(), "scope.all")
	}
	return locales.T(r.Ctx(), "scope.me")
}
