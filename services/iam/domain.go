package iam

import (
	"context"
	"errors"
	"strings"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/store"
)

// rootName is what ROOT is called.
const rootName = "ROOT"

// What the columns of a domain's path and full name hold.
const (
	longestPath     = 255
	longestFullName = 700
)

// The states of a domain.
const (
	active   = "Active"
	inactive = "Inactive" // and being deleted
)

// DomainByID finds a domain the actor may see.
func (s *Service) DomainByID(ctx context.Context, id string) (Domain, error) {
	d, err := gorm.G[Domain](s.db.In(ctx)).Where("id = ?", id).Take(ctx)
	return d, absent(err, "domainid", id)
}

// Root finds the ROOT domain.
func (s *Service) Root(ctx context.Context) (Domain, error) {
	ctx = store.System(ctx, "ROOT is known to all")
	return gorm.G[Domain](s.db.In(ctx)).Where("path = ?", "/").Take(ctx)
}

// DomainByPath finds a domain by what people write: "", "/", "dept/team",
// "ROOT/dept/team", slashes at either end or not.
func (s *Service) DomainByPath(ctx context.Context, path string) (Domain, error) {
	want := fullKey(path)
	d, err := gorm.G[Domain](s.db.In(ctx)).Where("full_key = ?", want).Take(ctx)
	if err == nil && *d.FullKey != want { // MariaDB takes é for e
		err = gorm.ErrRecordNotFound
	}
	return d, absent(err, "domain", path)
}

// DomainsAbove finds the ids of the domain with that path and of those above
// it, the nearest first.
func (s *Service) DomainsAbove(ctx context.Context, path string) (ids []string, err error) {
	ctx = store.System(ctx, "what is set for the domains above")
	err = s.db.In(ctx).Model(&Domain{}).Where("path IN ?", append(countedDomains(path), "/")).Order("level DESC").Pluck("id", &ids).Error
	return ids, err
}

func fullKey(path string) string {
	key := strings.Trim(fold(path), "/")
	root := fold(rootName)
	switch {
	case key == "" || key == root:
		return root
	case strings.HasPrefix(key, root+"/"):
		return key
	}
	return root + "/" + key
}

// lockDomain makes the domain stay, and stay where it is, while the transaction
// adds something to it.
func (s *Service) lockDomain(ctx context.Context, id string) (Domain, error) {
	set := s.db.In(ctx).Model(&Domain{}).Where("id = ? AND state = ?", id, active).Update("state", active)
	if set.Error == nil && set.RowsAffected == 0 {
		return Domain{}, fault.Absent("domainid", id)
	}
	if set.Error != nil {
		return Domain{}, set.Error
	}
	return s.DomainByID(ctx, id)
}

// absent makes a missing row the fault for that parameter.
func absent(err error, param, value string) error {
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return fault.Absent(param, value)
	}
	return err
}

const longestName = 255 // what a column holds

// checkName refuses names that are empty, too long or would break a path.
func checkName(param, name, forbidden string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return fault.Param(param, "error.name_empty")
	case len([]rune(name)) > longestName:
		return fault.Param(param, "error.name_long", "max", longestName)
	case strings.TrimSpace(name) != name || strings.ContainsAny(name, forbidden) || strings.ContainsFunc(name, control):
		return fault.Param(param, "error.name_characters")
	}
	return nil
}

func control(r rune) bool {
	return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029
}
