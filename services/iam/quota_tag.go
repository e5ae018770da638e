package iam

import (
	"context"
	"errors"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"aerie/locales"
	"aerie/services/config"
	"aerie/services/fault"
	"aerie/services/store"
)

// Carrier is what carries the tags that limits can be set for.
type Carrier int

// The carriers: hosts, by what sizes ask for, and storage pools.
const (
	HostTags Carrier = iota
	StorageTags
)

// carried are the kinds that are counted by a carrier's tags.
var carried = map[Carrier][]Kind{
	HostTags:    {Instances, CPUs, Memory, GPUs},
	StorageTags: {Volumes, PrimaryStorage},
}

// tagLimit is a limit of what carries a tag.
type tagLimit struct {
	Owner   string `gorm:"primaryKey"`
	Kind    Kind   `gorm:"primaryKey"`
	Tag     string `gorm:"primaryKey"`
	Ceiling int64
}

// TableName is the table of limits with tags.
func (tagLimit) TableName() string { return "tag_limits" }

// TagUse is what an account has that carries a tag, as counted: bytes for
// storage.
type TagUse struct {
	store.Owner
	Tag string
	Amounts
}

// TagCounter counts what carries any of the tags, for accounts by their ids and
// for everything in a domain and below, from the rows themselves.
type TagCounter func(ctx context.Context, accounts []string, below string, tags []string) ([]TagUse, error)

// Tags are the limits that go by tags. The package that owns the rows sets the
// counters.
type Tags struct {
	names    map[Carrier]config.Value[string]
	Counters map[Carrier]TagCounter
}

// DeclareTags declares which tags have limits, under CloudStack's names.
func DeclareTags(c *config.Service) *Tags {
	return &Tags{
		names: map[Carrier]config.Value[string]{
			HostTags:    c.List("resource.limit.host.tags", "Advanced"),
			StorageTags: c.List("resource.limit.storage.tags", "Advanced"),
		},
		Counters: map[Carrier]TagCounter{},
	}
}

// Of are the tags of a carrier that have limits.
func (t *Tags) Of(ctx context.Context, by Carrier) []string {
	if t == nil {
		return nil
	}
	return SplitTags(t.names[by].Get(ctx))
}

// SplitTags reads tags that are separated by commas.
func SplitTags(text string) (tags []string) {
	for tag := range strings.SplitSeq(text, ",") {
		if tag = strings.TrimSpace(tag); tag != "" {
			tags = append(tags, tag)
		}
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}

// ByTag is how much is asked for of what carries each tag.
type ByTag map[string]Amounts

// ReserveTagged refuses with fault.Limit what does not fit into the limits that
// the owner, or a domain above, has for these tags. It runs in the transaction
// of the row it counts and before that row is there: who comes at the same time
// waits for it.
func (s *Service) ReserveTagged(ctx context.Context, o store.Owner, by Carrier, want ByTag) error {
	var tags []string
	for _, tag := range s.Tags.Of(ctx, by) {
		if want[tag] != nil {
			tags = append(tags, tag)
		}
	}
	if len(tags) == 0 {
		return nil
	}
	if !s.db.InTx(ctx) {
		return errors.New("iam: reservations belong in the transaction of the row they count")
	}
	ctx = store.System(ctx, "count what carries a tag")
	owners := append(countedDomains(o.DomainPath), o.AccountID)
	rows, err := gorm.G[tagLimit](s.db.In(ctx), store.ToHold).
		Where("owner IN ? AND tag IN ? AND kind IN ? AND ceiling >= 0", owners, tags, carried[by]).Order("owner DESC, kind, tag").Find(ctx)
	if err != nil || len(rows) == 0 {
		return err
	}
	used, err := s.tagged(ctx, by, ownersOf(rows), tags)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if err := r.refusal(used[tagKey{r.Owner, r.Kind, r.Tag}], want[r.Tag][r.Kind]); err != nil {
			return err
		}
	}
	return nil
}

// refusal is nil when n more fit beside what there is.
func (r tagLimit) refusal(have, n int64) error {
	unit := r.Kind.Unit()
	if n <= 0 || have+n <= r.Ceiling*unit {
		return nil
	}
	key := "error.tag_limit_account"
	if strings.HasPrefix(r.Owner, "/") {
		key = "error.tag_limit_domain"
	}
	return fault.New(fault.Limit, key, "resource", locales.Key("limit."+r.Kind.String()), "tag", r.Tag,
		"used", shown(have, unit), "asked", shown(n, unit), "limit", r.Ceiling)
}

type tagKey struct {
	owner string
	kind  Kind
	tag   string
}

func ownersOf(rows []tagLimit) (owners []string) {
	for _, r := range rows {
		owners = append(owners, r.Owner)
	}
	return owners
}

