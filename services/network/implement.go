package network

import (
	"context"
	"fmt"
	"net/netip"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/infra"
	"aerie/services/placement"
	"aerie/services/state"
	"aerie/services/store"
)

// Prepare gives a network what its router needs: a source NAT address, which
// it then keeps, and the router's row on a host. It touches the database only
// and belongs in a transaction; Apply does the rest. Host is where the router
// goes if it has none yet.
func (s *Service) Prepare(ctx context.Context, n *Network, host infra.Host) error {
	if n.State == Implemented {
		return s.Touch(ctx, n.ID)
	}
	if err := s.settled(ctx, *n); err != nil {
		return err
	}
	if !n.State.canImplement() {
		return fault.New(fault.Conflict, "error.network_state", "name", n.Name, "state", n.State)
	}
	o, err := store.Find[Offering](ctx, s.db, n.OfferingID)
	if err != nil {
		return err
	}
	if o.Has("SourceNat") {
		if _, err := s.sourceNAT(ctx, *n); err != nil {
			return err
		}
	}
	if err := s.ensureRouter(ctx, *n, host); err != nil {
		return err
	}
	return state.Move(ctx, s.db, n, States, Implement, map[string]any{"generation": gorm.Expr("generation + 1")})
}

// settled refuses for a while to implement a network whose router is just
// being taken down: the job of that would take the new one.
func (s *Service) settled(ctx context.Context, n Network) error {
	if n.State != Shutdown || s.jobs == nil {
		return nil
	}
	live, err := s.jobs.LiveOn(ctx, n.Entity())
	if err == nil && live != nil {
		err = fault.New(fault.Unavailable, "error.network_closing", "name", n.Name)
	}
	return err
}

func (at State) canImplement() bool { return States.Can(at, Implement) }

// sourceNAT returns the network's source NAT address, taking one at first use.
func (s *Service) sourceNAT(ctx context.Context, n Network) (leased, error) {
	g := s.db.In(ctx)
	var have []leased
	if err := g.Joins("Range").Where("network_id = ? AND source_nat = ?", n.ID, true).Find(&have).Error; err != nil {
		return leased{}, err
	}
	if len(have) > 0 {
		return have[0], nil
	}
	ip := PublicIP{Row: store.Row{ID: s.db.NewID()}, Owned: n.Owned, ZoneID: n.ZoneID, NetworkID: n.ID, SourceNAT: true}
	in, address, err := s.takePublic(ctx, n.ZoneID, ip.ID)
	if err != nil {
		return leased{}, err
	}
	ip.RangeID, ip.Address = in.ID, address
	if ip.MAC, err = s.mac(); err != nil {
		return leased{}, err
	}
	return leased{ip, in}, gorm.G[PublicIP](g).Create(ctx, &ip)
}

// takePublic takes a free public address of the zone.
func (s *Service) takePublic(ctx context.Context, zoneID, owner string) (in PublicRange, address string, err error) {
	ranges, err := gorm.G[PublicRange](s.db.In(ctx)).Where("zone_id = ?", zoneID).Order("id").Find(ctx)
	if err != nil {
		return in, "", err
	}
	for _, r := range ranges {
		first, last, err := r.bounds()
		if err != nil {
			return in, "", err
		}
		v, err := placement.Allocate(ctx, s.db, placement.Want{Pool: publicPool(zoneID), Purpose: "public", Owner: owner, First: first, Last: last})
		if err == nil {
			return r, Address(v).String(), nil
		}
		if !fault.Is(err, fault.NoCapacity) {
			return in, "", err
		}
	}
	return in, "", fault.New(fault.NoCapacity, "error.no_public_ip")
}

func publicPool(zoneID string) string { return "public:" + zoneID }

func (r PublicRange) bounds() (first, last int64, err error) {
	a, err := netip.ParseAddr(r.StartIP)
	if err != nil {
		return 0, 0, err
	}
	b, err := netip.ParseAddr(r.EndIP)
	if err != nil {
		return 0, 0, err
	}
	return Number(a), Number(b), nil
}

// ensureRouter makes the row of the network's router, or moves a router that
// is down to the host.
func (s *Service) ensureRouter(ctx context.Context, n Network, host infra.Host) error {
	g := s.db.In(ctx)
	have, err := gorm.G[Router](g).Where("network_id = ?", n.ID).Find(ctx)
	if err != nil {
		return err
	}
	if len(have) > 0 {
		return nil
	}
	number, err := s.db.Next(ctx, "router")
	if err != nil {
		return err
	}
	return gorm.G[Router](g).Create(ctx, &Router{
		Row: store.Row{ID: s.db.NewID()}, Owned: n.Owned,
		Name: fmt.Sprintf("r-%d-VM", number), NetworkID: n.ID, ZoneID: n.ZoneID, HostID: host.ID, State: "Starting",
	})
}
