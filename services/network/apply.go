package network

import (
	"context"
	"fmt"
	"net/netip"

	"gorm.io/gorm"

	"aerie/drivers"
	"aerie/services/fault"
	"aerie/services/infra"
	"aerie/services/state"
	"aerie/services/store"
)

// Apply brings a network's router to the network's generation. Of several who
// call at once one does the work for all: whoever comes after finds its change
// applied. It runs outside transactions.
func (s *Service) Apply(ctx context.Context, networkID string) error {
	_, _, err := s.bring(ctx, networkID)
	return err
}

// bring does so and returns the network and its router.
func (s *Service) bring(ctx context.Context, networkID string) (n Network, r Router, err error) {
	defer s.locks.lock(networkID)()
	w, err := s.wiringOf(ctx, networkID)
	if err != nil {
		return w.Network, w.Router, err
	}
	if w.Router.Applied >= w.Generation && w.Router.State == "Running" && w.State == Implemented {
		return w.Network, w.Router, nil
	}
	return w.Network, w.Router, s.apply(ctx, w)
}

// wiring is a network with what its router is made of.
type wiring struct {
	Network  `gorm:"embedded"`
	Router   Router     `gorm:"foreignKey:NetworkID"`
	Offering Offering   `gorm:"foreignKey:OfferingID"`
	Zone     infra.Zone `gorm:"foreignKey:ZoneID"`
}

// TableName is the networks' table.
func (wiring) TableName() string { return "networks" }

func (s *Service) wiringOf(ctx context.Context, networkID string) (w wiring, err error) {
	err = s.db.In(ctx).Joins("Router").Joins("Offering").Joins("Zone").Where("networks.id = ?", networkID).Take(&w).Error
	switch {
	case store.IsAbsent(err):
		err = fault.Absent("id", networkID)
	case err == nil && w.Router.ID == "":
		err = noRouter(networkID)
	}
	return w, err
}

func noRouter(networkID string) error {
	return fault.New(fault.Conflict, "error.no_router", "network", networkID)
}

// Heal applies the router whatever it is said to have, for the loop that mends
// what was changed behind Aerie's back.
func (s *Service) Heal(ctx context.Context, networkID string) error {
	defer s.locks.lock(networkID)()
	w, err := s.wiringOf(ctx, networkID)
	if w.ID != "" && w.State != Implemented { // with a router or without
		return nil
	}
	if err != nil {
		return err
	}
	return s.apply(ctx, w)
}

func (s *Service) routerOf(ctx context.Context, networkID string) (Router, error) {
	r, err := gorm.G[Router](s.db.In(ctx)).Where("network_id = ?", networkID).Take(ctx)
	if store.IsAbsent(err) {
		return r, noRouter(networkID)
	}
	return r, err
}

func (s *Service) apply(ctx context.Context, w wiring) error {
	n, r := w.Network, w.Router
	spec, err := s.spec(ctx, w)
	if err != nil {
		return err
	}
	d, err := infra.Ability[drivers.Router](ctx, s.fleet, r.HostID)
	if err != nil {
		return err
	}
	done, err := d.ApplyRouter(ctx, spec)
	if err != nil {
		return infra.Fault(fmt.Errorf("apply router %s: %w", r.Name, err))
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		// An older generation must not hide that a newer one was applied.
		_, err := gorm.G[Router](s.db.In(ctx)).Where("id = ? AND applied <= ?", r.ID, n.Generation).
			Select("applied", "hash", "state", "why").
			Updates(ctx, Router{Applied: n.Generation, Hash: done.Hash, State: "Running"})
		if err != nil || n.State == Implemented {
			return err
		}
		err = state.Move(ctx, s.db, &n, States, Ready)
		if fault.Is(err, fault.Conflict) { // another server was as quick
			return nil
		}
		return err
	})
}