// tagged counts for accounts and for domains, by id and path: one question to
// the counter, however many they are.
func (s *Service) tagged(ctx context.Context, by Carrier, owners, tags []string) (map[tagKey]int64, error) {
	out := map[tagKey]int64{}
	count := s.Tags.Counters[by]
	if count == nil || len(owners) == 0 || len(tags) == 0 {
		return out, nil
	}
	var accounts, paths []string
	for _, o := range owners {
		if strings.HasPrefix(o, "/") {
			paths = append(paths, o)
		} else {
			accounts = append(accounts, o)
		}
	}
	rows, err := count(ctx, accounts, common(paths), tags)
	for _, r := range rows {
		for kind, n := range r.Amounts {
			for _, p := range paths {
				if strings.HasPrefix(r.DomainPath, p) {
					out[tagKey{p, kind, r.Tag}] += n
				}
			}
			if slices.Contains(accounts, r.AccountID) {
				out[tagKey{r.AccountID, kind, r.Tag}] += n
			}
		}
	}
	return out, err
}

// common is the domain that all lie in, "" for no domains.
func common(paths []string) string {
	if len(paths) == 0 {
		return ""
	}
	p := paths[0]
	for _, o := range paths[1:] {
		for !strings.HasPrefix(o, p) {
			p = parentPath(p)
		}
	}
	return p
}

// TagLimits are the limits of accounts and domains, by id and path, for every
// tag that has limits. Where none is set that of the kind without a tag holds.
func (s *Service) TagLimits(ctx context.Context, keys []string) (map[string][]Limit, error) {
	out := map[string][]Limit{}
	var plain map[string][]Limit
	for _, by := range []Carrier{HostTags, StorageTags} {
		tags := s.Tags.Of(ctx, by)
		if len(tags) == 0 {
			continue
		}
		sys := store.System(ctx, "limits carry no owner; the caller looked the subject up")
		if plain == nil {
			var err error
			if plain, err = s.LimitsOf(ctx, keys); err != nil {
				return nil, err
			}
		}
		rows, err := gorm.G[tagLimit](s.db.In(sys)).Where("owner IN ? AND tag IN ?", keys, tags).Find(ctx)
		if err != nil {
			return nil, err
		}
		set := map[tagKey]int64{}
		for _, r := range rows {
			set[tagKey{r.Owner, r.Kind, r.Tag}] = r.Ceiling
		}
		used, err := s.tagged(sys, by, keys, tags)
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			for _, tag := range tags {
				for _, kind := range carried[by] {
					at := tagKey{key, kind, tag}
					l := Limit{Kind: kind, Max: plain[key][kind].Max, Used: used[at], Tag: tag}
					if ceiling, ok := set[at]; ok {
						l.Max = ceiling
					}
					out[key] = append(out[key], l)
				}
			}
		}
	}
	return out, nil
}

// SetTagLimit is SetLimit for what carries a tag.
func (s *Service) SetTagLimit(ctx context.Context, of Subject, k Kind, tag string, limit int64) (Limit, error) {
	if !k.Valid() {
		return Limit{}, fault.Param("resourcetype", "error.resource_type", "value", int(k))
	}
	by, ok := s.carrier(ctx, k, tag)
	if !ok {
		return Limit{}, fault.Param("tag", "error.limit_tag", "value", tag, "resource", locales.Key("limit."+k.String()))
	}
	if limit < Unlimited || limit > maxAmount/k.Unit() {
		return Limit{}, fault.Param("max", "error.limit_value", "value", limit)
	}
	if err := s.maySetLimit(ctx, of); err != nil {
		return Limit{}, err
	}
	row := tagLimit{of.key(), k, tag, limit}
	sys := store.System(ctx, "set a limit that was checked")
	err := s.db.Tx(sys, func(ctx context.Context) error {
		return s.db.In(ctx).Clauses(clause.OnConflict{
			Columns:   []clause.Column{{Name: "owner"}, {Name: "kind"}, {Name: "tag"}},
			DoUpdates: clause.AssignmentColumns([]string{"ceiling"}),
		}).Create(&row).Error
	})
	if err != nil {
		return Limit{}, err
	}
	used, err := s.tagged(sys, by, []string{row.Owner}, []string{tag})
	return Limit{Kind: k, Max: limit, Used: used[tagKey{row.Owner, k, tag}], Tag: tag}, err
}

// carrier finds what the tag is of, if kinds of that sort have limits for it.
func (s *Service) carrier(ctx context.Context, k Kind, tag string) (Carrier, bool) {
	for _, by := range []Carrier{HostTags, StorageTags} {
		if slices.Contains(carried[by], k) && slices.Contains(s.Tags.Of(ctx, by), tag) {
			return by, true
		}
	}
	return 0, false
}
