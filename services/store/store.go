// Package store opens the database, runs transactions and keeps every query
// inside its tenant. It is the only package that knows which database it is.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// Config says where the database is and what the store takes from outside.
type Config struct {
	// DSN is sqlite:PATH or mysql:USER:PASS@tcp(HOST:PORT)/DB.
	DSN string
	// Key encrypts secrets at rest: 32 bytes.
	Key []byte
	// Now and Rand are the clock and the randomness of all services; nil takes
	// the real ones.
	Now  func() time.Time
	Rand io.Reader
	Log  *slog.Logger
}

// DB is the database.
type DB struct {
	write, read *gorm.DB // the same pool on MySQL
	mysql       bool
	now         func() time.Time
	ids         idClock
	rand        io.Reader
	log         *slog.Logger
	seal        sealer
	statements  atomic.Int64
	commits     atomic.Int64
	listeners   atomic.Int64
	aside       aside
}

// Open connects to the database; it does not migrate.
func Open(ctx context.Context, c Config) (*DB, error) {
	db := &DB{now: c.Now, rand: c.Rand, log: c.Log}
	if db.now == nil {
		db.now = time.Now
	}
	if db.rand == nil {
		db.rand = rand.Reader
	}
	if db.log == nil {
		db.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if db.seal, err = newSealer(c.Key, db.rand); err != nil {
		return nil, err
	}
	kind, rest, _ := strings.Cut(c.DSN, ":")
	switch kind {
	case "sqlite":
		err = db.openSQLite(rest)
	case "mysql":
		err = db.openMySQL(rest)
	default:
		// The DSN may hold a password, so only its head is told.
		err = fmt.Errorf("database %q: want sqlite:PATH or mysql:USER:PASS@tcp(HOST:PORT)/DB", kind+":…")
	}
	if err != nil {
		return nil, err
	}
	if err := db.Ping(ctx); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("database: %w", err)
	}
	return db, nil
}

// uriPath escapes what has a meaning in SQLite's file: addresses.
var uriPath = strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23")

// openSQLite opens one writing connection and a pool of readers. WAL lets them
// work side by side; FULL makes an acknowledged commit survive a power cut.
func (db *DB) openSQLite(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	if err := private(path); err != nil {
		return err
	}
	common := "file:" + uriPath.Replace(path) + "?_journal_mode=WAL&_synchronous=FULL&_busy_timeout=10000&_foreign_keys=1&_cache_size=-16000&_stmt_cache_size=300&_loc=UTC"
	var err error
	if db.write, err = db.gorm(sqlite.Open(common+"&_txlock=immediate"), 1); err != nil {
		return err
	}
	db.read, err = db.gorm(sqlite.Open(common+"&_query_only=1"), 8)
	return err
}

// private makes the file, if it is not there, for its owner alone: it holds
// hashes of passwords. SQLite gives its other files the same rights.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func (db *DB) gorm(d gorm.Dialector, conns int) (*gorm.DB, error) {
	g, err := gorm.Open(d, &gorm.Config{
		Logger:                 logger.Discard,
		SkipDefaultTransaction: true,
		// gorm prepares anew in every transaction; here the connections keep
		// statements, SQLite's by its driver and MySQL's by preparing.
		PrepareStmt:          false,
		TranslateError:       true,
		NowFunc:              db.Now,
		DisableAutomaticPing: true,
	})
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	pool, err := g.DB()
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	if err := g.Use(tenancy{}); err != nil {
		return nil, err
	}
	return g, g.Use(counter{&db.statements})
}

func ptr[T any](v T) *T { return &v }

// Ping asks whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	return db.pool().PingContext(ctx)
}

// Close closes all connections.
func (db *DB) Close() error {
	db.aside.calls.Wait()
	var first error
	for _, g := range []*gorm.DB{db.read, db.write} {
		if g == nil {
			continue
		}
		if pool, err := g.DB(); err == nil {
			if err := pool.Close(); err != nil && first == nil {
				first = err
			}
		}
	}
	return first
}

func (db *DB) pool() *sql.DB {
	pool, err := db.write.DB()
	if err != nil { // gorm was opened with a pool, so there is one
		panic(err)
	}
	return pool
}

// MySQL tells whether the database is MySQL or MariaDB.
func (db *DB) MySQL() bool { return db.mysql }

// Now is the services' clock, in UTC and in the milliseconds that both
// databases keep.
func (db *DB) Now() time.Time { return db.now().UTC().Truncate(time.Millisecond) }

// Rand is the services' source of randomness.
func (db *DB) Rand() io.Reader { return db.rand }

// Statements and Commits count since the start, for tests and metrics.
func (db *DB) Statements() int64 { return db.statements.Load() }

// Commits counts the transactions that were committed.
func (db *DB) Commits() int64 { return db.commits.Load() }
