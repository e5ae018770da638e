package audit

import (
	"context"
	"slices"

	"gorm.io/gorm"

	"aerie/services/iam"
)

// history is tables whose rows outlive their owners on purpose.
var history = []string{"events", "alerts", "jobs"}

// owned is the tables of rows that belong to an account, whoever made them.
func (l *look) owned(ctx context.Context) ([]string, error) {
	m := l.DB.In(ctx).Migrator()
	tables, err := m.GetTables()
	if err != nil {
		return nil, err
	}
	tables = slices.DeleteFunc(tables, func(t string) bool {
		return slices.Contains(history, t) || !m.HasColumn(t, "account_id") || !m.HasColumn(t, "domain_path") || !m.HasColumn(t, "removed_at")
	})
	slices.Sort(tables)
	return tables, nil
}

// owners: every row belongs to an account that lives, in the domain where the
// account is.
func owners(ctx context.Context, l *look) ([]Finding, error) {
	tables, err := l.owned(ctx)
	if err != nil {
		return nil, err
	}
	var out list
	for _, table := range tables {
		if err := l.ownersIn(ctx, table, &out); err != nil {
			return out, err
		}
	}
	err = l.accounts(ctx, &out)
	return out, err
}

// ownersIn compares one table. Table is a name that the database told.
func (l *look) ownersIn(ctx context.Context, table string, out *list) error {
	g := l.DB.In(ctx)
	account := func(more string) *gorm.DB {
		return g.Model(&iam.Account{}).Where("accounts.id = " + table + ".account_id" + more).Select("1")
	}
	elsewhere := " AND (accounts.domain_id <> " + table + ".domain_id OR accounts.domain_path <> " + table + ".domain_path)"
	for _, wrong := range []struct {
		where string
		who   *gorm.DB
		text  string
	}{
		{"NOT EXISTS (?)", account(""), "belongs to account %s, which is not there"},
		{"EXISTS (?)", account(elsewhere), "is not in the domain of its account %s"},
	} {
		var rows []struct{ ID, AccountID string }
		err := g.Table(table).Where("removed_at IS NULL").Where(wrong.where, wrong.who).Select("id", "account_id").Limit(1000).Find(&rows).Error
		if err != nil {
			return err
		}
		for _, r := range rows {
			out.add("owner", table+"/"+r.ID, "a row of %s "+wrong.text, table, r.AccountID)
		}
	}
	return nil
}

// accounts: every account is in a domain that lives, with that domain's path.
func (l *look) accounts(ctx context.Context, out *list) error {
	g := l.DB.In(ctx)
	var rows []iam.Account
	err := g.Where("NOT EXISTS (?)",
		g.Model(&iam.Domain{}).Where("domains.id = accounts.domain_id AND domains.path = accounts.domain_path").Select("1")).
		Find(&rows).Error
	for _, a := range rows {
		out.add("owner", "account/"+a.ID, "account %s says it is in the domain %s, which is not there", a.Name, a.DomainPath)
	}
	return err
}
