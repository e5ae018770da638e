package audit

import (
	"context"
	"net/netip"
	"regexp"
	"slices"

	"gorm.io/gorm"

	"aerie/drivers"
	"aerie/services/network"
)

// routers: the routers on hosts are those of the rows, as they were applied.
func routers(ctx context.Context, l *look) ([]Finding, error) {
	rows, err := l.routerRows(ctx)
	if err != nil {
		return nil, err
	}
	var out list
	there := map[string]drivers.RouterState{} // routers on their hosts
	for _, h := range l.up() {
		for _, st := range h.routers {
			r, ok := rows[st.ID]
			switch {
			case !ok:
				out.add("router", "router/"+st.ID, "%s has a router without a row", h.Name)
			case r.HostID == h.ID:
				there[r.ID] = st
			case !l.busy[r.NetworkID]:
				out.add("router", "router/"+st.ID, "%s has the router %s, which belongs on %s", h.Name, r.Name, l.name(r.HostID))
			}
		}
	}
	for _, r := range rows {
		if h := l.hosts[r.HostID]; h != nil && h.silent == nil && !l.busy[r.NetworkID] {
			st, ok := there[r.ID]
			l.router(&out, r, h, st, ok)
		}
	}
	return out, nil
}

func (l *look) routerRows(ctx context.Context) (map[string]network.Router, error) {
	list, err := gorm.G[network.Router](l.DB.In(ctx)).Find(ctx)
	rows := map[string]network.Router{}
	for _, r := range list {
		rows[r.ID] = r
	}
	return rows, err
}

// router compares a router that nothing is changing with its row.
func (l *look) router(out *list, r network.Router, h *host, st drivers.RouterState, there bool) {
	subject := "router/" + r.ID
	n, ok := l.nets[r.NetworkID]
	switch {
	case !ok:
		out.add("router", subject, "%s serves a network that is not there", r.Name)
	case n.State != network.Implemented:
	case !there:
		out.add("router", subject, "%s is not on %s, where its row says it is", r.Name, h.Name)
	case r.Applied < n.Generation:
		out.add("router", subject, "%s has generation %d of its network, which is at %d", r.Name, r.Applied, n.Generation)
	case st.Hash != r.Hash:
		out.add("router", subject, "%s on %s is not what was applied to it last", r.Name, h.Name)
	}
}

// leases: a router gives an address to exactly the cards of its network. A card
// whose instance was never started need not be known to it yet.
func leases(ctx context.Context, l *look) ([]Finding, error) {
	rows, err := l.routerRows(ctx)
	if err != nil {
		return nil, err
	}
	nics, err := gorm.G[network.NIC](l.DB.In(ctx)).Select("id", "vm_id", "network_id", "ip").Where("ip <> ''").Find(ctx)
	if err != nil {
		return nil, err
	}
	byNet := map[string][]network.NIC{}
	for _, nic := range nics {
		byNet[nic.NetworkID] = append(byNet[nic.NetworkID], nic)
	}
	var out list
	for _, h := range l.up() {
		for _, st := range h.routers {
			r, ok := rows[st.ID]
			n, live := l.nets[r.NetworkID]
			if !ok || !live || l.busy[n.ID] || r.HostID != h.ID || st.Hosts == nil || n.State != network.Implemented {
				continue
			}
			l.leasesOf(&out, r, st.Hosts, byNet[n.ID])
		}
	}
	return out, nil
}

func (l *look) leasesOf(out *list, r network.Router, given map[string]netip.Addr, nics []network.NIC) {
	known := map[string]bool{}
	for _, nic := range nics {
		known[nic.ID] = true
		ip, ok := given[nic.ID]
		switch {
		case ok && ip.String() != nic.IP:
			out.add("lease", "nic/"+nic.ID, "%s gives %s to a card that has %s", r.Name, ip, nic.IP)
		case !ok && running(l.vms[nic.VMID].State):
			out.add("lease", "nic/"+nic.ID, "%s does not know the card %s of %s, which runs", r.Name, nic.IP, l.vms[nic.VMID].InstanceName)
		}
	}
	for id, ip := range given {
		if !known[id] {
			out.add("lease", "nic/"+id, "%s still gives %s to a card that is not there", r.Name, ip)
		}
	}
}

// guestBridge is a bridge of drivers.BridgeName.
var guestBridge = regexp.MustCompile(`^ab[0-9a-f]{12}$`)

// bridges: a guest bridge belongs to a network.
func bridges(_ context.Context, l *look) ([]Finding, error) {
	var names []string
	for id := range l.nets {
		names = append(names, drivers.BridgeName(id))
	}
	slices.Sort(names)
	var out list
	for _, h := range l.up() {
		for _, b := range h.bridges {
			if _, ok := slices.BinarySearch(names, b); !ok && guestBridge.MatchString(b) {
				out.add("bridge", "host/"+h.ID+"/"+b, "%s has the bridge %s of a network that is not there", h.Name, b)
			}
		}
	}
	return out, nil
}
