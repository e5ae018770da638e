package iam

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"aerie/locales"
	"aerie/services/fault"
	"aerie/services/store"
)

// Kind is a kind of resource that is limited; the numbers are CloudStack's
// resourcetype.
type Kind int

// The kinds of resources. Storage is reserved in bytes and limited in GiB,
// memory is in MiB.
const (
	Instances Kind = iota
	Addresses
	Volumes
	Snapshots
	Templates
	Projects
	Networks
	VPCs
	CPUs
	Memory
	PrimaryStorage
	SecondaryStorage
	Backups
	BackupStorage
	Buckets
	ObjectStorage
	GPUs
)

const gib = 1 << 30

// kinds are each kind's name in the API, its unit, CloudStack's default limits of
// accounts and of domains, and how their settings end.
var kinds = []struct {
	name    string
	unit    int64
	limit   int64
	domain  int64
	setting string
}{
	{"user_vm", 1, 20, 40, "user.vms"},
	{"public_ip", 1, 20, 40, "public.ips"},
	{"volume", 1, 20, 40, "volumes"},
	{"snapshot", 1, 20, 40, "snapshots"},
	{"template", 1, 20, 40, "templates"},
	{"project", 1, 10, 50, "projects"},
	{"network", 1, 20, 40, "networks"},
	{"vpc", 1, 20, 40, "vpcs"},
	{"cpu", 1, 40, 80, "cpus"},
	{"memory", 1, 40960, 81920, "memory"},
	{"primary_storage", gib, 200, 400, "primary.storage"},
	{"secondary_storage", gib, 400, 800, "secondary.storage"},
	{"backup", 1, 20, 40, "backups"},
	{"backup_storage", gib, 400, 800, "backup.storage"},
	{"bucket", 1, 20, 40, "buckets"},
	{"object_storage", gib, 400, 800, "object.storage"},
	{"gpu", 1, 20, 20, "gpus"},
}

// Kinds lists all kinds.
func Kinds() []Kind {
	list := make([]Kind, len(kinds))
	for i := range kinds {
		list[i] = Kind(i)
	}
	return list
}

// Valid tells whether there is such a kind.
func (k Kind) Valid() bool { return k >= 0 && int(k) < len(kinds) }

// String is the kind's name in the API.
func (k Kind) String() string {
	if !k.Valid() {
		return fmt.Sprint(int(k))
	}
	return kinds[k].name
}

// Unit is how much of what is counted makes one of what is shown: bytes in a
// GiB for storage, otherwise 1.
func (k Kind) Unit() int64 { return kinds[k].unit }

// Default is CloudStack's default limit of an account, in units.
func (k Kind) Default() int64 { return kinds[k].limit }

// DomainDefault is CloudStack's default limit of a domain, in units.
func (k Kind) DomainDefault() int64 { return kinds[k].domain }

// Unlimited is the limit that is none.
const Unlimited = -1

// maxAmount keeps counters far from overflow.
const maxAmount = 1 << 50

// Amounts is how much of several kinds.
type Amounts map[Kind]int64

// quota counts what an account, or a domain with all below, uses of one kind.
// A NULL ceiling is the default.
type quota struct {
	Owner   string `gorm:"primaryKey"`
	Kind    Kind   `gorm:"primaryKey"`
	Used    int64
	Ceiling *int64 // in units
	Project bool   // the default is that of projects
}

// TableName is the table of counters and limits.
func (quota) TableName() string { return "quotas" }

// Reserve counts n more of a kind for an account and for the domains above it,
// or refuses with fault.Limit. It runs beside the row it counts: after an error
// the caller's transaction must not commit.
func (s *Service) Reserve(ctx context.Context, o store.Owner, k Kind, n int64) error {
	return s.ReserveAll(ctx, o, Amounts{k: n})
}

