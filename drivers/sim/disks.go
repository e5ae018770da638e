package sim

import (
	"context"
	"path"
	"slices"
	"sync"

	"aerie/drivers"
)

// What a file takes on a pool before anything is written.
const (
	emptyDisk = 196 << 10
	fullImage = 4 // an image takes this part of its virtual size
)

// pool is a place for disks, of one host or of all.
type pool struct {
	mu    sync.Mutex
	spec  drivers.Pool
	disks map[string]*disk
}

type disk struct {
	drivers.DiskState
	base   bool // an image
	clones int
}

// pool finds or makes the pool; a pool on a network is the same on every host.
func (h *Host) pool(spec drivers.Pool) (*pool, error) {
	if err := spec.Check(); err != nil {
		return nil, err
	}
	mu, all := &h.mu, h.pools
	if spec.Type != drivers.PoolLocal {
		mu, all = &h.center.mu, h.center.shared
	}
	mu.Lock()
	defer mu.Unlock()
	p, ok := all[spec.ID]
	if !ok {
		p = &pool{spec: spec, disks: map[string]*disk{}}
		all[spec.ID] = p
	}
	return p, nil
}

// hasDisk looks for a machine's disk; the host's mutex is held.
func (h *Host) hasDisk(d drivers.VMDisk) bool {
	p := h.pools[d.Pool.ID]
	if d.Pool.Type != drivers.PoolLocal {
		h.center.mu.Lock()
		p = h.center.shared[d.Pool.ID]
		h.center.mu.Unlock()
	}
	if p == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.disks[d.ID] != nil
}

// used is the bytes taken; the pool's mutex is held.
func (p *pool) used() (sum int64) {
	for _, d := range p.disks {
		sum += d.Allocated
	}
	return sum
}

// add puts a new file into the pool.
func (p *pool) add(op string, d *disk, capacity int64) error {
	if p.used()+d.Allocated > capacity {
		return drivers.Errorf(drivers.NoSpace, op, "pool %s is full", p.spec.ID)
	}
	d.Path = path.Join(p.spec.Path, d.ID+".qcow2")
	p.disks[d.ID] = d
	return nil
}

// EnsurePool makes the pool usable on this host.
func (h *Host) EnsurePool(ctx context.Context, spec drivers.Pool) (drivers.PoolState, error) {
	return call(ctx, h, "EnsurePool", spec.ID, func() (drivers.PoolState, error) {
		p, err := h.pool(spec)
		if err != nil {
			return drivers.PoolState{}, err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		total, used := h.center.options.Pool, p.used()
		return drivers.PoolState{Capacity: total, Used: used, Available: max(0, total-used)}, nil
	})
}

// EnsureImage puts an image into the pool; its source is not read.
func (h *Host) EnsureImage(ctx context.Context, spec drivers.ImageSpec) (drivers.DiskState, error) {
	return call(ctx, h, "EnsureImage", spec.ID, func() (drivers.DiskState, error) {
		if err := spec.Check(); err != nil {
			return drivers.DiskState{}, err
		}
		p, err := h.pool(spec.Pool)
		if err != nil {
			return drivers.DiskState{}, err
		}
		bytes, err := h.center.options.Image(spec.Source)
		if err != nil {
			return drivers.DiskState{}, drivers.Errorf(drivers.NotFound, "ensure image "+spec.ID, "%w", err)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if d, ok := p.disks[spec.ID]; ok {
			return d.DiskState, nil
		}
		d := &disk{base: true, DiskState: drivers.DiskState{ID: spec.ID, Bytes: bytes, Allocated: bytes / fullImage}}
		err = p.add("ensure image "+spec.ID, d, h.center.options.Pool)
		return d.DiskState, err
	})
}

// EnsureDisk makes a disk, or lets it grow to the size that is asked.
func (h *Host) EnsureDisk(ctx context.Context, spec drivers.DiskSpec) (drivers.DiskState, error) {
	return call(ctx, h, "EnsureDisk", spec.ID, func() (drivers.DiskState, error) {
		if err := spec.Check(); err != nil {
			return drivers.DiskState{}, err
		}
		p, err := h.pool(spec.Pool)
		if err != nil {
			return drivers.DiskState{}, err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		d, ok := p.disks[spec.ID]
		if !ok && spec.Kept && !h.center.options.Forgetful {
			return drivers.DiskState{}, drivers.Errorf(drivers.NotFound, "ensure disk "+spec.ID, "it is lost")
		}
		if !ok {
			return p.clone(spec, h.center.options.Pool)
		}
		if d.base || d.Image != spec.Image {
			return drivers.DiskState{}, drivers.Errorf(drivers.Invalid, "ensure disk "+spec.ID, "it comes from image %q", d.Image)
		}
		d.Bytes = max(d.Bytes, spec.Bytes)
		return d.DiskState, nil
	})
}

// clone makes a disk, of an image if the spec names one.
func (p *pool) clone(spec drivers.DiskSpec, capacity int64) (drivers.DiskState, error) {
	op := "ensure disk " + spec.ID
	d := &disk{DiskState: drivers.DiskState{ID: spec.ID, Bytes: spec.Bytes, Allocated: emptyDisk, Image: spec.Image}}
	var base *disk
	if spec.Image != "" {
		base = p.disks[spec.Image]
		if base == nil || !base.base {
			return drivers.DiskState{}, drivers.Errorf(drivers.NotFound, op, "no image %s", spec.Image)
		}
		d.Bytes = max(d.Bytes, base.Bytes)
	}
	if err := p.add(op, d, capacity); err != nil {
		return drivers.DiskState{}, err
	}
	if base != nil {
		base.clones++
	}
	return d.DiskState, nil
}

// DeleteDisk removes a disk that no machine has open, or an image without clones.
func (h *Host) DeleteDisk(ctx context.Context, ref drivers.DiskRef) (drivers.Done, error) {
	return call(ctx, h, "DeleteDisk", ref.ID, func() (drivers.Done, error) {
		op := "delete disk"
		if err := ref.Check(); err != nil {
			return drivers.Done{}, err
		}
		p, err := h.pool(ref.Pool)
		if err != nil {
			return drivers.Done{}, err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		return drivers.Done{}, p.remove(op+" "+ref.ID, ref.ID, &h.center.locks)
	})
}

func (p *pool) remove(op, id string, l *locks) error {
	d, ok := p.disks[id]
	if !ok {
		return nil
	}
	if d.clones > 0 {
		return drivers.Errorf(drivers.Busy, op, "%d disks are cloned from it", d.clones)
	}
	if who, open := l.writer(id); open {
		return drivers.Errorf(drivers.Busy, op, "%s on %s has it open", who.vm, who.host)
	}
	if base := p.disks[d.Image]; base != nil {
		base.clones--
	}
	delete(p.disks, id)
	return nil
}

// ListDisks is every disk and image in the pool, by ID.
func (h *Host) ListDisks(ctx context.Context, spec drivers.Pool) (drivers.DiskList, error) {
	return call(ctx, h, "ListDisks", spec.ID, func() (drivers.DiskList, error) {
		p, err := h.pool(spec)
		if err != nil {
			return drivers.DiskList{}, err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		all := make([]drivers.DiskState, 0, len(p.disks))
		for _, d := range p.disks {
			all = append(all, d.DiskState)
		}
		slices.SortFunc(all, func(a, b drivers.DiskState) int { return compare(a.ID, b.ID) })
		return drivers.DiskList{Disks: all}, nil
	})
}
