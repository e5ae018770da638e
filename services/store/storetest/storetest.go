// Package storetest opens fresh databases for tests.
package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql" // to create databases

	"aerie/services/store"
)

// Env names the MariaDB to test on: a DSN of go-sql-driver without a database,
// such as root@unix(/path/sock)/, whose user may create databases. Without it
// tests run on SQLite.
const Env = "AERIE_TEST_MYSQL"

// Key is the secret key of test databases.
var Key = bytes.Repeat([]byte{7}, 32)

// Open returns a fresh, migrated database that goes with the test.
func Open(t testing.TB) *store.DB { return OpenWith(t, nil) }

// OpenWith is Open with a clock of the test's own; nil takes the real one.
func OpenWith(t testing.TB, now func() time.Time) *store.DB {
	t.Helper()
	return Connect(t, DSN(t), now)
}

// Connect opens a further handle, as a second server would, on a database that
// DSN made.
func Connect(t testing.TB, dsn string, now func() time.Time) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{DSN: dsn, Key: Key, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

// DSN makes an empty database and returns its address.
func DSN(t testing.TB) string {
	t.Helper()
	if my := os.Getenv(Env); my != "" {
		return mysqlDSN(t, my)
	}
	path := filepath.Join(t.TempDir(), "aerie.db")
	migrated, err := template()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, migrated, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

// template is a migrated SQLite file, made once per test program: copying it
// is many times faster than migrating again.
var template = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "aerie")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "t.db")
	ctx := context.Background()
	db, err := store.Open(ctx, store.Config{DSN: "sqlite:" + path, Key: Key})
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx); err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil { // the last close folds the WAL into the file
		return nil, err
	}
	return os.ReadFile(path)
})

func mysqlDSN(t testing.TB, server string) string {
	t.Helper()
	var b [6]byte
	_, _ = rand.Read(b[:])
	name := "aerie_" + hex.EncodeToString(b[:])
	pool, err := sql.Open("mysql", server)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pool.ExecContext(t.Context(), "CREATE DATABASE "+name+" CHARACTER SET utf8mb4"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = pool.ExecContext(context.WithoutCancel(t.Context()), "DROP DATABASE "+name)
		_ = pool.Close()
	})
	head, args, _ := strings.Cut(server, "?")
	dsn := "mysql:" + head + name
	if args != "" {
		dsn += "?" + args
	}
	return dsn
}
