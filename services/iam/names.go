package iam

import (
	"context"

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
