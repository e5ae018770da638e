package store

import (
	"errors"
	"reflect"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Scoped is implemented by rows that are not simply Owned but limited all the
// same: public templates, shared networks, accounts. It returns the clause that
// limits a to what it may see, or nil for no limit. Columns must be qualified
// with clause.CurrentTable.
type Scoped interface {
	Scope(a Actor) clause.Expression
}

// What the store refuses.
var (
	ErrNoActor = errors.New("store: query on an owned table without an actor")
	ErrOwner   = errors.New("store: a row cannot change its owner")
	ErrRaw     = errors.New("store: raw SQL or upsert outside a system context")
	ErrForeign = errors.New("store: a row for an owner the actor may not see")
)

// tenancy is the gorm plugin that scopes reads, updates and deletes and stamps
// what is created.
type tenancy struct{}

func (tenancy) Name() string { return "tenancy" }

func (tenancy) Initialize(g *gorm.DB) error {
	cb := g.Callback()
	return errors.Join(
		cb.Query().Before("gorm:query").Register("tenancy:query", limit),
		cb.Row().Before("gorm:row").Register("tenancy:row", limit),
		cb.Update().Before("gorm:update").Register("tenancy:update", func(g *gorm.DB) { limit(g); keepOwner(g) }),
		cb.Delete().Before("gorm:delete").Register("tenancy:delete", limit),
		cb.Create().Before("gorm:create").Register("tenancy:create", stamp),
		cb.Raw().Before("gorm:raw").Register("tenancy:raw", limit),
	)
}

// limit adds the actor's fence to a statement.
func limit(g *gorm.DB) {
	st := g.Statement
	a, ok := From(st.Context)
	if ok && a.system {
		return
	}
	if st.SQL.Len() > 0 || st.Schema == nil || elsewhere(st) { // Raw, Exec, Table
		_ = g.AddError(ErrRaw)
		return
	}
	fenced, fence := fenceOf(st, a)
	if !fenced {
		return
	}
	if !ok {
		_ = g.AddError(ErrNoActor)
		return
	}
	if fence == nil {
		return
	}
	bracket(st)
	st.AddClause(clause.Where{Exprs: []clause.Expression{fence}})
}

// elsewhere tells that the statement is on another table than its model says,
// so that the model does not tell whether it is limited.
func elsewhere(st *gorm.Statement) bool {
	from, ok := st.Clauses["FROM"].Expression.(clause.From)
	return st.TableExpr != nil || st.Table != st.Schema.Table || ok && len(from.Tables) > 0
}

// fenceOf tells whether the table is limited at all, and how for this actor.
func fenceOf(st *gorm.Statement, a Actor) (fenced bool, _ clause.Expression) {
	if s, ok := reflect.New(st.Schema.ModelType).Interface().(Scoped); ok {
		return true, s.Scope(a)
	}
	if st.Schema.LookUpField("AccountID") == nil || st.Schema.LookUpField("DomainPath") == nil {
		return false, nil
	}
	return true, OwnedScope(a)
}

// OwnedScope is the clause for rows that embed Owned; nil for no limit.
func OwnedScope(a Actor) clause.Expression {
	switch {
	case a.system, a.Rank == Admin:
		return nil
	case a.Rank == DomainAdmin:
		return below(a.DomainPath)
	default:
		return ownedBy(a)
	}
}

// ownedBy is the clause for what is a plain user's: its account's and that of
// the projects it may use.
func ownedBy(a Actor) clause.Expression {
	if a.AccountID == "" { // nobody, who does not own what nobody owns
		return nothing
	}
	own := clause.Eq{Column: Column("account_id"), Value: a.AccountID}
	ids := a.Usable()
	if len(ids) == 0 {
		return own
	}
	all := []any{a.AccountID}
	for _, id := range ids {
		all = append(all, id)
	}
	return clause.IN{Column: Column("account_id"), Values: all}
}

// OfProjects is the clause for rows that belong to projects, which lists show
// only who asks for them.
func OfProjects() clause.Expression {
	return clause.Expr{SQL: "? IN (SELECT id FROM projects)", Vars: []any{Column("account_id")}}
}

// Column names a column of the statement's own table.
func Column(name string) clause.Column { return clause.Column{Table: clause.CurrentTable, Name: name} }

// below is the clause for a domain's subtree. Paths are made of digits and
// slashes and end in one, so nothing needs escaping; anything else matches
// nothing.
func below(path string) clause.Expression { return belowIn("domain_path", path) }

func belowIn(column, path string) clause.Expression {
	if path == "" || strings.Trim(path, "/0123456789") != "" || !strings.HasSuffix(path, "/") {
		return nothing
	}
	return clause.Like{Column: Column(column), Value: path + "%"}
}

var nothing = clause.Expr{SQL: "1 = 0"}

// bracket puts what the caller wrote into brackets, or its OR would escape the
// AND that follows. gorm's own brackets come only where it sees " OR ".
func bracket(st *gorm.Statement) {
	c, ok := st.Clauses["WHERE"]
	if !ok {
		return
	}
	if w, ok := c.Expression.(clause.Where); ok && len(w.Exprs) > 0 {
		c.Expression = clause.Where{Exprs: []clause.Expression{bracketed(w)}}
		st.Clauses["WHERE"] = c
	}
}

type bracketed clause.Where

// Build writes the conditions in brackets.
func (w bracketed) Build(b clause.Builder) {
	_ = b.WriteByte('(') // a buffer does not fail
	clause.Where(w).Build(b)
	_ = b.WriteByte(')')
}

// stamp makes the actor, or whom it acts for, the owner of what it creates. On
// limited tables it refuses INSERT … ON CONFLICT (gorm's Save falls back to it),
// which would write another tenant's row, and rows that are maps, which may name
// a column twice.
func stamp(g *gorm.DB) {
	st := g.Statement
	a, ok := From(st.Context)
	if ok && a.system {
		return
	}
	if st.Schema == nil || elsewhere(st) {
		_ = g.AddError(ErrRaw)
		return
	}
	if fenced, _ := fenceOf(st, a); !fenced {
		return
	}
	if _, upsert := st.Clauses["ON CONFLICT"]; upsert || isMap(st.Dest) {
		_ = g.AddError(ErrRaw)
		return
	}
	if st.Schema.LookUpField("DomainPath") == nil || st.Schema.LookUpField("AccountID") == nil {
		return
	}
	if !ok {
		_ = g.AddError(ErrNoActor)
		return
	}
	o := a.Target()
	if !a.Sees(o) {
		_ = g.AddError(ErrForeign)
		return
	}
	st.SetColumn("AccountID", o.AccountID, true)
	st.SetColumn("DomainID", o.DomainID, true)
	st.SetColumn("DomainPath", o.DomainPath, true)
}

var ownerFields = map[string]bool{"AccountID": true, "DomainID": true, "DomainPath": true}

// keepOwner refuses to hand a row to another account; only the system may.
func keepOwner(g *gorm.DB) {
	st := g.Statement
	if a, ok := From(st.Context); ok && a.system || st.Schema == nil || st.Schema.LookUpField("DomainPath") == nil {
		return
	}
	if set, ok := st.Clauses["SET"].Expression.(clause.Set); ok {
		for _, a := range set {
			refuseOwner(g, a.Column.Name)
		}
	}
	set, ok := st.Dest.(map[string]any)
	if !ok {
		st.Omits = append(st.Omits, "AccountID", "DomainID", "DomainPath")
		return
	}
	for k := range set {
		refuseOwner(g, k)
	}
}

func refuseOwner(g *gorm.DB, column string) {
	if f := g.Statement.Schema.LookUpField(column); f != nil && ownerFields[f.Name] {
		_ = g.AddError(ErrOwner)
	}
}

func isMap(dest any) bool {
	t := reflect.TypeOf(dest)
	for t != nil && (t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Array) {
		t = t.Elem()
	}
	return t != nil && t.Kind() == reflect.Map
}
