package iam

import (
	"context"
	"strings"

	"aerie/services/store"
)

// Belongs is embedded by results of owned things: whose they are.
type Belongs struct {
	Account    string `json:"account" doc:"the account that owns it"`
	DomainID   string `json:"domainid" doc:"the domain of the account"`
	Domain     string `json:"domain" doc:"the name of the domain"`
	DomainPath string `json:"domainpath" doc:"the path of the domain"`
	Project    string `json:"project" doc:"the project that owns it, instead of an account"`
	ProjectID  string `json:"projectid" doc:"the id of the project"`
}

const asProject = "project:"

// Owners names the owners of many rows: one query, however many there are.
func (s *Service) Owners(ctx context.Context, of []store.Owner) (func(store.Owner) Belongs, error) {
	belongs, _, err := s.OwnersAnd(ctx, of)
	return belongs, err
}

// Whose is Owners for packages that know the database alone.
func Whose(ctx context.Context, db *store.DB, of []store.Owner) (func(store.Owner) Belongs, error) {
	return (&Service{db: db}).Owners(ctx, of)
}

// OwnersAnd is Owners with the names of other rows, in the same query.
func (s *Service) OwnersAnd(ctx context.Context, of []store.Owner, others ...store.Some) (func(store.Owner) Belongs, map[string]string, error) {
	var accounts, domains []string
	for _, o := range of {
		accounts, domains = append(accounts, o.AccountID), append(domains, o.DomainID)
	}
	names, err := store.NamesOf(ctx, s.db, append(others, store.Some{Model: &Account{}, IDs: accounts},
		store.Some{Model: &Project{}, IDs: accounts, As: asProject},
		store.Some{Model: &Domain{}, IDs: domains, Name: "full_name"})...)
	if err != nil {
		return nil, nil, err
	}
	return func(o store.Owner) Belongs {
		full := names[o.DomainID]
		b := Belongs{DomainID: o.DomainID, Domain: full[strings.LastIndexByte(full, '/')+1:], DomainPath: full}
		if project, ok := names[asProject+o.AccountID]; ok {
			b.Project, b.ProjectID = project, o.AccountID
		} else {
			b.Account = names[o.AccountID]
		}
		return b
	}, names, nil
}

// Usernames names users by their ids.
func (s *Service) Usernames(ctx context.Context, ids []string) (map[string]string, error) {
	out := map[string]string{}
	var rows []User
	sys := store.System(ctx, "names of users")
	err := s.db.In(sys).Unscoped().Where("id IN ?", ids).Select("id", "username").Find(&rows).Error
	for _, u := range rows {
		out[u.ID] = u.Username
	}
	return out, err
}
