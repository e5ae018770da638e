package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"testing"

	mysqldriver "github.com/go-sql-driver/mysql"
	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// outdatedStmt is refused as MySQL refuses a statement whose tables changed too
// often; no server does so on demand.
type outdatedStmt struct{ fullStmt }

func (outdatedStmt) Close() error { return nil }

func (outdatedStmt) ExecContext(context.Context, []driver.NamedValue) (driver.Result, error) {
	return nil, &mysqldriver.MySQLError{Number: 1615}
}

type textConn struct{ fullConn }

var errText = errors.New("the text was sent")

func (textConn) PrepareContext(context.Context, string) (driver.Stmt, error) {
	return outdatedStmt{}, nil
}

func (textConn) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return nil, errText
}

func TestAnOutdatedStatementIsSentAsText(t *testing.T) {
	kept, err := simplelru.NewLRU[string, fullStmt](9, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &preparedConn{textConn{}, kept}
	if _, err := c.ExecContext(t.Context(), "UPDATE x SET y = ?", []driver.NamedValue{{Ordinal: 1, Value: int64(1)}}); !errors.Is(err, errText) {
		t.Error(err)
	}
	if kept.Len() != 0 {
		t.Error("it is kept")
	}
}
