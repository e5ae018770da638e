package placement

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/infra"
	"aerie/services/store"
)

// Claim is what an entity takes of a host.
type Claim struct {
	Entity    string `gorm:"primaryKey"`
	HostID    string
	Mhz       int64
	Mib       int64
	Bonds     int // of how many groups it holds seats
	CreatedAt time.Time
}

// Need is what an entity wants of a host.
type Need struct {
	Entity     string
	ZoneID     string
	Hypervisor string
	Mhz        int64
	Mib        int64
	HostID     string // this host only; empty means any
	Prefer     string // this host first, such as the last one
	Tags       string // the host must carry each of these
	Bonds      []Bond
	Weights    map[string]int // by host: the greatest first
}

// Host claims room for an entity on a host, or returns the host of the claim
// it already has. Filter, draw, claim: a claim that is lost to another tries
// the next host. It belongs in a transaction.
func Host(ctx context.Context, db *store.DB, need Need) (infra.Host, error) {
	if need.Mhz <= 0 || need.Mib <= 0 {
		return infra.Host{}, fmt.Errorf("placement: %d MHz and %d MiB for %s", need.Mhz, need.Mib, need.Entity)
	}
	g := db.In(ctx)
	held, err := gorm.G[Claim](g).Where("entity = ?", need.Entity).Find(ctx)
	if err != nil {
		return infra.Host{}, err
	}
	if len(held) == 1 {
		return store.Find[infra.Host](ctx, db, held[0].HostID)
	}
	if need.Prefer != "" && need.HostID == "" && !need.weighed() {
		preferred := need
		preferred.HostID = need.Prefer
		if h, won, err := try(ctx, db, preferred); err != nil || won {
			return h, err
		}
	}
	if h, won, err := try(ctx, db, need); err != nil || won {
		return h, err
	}
	return infra.Host{}, explain(ctx, g, need)
}

// weighed tells that some hosts suit better than others, whichever is preferred.
func (n Need) weighed() bool { return len(n.Bonds) > 0 || len(n.Weights) > 0 }

// try claims one of the hosts that would do. They take their turns in random
// order, which is CloudStack's default vm.allocation.algorithm.
func try(ctx context.Context, db *store.DB, need Need) (infra.Host, bool, error) {
	g := db.In(ctx)
	hosts, err := candidates(ctx, g, need)
	if err != nil {
		return infra.Host{}, false, err
	}
	rand.New(source{db.Rand()}).Shuffle(len(hosts), func(a, b int) { hosts[a], hosts[b] = hosts[b], hosts[a] })
	if need.weighed() {
		known, err := readBonds(ctx, g, need)
		if err != nil {
			return infra.Host{}, false, err
		}
		hosts = slices.DeleteFunc(hosts, func(h infra.Host) bool { _, broken := known.broken(h.ID); return broken })
		known.sort(hosts, need)
	}
	for _, h := range hosts {
		won, err := claim(ctx, g, h, need)
		if err != nil || won {
			return h, won, err
		}
	}
	return infra.Host{}, false, nil
}

// claim takes room on a host and the entity's seats in its groups, or neither.
func claim(ctx context.Context, g *gorm.DB, h infra.Host, need Need) (bool, error) {
	won, err := take(ctx, g, h, need)
	if err != nil || !won || len(need.Bonds) == 0 {
		return won, err
	}
	err = seat(ctx, g, need, h.ID)
	if !errors.Is(err, errLost) {
		return err == nil, err
	}
	if err := unseat(ctx, g, need.Entity); err != nil {
		return false, err
	}
	return false, drop(ctx, g, Claim{Entity: need.Entity, HostID: h.ID, Mhz: need.Mhz, Mib: need.Mib})
}

