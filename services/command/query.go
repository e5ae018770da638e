package command

import (
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"aerie/services/store"
)

// The escape of LIKE is written out: SQLite has none by itself.
var likeEscape = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

func like(column, pattern string) clause.Expression {
	return clause.Expr{SQL: "? LIKE ? ESCAPE '!'", Vars: []any{store.Column(column), pattern}}
}

// Search narrows q to rows in which one of the columns holds the keyword, in
// any case. What the keyword holds is text, never a pattern.
func (p Paging) Search(q *gorm.DB, columns ...string) *gorm.DB {
	if p.Keyword == "" {
		return q
	}
	pattern := "%" + likeEscape.Replace(p.Keyword) + "%"
	any := make([]clause.Expression, len(columns))
	for i, c := range columns {
		any[i] = like(c, pattern)
	}
	return q.Where(clause.And(clause.Or(any...)))
}

// Named narrows q to rows whose column is the whole value in any case, as
// clients expect of names. An empty value narrows nothing.
func Named(q *gorm.DB, column, value string) *gorm.DB {
	if value == "" {
		return q
	}
	return q.Where(like(column, likeEscape.Replace(value)))
}

// Equal narrows q to rows with that value. An empty value, and the id -1 that
// stands for any, narrow nothing.
func Equal(q *gorm.DB, column, value string) *gorm.DB {
	if value == "" || value == none {
		return q
	}
	return q.Where(clause.Eq{Column: store.Column(column), Value: value})
}
