package iam

import (
	"context"
	"slices"
	"strings"

	"gorm.io/gorm"
)

// limitsAbove are the limits that were set for domains above others, by path and
// kind.
type limitsAbove map[string]map[Kind]int64

// limitsAbove finds what was set for the domains above those of the owners: one
// query, and none for those right below ROOT.
func (s *Service) limitsAbove(ctx context.Context, owners []string) (limitsAbove, error) {
	var paths []string
	for _, owner := range owners {
		if len(owner) > 1 && owner[0] == '/' {
			paths = append(paths, countedDomains(parentPath(owner))...)
		}
	}
	slices.Sort(paths)
	if paths = slices.Compact(paths); len(paths) == 0 {
		return nil, nil
	}
	rows, err := gorm.G[quota](s.db.In(ctx)).Where("owner IN ? AND ceiling IS NOT NULL", paths).Find(ctx)
	out := limitsAbove{}
	for _, r := range rows {
		if out[r.Owner] == nil {
			out[r.Owner] = map[Kind]int64{}
		}
		out[r.Owner][r.Kind] = *r.Ceiling
	}
	return out, err
}

// domainLimit is the limit of a domain that has none of its own: that of the
// nearest domain above that has one, otherwise the default. ROOT has none.
func (s *Service) domainLimit(ctx context.Context, above limitsAbove, path string, k Kind) int64 {
	if path == "/" {
		return Unlimited
	}
	for p := parentPath(path); strings.Count(p, "/") > 1; p = parentPath(p) {
		if limit, ok := above[p][k]; ok {
			return limit
		}
	}
	return s.opts.DomainLimits(ctx, k)
}
