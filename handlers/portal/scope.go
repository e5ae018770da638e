package portal

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"aerie/handlers/session"
	"aerie/locales"
	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
	"aerie/views/layout"
)

// scope is whose things a page shows. It stands at the beginning of its path.
type scope struct {
	path    string // "/me", "/all", "/d/<id>", "/p/<id>"
	domain  string
	label   string // of a domain or a project
	project string
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
	case store.User, store.ProjectRank:
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
			return scope{path: "/d/" + id, domain: id, label: r.Who.Domain.Name}, nil
		}
		below, err := r.Portal.IAM.LookupDomain(r.Ctx(), id)
		if err != nil || r.Who.Rank == store.User || !strings.HasPrefix(below, r.Who.Domain.Path) {
			return scope{}, absent
		}
		name, _ := r.Portal.IAM.DomainName(r.Ctx(), id)
		return scope{path: "/d/" + id, domain: id, label: name}, nil
	case "p":
		id, _, _ := strings.Cut(rest, "/")
		p, err := store.Find[iam.Project](r.Ctx(), r.Portal.DB, id)
		if err != nil {
			return scope{}, absent
		}
		return projectScope(p.ID, p.Name), nil
	}
	return scope{}, absent
}

func projectScope(id, name string) scope {
	return scope{path: "/p/" + id, project: id, label: name}
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
	case s.project != "":
		want = url.Values{"projectid": {s.project}}
	}
	out := url.Values{}
	for _, p := range c.Params {
		if v, ok := want[p.Name]; ok && (s.project == "" || ownersParam(p)) {
			out[p.Name] = v
		}
	}
	return out
}

// ownersParam tells whose a thing is; commands about projects themselves name
// one otherwise.
func ownersParam(p command.Param) bool { return p.Name == "projectid" && p.Ref == "" && !p.Required }

// asking adds what the scope holds to the parameters of a list command. What is
// named by an id is found wherever it is.
func (s scope) asking(c *command.Command, v url.Values) url.Values {
	out := s.params(c)
	if named(v) {
		out.Del("projectid")
	}
	for k, values := range v {
		out[k] = values
	}
	return out
}

// named tells whether parameters say themselves which thing or whose is meant.
func named(v url.Values) bool {
	return slices.ContainsFunc([]string{"id", "account", "projectid"}, func(name string) bool { return v.Get(name) != "" })
}

// within makes a call about what is of the project that the page stands in.
func (s scope) within(c *command.Command, v url.Values) url.Values {
	if s.project == "" || c == nil || named(v) || !slices.ContainsFunc(c.Params, ownersParam) {
		return v
	}
	out := maps.Clone(v)
	if out == nil {
		out = url.Values{}
	}
	out.Set("projectid", s.project)
	return out
}

// scopes are the choices of the bar.
func (r *Request) scopes() layout.Scope {
	item := func(s scope) layout.NavItem {
		return layout.NavItem{Label: r.scopeLabel(s), Href: s.path + "/dashboard", Icon: s.icon(), Current: s.path == r.Scope.path}
	}
	out := layout.Scope{Label: r.scopeLabel(r.Scope), Icon: r.Scope.icon()}
	mine := r.ownProjects()
	if r.Who.Rank == store.User && len(mine) == 0 {
		return out
	}
	out.Choices = append(out.Choices, item(me))
	if r.Who.Rank != store.User {
		out.Choices = append(out.Choices, item(usual(r.Who)))
	}
	if s := r.Scope; s.domain != "" && s.path != usual(r.Who).path {
		out.Choices = append(out.Choices, item(s))
	}
	for _, p := range mine {
		out.Choices = append(out.Choices, item(p))
	}
	return out
}

// mostProjects is how many projects the bar offers; the list has them all.
const mostProjects = 20

// ownProjects are the reader's projects, and the one that the page stands in.
func (r *Request) ownProjects() (out []scope) {
	var ids []string
	for _, p := range r.Who.Projects {
		ids = append(ids, p.AccountID)
	}
	ids = ids[:min(len(ids), mostProjects)]
	if len(ids) > 0 {
		names, err := store.Names[iam.Project](r.Ctx(), r.Portal.DB, ids)
		if err != nil { // a page does not fail for its bar
			r.Portal.Log.WarnContext(r.Ctx(), "names of projects", "error", err)
		}
		for _, id := range ids {
			out = append(out, projectScope(id, names[id]))
		}
	}
	if s := r.Scope; s.project != "" && !slices.Contains(ids, s.project) {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b scope) int { return strings.Compare(a.label, b.label) })
	return out
}

func (s scope) icon() string {
	switch {
	case s.domain != "":
		return "building-2"
	case s.project != "":
		return "folder"
	case s.path == all.path:
		return "cloud"
	}
	return "user"
}

func (r *Request) scopeLabel(s scope) string {
	switch {
	case s.domain != "", s.project != "":
		return s.label
	case s.path == all.path:
		return locales.T(r.Ctx(), "scope.all")
	}
	return locales.T(r.Ctx(), "scope.me")
}
