package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"aerie/services/iam"
	"aerie/services/store"
)

type benchPeople struct {
	Rows     []int  `help:"How many domains, accounts and users there are, in turn." default:"1000,25000"`
	Rounds   int    `help:"Calls of each kind." default:"40"`
	Database string `help:"An empty database, sqlite:PATH or mysql:USER:PASS@tcp(HOST:PORT)/DB; SQLite in a folder of its own by default."`
}

// Run makes domains with an account and a user each and lists them, in turn
// with the bare query of the same rows.
func (c benchPeople) Run(ctx context.Context, out io.Writer) (err error) {
	load(out)
	r, err := newRig(ctx, c.Database, false, vast())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.stop()) }()
	have := 1 // ROOT and its admin
	for _, n := range c.Rows {
		if err := r.people(have, n); err != nil {
			return err
		}
		have = max(have, n)
		for _, l := range []struct {
			command, element string
			model            any
		}{
			{"listDomains", "domain", &iam.Domain{}},
			{"listAccounts", "account", &iam.Account{}},
			{"listUsers", "user", &iam.User{}},
		} {
			if err := c.measure(ctx, out, r, have, l.command, l.element, l.model); err != nil {
				return err
			}
		}
	}
	return nil
}

// people makes domains, numbers from to below n, in a tree of fifty at the top.
func (r *rig) people(from, n int) error {
	var parents []string
	if err := r.db.In(r.admin).Model(&iam.Domain{}).Where("level = 1").Order("number").Pluck("id", &parents).Error; err != nil {
		return err
	}
	const tops, batch = 50, 250
	hash := "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy" // nobody signs in
	for at := from; at < n; at += batch {
		var made []string
		err := r.db.Tx(r.admin, func(ctx context.Context) error {
			made = nil
			for i := at; i < min(at+batch, n); i++ {
				name, parent := fmt.Sprintf("d%d", i), ""
				if all := append(parents, made...); len(all) >= tops {
					parent = all[i%tops]
				}
				d, err := r.iam.CreateDomain(ctx, iam.CreateDomain{Name: name, ParentID: parent})
				if err != nil {
					return err
				}
				if parent == "" {
					made = append(made, d.ID)
				}
				_, _, err = r.iam.CreateAccount(ctx, iam.CreateAccount{
					DomainID: d.ID, RoleID: iam.RoleUser, User: iam.NewUser{Username: "u" + name, PasswordHash: hash, Email: name + "@example.org"},
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		parents = append(parents, made...)
	}
	return nil
}

func (c benchPeople) measure(ctx context.Context, out io.Writer, r *rig, n int, command, element string, model any) error {
	var page, bare []time.Duration
	var size int
	statements := int64(0)
	for i := range c.Rounds + 1 {
		before := r.db.Statements()
		body, took, err := r.client.get(ctx, command, "listall", "true", "page", "1", "pagesize", fmt.Sprint(pageSize))
		if err != nil {
			return err
		}
		statements = r.db.Statements() - before
		var a map[string]map[string]json.RawMessage
		var rows []json.RawMessage
		if err := errors.Join(json.Unmarshal(body, &a), json.Unmarshal(a[strings.ToLower(command)+"response"][element], &rows)); err != nil {
			return err
		}
		if len(rows) != min(n, pageSize) {
			return fmt.Errorf("%s: %d rows of %d", command, len(rows), n)
		}
		if size = len(body); i == 0 {
			continue
		}
		page = append(page, took)
		began := time.Now()
		if _, err := drain(r.db.In(store.System(ctx, "bench")).Model(model).Limit(pageSize)); err != nil {
			return err
		}
		bare = append(bare, time.Since(began))
	}
	quiet := steady(bare)
	fmt.Fprintf(out, "%6d: %-12s page of %d to the last byte p50 %s p95 %s, %d KiB, %d statements; bare rows p50 %s; %s\n",
		n, command, min(n, pageSize), ms(quantile(page, 0.5)), ms(quantile(page, 0.95)), size>>10, statements, ms(quantile(bare, 0.5)), quiet)
	return nil
}
