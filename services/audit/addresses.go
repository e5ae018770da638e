package audit

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/network"
	"aerie/services/placement"
)

// nicAddresses: an address of a network is taken exactly when a card has it.
func nicAddresses(ctx context.Context, l *look) ([]Finding, error) {
	nics, err := gorm.G[network.NIC](l.DB.In(ctx)).Select("id", "network_id", "ip").Where("ip <> ''").Find(ctx)
	if err != nil {
		return nil, err
	}
	want := map[string]seat{}
	for _, nic := range nics {
		want[nic.ID] = seat{"ip:" + nic.NetworkID, nic.IP}
	}
	return l.seats(ctx, "nic", want)
}

// publicAddresses: a public address is taken exactly when its row is there.
func publicAddresses(ctx context.Context, l *look) ([]Finding, error) {
	ips, err := gorm.G[network.PublicIP](l.DB.In(ctx)).Find(ctx)
	if err != nil {
		return nil, err
	}
	want := map[string]seat{}
	for _, ip := range ips {
		want[ip.ID] = seat{"public:" + ip.ZoneID, ip.Address}
	}
	return l.seats(ctx, "public", want)
}

// seat is an address in a pool.
type seat struct{ pool, address string }

// seats compares what owners have with what the pools have given.
func (l *look) seats(ctx context.Context, purpose string, want map[string]seat) ([]Finding, error) {
	given, err := gorm.G[placement.Allocation](l.DB.In(ctx)).Where("purpose = ?", purpose).Find(ctx)
	if err != nil {
		return nil, err
	}
	var out list
	taken := map[string]seat{}
	for _, a := range given {
		s := seat{a.Pool, network.Address(a.Value).String()}
		switch have, ok := want[a.Owner]; {
		case !ok:
			out.add("address", purpose+"/"+a.Owner, "%s in %s is taken by a row that is not there", s.address, s.pool)
		case have != s:
			out.add("address", purpose+"/"+a.Owner, "%s in %s is taken by one whose address is %s in %s", s.address, s.pool, have.address, have.pool)
		}
		taken[a.Owner] = s
	}
	for id, s := range want {
		if _, ok := taken[id]; !ok {
			out.add("address", purpose+"/"+id, "%s in %s is in use but not taken, and can be given to another", s.address, s.pool)
		}
	}
	return out, nil
}
