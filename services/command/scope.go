package command

import (
	"context"
	"errors"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"aerie/services/fault"
	"aerie/services/store"
)

// Owner is embedded by create requests: whom the new thing belongs to.
type Owner struct {
	Account   string `json:"account" doc:"the account name; must be used with domainid or means the caller's domain"`
	DomainID  string `json:"domainid" type:"uuid" doc:"the domain of the account"`
	ProjectID string `json:"projectid" type:"uuid" doc:"the project"`
}

// Scope is embedded by list requests on owned things: whose are listed.
type Scope struct {
	Owner
	ListAll   bool `json:"listall" doc:"true lists everything the caller may see, not only its own"`
	Recursive bool `json:"isrecursive" doc:"true lists the domains below domainid too"`
}

const none = "-1" // an id that stands for none, all or unlimited

// Resolve returns the context in which rows belong to whom the request names.
func (o Owner) Resolve(ctx context.Context) (context.Context, error) {
	who, err := o.whose(ctx)
	if err != nil || who == nil { // domainid alone means nothing here, but must be there
		return ctx, errors.Join(err, o.visible(ctx))
	}
	if n := callOf(ctx); n.owner == nil { // the event is theirs as well
		n.owner = who
	}
	return store.For(ctx, *who)
}

// whose is the account or project that the request names; nil for neither.
func (o Owner) whose(ctx context.Context) (*store.Owner, error) {
	p, err := o.project(ctx)
	if err != nil || p != nil {
		if p != nil && p.Suspended && callOf(ctx).changes() {
			return nil, fault.New(fault.Conflict, suspendedKey, "project", o.ProjectID)
		}
		return ownerOf(p), err
	}
	if o.Account == "" {
		return nil, nil
	}
	who, err := o.lookup(ctx)
	return &who, err
}

func ownerOf(p *store.Project) *store.Owner {
	if p == nil {
		return nil
	}
	return &p.Owner
}

// project finds the project that the request names; nil when it names none. Who
// is in a project whose role denies the command hears so.
func (o Owner) project(ctx context.Context) (*store.Project, error) {
	switch {
	case o.ProjectID == "":
		return nil, nil
	case o.Account != "":
		return nil, fault.Param("account", "error.account_and_project")
	case o.ProjectID == none:
		return nil, nil
	}
	return FindProject(ctx, "projectid", o.ProjectID)
}

// FindProject finds the project of an id for the running command: one that the
// caller is a member of, or that it administers. Param names it in the fault.
func FindProject(ctx context.Context, param, id string) (*store.Project, error) {
	actor, _ := store.From(ctx)
	if p := actor.Project(id); p != nil {
		if p.Barred != "" {
			return nil, fault.New(fault.Forbidden, p.Barred, "project", id)
		}
		return p, nil
	}
	r := callOf(ctx).registry
	if r == nil || r.Directory == nil || actor.Rank == store.User && !actor.IsSystem() {
		return nil, fault.Absent(param, id)
	}
	p, err := r.Directory.LookupProject(ctx, id)
	if store.IsAbsent(err) {
		return nil, fault.Absent(param, id)
	}
	return &p, err
}

// lookup finds the account by name, in the caller's domain without domainid.
func (o Owner) lookup(ctx context.Context) (store.Owner, error) {
	actor, _ := store.From(ctx)
	domain := o.DomainID
	if domain == "" || domain == none {
		domain = actor.DomainID
	} else if _, err := o.path(ctx); err != nil {
		return store.Owner{}, err
	}
	dir := callOf(ctx).registry.Directory
	who, err := dir.LookupAccount(ctx, domain, o.Account)
	if err == nil && actor.Sees(who) {
		return who, nil
	}
	if err == nil || store.IsAbsent(err) {
		err = fault.Absent("account", o.Account)
	}
	return store.Owner{}, err
}

// visible refuses a domainid that the actor may not know of.
func (o Owner) visible(ctx context.Context) error {
	if o.DomainID == "" || o.DomainID == none {
		return nil
	}
	_, err := o.path(ctx)
	return err
}

// path finds the path of domainid if the actor may see the domain.
func (o Owner) path(ctx context.Context) (string, error) {
	actor, _ := store.From(ctx)
	path, err := callOf(ctx).registry.Directory.LookupDomain(ctx, o.DomainID)
	if err != nil && !store.IsAbsent(err) {
		return "", err
	}
	if err != nil || path == "" || !actor.SeesDomain(path) {
		return "", fault.Absent("domainid", o.DomainID)
	}
	return path, nil
}

// Apply narrows a query on an owned table to whose rows the request asks for.
// The store has already limited it to what the actor may see; id is the
// request's id, which finds anything in there.
func (s Scope) Apply(ctx context.Context, q *gorm.DB, id string) (*gorm.DB, error) {
	actor, ok := store.From(ctx)
	if !ok {
		return nil, store.ErrNoActor
	}
	project, err := s.project(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case project != nil:
		return ownedBy(q, project.AccountID), s.visible(ctx)
	case s.Account != "":
		who, err := s.lookup(ctx)
		if err != nil {
			return nil, err
		}
		return ownedBy(q, who.AccountID), nil
	case s.DomainID != "" && s.DomainID != none:
		return s.inDomain(ctx, actor, q, id)
	case actor.IsSystem():
		return q, nil
	case actor.Rank == store.User && (id != "" || s.ProjectID == none):
		return q.Where(store.OwnedScope(actor)), nil
	case actor.Rank == store.User:
		return ownedBy(q, actor.AccountID), nil
	case id != "" || s.ProjectID == none:
		return q, nil
	case s.ListAll:
		return q.Where(clause.Not(store.OfProjects())), nil
	}
	return ownedBy(q, actor.AccountID), nil
}

func (s Scope) inDomain(ctx context.Context, actor store.Actor, q *gorm.DB, id string) (*gorm.DB, error) {
	path, err := s.path(ctx)
	switch {
	case err != nil:
		return nil, err
	case actor.Rank == store.User && !actor.IsSystem() && id == "":
		return ownedBy(q, actor.AccountID), nil
	case s.ProjectID != none && id == "":
		q = q.Where(clause.Not(store.OfProjects()))
	}
	if s.Recursive {
		return q.Where(clause.Like{Column: store.Column("domain_path"), Value: path + "%"}), nil
	}
	return q.Where(clause.Eq{Column: store.Column("domain_path"), Value: path}), nil
}

func ownedBy(q *gorm.DB, account string) *gorm.DB {
	return q.Where(clause.Eq{Column: store.Column("account_id"), Value: account})
}