// ReserveAll reserves several kinds in one statement.
func (s *Service) ReserveAll(ctx context.Context, o store.Owner, want Amounts) error {
	ctx = store.System(ctx, "count a reservation")
	q, err := s.newQuotaQuery(ctx, o, want)
	if err != nil {
		return err
	}
	q.adds = true
	return q.take(ctx)
}

func (q quotaQuery) take(ctx context.Context) error {
	if len(q.owners) == 0 || len(q.kinds) == 0 {
		return nil
	}
	for try := 0; ; try++ {
		above, err := q.s.limitsAbove(ctx, q.owners)
		if err != nil {
			return fmt.Errorf("reserve: %w", err)
		}
		q.above = above
		n, err := q.reserve(ctx)
		if err != nil {
			return fmt.Errorf("reserve: %w", err)
		}
		if n == int64(len(q.owners)*len(q.kinds)) {
			return nil
		}
		why, err := q.refusal(ctx)
		if why != nil || err != nil {
			return errors.Join(why, err)
		}
		if try > 1 {
			return fmt.Errorf("reserve for %s: the counters cannot be made", q.owners[len(q.owners)-1])
		}
		// A row is missing: the owner was moved, or is older than the kind. None
		// was over its limit, so those that were counted are given back before the
		// next try.
		if n > 0 {
			if err := q.takeBack(ctx, -1); err != nil {
				return err
			}
		}
		moved, err := q.follow(ctx)
		if err != nil {
			return err
		}
		if !moved {
			if err := q.makeRows(ctx); err != nil {
				return err
			}
		}
	}
}

// Release counts n less; below nothing it stays at nothing.
func (s *Service) Release(ctx context.Context, o store.Owner, k Kind, n int64) error {
	return s.ReleaseAll(ctx, o, Amounts{k: n})
}

// ReleaseAll releases several kinds in one statement.
func (s *Service) ReleaseAll(ctx context.Context, o store.Owner, give Amounts) error {
	ctx = store.System(ctx, "count a release")
	q, err := s.newQuotaQuery(ctx, o, give)
	if err != nil {
		return err
	}
	return q.give(ctx)
}

func (q quotaQuery) give(ctx context.Context) error {
	if len(q.owners) == 0 || len(q.kinds) == 0 {
		return nil
	}
	n := q.amount()
	less := gorm.Expr("CASE WHEN used < "+n.SQL+" THEN 0 ELSE used - "+n.SQL+" END", twice(n.Vars)...)
	set := q.rows(ctx).Update("used", less)
	if set.Error != nil || set.RowsAffected == int64(len(q.owners)*len(q.kinds)) {
		return set.Error
	}
	before := q
	moved, err := q.follow(ctx)
	if !moved || err != nil {
		return err
	}
	if set.RowsAffected > 0 {
		if err := before.takeBack(ctx, 1); err != nil {
			return err
		}
	}
	return q.rows(ctx).Update("used", less).Error
}

// takeBack undoes, by sign, what was counted for the owners there are.
func (q quotaQuery) takeBack(ctx context.Context, sign int64) error {
	var have []quota
	if err := q.s.db.In(ctx).Where("owner IN ? AND kind IN ?", q.owners, q.kinds).Find(&have).Error; err != nil {
		return err
	}
	for _, row := range have {
		if err := q.s.addUsed(ctx, row.Owner, row.Kind, sign*q.want[row.Kind]); err != nil {
			return err
		}
	}
	return nil
}

// quotaQuery is on the counters of an account and the domains above it, the
// account last. Path is its domain's, if it may have moved meanwhile.
type quotaQuery struct {
	s      *Service
	path   string
	adds   bool // for an account, which must not be on its way out
	owners []string
	kinds  []Kind
	want   Amounts
	above  limitsAbove
}

func (s *Service) newQuotaQuery(ctx context.Context, o store.Owner, want Amounts) (quotaQuery, error) {
	q, err := s.quotaQueryFor(ctx, append(countedDomains(o.DomainPath), o.AccountID), want)
	q.path = o.DomainPath
	return q, err
}

