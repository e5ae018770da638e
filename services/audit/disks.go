package audit

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"aerie/drivers"
	"aerie/services/image"
	"aerie/services/infra"
	"aerie/services/storage"
)

// disks: every disk in a pool is a volume's or a template's base.
func disks(ctx context.Context, l *look) ([]Finding, error) {
	var out list
	err := l.eachPool(ctx, func(p infra.Pool, there map[string]drivers.DiskState) error {
		vols, bases, err := l.wanted(ctx, p)
		if err != nil {
			return err
		}
		for id := range there {
			v, ok := vols[id]
			switch {
			case bases[id]:
			case !ok:
				out.add("disk", "storagepool/"+p.ID+"/"+id, "%s has the disk %s, which is nobody's", p.Name, id)
			case v.State == storage.Allocated && !l.volumeLive(v):
				out.add("disk", "volume/"+id, "%s has a disk of %s, which has none by its row", p.Name, v.Name)
			}
		}
		return nil
	})
	return out, err
}

// volumes: every volume that is Ready, and every base, is there and large enough.
func volumes(ctx context.Context, l *look) ([]Finding, error) {
	var out list
	err := l.eachPool(ctx, func(p infra.Pool, there map[string]drivers.DiskState) error {
		vols, bases, err := l.wanted(ctx, p)
		if err != nil {
			return err
		}
		for id, v := range vols {
			d, ok := there[id]
			switch {
			case v.PoolID != p.ID, v.State != storage.Ready && v.State != storage.Destroy, l.volumeLive(v):
			case !ok:
				out.add("volume", "volume/"+id, "the disk of %s is not in %s", v.Name, p.Name)
			case d.Bytes < v.Bytes:
				out.add("volume", "volume/"+id, "the disk of %s has %d bytes, its row %d", v.Name, d.Bytes, v.Bytes)
			}
		}
		for id := range bases {
			if _, ok := there[id]; !ok {
				out.add("volume", "template/"+id+"/"+p.ID, "%s has lost its base of template %s", p.Name, id)
			}
		}
		return nil
	})
	return out, err
}

// volumeLive tells whether a job may be making or deleting the disk.
func (l *look) volumeLive(v storage.Volume) bool {
	return l.live["vm/"+v.VMID] || l.live["volume/"+v.ID]
}

// wanted is what a pool shall hold. It is read after the pool was listed.
func (l *look) wanted(ctx context.Context, p infra.Pool) (map[string]storage.Volume, map[string]bool, error) {
	g := l.DB.In(ctx)
	vols, err := gorm.G[storage.Volume](g).Where("pool_id = ? OR pool_id = '' AND zone_id = ?", p.ID, p.ZoneID).Find(ctx)
	if err != nil {
		return nil, nil, err
	}
	byID := map[string]storage.Volume{}
	for _, v := range vols {
		byID[v.ID] = v
	}
	rows, err := gorm.G[image.Base](g).Where("pool_id = ?", p.ID).Find(ctx)
	bases := map[string]bool{}
	for _, b := range rows {
		bases[b.TemplateID] = true
	}
	return byID, bases, err
}

// eachPool lists every pool that a host we can ask reaches. A pool of local
// folders is made of all its hosts', a shared one is the same on each.
func (l *look) eachPool(ctx context.Context, do func(infra.Pool, map[string]drivers.DiskState) error) error {
	pools, err := gorm.G[infra.Pool](l.DB.In(ctx)).Where("state = ?", "Up").Order("id").Find(ctx)
	if err != nil {
		return err
	}
	for _, p := range pools {
		there, asked, err := l.listPool(ctx, p)
		if err != nil {
			return fmt.Errorf("pool %s: %w", p.Name, err)
		}
		if !asked {
			continue
		}
		if err := do(p, there); err != nil {
			return err
		}
	}
	return nil
}

func (l *look) listPool(ctx context.Context, p infra.Pool) (there map[string]drivers.DiskState, asked bool, _ error) {
	hosts, err := infra.HostsOf(ctx, l.DB, p)
	if err != nil {
		return nil, false, err
	}
	there = map[string]drivers.DiskState{}
	for _, h := range hosts {
		d, ok := ability[drivers.DiskHost](ctx, l, h.ID)
		if !ok {
			if p.Type == "Filesystem" { // a part of the pool cannot be seen
				return nil, false, nil
			}
			continue
		}
		list, err := d.ListDisks(ctx, p.DiskPool())
		if err != nil {
			return nil, false, err
		}
		for _, disk := range list.Disks {
			there[disk.ID] = disk
		}
		if asked = true; p.Type != "Filesystem" {
			break
		}
	}
	return there, asked, nil
}
