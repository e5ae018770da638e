package compute

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/infra"
	"aerie/services/network"
	"aerie/services/storage"
	"aerie/services/store"
)

// What packages above compute ask it through hooks, because they cannot import it.

// live are the states in which an instance needs its networks.
var live = []State{Starting, Running, Stopping, Paused, Unknown}

// busy tells in which networks an instance runs or is about to.
func (s *Service) busy(ctx context.Context, networkIDs []string) (map[string]bool, error) {
	ctx = store.System(ctx, "networks in use")
	g := s.db.In(ctx)
	var ids []string
	err := g.Model(&network.NIC{}).Distinct("network_id").
		Where("network_id IN ? AND vm_id IN (?)", networkIDs, g.Model(&VM{}).Where("state IN ?", live).Select("id")).
		Pluck("network_id", &ids).Error
	out := make(map[string]bool, len(ids))
	for _, id := range ids {
		out[id] = true
	}
	return out, err
}

// instances tells of the instances that volumes are attached to.
func (s *Service) instances(ctx context.Context, ids []string) (map[string]storage.Instance, error) {
	out := map[string]storage.Instance{}
	if len(ids) == 0 {
		return out, nil
	}
	ctx = store.System(ctx, "instances of volumes")
	vms, err := gorm.G[VM](s.db.In(ctx)).Where("id IN ?", ids).Find(ctx)
	if err != nil {
		return nil, err
	}
	var offerings []string
	for _, vm := range vms {
		offerings = append(offerings, vm.OfferingID)
	}
	sizes, err := store.Names[Offering](ctx, s.db, offerings)
	for _, vm := range vms {
		out[vm.ID] = storage.Instance{
			Name: vm.Name, DisplayName: vm.DisplayName, State: string(vm.State),
			Hypervisor: vm.Hypervisor, HostID: vm.HostID, Offering: sizes[vm.OfferingID],
		}
	}
	return out, err
}

// Holds tells infra what of this package hangs on a zone or a host.
func (s *Service) Holds(ctx context.Context, kind, id string) ([]infra.Left, error) {
	column := map[string]string{"zone": "zone_id", "host": "host_id"}[kind]
	if column == "" {
		return nil, nil
	}
	ctx = store.System(ctx, "what hangs on a thing")
	n, err := gorm.G[VM](s.db.In(ctx)).Where(column+" = ?", id).Count(ctx, "id") // columns are the literals above
	return []infra.Left{{What: "instances", N: n}}, err
}
