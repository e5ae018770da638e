package audit

import (
	"context"
	"time"

	"gorm.io/gorm"

	"aerie/services/compute"
	"aerie/services/network"
	"aerie/services/storage"
)

// orphans: what belongs to an instance or a network goes with it.
func orphans(ctx context.Context, l *look) ([]Finding, error) {
	g := l.DB.In(ctx)
	vm := func(table string) *gorm.DB {
		return g.Model(&compute.VM{}).Where("vms.id = " + table + ".vm_id").Select("1")
	}
	net := func(table string) *gorm.DB {
		return g.Model(&network.Network{}).Where("networks.id = " + table + ".network_id").Select("1")
	}
	var out list
	for _, o := range []struct {
		kind, text string
		model      any
		where      string
		parent     *gorm.DB
	}{
		{"nic", "a card is left of an instance that is gone", &network.NIC{}, "", vm("nics")},
		{"nic", "a card is in a network that is gone", &network.NIC{}, "", net("nics")},
		{"volume", "a volume is attached to an instance that is gone", &storage.Volume{}, "vm_id <> ''", vm("volumes")},
		{"router", "a router is left of a network that is gone", &network.Router{}, "", net("routers")},
		{"publicipaddress", "a public address is left of a network that is gone", &network.PublicIP{}, "network_id <> ''", net("public_ips")},
	} {
		q := g.Model(o.model).Where("NOT EXISTS (?)", o.parent)
		if o.where != "" {
			q = q.Where(o.where)
		}
		var ids []string
		if err := q.Limit(1000).Pluck("id", &ids).Error; err != nil {
			return out, err
		}
		for _, id := range ids {
			out.add("orphan", o.kind+"/"+id, "%s", o.text)
		}
	}
	return out, nil
}

// keepTickets is how long a console's ticket may lie about after its end.
const keepTickets = 25 * time.Hour

// tickets: tickets of consoles that ended long ago are gone.
func tickets(ctx context.Context, l *look) ([]Finding, error) {
	var n int64
	err := l.DB.In(ctx).Model(&compute.Ticket{}).Where("expires_at < ?", l.DB.Now().Add(-keepTickets)).Count(&n).Error
	var out list
	if n > 0 {
		out.add("ticket", "consoleticket", "%d console tickets ended more than %v ago and are still there", n, keepTickets)
	}
	return out, err
}
