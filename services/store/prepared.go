package store

import (
	"context"
	"database/sql/driver"
	"errors"

	mysqldriver "github.com/go-sql-driver/mysql"
	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// preparing opens MySQL connections that keep what they prepared. A statement
// that is known saves the server its parsing and, on MariaDB, the description
// of the columns, which outweighs the row in most answers of ours.
type preparing struct{ driver.Connector }

// keptStatements is how many a connection keeps: all that deployments and lists
// need, and with the pool's 32 connections a fifth of the 16382 that a MariaDB
// allows by default, at about 50 KB each.
const keptStatements = 100

// longestKept is how many values a statement may have that is kept. Longer ones
// are lists of ids, each of another length: they would only push others out.
const longestKept = 64

// Connect opens a connection with nothing kept.
func (p preparing) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	full, ok := c.(fullConn)
	if !ok {
		return c, nil
	}
	kept, err := simplelru.NewLRU(keptStatements, func(_ string, s fullStmt) { _ = s.Close() })
	return &preparedConn{full, kept}, err
}

// fullConn and fullStmt are what database/sql makes use of.
type (
	fullConn interface {
		driver.Conn
		driver.ConnBeginTx
		driver.ConnPrepareContext
		driver.ExecerContext
		driver.QueryerContext
		driver.NamedValueChecker
		driver.Pinger
		driver.SessionResetter
		driver.Validator
	}
	fullStmt interface {
		driver.Stmt
		driver.StmtExecContext
		driver.StmtQueryContext
	}
)

type preparedConn struct {
	fullConn
	kept *simplelru.LRU[string, fullStmt]
}

// QueryContext asks by a kept statement.
func (c *preparedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.statement(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.fullConn.QueryContext(ctx, query, args)
	}
	rows, err := s.QueryContext(ctx, args)
	if c.outdated(query, err) {
		return c.fullConn.QueryContext(ctx, query, args)
	}
	return rows, err
}

// ExecContext acts by a kept statement.
func (c *preparedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.statement(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.fullConn.ExecContext(ctx, query, args)
	}
	done, err := s.ExecContext(ctx, args)
	if c.outdated(query, err) {
		return c.fullConn.ExecContext(ctx, query, args)
	}
	return done, err
}

// outdated forgets a statement that the server could not prepare anew, after
// its tables changed again and again: ER_NEED_REPREPARE. Nothing was done then.
func (c *preparedConn) outdated(query string, err error) bool {
	var e *mysqldriver.MySQLError
	if !errors.As(err, &e) || e.Number != 1615 {
		return false
	}
	c.kept.Remove(query)
	return true
}

// statement is nil where the text itself is to be sent: what has no values is
// seldom asked twice, and not everything can be prepared.
func (c *preparedConn) statement(ctx context.Context, query string, args []driver.NamedValue) (fullStmt, error) {
	if len(args) == 0 || len(args) > longestKept {
		return nil, nil
	}
	if s, ok := c.kept.Get(query); ok {
		return s, nil
	}
	s, err := c.PrepareContext(ctx, query)
	if unpreparable(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c.kept.Add(query, s.(fullStmt))
	return s.(fullStmt), nil
}

// unpreparable tells the two refusals after which the text may still be sent:
// ER_UNSUPPORTED_PS and ER_MAX_PREPARED_STMT_COUNT_REACHED
// (https://mariadb.com/kb/en/mariadb-error-code-reference/).
func unpreparable(err error) bool {
	var e *mysqldriver.MySQLError
	return errors.As(err, &e) && (e.Number == 1295 || e.Number == 1461)
}
