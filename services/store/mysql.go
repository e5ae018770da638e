package store

import (
	"database/sql"
	"fmt"
	"strings"
	"time"

	mysqldriver "github.com/go-sql-driver/mysql"
	"gorm.io/driver/mysql"
)

func (db *DB) openMySQL(dsn string) error {
	c, err := mysqldriver.ParseDSN(dsn)
	if err != nil {
		return fmt.Errorf("database: the mysql DSN cannot be read")
	}
	c.ParseTime = true
	c.Loc = time.UTC
	c.ClientFoundRows = true   // an unchanged row must not look like a lost race
	c.InterpolateParams = true // for what cannot be prepared
	c.Collation = "utf8mb4_general_ci"
	isolation, err := isolationVariable(c)
	if err != nil {
		return err
	}
	c.Params = map[string]string{isolation: "'READ-COMMITTED'", "time_zone": "'+00:00'", "sql_mode": "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'"}
	db.mysql = true
	connector, err := mysqldriver.NewConnector(c)
	if err != nil {
		return err
	}
	db.write, err = db.gorm(mysql.New(mysql.Config{DSNConfig: c, Conn: sql.OpenDB(preparing{connector}), SkipInitializeWithVersion: true, DefaultDatetimePrecision: ptr(3)}), 32)
	db.read = db.write
	return err
}

// isolationVariable is what this server calls the isolation level: MySQL 8
// knows only the one name, MariaDB before 11.1 only the other.
func isolationVariable(c *mysqldriver.Config) (string, error) {
	connector, err := mysqldriver.NewConnector(c)
	if err != nil {
		return "", err
	}
	pool := sql.OpenDB(connector)
	defer pool.Close()
	var version string
	if err := pool.QueryRow("SELECT VERSION()").Scan(&version); err != nil {
		return "", fmt.Errorf("database: %w", err)
	}
	if strings.Contains(version, "MariaDB") {
		return "tx_isolation", nil
	}
	return "transaction_isolation", nil
}
