package network

import (
	"context"
	"net/netip"

	"gorm.io/gorm"

	"aerie/drivers"
	"aerie/services/fault"
	"aerie/services/placement"
	"aerie/services/store"
)

// NICRequest asks for a card in a network.
type NICRequest struct {
	ID      string // UUID of the card, chosen by the caller so that twice is once
	VMID    string
	Network Network
	Device  int
	Default bool
	IP      string // this address; empty means any
	MAC     string // this hardware address; empty means a new one
}

// AddNIC makes a card with an address of its network. It belongs in a
// transaction, and the router must be told by Touch.
func (s *Service) AddNIC(ctx context.Context, r NICRequest) (NIC, error) {
	if r.Network.State == Destroy {
		return NIC{}, fault.New(fault.Conflict, "error.network_state", "name", r.Network.Name, "state", string(Destroy))
	}
	ip, err := s.takeIP(ctx, r)
	if err != nil {
		return NIC{}, err
	}
	if r.MAC == "" {
		if r.MAC, err = s.mac(); err != nil {
			return NIC{}, err
		}
	} else if err := s.freeMAC(ctx, r); err != nil {
		return NIC{}, err
	}
	nic := NIC{
		Row: store.Row{ID: r.ID}, Owned: r.Network.Owned, VMID: r.VMID, NetworkID: r.Network.ID,
		Device: r.Device, MAC: r.MAC, IP: ip, IsDefault: r.Default,
	}
	return nic, gorm.G[NIC](s.db.In(ctx)).Create(ctx, &nic)
}

// freeMAC refuses a wanted address that is none, or that another card of the
// network has: its router could not tell the two apart.
func (s *Service) freeMAC(ctx context.Context, r NICRequest) error {
	if !drivers.IsMAC(r.MAC) {
		return fault.Param("macaddress", "error.mac", "value", r.MAC)
	}
	n, err := gorm.G[NIC](s.db.In(ctx)).Where("network_id = ? AND mac = ?", r.Network.ID, r.MAC).Count(ctx, "id")
	if err == nil && n > 0 {
		err = fault.Param("macaddress", "error.mac_taken", "value", r.MAC)
	}
	return err
}

func (s *Service) takeIP(ctx context.Context, r NICRequest) (string, error) {
	if r.Network.CIDR == "" { // an L2 network has no addresses of its own
		return "", nil
	}
	first, last, err := usable(r.Network)
	if err != nil {
		return "", err
	}
	want := placement.Want{Pool: ipPool(r.Network.ID), Purpose: "nic", Owner: r.ID, First: first, Last: last}
	if r.IP != "" {
		addr, err := netip.ParseAddr(r.IP)
		if err != nil || !addr.Is4() || addr.String() == r.Network.Gateway {
			return "", fault.Param("ipaddress", "error.ip", "value", r.IP, "cidr", r.Network.CIDR)
		}
		want.Exactly = Number(addr)
	}
	n, err := placement.Allocate(ctx, s.db, want)
	if fault.Is(err, fault.NoCapacity) && r.IP != "" {
		return "", fault.Param("ipaddress", "error.ip_taken", "value", r.IP, "cidr", r.Network.CIDR)
	}
	if err != nil {
		return "", err
	}
	return Address(n).String(), nil
}

func ipPool(networkID string) string { return "ip:" + networkID }

// usable is the run of addresses that guests may get: without the network, the
// gateway when it is the first, and the broadcast address.
func usable(n Network) (first, last int64, err error) {
	p, err := n.Prefix()
	if err != nil {
		return 0, 0, err
	}
	base := Number(p.Masked().Addr())
	size := int64(1) << (32 - p.Bits())
	first, last = base+1, base+size-2
	gw, err := netip.ParseAddr(n.Gateway)
	if err != nil {
		return 0, 0, err
	}
	switch Number(gw) {
	case first:
		first++
	case last:
		last--
	}
	return first, last, nil
}

// DropNIC takes a card away and frees its address; one that is gone is success.
func (s *Service) DropNIC(ctx context.Context, id string) error {
	if err := placement.Free(ctx, s.db, "nic", id); err != nil {
		return err
	}
	_, err := gorm.G[NIC](s.db.In(ctx)).Where("id = ?", id).Delete(ctx)
	return err
}

// Touch says that the routers of these networks have something to learn; Apply
// makes them learn it. It belongs in the transaction of the change.
func (s *Service) Touch(ctx context.Context, networkIDs ...string) error {
	_, err := gorm.G[Network](s.db.In(ctx)).Where("id IN ?", networkIDs).Update(ctx, "generation", gorm.Expr("generation + 1"))
	return err
}
