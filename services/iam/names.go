package iam

import (
	"context"
	"errors"
	"path"

	"aerie/services/store"
)

// AccountName, DomainName and UserName tell the names behind ids, of removed
// rows as well; unknown ids have the name "". They are the command package's
// Names: the ids come from rows that the caller may see.
func (s *Service) AccountName(ctx context.Context, id string) string {
	var a Account
	s.named(ctx, &a, id)
	return a.Name
}

// DomainName is a domain's name and full path.
func (s *Service) DomainName(ctx context.Context, id string) (name, path string) {
	var d Domain
	s.named(ctx, &d, id)
	return d.Name, d.FullName
}

// ProjectName is the name of a project.
func (s *Service) ProjectName(ctx context.Context, id string) string {
	var p Project
	s.named(ctx, &p, id)
	return p.Name
}

// UserName is a user's name.
func (s *Service) UserName(ctx context.Context, id string) string {
	var u User
	s.named(ctx, &u, id)
	return u.Username
}

func (s *Service) named(ctx context.Context, row any, id string) {
	ctx = store.System(ctx, "names of ids that results show")
	if err := s.db.In(ctx).Unscoped().Where("id = ?", id).Limit(1).Find(row).Error; err != nil {
		s.opts.Log.WarnContext(ctx, "a name is not known", "id", id, "error", err)
	}
}

// NamesByID names accounts, domains and users in one query, and the paths of
// the domains. The projects that accounts are stand behind "project/".
func (s *Service) NamesByID(ctx context.Context, accounts, domains, users []string) (names, paths map[string]string, err error) {
	all, err := store.NamesOf(ctx, s.db, store.Some{Model: &Account{}, IDs: accounts},
		store.Some{Model: &Domain{}, IDs: domains, Name: "full_name"}, store.Some{Model: &User{}, IDs: users, Name: "username"})
	paths = map[string]string{}
	for _, id := range domains {
		if full := all[id]; full != "" {
			paths[id] = full
		}
	}
	for id, full := range paths {
		all[id] = path.Base(full)
	}
	projects, err2 := store.Names[Project](ctx, s.db, accounts)
	for id, name := range projects {
		all["project/"+id] = name
	}
	return all, paths, errors.Join(err, err2)
}
