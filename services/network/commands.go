package network

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/infra"
	"aerie/services/store"
)

// Commands are the commands about networks.
func (s *Service) Commands() []*command.Command {
	return []*command.Command{
		s.listOfferingsCommand(), s.createOfferingCommand(), s.updateOfferingCommand(), s.deleteOfferingCommand(),
		s.listVPCOfferingsCommand(), s.createVPCOfferingCommand(), s.updateVPCOfferingCommand(), s.deleteVPCOfferingCommand(),
		s.createCommand(), s.listCommand(), s.updateCommand(), s.restartCommand(), s.deleteCommand(),
		s.createRangeCommand(), s.listRangesCommand(), s.deleteRangeCommand(),
		s.listAddressesCommand(), s.listRoutersCommand(),
	}
}

// Refs tell whether an id that a request names is there for the caller.
func (s *Service) Refs(add func(kind string, exists func(context.Context, string) (bool, error))) {
	add("network", func(ctx context.Context, id string) (bool, error) { return store.Exists[Network](ctx, s.db, id) })
	add("networkoffering", func(ctx context.Context, id string) (bool, error) { return store.Exists[Offering](ctx, s.db, id) })
	add("vpcoffering", func(ctx context.Context, id string) (bool, error) { return store.Exists[VPCOffering](ctx, s.db, id) })
	add("vlan", infra.ForAdmins[PublicRange](s.db))
	add("publicipaddress", func(ctx context.Context, id string) (bool, error) { return store.Exists[PublicIP](ctx, s.db, id) })
	add("router", func(ctx context.Context, id string) (bool, error) { return store.Exists[Router](ctx, s.db, id) })
	add("nic", func(ctx context.Context, id string) (bool, error) { return store.Exists[NIC](ctx, s.db, id) })
}

// Holds tells infra what of this package hangs on a zone, a physical network
// or a host; it is an infra.Holder.
func (s *Service) Holds(ctx context.Context, kind, id string) (out []infra.Left, err error) {
	for _, c := range []struct {
		kind, what, column string
		model              any
	}{
		{"zone", "networks", "zone_id", &Network{}},
		{"zone", "ranges", "zone_id", &PublicRange{}},
		{"physicalnetwork", "networks", "physical_network_id", &Network{}},
		{"physicalnetwork", "ranges", "physical_network_id", &PublicRange{}},
		{"host", "routers", "host_id", &Router{}},
	} {
		if c.kind != kind {
			continue
		}
		var n int64
		if err := s.db.In(store.System(ctx, "what hangs on a thing")).Model(c.model).Where(c.column+" = ?", id).Count(&n).Error; err != nil {
			return nil, err
		}
		out = append(out, infra.Left{What: c.what, N: n})
	}
	return out, nil
}

// Addresses counts the public addresses of zones, and those in use.
func (s *Service) Addresses(ctx context.Context, zoneIDs []string) (map[string]infra.Count, error) {
	ctx = store.System(ctx, "count of public addresses")
	ranges, err := gorm.G[PublicRange](s.db.In(ctx)).Where("zone_id IN ?", zoneIDs).Find(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]infra.Count{}
	for _, r := range ranges {
		first, last, err := r.bounds()
		if err != nil {
			return nil, err
		}
		c := out[r.ZoneID]
		c.Total += last - first + 1
		out[r.ZoneID] = c
	}
	for id, c := range out {
		if c.Used, err = gorm.G[PublicIP](s.db.In(ctx)).Where("zone_id = ?", id).Count(ctx, "id"); err != nil {
			return nil, err
		}
		out[id] = c
	}
	return out, nil
}

func meta(name, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: "network", Event: event, Roles: command.Everyone, Doc: doc}
}

// Entity is what jobs on the network have to themselves.
func (n *Network) Entity() string { return "network/" + n.ID }

// visible finds a network and names it in the command's event.
func (s *Service) visible(ctx context.Context, id string) (Network, error) {
	n, err := find[Network](ctx, s, "id", id)
	if err == nil {
		command.About(ctx, event.Resource{Kind: "network", ID: n.ID, Name: n.Name}, n.Owner())
	}
	return n, err
}

// find finds a row; an absent id names the parameter that gave it.
func find[T any](ctx context.Context, s *Service, param, id string) (T, error) {
	row, err := store.Find[T](ctx, s.db, id)
	if store.IsAbsent(err) {
		err = fault.Absent(param, id)
	}
	return row, err
}

func isAdmin(ctx context.Context) bool {
	actor, _ := store.From(ctx)
	return actor.IsSystem() || actor.Rank == store.Admin
}
