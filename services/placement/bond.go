package placement

import (
	"context"
	"errors"
	"slices"

	"gorm.io/gorm"

	"aerie/services/infra"
)

// Bond ties an entity to the other members of a group, wherever they have a
// place: to their host or away from it.
type Bond struct {
	Group  string // its id
	Name   string
	Apart  bool
	Strict bool // a host that breaks it is refused; else it is only liked less
}

// Seat is where a member of a group has its place. Of a group that is strictly
// apart the seat is the host, which the database gives to one member only.
type Seat struct {
	GroupID string `gorm:"primaryKey"`
	Entity  string `gorm:"primaryKey"`
	HostID  string
	Seat    string
}

// TableName is the seats' table.
func (Seat) TableName() string { return "affinity_claims" }

// Home is the one host of a group that strictly stays together, while any of
// its members has a place.
type Home struct {
	GroupID string `gorm:"primaryKey"`
	HostID  string
	Placed  int
}

// TableName is the homes' table.
func (Home) TableName() string { return "affinity_homes" }

// errLost is a host that another member took, or whose group is elsewhere.
var errLost = errors.New("placement: the group's rule was lost to another claim")

// bonds is what is known of an entity's groups when a host is chosen. It only
// saves tries: what decides is the claim.
type bonds struct {
	list  []Bond
	seats map[string]map[string]int // group → host → members
	homes map[string]string
}

func readBonds(ctx context.Context, g *gorm.DB, need Need) (bonds, error) {
	b := bonds{list: need.Bonds, seats: map[string]map[string]int{}, homes: map[string]string{}}
	if len(need.Bonds) == 0 {
		return b, nil
	}
	var ids []string
	for _, bond := range need.Bonds {
		ids = append(ids, bond.Group)
	}
	seats, err := gorm.G[Seat](g).Where("group_id IN ? AND entity <> ?", ids, need.Entity).Find(ctx)
	if err != nil {
		return b, err
	}
	for _, s := range seats {
		if b.seats[s.GroupID] == nil {
			b.seats[s.GroupID] = map[string]int{}
		}
		b.seats[s.GroupID][s.HostID]++
	}
	homes, err := gorm.G[Home](g).Where("group_id IN ? AND placed > 0", ids).Find(ctx)
	for _, h := range homes {
		b.homes[h.GroupID] = h.HostID
	}
	return b, err
}

// broken is the strict bond that the host would break.
func (b bonds) broken(hostID string) (Bond, bool) {
	for _, bond := range b.list {
		home := b.homes[bond.Group]
		if bond.Strict && (bond.Apart && b.seats[bond.Group][hostID] > 0 || !bond.Apart && home != "" && home != hostID) {
			return bond, true
		}
	}
	return Bond{}, false
}

// liking is how well the host suits the bonds that are not strict: more
// members to be with, fewer to be away from.
func (b bonds) liking(hostID string) (n int) {
	for _, bond := range b.list {
		switch {
		case bond.Strict:
		case bond.Apart:
			n -= b.seats[bond.Group][hostID]
		default:
			n += b.seats[bond.Group][hostID]
		}
	}
	return n
}

// sort puts the hosts that suit best first and leaves the others' order.
func (b bonds) sort(hosts []infra.Host, need Need) {
	slices.SortStableFunc(hosts, func(x, y infra.Host) int {
		if d := b.liking(y.ID) - b.liking(x.ID); d != 0 {
			return d
		}
		if d := need.Weights[y.ID] - need.Weights[x.ID]; d != 0 {
			return d
		}
		switch need.Prefer {
		case "":
		case x.ID:
			return -1
		case y.ID:
			return 1
		}
		return 0
	})
}

// seat takes the entity's seats on a host; errLost tells that one is taken.
func seat(ctx context.Context, g *gorm.DB, need Need, hostID string) error {
	for _, bond := range need.Bonds {
		if bond.Strict && !bond.Apart {
			if err := settle(g, bond.Group, hostID); err != nil {
				return err
			}
		}
		s := Seat{GroupID: bond.Group, Entity: need.Entity, HostID: hostID, Seat: need.Entity}
		if bond.Strict && bond.Apart {
			s.Seat = hostID
		}
		err := gorm.G[Seat](g).Create(ctx, &s)
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return errLost
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// settle counts one more member at the group's home, which is wherever the
// first of them goes.
func settle(g *gorm.DB, group, hostID string) error {
	res := g.Model(&Home{}).Where("group_id = ? AND (placed = 0 OR host_id = ?)", group, hostID).
		UpdateColumns(map[string]any{"host_id": hostID, "placed": gorm.Expr("placed + 1")})
	if res.Error != nil || res.RowsAffected == 1 {
		return res.Error
	}
	err := g.Create(&Home{GroupID: group, HostID: hostID, Placed: 1}).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return errLost
	}
	return err
}

// unseat gives an entity's seats back.
func unseat(ctx context.Context, g *gorm.DB, entity string) error {
	seats, err := gorm.G[Seat](g).Where("entity = ?", entity).Find(ctx)
	if err != nil {
		return err
	}
	for _, s := range seats {
		n, err := gorm.G[Seat](g).Where("group_id = ? AND entity = ?", s.GroupID, entity).Delete(ctx)
		if err != nil || n == 0 {
			return err
		}
		err = g.Model(&Home{}).Where("group_id = ? AND placed > 0", s.GroupID).UpdateColumn("placed", gorm.Expr("placed - 1")).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// Disband forgets the seats of a group that is no more. It belongs in a
// transaction.
func Disband(ctx context.Context, g *gorm.DB, group string) error {
	if _, err := gorm.G[Seat](g).Where("group_id = ?", group).Delete(ctx); err != nil {
		return err
	}
	_, err := gorm.G[Home](g).Where("group_id = ?", group).Delete(ctx)
	return err
}
