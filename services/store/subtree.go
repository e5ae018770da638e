package store

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"
)

// MoveSubtree makes everything that lies below one domain path lie below
// another: in each column of each table that is called domain_path, so that no
// table can be forgotten. It runs in the transaction that moves the domain.
func (db *DB) MoveSubtree(ctx context.Context, from, to string) (rows int64, err error) {
	if !db.InTx(ctx) {
		return 0, errors.New("store: a subtree moves in a transaction")
	}
	g := db.In(System(ctx, "a domain moves with all it owns"))
	columns, err := db.pathColumns(g)
	if err != nil {
		return 0, err
	}
	for _, c := range columns {
		set := g.Table(c.Table).Where(belowIn(c.Column, from)).
			UpdateColumn(c.Column, gorm.Expr("CONCAT(?, SUBSTR("+c.Column+", ?))", to, len(from)+1))
		if set.Error != nil {
			return rows, fmt.Errorf("move %s of %s: %w", c.Column, c.Table, set.Error)
		}
		rows += set.RowsAffected
	}
	return rows, nil
}

// pathColumn is a column that holds owners' domain paths.
type pathColumn struct{ Table, Column string }

func (db *DB) pathColumns(g *gorm.DB) (list []pathColumn, err error) {
	query := "SELECT m.name AS `table`, p.name AS `column` FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table' AND p.name LIKE '%domain_path' ORDER BY 1, 2"
	if db.MySQL() {
		query = "SELECT table_name AS `table`, column_name AS `column` FROM information_schema.columns WHERE table_schema = DATABASE() AND column_name LIKE '%domain_path' ORDER BY 1, 2"
	}
	err = g.Raw(query).Scan(&list).Error
	return list, err
}
