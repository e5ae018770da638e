package iam

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/store"
)

// Limit is what an account or a domain may have of a kind and has.
type Limit struct {
	Kind Kind
	Max  int64 // in units; Unlimited
	Used int64 // as counted: bytes for storage
	// Tag is of a limit for what carries it; empty for all.
	Tag string
}

// Shown is the use in units.
func (l Limit) Shown() int64 { return shown(l.Used, l.Kind.Unit()) }

// Available is how much is left in units; Unlimited when there is no limit.
func (l Limit) Available() int64 {
	if l.Max < 0 {
		return Unlimited
	}
	return max(0, l.Max-l.Shown())
}

// Subject is whose limits are meant: an account when Account is set, otherwise
// the domain.
type Subject struct {
	Domain  Domain
	Account *Account
	Project *Project // whose account Account is
}

func (s Subject) key() string {
	if s.Account != nil {
		return s.Account.ID
	}
	return s.Domain.Path
}

// Limits returns a subject's limits of all kinds in order.
func (s *Service) Limits(ctx context.Context, of Subject) ([]Limit, error) {
	all, err := s.LimitsOf(ctx, []string{of.key()})
	return all[of.key()], err
}

// LimitsOf returns the limits of many at once, by account id or domain path, in
// one query, with one more when domains are among them that have others above
// them and one when ROOT is. The caller has checked that the actor sees them.
func (s *Service) LimitsOf(ctx context.Context, keys []string) (map[string][]Limit, error) {
	ctx = store.System(ctx, "counters carry no owner; the caller looked the subject up")
	rows, err := s.telling(ctx, keys)
	if err != nil {
		return nil, err
	}
	above, err := s.limitsAbove(ctx, keys)
	if err != nil {
		return nil, err
	}
	out := make(map[string][]Limit, len(keys))
	account := s.emptyLimits(func(k Kind) int64 { return s.opts.Limits(ctx, k) })
	for _, key := range keys {
		if key[0] == '/' {
			out[key] = s.emptyLimits(func(k Kind) int64 { return s.domainLimit(ctx, above, key, k) })
			continue
		}
		out[key] = slices.Clone(account)
	}
	for _, r := range rows {
		for one := range strings.SplitSeq(r.Counters, ",") {
			q, err := unpack(one)
			if err != nil {
				return nil, fmt.Errorf("counters of %s: %w", r.Owner, err)
			}
			q.Owner = r.Owner
			out[r.Owner][q.Kind] = Limit{Kind: q.Kind, Max: s.limitOf(ctx, above, q), Used: q.Used}
		}
	}
	if root := out["/"]; root != nil {
		used, err := s.usedBelow(ctx, "/")
		for k, n := range used {
			root[k].Used = n
		}
		return out, err
	}
	return out, nil
}

// counters are all counters of an owner that tell something, as text: a page
// of accounts has thousands of them, and a row each is what a list waits for.
type counters struct{ Owner, Counters string }

func (s *Service) telling(ctx context.Context, owners []string) (rows []counters, err error) {
	err = s.db.In(ctx).Model(&quota{}).Where("owner IN ?", owners).
		Where("used <> 0 OR project OR ceiling IS NOT NULL").
		Select("owner, GROUP_CONCAT(CONCAT(kind, ' ', used, ' ', project, ' ', COALESCE(ceiling, ''))) AS counters").
		Group("owner").Scan(&rows).Error
	return rows, err
}

// unpack reads a counter: its kind, what is used, whether it is a project's and
// the limit, if it has one.
func unpack(text string) (q quota, err error) {
	part := strings.SplitN(text, " ", 4)
	if len(part) != 4 {
		return q, fmt.Errorf("not a counter: %q", text)
	}
	kind, err := strconv.Atoi(part[0])
	if err == nil {
		q.Used, err = strconv.ParseInt(part[1], 10, 64)
	}
	q.Project = part[2] != "0"
	if err == nil && part[3] != "" {
		q.Ceiling = new(int64)
		*q.Ceiling, err = strconv.ParseInt(part[3], 10, 64)
	}
	if q.Kind = Kind(kind); err == nil && !q.Kind.Valid() {
		err = fmt.Errorf("not a kind: %d", kind)
	}
	return q, err
}

func (s *Service) emptyLimits(of func(Kind) int64) []Limit {
	list := make([]Limit, len(kinds))
	for i, k := range Kinds() {
		list[i] = Limit{Kind: k, Max: of(k)}
	}
	return list
}

// usedBelow sums what the accounts of a subtree use.
func (s *Service) usedBelow(ctx context.Context, path string) (map[Kind]int64, error) {
	var rows []quota
	accounts := s.db.In(ctx).Model(&Account{}).Where(below("domain_path", path)).Select("id")
	err := s.db.In(ctx).Model(&quota{}).Where("owner IN (?)", accounts).
		Select("kind", "SUM(used) AS used").Group("kind").Find(&rows).Error
	out := map[Kind]int64{}
	for _, q := range rows {
		out[q.Kind] = q.Used
	}
	return out, err
}

// SetLimit is updateResourceLimit. Max is in units; Unlimited lifts the limit,
// and lowering it deletes nothing. Nobody sets its own account's limit, nor
// that of its own domain, unless it is root.
func (s *Service) SetLimit(ctx context.Context, of Subject, k Kind, limit int64) (Limit, error) {
	if !k.Valid() {
		return Limit{}, fault.Param("resourcetype", "error.resource_type", "value", int(k))
	}
	if limit < Unlimited || limit > maxAmount/k.Unit() {
		return Limit{}, fault.Param("max", "error.limit_value", "value", limit)
	}
	if err := s.maySetLimit(ctx, of); err != nil {
		return Limit{}, err
	}
	err := s.db.Tx(ctx, func(ctx context.Context) error { return s.setCeiling(ctx, of, k, limit) })
	if err != nil {
		return Limit{}, err
	}
	all, err := s.Limits(ctx, of)
	if err != nil {
		return Limit{}, err
	}
	return all[k], nil
}

func (s *Service) maySetLimit(ctx context.Context, of Subject) error {
	a, err := actor(ctx)
	if err != nil || a.IsSystem() {
		return err
	}
	switch {
	case of.Account == nil && of.Domain.IsRoot():
		return fault.New(fault.Invalid, "error.limit_root")
	case a.Rank == store.Admin:
		return nil
	case a.Rank == store.User:
		return fault.New(fault.Forbidden, "error.rank")
	case of.Account == nil && of.Domain.Path == a.DomainPath:
		return fault.New(fault.Forbidden, "error.self")
	case of.Account != nil && of.Account.ID == a.AccountID:
		return fault.New(fault.Forbidden, "error.self")
	case of.Account != nil:
		return s.mayManage(ctx, *of.Account)
	}
	return nil
}

func (s *Service) setCeiling(ctx context.Context, of Subject, k Kind, limit int64) error {
	ctx = store.System(ctx, "set a limit that was checked")
	rows := s.db.In(ctx).Model(&quota{}).Where("owner = ? AND kind = ?", of.key(), int(k))
	set := rows.Session(&gorm.Session{}).Update("ceiling", limit)
	if set.Error != nil || set.RowsAffected > 0 {
		return set.Error
	}
	return s.db.In(ctx).Create(&quota{Owner: of.key(), Kind: k, Ceiling: &limit}).Error
}