// spec is the router of a network as it shall be.
func (s *Service) spec(ctx context.Context, w wiring) (drivers.RouterSpec, error) {
	n := w.Network
	guest, err := guestLeg(n, w.Offering, w.Zone)
	if err != nil {
		return drivers.RouterSpec{}, err
	}
	spec := drivers.RouterSpec{ID: w.Router.ID, Generation: n.Generation, Guest: guest}
	if w.Offering.Has("SourceNat") {
		if spec.Public, err = s.publicLeg(ctx, n); err != nil {
			return drivers.RouterSpec{}, err
		}
	}
	spec.Hosts, err = s.Guests(ctx, n.ID)
	return spec, err
}

func guestLeg(n Network, o Offering, zone infra.Zone) (drivers.RouterGuest, error) {
	p, err := n.Prefix()
	if err != nil {
		return drivers.RouterGuest{}, err
	}
	gw, err := netip.ParseAddr(n.Gateway)
	if err != nil {
		return drivers.RouterGuest{}, err
	}
	leg := drivers.RouterGuest{
		Bridge: drivers.BridgeName(n.ID), Gateway: netip.PrefixFrom(gw, p.Bits()), MTU: n.MTU,
		Domain: n.NetworkDomain, NoDHCP: !o.Has("Dhcp"), NoDNS: !o.Has("Dns"), NoData: !o.Has("UserData"), EgressAll: o.EgressAllow,
	}
	for _, text := range []string{n.DNS1, n.DNS2, zone.DNS1, zone.DNS2} {
		if a, err := netip.ParseAddr(text); err == nil {
			leg.Upstream = append(leg.Upstream, a)
		}
		if len(leg.Upstream) == 2 {
			break
		}
	}
	return leg, nil
}

func (s *Service) publicLeg(ctx context.Context, n Network) (*drivers.RouterPublic, error) {
	ip, err := s.sourceNAT(ctx, n)
	if err != nil {
		return nil, err
	}
	r := ip.Range
	addr, err := netip.ParseAddr(ip.Address)
	if err != nil {
		return nil, err
	}
	gw, err := netip.ParseAddr(r.Gateway)
	if err != nil {
		return nil, err
	}
	bits, err := maskBits(r.Netmask)
	if err != nil {
		return nil, err
	}
	bridge, err := s.publicBridge(ctx, n)
	if err != nil {
		return nil, err
	}
	return &drivers.RouterPublic{Bridge: bridge, MAC: ip.MAC, Address: netip.PrefixFrom(addr, bits), Gateway: gw, SourceNAT: true}, nil
}

// publicBridge is the KVM label of the zone's public traffic.
func (s *Service) publicBridge(ctx context.Context, n Network) (string, error) {
	g := s.db.In(ctx)
	t, err := gorm.G[infra.TrafficType](g).
		Where("type = ? AND physical_network_id IN (?)", "Public",
			g.Model(&infra.PhysicalNetwork{}).Where("zone_id = ?", n.ZoneID).Select("id")).
		Order("id").Take(ctx)
	if store.IsAbsent(err) {
		return "", fault.New(fault.NoCapacity, "error.no_public_traffic")
	}
	return t.KVMLabel, err
}

// maskBits is the prefix length of a dotted netmask.
func maskBits(mask string) (int, error) {
	a, err := netip.ParseAddr(mask)
	if err != nil || !a.Is4() {
		return 0, fmt.Errorf("netmask %q", mask)
	}
	n := uint32(Number(a))
	bits := 0
	for n&(1<<31) != 0 {
		bits++
		n <<= 1
	}
	if n != 0 {
		return 0, fmt.Errorf("netmask %q has holes", mask)
	}
	return bits, nil
}

// Refresh applies a network that is in use; one that is not has no router to
// bring up to date.
func (s *Service) Refresh(ctx context.Context, networkID string) error {
	n, err := store.Find[Network](ctx, s.db, networkID)
	if store.IsAbsent(err) || err == nil && n.State != Implemented {
		return nil
	}
	if err != nil {
		return err
	}
	return s.Apply(ctx, networkID)
}
