package sim

import (
	"context"
	"maps"
	"slices"

	"aerie/drivers"
)

// bridge is a bridge of Aerie's; a host's uplinks are none.
type bridge struct {
	spec  drivers.BridgeSpec
	guest bool // made for a router, and gone when nothing is left in it
}

// dropGuest removes a bridge that was made for a router, unless it is used.
func (h *Host) dropGuest(name string) {
	if b := h.bridges[name]; b != nil && b.guest && h.plugged(name) == "" {
		delete(h.bridges, name)
	}
}

// hasBridge says whether something can be plugged in; the host's mutex is held.
func (h *Host) hasBridge(name string) bool {
	return h.bridges[name] != nil || slices.Contains(h.center.options.Uplinks, name)
}

// ApplyBridge makes the bridge look like the spec.
func (h *Host) ApplyBridge(ctx context.Context, spec drivers.BridgeSpec) (drivers.Done, error) {
	return call(ctx, h, "ApplyBridge", spec.Name, func() (drivers.Done, error) {
		if err := spec.Check(); err != nil {
			return drivers.Done{}, err
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.bridges[spec.Name] = &bridge{spec: spec}
		return drivers.Done{}, nil
	})
}

// RemoveBridge removes a bridge that nothing is plugged into.
func (h *Host) RemoveBridge(ctx context.Context, ref drivers.BridgeRef) (drivers.Done, error) {
	return call(ctx, h, "RemoveBridge", ref.Name, func() (drivers.Done, error) {
		op := "remove bridge " + ref.Name
		if err := ref.Check(); err != nil {
			return drivers.Done{}, err
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if who := h.plugged(ref.Name); who != "" {
			return drivers.Done{}, drivers.Errorf(drivers.Busy, op, "%s is plugged in", who)
		}
		delete(h.bridges, ref.Name)
		return drivers.Done{}, nil
	})
}

// plugged names something that uses the bridge.
func (h *Host) plugged(name string) string {
	if h.bridges[name] == nil {
		return ""
	}
	for _, r := range h.routers {
		if r.spec.Guest.Bridge == name || r.spec.Public != nil && r.spec.Public.Bridge == name {
			return "router " + r.spec.ID
		}
	}
	for _, m := range h.vms {
		if m.active() && slices.ContainsFunc(m.spec.NICs, func(n drivers.VMNIC) bool { return n.Bridge == name }) {
			return m.spec.Name
		}
	}
	return ""
}

// ListBridges is Aerie's bridges, sorted.
func (h *Host) ListBridges(ctx context.Context, _ drivers.ListBridges) (drivers.BridgeList, error) {
	return call(ctx, h, "ListBridges", "", func() (drivers.BridgeList, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		return drivers.BridgeList{Names: slices.Sorted(maps.Keys(h.bridges))}, nil
	})
}
