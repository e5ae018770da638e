package sim

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"time"

	"aerie/drivers"
)

type router struct {
	spec drivers.RouterSpec
	hash string
}

func (r *router) state() drivers.RouterState {
	return drivers.RouterState{ID: r.spec.ID, Hash: r.hash, Up: true}
}

// ApplyRouter makes the router look like the spec, and its guest bridge with
// it. A spec that is older than what the router has changes nothing.
func (h *Host) ApplyRouter(ctx context.Context, spec drivers.RouterSpec) (drivers.RouterState, error) {
	return call(ctx, h, "ApplyRouter", spec.ID, func() (drivers.RouterState, error) {
		if err := spec.Check(); err != nil {
			return drivers.RouterState{}, err
		}
		r := &router{spec: spec.Clone(), hash: drivers.HashRouter(spec)}
		h.mu.Lock()
		defer h.mu.Unlock()
		if gone, ok := h.removed[spec.ID]; ok && spec.Generation < gone.generation {
			return drivers.RouterState{}, drivers.Errorf(drivers.NotFound, "apply router "+spec.ID, "it was removed in generation %d", gone.generation)
		}
		if was := h.routers[spec.ID]; was != nil && spec.Generation < was.spec.Generation {
			return was.state(), nil
		}
		if err := h.install(r); err != nil {
			return drivers.RouterState{}, err
		}
		delete(h.removed, spec.ID)
		return r.state(), nil
	})
}

func (h *Host) install(r *router) error {
	op := "apply router " + r.spec.ID
	guest := r.spec.Guest
	for id, other := range h.routers {
		if id != r.spec.ID && other.spec.Guest.Bridge == guest.Bridge {
			return drivers.Errorf(drivers.Invalid, op, "router %s serves bridge %s", id, guest.Bridge)
		}
	}
	if p := r.spec.Public; p != nil && !h.hasBridge(p.Bridge) {
		return drivers.Errorf(drivers.NotFound, op, "no bridge %s", p.Bridge)
	}
	if !h.hasBridge(guest.Bridge) {
		h.bridges[guest.Bridge] = &bridge{drivers.BridgeSpec{Name: guest.Bridge, MTU: guest.MTU}, true}
	}
	was := h.routers[r.spec.ID]
	h.routers[r.spec.ID] = r
	if was != nil {
		h.dropGuest(was.spec.Guest.Bridge)
	}
	return nil
}

// RemoveRouter removes the router, and its guest bridge when nothing else is
// plugged into it.
func (h *Host) RemoveRouter(ctx context.Context, ref drivers.RouterRef) (drivers.Done, error) {
	return call(ctx, h, "RemoveRouter", ref.ID, func() (drivers.Done, error) {
		if err := ref.Check(); err != nil {
			return drivers.Done{}, err
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		generation := ref.Generation
		if r := h.routers[ref.ID]; r != nil {
			if ref.Overtaken(r.spec.Generation) {
				return drivers.Done{}, drivers.Errorf(drivers.Busy, "remove router "+ref.ID, "it has generation %d by now", r.spec.Generation)
			}
			generation = r.spec.Generation
			delete(h.routers, ref.ID)
			h.dropGuest(r.spec.Guest.Bridge)
		}
		h.bury(ref.ID, max(generation, ref.Generation))
		return drivers.Done{}, nil
	})
}

// removal is what a host remembers of a router that was removed.
type removal struct {
	generation int64
	at         time.Time
}

// bury remembers a removal and forgets those of long ago.
func (h *Host) bury(id string, generation int64) {
	now := h.now()
	maps.DeleteFunc(h.removed, func(_ string, r removal) bool { return now.Sub(r.at) > drivers.RouterMemory })
	if generation > h.removed[id].generation {
		h.removed[id] = removal{generation, now}
	}
}

// ListRouters is all routers of the host, by ID.
func (h *Host) ListRouters(ctx context.Context, _ drivers.ListRouters) (drivers.RouterList, error) {
	return call(ctx, h, "ListRouters", "", func() (drivers.RouterList, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		all := make([]drivers.RouterState, 0, len(h.routers))
		for _, r := range h.routers {
			st := r.state()
			st.Hosts = r.spec.Addresses()
			all = append(all, st)
		}
		slices.SortFunc(all, func(a, b drivers.RouterState) int { return compare(a.ID, b.ID) })
		return drivers.RouterList{Routers: all}, nil
	})
}

// serves finds what a router tells the card of that address.
func (c *Center) serves(mac string) (drivers.RouterHost, netip.Prefix, bool) {
	for _, h := range c.Hosts() {
		h.mu.Lock()
		for _, r := range h.routers {
			for _, host := range r.spec.Hosts {
				if host.MAC == mac {
					h.mu.Unlock()
					return host, netip.PrefixFrom(host.IP, r.spec.Guest.Gateway.Bits()), true
				}
			}
		}
		h.mu.Unlock()
	}
	return drivers.RouterHost{}, netip.Prefix{}, false
}
