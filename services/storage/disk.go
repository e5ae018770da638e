package storage

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"aerie/drivers"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/image"
	"aerie/services/infra"
	"aerie/services/state"
	"aerie/services/store"
)

// Service keeps volumes. Its hooks are set before the first command.
type Service struct {
	db     *store.DB
	fleet  *infra.Fleet
	images *image.Service
	// Settings are those of pools; nil: the defaults.
	Settings *Settings
	// IAM names the owners of volumes.
	IAM *iam.Service
	// MayTag tells whether the actor may make offerings with tags; without it
	// all may that may make any.
	MayTag func(ctx context.Context, a store.Actor) bool
	// Instances tells of the instances that volumes are attached to. It is set
	// by compute, which knows them.
	Instances func(ctx context.Context, ids []string) (map[string]Instance, error)
}

// New makes the service.
func New(db *store.DB, fleet *infra.Fleet, images *image.Service) *Service {
	return &Service{
		db: db, fleet: fleet, images: images,
		Instances: func(context.Context, []string) (map[string]Instance, error) { return nil, nil },
	}
}

// Of returns the volumes of an instance, the root disk first.
func (s *Service) Of(ctx context.Context, vmID string) ([]Volume, error) {
	return gorm.G[Volume](s.db.In(ctx)).Where("vm_id = ?", vmID).Order("device").Find(ctx)
}

// Disk is a volume with the pool that it lies in, once it has one, and with
// what it is made of.
type Disk struct {
	Volume   `gorm:"embedded"`
	Pool     infra.Pool `gorm:"foreignKey:PoolID"`
	Offering Offering   `gorm:"foreignKey:DiskOfferingID"` // removed ones too: volumes keep what they were made of
}

// TableName is the volumes' table.
func (Disk) TableName() string { return "volumes" }

// Disks returns the volumes of an instance with their pools, the root disk
// first.
func (s *Service) Disks(ctx context.Context, vmID string) ([]Disk, error) {
	var list []Disk
	return list, s.db.In(ctx).Unscoped().Joins("Pool").Joins("Offering").
		Where("volumes.vm_id = ? AND volumes.removed_at IS NULL", vmID).Order("volumes.device").Find(&list).Error
}

// AsDevice is the disk as a machine plugs it in.
func (d Disk) AsDevice() drivers.VMDisk {
	out := drivers.VMDisk{ID: d.ID, Pool: d.Pool.DiskPool()}
	d.Offering.Limits.Apply(&out)
	return out
}

// Place gives volumes that have none a pool that the host can use, and counts
// their bytes there. It belongs in a transaction.
func (s *Service) Place(ctx context.Context, disks []Disk, host infra.Host) error {
	for i := range disks {
		d := &disks[i]
		if d.PoolID != "" {
			continue
		}
		pool, err := s.claim(ctx, *d, host)
		if err != nil {
			return err
		}
		if err := state.Move(ctx, s.db, &d.Volume, States, Create, map[string]any{"pool_id": pool.ID}); err != nil {
			return err
		}
		d.PoolID, d.Pool = pool.ID, pool
	}
	return nil
}

func (s *Service) claim(ctx context.Context, v Disk, host infra.Host) (infra.Pool, error) {
	all, err := infra.PoolsOf(ctx, s.db, host)
	if err != nil {
		return infra.Pool{}, err
	}
	pools := slices.DeleteFunc(slices.Clone(all), func(p infra.Pool) bool { return !v.Offering.takes(p) })
	if len(pools) == 0 && len(all) > 0 {
		return infra.Pool{}, fault.New(fault.NoCapacity, "error.no_pool_tagged", "tags", v.Offering.Tags, "type", or(v.Offering.StorageType, "shared"))
	}
	// What is to be shared goes to a pool of one host only when there is no other.
	slices.SortStableFunc(pools, func(a, b infra.Pool) int { return alone(a) - alone(b) })
	for _, p := range pools {
		fill := s.Settings.fill(ctx, p)
		res := s.db.In(ctx).Model(&infra.Pool{}).
			Where("id = ? AND allocated + ? <= capacity * factor * ?", p.ID, v.Bytes, fill).
			UpdateColumn("allocated", gorm.Expr("allocated + ?", v.Bytes))
		if res.Error != nil {
			return p, res.Error
		}
		if res.RowsAffected == 1 {
			return p, nil
		}
	}
	return infra.Pool{}, fault.New(fault.NoCapacity, "error.no_pool", "bytes", v.Bytes).
		Because(fmt.Errorf("%d pools of host %s, none with %d bytes left of what may be allocated", len(pools), host.Name, v.Bytes))
}

// alone is 1 for a pool that only one host has.
func alone(p infra.Pool) int {
	if p.Scope == "HOST" {
		return 1
	}
	return 0
}