func candidates(ctx context.Context, g *gorm.DB, need Need) ([]infra.Host, error) {
	q := gorm.G[infra.Host](g).
		Where("zone_id = ? AND state = ? AND resource_state = ?", need.ZoneID, infra.HostUp, infra.Enabled).
		Where("used_mhz + ? <= total_mhz AND used_mib + ? <= total_mib", need.Mhz, need.Mib).
		Where("cluster_id IN (?)", g.Model(&infra.Cluster{}).Where("allocation_state = ?", infra.Enabled).Select("id")).
		Where("pod_id IN (?)", g.Model(&infra.Pod{}).Where("allocation_state = ?", infra.Enabled).Select("id"))
	if need.HostID != "" {
		q = q.Where("id = ?", need.HostID)
	}
	if need.Hypervisor != "" {
		q = q.Where("hypervisor = ?", need.Hypervisor)
	}
	hosts, err := q.Order("id").Limit(500).Find(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(hosts, func(h infra.Host) bool { return !tagged(h.Tags, need.Tags) }), nil
}

func tagged(have, want string) bool {
	for tag := range strings.SplitSeq(want, ",") {
		if tag != "" && !slices.Contains(strings.Split(have, ","), tag) {
			return false
		}
	}
	return true
}

// source draws dice from the store's randomness.
type source struct{ io.Reader }

// Uint64 is what rand.Rand asks for.
func (s source) Uint64() uint64 {
	var b [8]byte
	if _, err := io.ReadFull(s, b[:]); err != nil {
		return 0 // the order of hosts is then not random, which is no harm
	}
	return binary.LittleEndian.Uint64(b[:])
}

func take(ctx context.Context, g *gorm.DB, h infra.Host, need Need) (bool, error) {
	res := g.Model(&infra.Host{}).
		Where("id = ? AND used_mhz + ? <= total_mhz AND used_mib + ? <= total_mib", h.ID, need.Mhz, need.Mib).
		UpdateColumns(map[string]any{"used_mhz": gorm.Expr("used_mhz + ?", need.Mhz), "used_mib": gorm.Expr("used_mib + ?", need.Mib)})
	if res.Error != nil || res.RowsAffected == 0 {
		return false, res.Error
	}
	return true, gorm.G[Claim](g).Create(ctx, &Claim{Entity: need.Entity, HostID: h.ID, Mhz: need.Mhz, Mib: need.Mib, Bonds: len(need.Bonds)})
}

// Release gives back what an entity took; without a claim it is success.
func Release(ctx context.Context, db *store.DB, entity string) error {
	g := db.In(ctx)
	held, err := gorm.G[Claim](g).Where("entity = ?", entity).Find(ctx)
	if err != nil || len(held) == 0 {
		return err
	}
	if held[0].Bonds > 0 {
		if err := unseat(ctx, g, entity); err != nil {
			return err
		}
	}
	return drop(ctx, g, held[0])
}

// drop takes a claim back; one that is gone is success.
func drop(ctx context.Context, g *gorm.DB, c Claim) error {
	gone, err := gorm.G[Claim](g).Where("entity = ?", c.Entity).Delete(ctx)
	if err != nil || gone == 0 {
		return err
	}
	return g.Model(&infra.Host{}).Unscoped().Where("id = ?", c.HostID).
		UpdateColumns(map[string]any{"used_mhz": gorm.Expr("used_mhz - ?", c.Mhz), "used_mib": gorm.Expr("used_mib - ?", c.Mib)}).Error
}

// explain tells why no host would do: the user learns that there is no room,
// the log and administrators learn it host by host.
func explain(ctx context.Context, g *gorm.DB, need Need) error {
	hosts, err := gorm.G[infra.Host](g).Where("zone_id = ?", need.ZoneID).Limit(50).Find(ctx)
	if err != nil {
		return err
	}
	known, err := readBonds(ctx, g, need)
	if err != nil {
		return err
	}
	var why []string
	var rule *Bond // that alone keeps it from a host with room
	for _, h := range hosts {
		text := refusal(h, need)
		if bond, broken := known.broken(h.ID); broken && text == otherwise {
			text, rule = "the affinity group "+bond.Name+" forbids it", &bond
		}
		why = append(why, h.Name+": "+text)
	}
	if len(why) == 0 {
		why = append(why, "the zone has no hosts")
	}
	if rule != nil {
		return fault.New(fault.NoCapacity, "error.affinity", "group", rule.Name).Because(fmt.Errorf("%s", strings.Join(why, "; ")))
	}
	return fault.New(fault.NoCapacity, "error.no_host", "cpu", need.Mhz, "memory", need.Mib).
		Because(fmt.Errorf("%s", strings.Join(why, "; ")))
}

func refusal(h infra.Host, need Need) string {
	switch {
	case need.HostID != "" && h.ID != need.HostID:
		return "not the host that was asked for"
	case h.State != infra.HostUp:
		return "is " + string(h.State)
	case h.ResourceState != string(infra.Enabled):
		return "is " + h.ResourceState
	case need.Hypervisor != "" && h.Hypervisor != need.Hypervisor:
		return "runs " + h.Hypervisor + ", not " + need.Hypervisor
	case !tagged(h.Tags, need.Tags):
		return "lacks the tags " + need.Tags
	case h.UsedMhz+need.Mhz > h.TotalMhz:
		return fmt.Sprintf("has %d of %d MHz free, needs %d", h.TotalMhz-h.UsedMhz, h.TotalMhz, need.Mhz)
	case h.UsedMib+need.Mib > h.TotalMib:
		return fmt.Sprintf("has %d of %d MiB free, needs %d", h.TotalMib-h.UsedMib, h.TotalMib, need.Mib)
	}
	return otherwise
}

// otherwise is what is left when the host itself has room.
const otherwise = "its pod or cluster is disabled, or another claim was quicker"
