package main

import (
	"context"
	"fmt"
	"io"

	"aerie/services/store"
)

type migrateCommand struct {
	state
	Check bool `help:"Only print the versions; fails when they differ."`
}

// Run brings the database to this program's version.
func (c migrateCommand) Run(ctx context.Context, out io.Writer) error {
	key, err := secretKey(c.state)
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, store.Config{DSN: c.dsn(), Key: key})
	if err != nil {
		return err
	}
	defer db.Close()
	have, want, err := db.Version(ctx)
	if err != nil {
		return err
	}
	if c.Check || have == want {
		fmt.Fprintf(out, "schema %d, this program wants %d\n", have, want)
		if have != want {
			return fmt.Errorf("the schema differs")
		}
		return c.fits(ctx, db)
	}
	if err := c.upToDate(ctx, db); err != nil {
		return err
	}
	fmt.Fprintf(out, "schema %d → %d\n", have, want)
	return nil
}