// Unplace takes volumes that were being made out of their pool's count, for a
// deployment that is undone. Their disks must be gone. It belongs in a
// transaction.
func (s *Service) Unplace(ctx context.Context, vols []Volume) error {
	for i := range vols {
		v := vols[i]
		if v.PoolID == "" || !States.Can(v.State, Failed) {
			continue
		}
		if err := state.Move(ctx, s.db, &vols[i], States, Failed, map[string]any{"pool_id": ""}); err != nil {
			return err
		}
		if err := s.uncount(ctx, v); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) uncount(ctx context.Context, v Volume) error {
	return s.db.In(ctx).Model(&infra.Pool{}).Unscoped().Where("id = ?", v.PoolID).
		UpdateColumn("allocated", gorm.Expr("allocated - ?", v.Bytes)).Error
}

// Ensure makes the disks on the host.
func (s *Service) Ensure(ctx context.Context, disks []Disk, hostID string) error {
	d, err := infra.Ability[drivers.DiskHost](ctx, s.fleet, hostID)
	if err != nil {
		return err
	}
	for _, v := range disks {
		if v.Pool.ID == "" {
			return fmt.Errorf("volume %s has no pool", v.ID)
		}
		if err := s.ensure(ctx, d, v, hostID); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) ensure(ctx context.Context, d drivers.DiskHost, v Disk, hostID string) error {
	spec := drivers.DiskSpec{ID: v.ID, Pool: v.Pool.DiskPool(), Bytes: v.Bytes, Kept: v.State == Ready}
	if v.Type == Root && v.TemplateID != "" {
		if err := s.images.EnsureBase(ctx, v.TemplateID, v.Pool, hostID); err != nil {
			return err
		}
		spec.Image = v.TemplateID
	}
	_, err := d.EnsureDisk(ctx, spec)
	if lost := drivers.KindOf(err) == drivers.NotFound; lost && spec.Kept {
		return fault.New(fault.Conflict, "error.disk_lost", "name", v.Name, "pool", v.Pool.Name).Because(err)
	} else if lost && spec.Image != "" {
		if err := s.images.Rebase(ctx, v.TemplateID, v.Pool, hostID); err != nil {
			return err
		}
		_, err = d.EnsureDisk(ctx, spec)
	}
	if err != nil {
		return infra.Fault(fmt.Errorf("disk %s in %s: %w", v.Name, v.Pool.Name, err))
	}
	return nil
}

// MarkReady says that the disks are there. It belongs in a transaction.
func (s *Service) MarkReady(ctx context.Context, vols []Volume) error {
	for i := range vols {
		if vols[i].State != Creating {
			continue
		}
		if err := state.Move(ctx, s.db, &vols[i], States, Made); err != nil {
			return err
		}
	}
	return nil
}

// DeleteDisks removes the disks of volumes from their pools; disks that are
// gone are success. A volume without a pool has no disk.
func (s *Service) DeleteDisks(ctx context.Context, vols []Volume, hostID string) error {
	for _, v := range vols {
		if v.PoolID == "" {
			continue
		}
		if err := s.deleteDisk(ctx, v, hostID); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) deleteDisk(ctx context.Context, v Volume, hostID string) error {
	pool, err := store.Find[infra.Pool](ctx, s.db, v.PoolID)
	if err != nil {
		return err
	}
	if hostID == "" {
		if hostID, err = s.hostFor(ctx, pool); err != nil {
			return err
		}
	}
	d, err := infra.Ability[drivers.DiskHost](ctx, s.fleet, hostID)
	if err != nil {
		return err
	}
	if _, err := d.DeleteDisk(ctx, drivers.DiskRef{ID: v.ID, Pool: pool.DiskPool()}); err != nil {
		return infra.Fault(fmt.Errorf("delete disk %s in %s: %w", v.Name, pool.Name, err))
	}
	return nil
}

// hostFor finds a host that is up and reaches the pool.
func (s *Service) hostFor(ctx context.Context, p infra.Pool) (string, error) {
	q := gorm.G[infra.Host](s.db.In(ctx)).Where("zone_id = ? AND state = ?", p.ZoneID, infra.HostUp)
	switch p.Scope {
	case "HOST":
		q = q.Where("id = ?", p.HostID)
	case "CLUSTER":
		q = q.Where("cluster_id = ?", p.ClusterID)
	}
	h, err := q.Order("id").Take(ctx)
	if store.IsAbsent(err) {
		return "", fault.New(fault.Unavailable, "error.no_host_for_pool", "pool", p.Name)
	}
	return h.ID, err
}

// Forget removes the rows of volumes whose disks are gone. It belongs in a
// transaction.
func (s *Service) Forget(ctx context.Context, vols []Volume) error {
	for i := range vols {
		v := &vols[i]
		if err := state.Move(ctx, s.db, v, States, Expunge); err != nil {
			return err
		}
		if err := state.Move(ctx, s.db, v, States, Gone, map[string]any{"removed_at": s.db.Now()}); err != nil {
			return err
		}
		if v.PoolID == "" {
			continue
		}
		if err := s.uncount(ctx, *v); err != nil {
			return err
		}
	}
	return nil
}

// Detach takes all data volumes off an instance that is no more. It belongs in
// a transaction.
func (s *Service) Detach(ctx context.Context, vmID string) error {
	_, err := gorm.G[Volume](s.db.In(ctx)).Where("vm_id = ? AND type = ?", vmID, Data).
		Select("vm_id", "device", "attached_at").Updates(ctx, Volume{})
	return err
}
