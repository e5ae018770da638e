package store_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"aerie/services/store"
	"aerie/services/store/storetest"
)

// mysqlOnly opens a database on MySQL and keeps to one connection of it, whose
// status the test reads.
func mysqlOnly(t *testing.T) (ctx context.Context, db *store.DB) {
	t.Helper()
	if os.Getenv(storetest.Env) == "" {
		t.Skip("SQLite's driver keeps statements by itself; needs " + storetest.Env)
	}
	db = storetest.Open(t)
	pool, err := db.In(store.System(t.Context(), "test")).DB()
	must(t, err)
	pool.SetMaxOpenConns(1)
	return store.System(t.Context(), "test"), db
}

// status is a counter of this connection.
func status(t *testing.T, ctx context.Context, db *store.DB, name string) (n int64) {
	t.Helper()
	var row struct {
		Name  string `gorm:"column:Variable_name"`
		Value int64  `gorm:"column:Value"`
	}
	must(t, db.In(ctx).Raw("SHOW SESSION STATUS LIKE '"+name+"'").Scan(&row).Error)
	if !strings.EqualFold(row.Name, name) {
		t.Fatalf("no status %s", name)
	}
	return row.Value
}

func one(t *testing.T, ctx context.Context, db *store.DB, query string, want int) {
	t.Helper()
	var got int
	if err := db.In(ctx).Raw(query, want).Scan(&got).Error; err != nil || got != want {
		t.Fatalf("%s: %d, %v, want %d", query, got, err, want)
	}
}

func TestStatementsAreKept(t *testing.T) {
	ctx, db := mysqlOnly(t)
	before := status(t, ctx, db, "Com_stmt_prepare")
	for i := range 20 {
		one(t, ctx, db, "SELECT ? + 0", i)
	}
	if n := status(t, ctx, db, "Com_stmt_prepare") - before; n != 1 {
		t.Errorf("prepared %d times, want once", n)
	}
	for i := range 300 {
		one(t, ctx, db, fmt.Sprintf("SELECT ? + 0 /* %d */", i), i)
	}
	if kept := status(t, ctx, db, "Com_stmt_prepare") - status(t, ctx, db, "Com_stmt_close"); kept > 100 {
		t.Errorf("%d statements are open, want 100 at most", kept)
	}
}

// TestAKeptStatementSeesANewColumn: while servers are updated one by one, the
// schema changes under those that run.
func TestAKeptStatementSeesANewColumn(t *testing.T) {
	ctx, db := mysqlOnly(t)
	must(t, db.In(ctx).Exec("CREATE TABLE grows (id INT PRIMARY KEY, old VARCHAR(9))").Error)
	must(t, db.In(ctx).Exec("INSERT INTO grows VALUES (?, ?)", 1, "a").Error)
	read := func() (row map[string]any) {
		row = map[string]any{}
		must(t, db.In(ctx).Raw("SELECT * FROM grows WHERE id = ?", 1).Scan(&row).Error)
		return row
	}
	for range 3 {
		if row := read(); len(row) != 2 || row["old"] != "a" {
			t.Fatal(row)
		}
	}
	must(t, db.In(ctx).Exec("ALTER TABLE grows ADD COLUMN new INT NOT NULL DEFAULT 7 FIRST").Error)
	for range 3 {
		if row := read(); fmt.Sprint(row) != "map[id:1 new:7 old:a]" {
			t.Fatal(row)
		}
	}
}

// TestWhatCannotBePreparedIsSent: neither a verb without values
// nor a server that keeps no more statements stops the work.
func TestWhatCannotBePreparedIsSent(t *testing.T) {
	ctx, db := mysqlOnly(t)
	var limit int64
	must(t, db.In(ctx).Raw("SELECT @@GLOBAL.max_prepared_stmt_count").Scan(&limit).Error)
	must(t, db.In(ctx).Exec("SET GLOBAL max_prepared_stmt_count = 0").Error)
	defer func() {
		must(t, db.In(ctx).Exec(fmt.Sprintf("SET GLOBAL max_prepared_stmt_count = %d", limit)).Error)
	}()
	one(t, ctx, db, "SELECT ? + 1 - 1", 5)
	must(t, db.In(ctx).Exec("CREATE TABLE full (id INT PRIMARY KEY)").Error)
	must(t, db.In(ctx).Exec("INSERT INTO full VALUES (?)", 3).Error)
	one(t, ctx, db, "SELECT id FROM full WHERE id = ?", 3)
}
