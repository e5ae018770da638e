package infra

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/catalog"
	"aerie/services/fault"
	"aerie/services/store"
)

// roomFor refuses a further host of a cluster that has as many as its hypervisor
// allows (listHypervisorCapabilities). It belongs in the transaction that adds
// the host.
func (s *Service) roomFor(ctx context.Context, c Cluster, version string) error {
	able, err := catalog.Of(ctx, s.db, c.Hypervisor, version)
	if err != nil || able.MaxHostsPerCluster == 0 {
		return err
	}
	if _, err := store.Hold[Cluster](ctx, s.db, c.ID); err != nil { // two hosts come one after the other
		return err
	}
	n, err := gorm.G[Host](s.db.In(ctx)).Where("cluster_id = ?", c.ID).Count(ctx, "id")
	if err == nil && n >= int64(able.MaxHostsPerCluster) {
		err = fault.Param("clusterid", "error.holds.cluster_full", "name", c.Name, "n", n)
	}
	return err
}
