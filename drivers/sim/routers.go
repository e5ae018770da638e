package sim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"slices"

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
		if err := checkRouter(spec); err != nil {
			return drivers.RouterState{}, err
		}
		r := &router{spec: canonical(spec)}
		var err error
		if r.hash, err = hash(r.spec); err != nil {
			return drivers.RouterState{}, drivers.Errorf(drivers.Internal, "apply router "+spec.ID, "%w", err)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if was := h.routers[spec.ID]; was != nil && spec.Generation < was.spec.Generation {
			return was.state(), nil
		}
		return r.state(), h.install(r)
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

// canonical is a spec of its own memory that reads the same however its lists
// were ordered and whether empty ones were nil.
func canonical(spec drivers.RouterSpec) drivers.RouterSpec {
	spec.Hosts = append([]drivers.RouterHost(nil), spec.Hosts...)
	slices.SortFunc(spec.Hosts, func(a, b drivers.RouterHost) int { return compare(a.NIC, b.NIC) })
	for i := range spec.Hosts {
		host := &spec.Hosts[i]
		host.UserData = append([]byte(nil), host.UserData...)
		var metadata map[string]string
		for k, v := range host.Metadata {
			if metadata == nil {
				metadata = map[string]string{}
			}
			metadata[k] = v
		}
		host.Metadata = metadata
	}
	spec.Guest.Upstream = append([]netip.Addr(nil), spec.Guest.Upstream...)
	if spec.Public != nil {
		public := *spec.Public
		spec.Public = &public
	}
	return spec
}

// hash is the SHA-256 of what a canonical spec wants, in whatever generation.
func hash(spec drivers.RouterSpec) (string, error) {
	spec.Generation = 0
	text, err := json.Marshal(spec)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), err
}

// RemoveRouter removes the router, and its guest bridge when nothing else is
// plugged into it.
func (h *Host) RemoveRouter(ctx context.Context, ref drivers.RouterRef) (drivers.Done, error) {
	return call(ctx, h, "RemoveRouter", ref.ID, func() (drivers.Done, error) {
		if err := checkID("remove router", ref.ID); err != nil {
			return drivers.Done{}, err
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if r := h.routers[ref.ID]; r != nil {
			delete(h.routers, ref.ID)
			h.dropGuest(r.spec.Guest.Bridge)
		}
		return drivers.Done{}, nil
	})
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
