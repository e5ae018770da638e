package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"math/rand/v2"
	"time"

	mysqldriver "github.com/go-sql-driver/mysql"
	"github.com/mattn/go-sqlite3"
	"gorm.io/gorm"
)

type txKey struct{ db *DB }

type transaction struct {
	g     *gorm.DB
	after []func()
	clash error // of a joined one: the database may have undone everything
}

// join runs fn in the transaction.
func (tx *transaction) join(ctx context.Context, fn func(context.Context) error) error {
	n := len(tx.after)
	err := fn(ctx)
	if err != nil {
		tx.after = tx.after[:n]
	}
	if retryable(err) || lost(err) {
		tx.clash = err
	}
	return err
}

// In returns the handle for queries of ctx: its transaction when there is one,
// otherwise a handle that only reads.
func (db *DB) In(ctx context.Context) *gorm.DB {
	if tx, ok := ctx.Value(txKey{db}).(*transaction); ok {
		return tx.g.WithContext(ctx)
	}
	return db.read.WithContext(ctx)
}

// InTx tells whether ctx carries a transaction.
func (db *DB) InTx(ctx context.Context) bool {
	_, ok := ctx.Value(txKey{db}).(*transaction)
	return ok
}

// Tx runs fn in a transaction; inside another Tx it joins that one, which alone
// commits or rolls back: who goes on after the error of a joined Tx keeps what
// that has written. On a deadlock, a lost connection before commit or a busy
// database the whole of fn runs again, so it must be right when run twice and
// must touch nothing but the database.
func (db *DB) Tx(ctx context.Context, fn func(ctx context.Context) error) error {
	if tx, ok := ctx.Value(txKey{db}).(*transaction); ok {
		return tx.join(ctx, fn)
	}
	const tries = 12
	for try := 0; ; try++ {
		committing, err := db.once(ctx, fn)
		again := retryable(err) || lost(err) && !committing
		if err == nil || !again || try == tries-1 || ctx.Err() != nil {
			return err
		}
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
}

// once tells, beside the error, whether it came so far that the commit may have
// happened.
func (db *DB) once(ctx context.Context, fn func(ctx context.Context) error) (committing bool, err error) {
	g := db.write.WithContext(ctx).Begin(&sql.TxOptions{})
	if g.Error != nil {
		return false, g.Error
	}
	tx := &transaction{g: g}
	done := false
	defer func() {
		if !done { // an error or a panic
			g.Rollback()
		}
	}()
	if err := fn(context.WithValue(ctx, txKey{db}, tx)); err != nil {
		return false, err
	}
	if tx.clash != nil {
		return false, tx.clash
	}
	if err := g.Commit().Error; err != nil {
		return true, err
	}
	done = true
	db.commits.Add(1)
	for _, f := range tx.after {
		f()
	}
	return true, nil
}

// AfterCommit runs fn when ctx's transaction is committed, and at once when
// there is none. Use it for what may only happen when the rows are there.
func (db *DB) AfterCommit(ctx context.Context, fn func()) {
	tx, ok := ctx.Value(txKey{db}).(*transaction)
	if !ok {
		fn()
		return
	}
	tx.after = append(tx.after, fn)
}

// retryable tells a clash with another transaction from a real error.
// MySQL: 1213 deadlock, 1205 lock wait timeout, 1020 record changed (MariaDB).
func retryable(err error) bool {
	var my *mysqldriver.MySQLError
	if errors.As(err, &my) {
		return my.Number == 1213 || my.Number == 1205 || my.Number == 1020
	}
	var lite sqlite3.Error
	return errors.As(err, &lite) && (lite.Code == sqlite3.ErrBusy || lite.Code == sqlite3.ErrLocked)
}

// lost tells a connection that broke.
func lost(err error) bool {
	return errors.Is(err, mysqldriver.ErrInvalidConn) || errors.Is(err, driver.ErrBadConn)
}

// Transient tells whether err is a database that will answer later: busy, or a
// connection that broke.
func Transient(err error) bool {
	return retryable(err) || lost(err)
}

func pause(ctx context.Context, try int) error {
	limit := time.Millisecond << min(try, 7)
	t := time.NewTimer(limit/2 + rand.N(limit))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
