package command

import (
	"context"

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
	if err := o.project(); err != nil {
		return nil, err
	}
	if o.Account == "" { // domainid alone means nothing here, but must be there
		return ctx, o.visible(ctx)
	}
	who, err := o.lookup(ctx)
	if err != nil {
		return nil, err
	}
	return store.For(ctx, who)
}

// project refuses project ids: until there are projects they are all absent.
func (o Owner) project() error {
	if o.ProjectID != "" && o.Account != "" {
		return fault.Param("account", "error.account_and_project")
	}
	if o.ProjectID != "" && o.ProjectID != none {
		return fault.Absent("projectid", o.ProjectID)
	}
	return nil
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
	if err := s.project(); err != nil {
		return nil, err
	}
	switch {
	case s.Account != "":
		who, err := s.lookup(ctx)
		if err != nil {
			return nil, err
		}
		return ownedBy(q, who.AccountID), nil
	case s.DomainID != "" && s.DomainID != none:
		return s.inDomain(ctx, actor, q)
	case actor.IsSystem():
		return q, nil
	case actor.Rank == store.User:
		return ownedBy(q, actor.AccountID), nil
	case id != "" || s.ListAll || s.ProjectID == none:
		return q, nil
	}
	return ownedBy(q, actor.AccountID), nil
}

func (s Scope) inDomain(ctx context.Context, actor store.Actor, q *gorm.DB) (*gorm.DB, error) {
	path, err := s.path(ctx)
	switch {
	case err != nil:
		return nil, err
	case actor.Rank == store.User && !actor.IsSystem():
		return ownedBy(q, actor.AccountID), nil
	case s.Recursive:
		return q.Where(clause.Like{Column: store.Column("domain_path"), Value: path + "%"}), nil
	}
	return q.Where(clause.Eq{Column: store.Column("domain_path"), Value: path}), nil
}

func ownedBy(q *gorm.DB, account string) *gorm.DB {
	return q.Where(clause.Eq{Column: store.Column("account_id"), Value: account})
}
