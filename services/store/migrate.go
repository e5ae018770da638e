package store

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"testing/fstest"
	"text/template"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

//go:embed migrations/*.sql
var migrations embed.FS

// words is what differs between the databases' DDL. All else in migrations
// must be understood by both.
type words struct {
	DateTime, LongText, Blob, Table string
}

var (
	sqliteWords = words{DateTime: "DATETIME", LongText: "TEXT", Blob: "BLOB"}
	// 3: the milliseconds that DB.Now gives.
	mysqlWords = words{
		DateTime: "DATETIME(3)", LongText: "LONGTEXT", Blob: "LONGBLOB",
		Table: " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci",
	}
)

// Migrate brings the database to this program's version. Servers that start at
// the same time wait for each other.
func (db *DB) Migrate(ctx context.Context) error {
	p, err := db.provider()
	if err != nil {
		return err
	}
	unlock, err := db.migrationLock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// Version returns the schema's version and the newest that this program knows.
func (db *DB) Version(ctx context.Context) (have, want int64, err error) {
	p, err := db.provider()
	if err != nil {
		return 0, 0, err
	}
	return p.GetVersions(ctx)
}

func (db *DB) provider() (*goose.Provider, error) {
	dialect, w := database.DialectSQLite3, sqliteWords
	if db.mysql {
		dialect, w = database.DialectMySQL, mysqlWords
	}
	files, err := render(migrations, w)
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.Dialect(dialect), db.pool(), files)
}

func render(from fs.FS, w words) (fs.FS, error) {
	out := fstest.MapFS{}
	names, err := fs.Glob(from, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		t, err := template.ParseFS(from, name)
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		if err := t.Execute(&b, w); err != nil {
			return nil, err
		}
		out[path.Base(name)] = &fstest.MapFile{Data: b.Bytes()}
	}
	return out, nil
}

// migrationLock keeps two servers from migrating one MySQL at once. SQLite
// locks the whole file by itself.
func (db *DB) migrationLock(ctx context.Context) (func(), error) {
	if !db.mysql {
		return func() {}, nil
	}
	conn, err := db.pool().Conn(ctx)
	if err != nil {
		return nil, err
	}
	var got sql.NullInt64
	err = conn.QueryRowContext(ctx, "SELECT GET_LOCK(CONCAT('aerie.migrate.', DATABASE()), 120)").Scan(&got)
	if err != nil || got.Int64 != 1 {
		_ = conn.Close()
		return nil, fmt.Errorf("migrate: another server holds the lock (%v): %w", got.Int64, err)
	}
	return func() {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "DO RELEASE_LOCK(CONCAT('aerie.migrate.', DATABASE()))")
		_ = conn.Close()
	}, nil
}