func (s *Service) quotaQueryFor(ctx context.Context, owners []string, want Amounts) (quotaQuery, error) {
	q := quotaQuery{s: s, owners: owners, want: want}
	if !s.db.InTx(ctx) {
		return q, errors.New("iam: reservations belong in the transaction of the row they count")
	}
	for k, n := range want {
		if !k.Valid() || n < 0 || n > maxAmount {
			return q, fault.New(fault.Invalid, "error.amount", "resource", k.String(), "value", n)
		}
		if n > 0 {
			q.kinds = append(q.kinds, k)
		}
	}
	slices.Sort(q.kinds) // one order of locks for everybody
	return q, nil
}

// countedDomains are the paths of a domain and those above it without ROOT,
// which is never limited: "/1/7/" gives "/1/" and "/1/7/".
func countedDomains(path string) []string {
	var list []string
	for i := 1; i < len(path); i++ {
		if path[i] == '/' {
			list = append(list, path[:i+1])
		}
	}
	return list
}

func (q quotaQuery) rows(ctx context.Context) *gorm.DB {
	g := q.s.db.In(ctx).Model(&quota{}).Where("owner IN ? AND kind IN ?", q.owners, q.kinds)
	if q.path != "" {
		g = g.Where("EXISTS (SELECT 1 FROM domains WHERE path = ?)", q.path)
	}
	if q.adds {
		g = g.Where("EXISTS (SELECT 1 FROM accounts WHERE id = ? AND closing_at IS NULL AND removed_at IS NULL)", q.owners[len(q.owners)-1])
	}
	return g
}

// follow finds the account where its domain was moved to, if it was. Nothing is
// added to one that is being deleted.
func (q *quotaQuery) follow(ctx context.Context) (moved bool, err error) {
	if q.path == "" {
		return false, nil
	}
	id := q.owners[len(q.owners)-1]
	var found []Account
	err = q.s.db.In(ctx).Unscoped().Where("id = ?", id).Limit(1).Find(&found).Error
	if err != nil || len(found) == 0 {
		return false, err
	}
	a := found[0]
	if q.adds && (a.ClosingAt != nil || a.RemovedAt.Valid) {
		return false, fault.New(fault.Conflict, "error.account_closing", "name", a.Name)
	}
	if a.DomainPath == q.path {
		return false, nil
	}
	q.path, q.owners = a.DomainPath, append(countedDomains(a.DomainPath), id)
	return true, nil
}

// amount is the SQL for how much is asked of the row's kind.
func (q quotaQuery) amount() clause.Expr {
	return q.byKind(func(k Kind) int64 { return q.want[k] })
}

// ceiling is the SQL for the row's limit in what is counted, negative for none.
func (q quotaQuery) ceiling(ctx context.Context) clause.Expr {
	limit := q.byKind(func(k Kind) int64 { return q.s.opts.Limits(ctx, k) })
	shared := q.byKind(func(k Kind) int64 { return q.s.opts.ProjectLimits(ctx, k) })
	unit := q.byKind(Kind.Unit)
	var domains clause.Expr
	for _, owner := range q.owners {
		if !strings.HasPrefix(owner, "/") {
			continue
		}
		of := q.byKind(func(k Kind) int64 { return q.s.domainLimit(ctx, q.above, owner, k) })
		domains.SQL += " WHEN owner = ? THEN " + of.SQL
		domains.Vars = append(append(domains.Vars, owner), of.Vars...)
	}
	return clause.Expr{
		SQL:  "COALESCE(ceiling, CASE" + domains.SQL + " WHEN project THEN " + shared.SQL + " ELSE " + limit.SQL + " END) * " + unit.SQL,
		Vars: slices.Concat(domains.Vars, shared.Vars, limit.Vars, unit.Vars),
	}
}

