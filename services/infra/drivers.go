package infra

import (
	"context"
	"fmt"
	"net/url"
	"sync"

	"gorm.io/gorm"

	"aerie/drivers"
	"aerie/services/fault"
	"aerie/services/store"
)

// Opener opens the driver of a host at an address of its scheme.
type Opener func(ctx context.Context, host Host) (drivers.Driver, error)

// Fleet knows the way to every host's driver. Drivers are opened at first use
// and kept.
type Fleet struct {
	db      *store.DB
	openers map[string]Opener
	// Observe hears of every call of a driver, for metrics; set before the first use.
	Observe drivers.Observer
	mu      sync.Mutex
	open    map[string]drivers.Driver
}

// NewFleet makes a fleet; openers are by URL scheme.
func NewFleet(db *store.DB, openers map[string]Opener) *Fleet {
	return &Fleet{db: db, openers: openers, open: map[string]drivers.Driver{}}
}

// Schemes tells which kinds of host this server can reach.
func (f *Fleet) Schemes() (out []string) {
	for s := range f.openers {
		out = append(out, s)
	}
	return out
}

// Driver returns the driver of a host.
func (f *Fleet) Driver(ctx context.Context, hostID string) (drivers.Driver, error) {
	f.mu.Lock()
	d := f.open[hostID]
	f.mu.Unlock()
	if d != nil {
		return d, nil
	}
	host, err := store.Find[Host](store.System(ctx, "the way to a host"), f.db, hostID)
	if err != nil {
		return nil, err
	}
	return f.Open(ctx, host)
}

// Open opens the driver of a host that may not be stored yet.
func (f *Fleet) Open(ctx context.Context, host Host) (drivers.Driver, error) {
	u, err := url.Parse(host.URL)
	if err != nil || f.openers[u.Scheme] == nil {
		return nil, fault.Param("url", "error.host_url", "value", host.URL)
	}
	d, err := f.openers[u.Scheme](ctx, host)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", host.Name, err)
	}
	if f.Observe != nil {
		d = drivers.Observe(d, f.Observe)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if first := f.open[host.ID]; first != nil { // somebody else opened it meanwhile
		return first, nil
	}
	f.open[host.ID] = d
	return d, nil
}

// Forget drops a host's driver, so that the next use opens it anew.
func (f *Fleet) Forget(hostID string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.open, hostID)
}

// Ability returns the ability C of a host's driver. It is a function because
// methods cannot have type parameters.
func Ability[C any](ctx context.Context, f *Fleet, hostID string) (C, error) {
	var none C
	d, err := f.Driver(ctx, hostID)
	if err != nil {
		return none, err
	}
	c, ok := drivers.As[C](d)
	if !ok {
		return none, fault.New(fault.Unavailable, "error.host_cannot", "host", hostID, "ability", fmt.Sprintf("%T", (*C)(nil)))
	}
	return c, nil
}

// Fault turns a driver's error into what the caller is told. The driver's own
// words go to the log, and to administrators as the cause.
func Fault(err error) error {
	if err == nil {
		return nil
	}
	kinds := map[drivers.Kind]fault.Kind{
		drivers.NotFound:    fault.Conflict,
		drivers.Busy:        fault.Unavailable,
		drivers.Unreachable: fault.Unavailable,
		drivers.Unsupported: fault.Internal,
		drivers.Invalid:     fault.Invalid,
		drivers.NoSpace:     fault.NoCapacity,
		drivers.Internal:    fault.Internal,
	}
	kind := drivers.KindOf(err)
	return fault.New(kinds[kind], "error.host_"+keyOf[kind]).Because(err)
}

var keyOf = map[drivers.Kind]string{
	drivers.NotFound: "not_found", drivers.Busy: "busy", drivers.Unreachable: "unreachable",
	drivers.Unsupported: "unsupported", drivers.Invalid: "invalid", drivers.NoSpace: "no_space", drivers.Internal: "internal",
}

// DiskPool is the pool as drivers name it.
func (p Pool) DiskPool() drivers.Pool {
	return drivers.Pool{ID: p.ID, Type: p.Type, Path: p.Path, Known: p.Marked}
}

// PoolsOf returns the pools that a host can use.
func PoolsOf(ctx context.Context, db *store.DB, h Host) ([]Pool, error) {
	return gorm.G[Pool](db.In(ctx)).
		Where("zone_id = ? AND state = ? AND (scope = ? OR scope = ? AND cluster_id = ? OR scope = ? AND host_id = ?)",
			h.ZoneID, "Up", "ZONE", "CLUSTER", h.ClusterID, "HOST", h.ID).
		Order("id").Find(ctx)
}

// HostsOf returns the hosts that are up and reach a pool.
func HostsOf(ctx context.Context, db *store.DB, p Pool) ([]Host, error) {
	q := gorm.G[Host](db.In(ctx)).Where("zone_id = ? AND state = ?", p.ZoneID, HostUp)
	switch p.Scope {
	case "HOST":
		q = q.Where("id = ?", p.HostID)
	case "CLUSTER":
		q = q.Where("cluster_id = ?", p.ClusterID)
	}
	return q.Order("id").Find(ctx)
}
