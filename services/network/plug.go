package network

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"aerie/drivers"
	"aerie/services/infra"
)

// Connect brings a network's router up to date and makes the network's bridge
// on a host that an instance goes to. Where the router is, it has made it.
func (s *Service) Connect(ctx context.Context, networkID, hostID string) error {
	n, r, err := s.bring(ctx, networkID)
	if err != nil || r.HostID == hostID {
		return err
	}
	sw, err := infra.Ability[drivers.Switch](ctx, s.fleet, hostID)
	if err != nil {
		return err
	}
	if _, err := sw.ApplyBridge(ctx, drivers.BridgeSpec{Name: drivers.BridgeName(n.ID), MTU: n.MTU}); err != nil {
		return infra.Fault(fmt.Errorf("bridge of %s: %w", n.Name, err))
	}
	return nil
}

// unplug removes the network's bridge from all hosts of its zone that answer.
// One that does not is told of by the audit.
func (s *Service) unplug(ctx context.Context, r Router) error {
	hosts, err := gorm.G[infra.Host](s.db.In(ctx)).Where("zone_id = ? AND (state = ? OR id = ?)", r.ZoneID, infra.HostUp, r.HostID).Find(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, h := range hosts {
		sw, err := infra.Ability[drivers.Switch](ctx, s.fleet, h.ID)
		if err != nil {
			continue
		}
		if _, err := sw.RemoveBridge(ctx, drivers.BridgeRef{Name: drivers.BridgeName(r.NetworkID)}); err != nil {
			failed = append(failed, infra.Fault(fmt.Errorf("remove bridge of %s on %s: %w", r.Name, h.Name, err)))
		}
	}
	return errors.Join(failed...)
}
