package iamcmd_test

import (
	"context"
	"fmt"
	"net/url"
	"testing"

	"aerie/services/command"
	"aerie/services/iam"
)

// BenchmarkLists lists five hundred domains, accounts and users, with their
// JSON.
func BenchmarkLists(b *testing.B) {
	w := newWorld(b)
	err := w.iam.DB().Tx(w.admin, func(ctx context.Context) error {
		for i := range 500 {
			d, err := w.iam.CreateDomain(ctx, iam.CreateDomain{Name: fmt.Sprint("d", i)})
			if err != nil {
				return err
			}
			_, _, err = w.iam.CreateAccount(ctx, iam.CreateAccount{DomainID: d.ID, RoleID: iam.RoleUser, User: iam.NewUser{
				Username: fmt.Sprint("u", i), PasswordHash: "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
			}})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"listDomains", "listAccounts", "listUsers"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				c, out, err := w.reg.Call(w.admin, name, url.Values{"listall": {"true"}})
				if err != nil {
					b.Fatal(err)
				}
				_ = c.Body(command.Admin, out)
			}
		})
	}
}
