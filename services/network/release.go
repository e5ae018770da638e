package network

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"aerie/drivers"
	"aerie/services/fault"
	"aerie/services/infra"
	"aerie/services/placement"
	"aerie/services/state"
	"aerie/services/store"
)

// TakeDown removes a network's router from its host and forgets the row; the
// network's addresses stay its own. A network without a router is success.
func (s *Service) TakeDown(ctx context.Context, networkID string) error {
	defer s.locks.lock(networkID)()
	r, err := s.routerOf(ctx, networkID)
	if fault.Is(err, fault.Conflict) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.removeRouter(ctx, r); err != nil {
		return err
	}
	if err := s.unplug(ctx, r); err != nil {
		return err
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		_, err := gorm.G[Router](s.db.In(ctx)).Where("id = ?", r.ID).Delete(ctx)
		return err
	})
}

// removeRouter takes a router off its host; a host that was removed has none.
func (s *Service) removeRouter(ctx context.Context, r Router) error {
	d, err := infra.Ability[drivers.Router](ctx, s.fleet, r.HostID)
	if store.IsAbsent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	n, err := store.Find[Network](ctx, s.db, r.NetworkID)
	if err != nil {
		return err
	}
	// With its generation, a removal that was overtaken does no harm.
	if _, err := d.RemoveRouter(ctx, drivers.RouterRef{ID: r.ID, Generation: n.Generation}); err != nil {
		return infra.Fault(fmt.Errorf("remove router %s: %w", r.Name, err))
	}
	return nil
}

// Forget gives back a network's public addresses and removes its row. Its
// router must be down and its cards gone.
func (s *Service) Forget(ctx context.Context, networkID string) error {
	g := s.db.In(ctx)
	ips, err := gorm.G[PublicIP](g).Where("network_id = ?", networkID).Find(ctx)
	if err != nil {
		return err
	}
	for _, ip := range ips {
		if err := placement.Free(ctx, s.db, "public", ip.ID); err != nil {
			return err
		}
	}
	if _, err := gorm.G[PublicIP](g).Where("network_id = ?", networkID).Delete(ctx); err != nil {
		return err
	}
	_, err = gorm.G[Network](g).Where("id = ?", networkID).Delete(ctx)
	return err
}

// Closed marks a network whose router is down as Allocated again.
func (s *Service) Closed(ctx context.Context, n *Network) error {
	if n.State == Allocated {
		return nil
	}
	return state.Move(ctx, s.db, n, States, Ready, map[string]any{"idle_since": nil})
}

// InUse counts the cards in a network.
func (s *Service) InUse(ctx context.Context, networkID string) (int64, error) {
	var n int64
	err := s.db.In(ctx).Model(&NIC{}).Where("network_id = ?", networkID).Count(&n).Error
	return n, err
}

// Of returns the cards of an instance in slot order.
func (s *Service) Of(ctx context.Context, vmID string) ([]NIC, error) {
	return gorm.G[NIC](s.db.In(ctx)).Where("vm_id = ?", vmID).Order("device").Find(ctx)
}

// Card is a card with its network.
type Card struct {
	NIC     `gorm:"embedded"`
	Network Network `gorm:"foreignKey:NetworkID"`
}

// TableName is the cards' table.
func (Card) TableName() string { return "nics" }

// Cards returns the cards of instances with their networks, in slot order.
func (s *Service) Cards(ctx context.Context, vmIDs ...string) ([]Card, error) {
	var list []Card
	err := s.db.In(ctx).Joins("Network").Where("nics.vm_id IN ?", vmIDs).Order("nics.vm_id, nics.device").Find(&list).Error
	return list, err
}

// Leg is a card with its network and that one's router, which is empty where
// there is none.
type Leg struct {
	Card   `gorm:"embedded"`
	Router Router `gorm:"foreignKey:NetworkID;references:NetworkID"`
}

// Legs returns the cards of an instance in the order of their networks, which
// is the one in which networks are locked.
func (s *Service) Legs(ctx context.Context, vmID string) ([]Leg, error) {
	var list []Leg
	err := s.db.In(ctx).Joins("Network").Joins("Router").Where("nics.vm_id = ?", vmID).Order("nics.network_id").Find(&list).Error
	return list, err
}

// Rates are the rates of networks in Mbit/s, as their offerings say; a network
// without one is not there.
func (s *Service) Rates(ctx context.Context, ids []string) (map[string]int, error) {
	var rows []struct {
		ID   string
		Rate int
	}
	err := s.db.In(ctx).Model(&Network{}).Where("networks.id IN ?", ids).
		Joins("JOIN network_offerings ON network_offerings.id = networks.offering_id AND network_offerings.network_rate > 0").
		Select("networks.id AS id", "network_offerings.network_rate AS rate").Scan(&rows).Error
	out := map[string]int{}
	for _, r := range rows {
		out[r.ID] = r.Rate
	}
	return out, err
}

// Get returns a network.
func (s *Service) Get(ctx context.Context, id string) (Network, error) {
	return store.Find[Network](ctx, s.db, id)
}
