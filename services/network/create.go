package network

import (
	"context"
	"net/netip"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/infra"
	"aerie/services/store"
)

// defaultCIDR is CloudStack's guest network when a zone states none.
const defaultCIDR = "10.1.1.0/24"

// CreateDefault makes the network that an account gets with its first
// instance: of the zone's offering whose availability is Required.
func (s *Service) CreateDefault(ctx context.Context, zone infra.Zone) (Network, error) {
	o, err := gorm.G[Offering](s.db.In(ctx)).
		Where("availability = ? AND state = ? AND guest_type = ?", "Required", "Enabled", "Isolated").Order("id").Take(ctx)
	if store.IsAbsent(err) {
		return Network{}, fault.Param("networkids", "error.no_default_network")
	}
	if err != nil {
		return Network{}, err
	}
	actor, _ := store.From(ctx)
	return s.Create(ctx, Wanted{Name: "default", Zone: zone, Offering: o, Owner: actor.Target()})
}

// Wanted is a network as it shall be made; empty fields take defaults.
type Wanted struct {
	Name, DisplayText string
	Zone              infra.Zone
	Offering          Offering
	Owner             store.Owner
	Prefix            netip.Prefix
	Gateway           netip.Addr
	Domain            string
	DNS1, DNS2        string
	MTU, PublicMTU    int
	Hidden            bool
}

// Create writes the row of a network and counts it. It belongs in a transaction.
func (s *Service) Create(ctx context.Context, w Wanted) (Network, error) {
	physical, err := s.guestNetwork(ctx, w.Zone.ID, w.Offering.Tags)
	if err != nil {
		return Network{}, err
	}
	if !w.Prefix.IsValid() {
		if w.Prefix, err = netip.ParsePrefix(or(w.Zone.GuestCIDR, defaultCIDR)); err != nil {
			return Network{}, err
		}
	}
	if !w.Gateway.IsValid() {
		w.Gateway = w.Prefix.Masked().Addr().Next()
	}
	if err := s.Reserve(ctx, w.Owner); err != nil {
		return Network{}, err
	}
	n := Network{
		Row: store.Row{ID: s.db.NewID()}, Owned: store.Owned(w.Owner), Name: w.Name, DisplayText: or(w.DisplayText, w.Name),
		ZoneID: w.Zone.ID, PhysicalNetworkID: physical.ID, OfferingID: w.Offering.ID, GuestType: w.Offering.GuestType, State: Allocated,
		CIDR: w.Prefix.Masked().String(), Gateway: w.Gateway.String(), NetworkDomain: or(w.Domain, or(w.Zone.NetworkDomain, "cs.internal")),
		DNS1: w.DNS1, DNS2: w.DNS2, MTU: w.MTU, PublicMTU: 1500, Display: !w.Hidden,
	}
	if n.MTU == 0 {
		n.MTU = 1500
	}
	if w.PublicMTU != 0 {
		n.PublicMTU = w.PublicMTU
	}
	return n, gorm.G[Network](s.db.In(ctx)).Create(ctx, &n)
}

// guestNetwork is the zone's physical network that carries guest traffic and
// all of these tags.
func (s *Service) guestNetwork(ctx context.Context, zoneID, tags string) (none infra.PhysicalNetwork, _ error) {
	g := s.db.In(ctx)
	list, err := gorm.G[infra.PhysicalNetwork](g).
		Where("zone_id = ? AND state = ?", zoneID, infra.Enabled).
		Where("id IN (?)", g.Model(&infra.TrafficType{}).Where("type = ?", "Guest").Select("physical_network_id")).
		Order("id").Find(ctx)
	if err != nil {
		return none, err
	}
	for _, p := range list {
		if infra.Carries(p.Tags, tags) {
			return p, nil
		}
	}
	if len(list) > 0 {
		return none, fault.Param("networkofferingid", "error.no_tagged_network", "tags", tags)
	}
	return none, fault.New(fault.NoCapacity, "error.no_guest_traffic")
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