func (q quotaQuery) byKind(value func(Kind) int64) clause.Expr {
	var b strings.Builder
	var vars []any
	b.WriteString("(CASE kind")
	for _, k := range q.kinds {
		b.WriteString(" WHEN ? THEN ?")
		vars = append(vars, int(k), value(k))
	}
	b.WriteString(" END)")
	return clause.Expr{SQL: b.String(), Vars: vars}
}

func twice(vars []any) []any { return append(slices.Clone(vars), vars...) }

func (q quotaQuery) reserve(ctx context.Context) (int64, error) {
	n, c := q.amount(), q.ceiling(ctx)
	set := q.rows(ctx).
		Where("("+c.SQL+" < 0 OR used + "+n.SQL+" <= "+c.SQL+")", slices.Concat(c.Vars, n.Vars, c.Vars)...).
		Update("used", gorm.Expr("used + "+n.SQL, n.Vars...))
	return set.RowsAffected, set.Error
}

// refusal names the counter that is full.
func (q quotaQuery) refusal(ctx context.Context) (*fault.Error, error) {
	var list []quota
	if err := q.rows(ctx).Order("owner DESC, kind").Find(&list).Error; err != nil {
		return nil, err
	}
	for _, row := range list {
		limit, n := q.s.limitOf(ctx, q.above, row), q.want[row.Kind]
		if limit < 0 || row.Used+n <= limit*row.Kind.Unit() {
			continue
		}
		key := "error.limit_account"
		if strings.HasPrefix(row.Owner, "/") {
			key = "error.limit_domain"
		}
		unit := row.Kind.Unit()
		return fault.New(fault.Limit, key, "resource", locales.Key("limit."+row.Kind.String()),
			"used", shown(row.Used, unit), "asked", shown(n, unit), "limit", limit), nil
	}
	return nil, nil
}

// shown is a count in units, rounded up.
func shown(n, unit int64) int64 { return (n + unit - 1) / unit }

func (s *Service) limitOf(ctx context.Context, above limitsAbove, q quota) int64 {
	switch {
	case q.Ceiling != nil:
		return *q.Ceiling
	case strings.HasPrefix(q.Owner, "/"):
		return s.domainLimit(ctx, above, q.Owner, q.Kind)
	case q.Project:
		return s.opts.ProjectLimits(ctx, q.Kind)
	}
	return s.opts.Limits(ctx, q.Kind)
}

// makeRows makes missing counters.
func (q quotaQuery) makeRows(ctx context.Context) error {
	var missing []quota
	for _, owner := range q.owners {
		rows := newQuotas(owner, q.kinds, false)
		project, err := q.s.countsForProject(ctx, owner)
		if err != nil {
			return err
		}
		for i := range rows {
			rows[i].Project = project
		}
		missing = append(missing, rows...)
	}
	return q.s.db.In(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&missing).Error
}

func newQuotas(owner string, list []Kind, unlimited bool) []quota {
	rows := make([]quota, len(list))
	for i, k := range list {
		rows[i] = quota{Owner: owner, Kind: k}
		if unlimited {
			rows[i].Ceiling = ptr(int64(Unlimited))
		}
	}
	return rows
}

// countsForProject tells whether counters are a project's, by those it has.
func (s *Service) countsForProject(ctx context.Context, owner string) (bool, error) {
	n, err := gorm.G[quota](s.db.In(ctx)).Where("owner = ? AND project = ?", owner, true).Count(ctx, "owner")
	return n > 0, err
}

func (s *Service) addUsed(ctx context.Context, owner string, k Kind, n int64) error {
	return s.db.In(ctx).Model(&quota{}).Where("owner = ? AND kind = ?", owner, int(k)).
		Update("used", gorm.Expr("used + ?", n)).Error
}

// createQuotas makes the counters of a new account or domain.
func (s *Service) createQuotas(ctx context.Context, owner string, unlimited bool) error {
	rows := newQuotas(owner, Kinds(), unlimited)
	return s.db.In(ctx).Create(&rows).Error
}
