package audit

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/compute"
	"aerie/services/infra"
	"aerie/services/placement"
	"aerie/services/storage"
)

// hostCapacity: a host's counters are the sum of the claims on it. One
// statement compares both, so that no claim comes between.
func hostCapacity(ctx context.Context, l *look) ([]Finding, error) {
	g := l.DB.In(ctx)
	sum := func(column string) *gorm.DB {
		return g.Model(&placement.Claim{}).Where("claims.host_id = hosts.id").Select("COALESCE(SUM(" + column + "), 0)")
	}
	hosts, err := gorm.G[infra.Host](g).Where("used_mhz <> (?) OR used_mib <> (?)", sum("mhz"), sum("mib")).Find(ctx)
	var out list
	for _, h := range hosts {
		var real struct{ Mhz, Mib int64 }
		if err := g.Model(&placement.Claim{}).Where("host_id = ?", h.ID).
			Select("COALESCE(SUM(mhz), 0) AS mhz, COALESCE(SUM(mib), 0) AS mib").Scan(&real).Error; err != nil {
			return out, err
		}
		out.add("host-capacity", "host/"+h.ID, "%s counts %d MHz and %d MiB in use, its claims are %d MHz and %d MiB",
			h.Name, h.UsedMhz, h.UsedMib, real.Mhz, real.Mib)
	}
	return out, err
}

// claims: who has a place on a host has a claim there, and nobody else.
func claims(ctx context.Context, l *look) ([]Finding, error) {
	var out list
	g := l.DB.In(ctx)
	vms, err := gorm.G[compute.VM](g).Select("id", "instance_name", "host_id").
		Where("host_id <> '' AND NOT EXISTS (?)", g.Model(&placement.Claim{}).Where("claims.entity = vms.id AND claims.host_id = vms.host_id").Select("1")).
		Find(ctx)
	if err != nil {
		return nil, err
	}
	for _, vm := range vms {
		out.add("claims", "virtualmachine/"+vm.ID, "%s is placed on %s without a claim", vm.InstanceName, l.name(vm.HostID))
	}
	held, err := gorm.G[placement.Claim](g).
		Where("NOT EXISTS (?)", g.Model(&compute.VM{}).Where("vms.id = claims.entity AND vms.host_id = claims.host_id").Select("1")).
		Find(ctx)
	for _, c := range held {
		out.add("claims", "virtualmachine/"+c.Entity, "%d MHz and %d MiB of %s are claimed for an instance that is not placed there", c.Mhz, c.Mib, l.name(c.HostID))
	}
	return out, err
}

// poolAllocation: what a pool has promised is the sum of the volumes in it.
func poolAllocation(ctx context.Context, l *look) ([]Finding, error) {
	g := l.DB.In(ctx)
	sum := func(pool string) *gorm.DB {
		return g.Model(&storage.Volume{}).Where("volumes.pool_id = " + pool).Select("COALESCE(SUM(bytes), 0)")
	}
	pools, err := gorm.G[infra.Pool](g).Where("allocated <> (?)", sum("storage_pools.id")).Find(ctx)
	var out list
	for _, p := range pools {
		var real int64
		if err := g.Model(&storage.Volume{}).Where("pool_id = ?", p.ID).Select("COALESCE(SUM(bytes), 0)").Scan(&real).Error; err != nil {
			return out, err
		}
		out.add("pool-allocation", "storagepool/"+p.ID, "%s has promised %d bytes, its volumes are %d bytes", p.Name, p.Allocated, real)
	}
	return out, err
}

// quotas: what accounts and domains count against their limits is there.
func quotas(ctx context.Context, l *look) ([]Finding, error) {
	drifts, err := l.IAM.RecountAll(ctx, false)
	var out list
	for _, d := range drifts {
		out.add("quota", d.Owner+"/"+d.Kind.String(), "%s counts %d of %s, there are %d", d.Owner, d.Stored, d.Kind, d.Real)
	}
	return out, err
}
