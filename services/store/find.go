package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"aerie/services/fault"
)

// Find returns the row with that id if the actor may see it and it is not
// removed; otherwise fault.NotFound.
func Find[T any](ctx context.Context, db *DB, id string) (T, error) {
	row, err := gorm.G[T](db.In(ctx)).Where("id = ?", id).Take(ctx)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, fault.Absent("id", id)
	}
	return row, err
}

// Hold is Find for who goes on to write what depends on the row as it is:
// nobody else changes it until the transaction ends.
func Hold[T any](ctx context.Context, db *DB, id string) (T, error) {
	if !db.InTx(ctx) {
		var none T
		return none, errors.New("store: a row is held by a transaction")
	}
	row, err := gorm.G[T](db.In(ctx), ToHold).Where("id = ?", id).Take(ctx)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, fault.Absent("id", id)
	}
	return row, err
}

// ToHold makes a query in a transaction hold what it finds. SQLite has one
// writer, so its driver leaves it out.
var ToHold = clause.Locking{Strength: "UPDATE"}

// Exists tells whether a row with that id is, or was, there for the actor:
// clients may name what is removed and get an empty list, while an id that
// never was is an error.
func Exists[T any](ctx context.Context, db *DB, id string) (bool, error) {
	var n int64
	err := db.In(ctx).Unscoped().Model(new(T)).Where("id = ?", id).Limit(1).Count(&n).Error
	return n > 0, err
}

// IsDuplicate tells whether err is a unique key that is taken.
func IsDuplicate(err error) bool { return errors.Is(err, gorm.ErrDuplicatedKey) }

// IsAbsent tells whether err says that no row matched.
func IsAbsent(err error) bool {
	return errors.Is(err, gorm.ErrRecordNotFound) || fault.Is(err, fault.NotFound)
}

// Names returns the names of rows by their ids, removed ones too, for showing
// them beside rows that the actor may see.
func Names[T any](ctx context.Context, db *DB, ids []string) (map[string]string, error) {
	return NamesOf(ctx, db, Some{Model: new(T), IDs: ids})
}

// Some are rows of a model, by their ids.
type Some struct {
	Model any
	IDs   []string
	Name  string // the column; name without one
	As    string // goes before the ids in the answer, where two tables share them
}

// NamesOf is Names for several tables in one query. No two rows share an id,
// but a project and its account.
func NamesOf(ctx context.Context, db *DB, some ...Some) (map[string]string, error) {
	g := db.In(System(ctx, "names of what a row refers to"))
	out := map[string]string{}
	var union []string
	var args []any
	for _, of := range some {
		if want := distinct(of.IDs); len(want) > 0 {
			// Around each, for SQLite takes no brackets in a union.
			union = append(union, "SELECT ? AS kind, id, name FROM (?) t")
			args = append(args, of.As, g.Unscoped().Model(of.Model).Where("id IN ?", want).Select("id", cmp.Or(of.Name, "name")+" AS name"))
		}
	}
	if len(union) == 0 {
		return out, nil
	}
	var rows []struct{ Kind, ID, Name string }
	if err := g.Raw(strings.Join(union, " UNION ALL "), args...).Scan(&rows).Error; err != nil {
		return nil, err
	}
	for _, r := range rows {
		out[r.Kind+r.ID] = r.Name
	}
	return out, nil
}

func distinct(ids []string) []string {
	out := slices.Clone(ids)
	slices.Sort(out)
	out = slices.Compact(out)
	if len(out) > 0 && out[0] == "" {
		out = out[1:]
	}
	return out
}

// Contains is the LIKE pattern, with ESCAPE '!', for columns that hold s.
func Contains(s string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s) + "%"
}
