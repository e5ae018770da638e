package netns

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"aerie/drivers"
)

// RemoveRouter removes the router and all that belongs to it, also when its
// files are lost. The guest bridge goes when nothing else is plugged into it.
func (d *Driver) RemoveRouter(ctx context.Context, ref drivers.RouterRef) (drivers.Done, error) {
	op := fmt.Sprintf("remove router %q", ref.ID)
	if err := ref.Check(); err != nil {
		return drivers.Done{}, err
	}
	r := d.router(ref.ID)
	release, err := d.locks.hold(ctx, r.name)
	if err != nil {
		return drivers.Done{}, fail(op, err)
	}
	defer release()
	return drivers.Done{}, fail(op, d.removeRouter(ctx, r, ref))
}

// removeRouter leaves the directory until last: what fails is tried again. The
// links go before the namespace, which would take them along, but later: one
// made anew would meet the old one's name.
func (d *Driver) removeRouter(ctx context.Context, r router, ref drivers.RouterRef) error {
	was, err := r.load()
	if err != nil {
		return err
	}
	if ref.Overtaken(was.Spec.Generation) {
		return drivers.Errorf(drivers.Busy, "remove router "+ref.ID, "it has generation %d by now", was.Spec.Generation)
	}
	if err := d.bury(r, max(ref.Generation, was.Spec.Generation)); err != nil {
		return err
	}
	d.silence(ctx, r.name)
	if err := r.endStrays(ctx); err != nil {
		return err
	}
	bridge, err := d.unplugRouter(r, was)
	if err != nil {
		return err
	}
	if err := removeSpace(r.name); err != nil {
		return err
	}
	if bridge != "" {
		if err := d.dropGuestBridge(ctx, bridge); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(r.dir); err != nil {
		return err
	}
	return d.dropGuard(ctx)
}

// unplugRouter removes both legs and names the bridge that the guest leg was in.
func (d *Driver) unplugRouter(r router, was saved) (bridge string, err error) {
	h, err := d.host.netlink()
	if err != nil {
		return "", err
	}
	defer h.Close()
	bridge = was.Spec.Guest.Bridge
	if leg, err := lookup(h, r.guest); err == nil && leg != nil && leg.Attrs().MasterIndex != 0 {
		if master, err := h.LinkByIndex(leg.Attrs().MasterIndex); err == nil {
			bridge = master.Attrs().Name
		}
	}
	return bridge, errors.Join(unplug(h, r.guest), unplug(h, r.public))
}

// dropGuestBridge removes a bridge that was made for a router, unless used.
func (d *Driver) dropGuestBridge(ctx context.Context, name string) error {
	release, err := d.locks.hold(ctx, "bridge "+name)
	if err != nil {
		return err
	}
	defer release()
	if err := d.dropBridge(name, d.alias(aliasGuest)); err != nil && drivers.KindOf(err) != drivers.Busy {
		return err
	}
	return nil
}

// ListRouters tells all routers that were applied and not removed. Up is what
// is really there.
func (d *Driver) ListRouters(ctx context.Context, _ drivers.ListRouters) (drivers.RouterList, error) {
	const op = "list routers"
	if err := ctx.Err(); err != nil {
		return drivers.RouterList{}, fail(op, err)
	}
	all, err := d.loadAll()
	if err != nil {
		return drivers.RouterList{}, fail(op, err)
	}
	var list drivers.RouterList
	for _, s := range all {
		if err := ctx.Err(); err != nil {
			return drivers.RouterList{}, fail(op, err)
		}
		list.Routers = append(list.Routers, drivers.RouterState{ID: s.ID, Hash: s.Hash, Up: s.Hash != "" && d.isUp(s), Hosts: s.Spec.Addresses()})
	}
	return list, nil
}

// isUp looks for everything that can be lost behind the driver's back.
func (d *Driver) isUp(s saved) bool {
	r := d.router(s.ID)
	ns, err := openSpace(r.name)
	if err != nil {
		return false
	}
	defer ns.close()
	if !s.Spec.Guest.NoDHCP || !s.Spec.Guest.NoDNS {
		p, err := r.dnsmasqOf(ns)
		if p == nil || err != nil {
			return false
		}
		p.close()
	}
	if !s.Spec.Guest.NoData && !d.serves(r.name, ns) {
		return false
	}
	generation, err := ns.generation()
	now := loaded{Print: fingerprint(rules(s.Spec)), Generation: generation, Space: ns.id()}
	return err == nil && now == s.Rules && d.legsUp(r, s.Spec)
}

// legsUp tells whether the host's end of each leg has a live other end.
func (d *Driver) legsUp(r router, s drivers.RouterSpec) bool {
	h, err := d.host.netlink()
	if err != nil {
		return false
	}
	defer h.Close()
	names := []string{r.guest}
	if s.Public != nil {
		names = append(names, r.public)
	}
	for _, name := range names {
		link, err := h.LinkByName(name)
		if err != nil || link.Attrs().MasterIndex == 0 || link.Attrs().RawFlags&unix.IFF_LOWER_UP == 0 {
			return false
		}
	}
	return true
}

// removeFiles removes files that may be gone already.
func removeFiles(dir string, names ...string) error {
	for _, name := range names {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
