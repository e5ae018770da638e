package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"gorm.io/gorm"

	"aerie/services/compute"
	"aerie/services/infra"
	"aerie/services/network"
	"aerie/services/storage"
	"aerie/services/store"
)

type benchLists struct {
	Rows     []int  `help:"How many instances there are, in turn." default:"1000,25000"`
	Rounds   int    `help:"Calls of each kind." default:"15"`
	Database string `help:"An empty database, sqlite:PATH or mysql:USER:PASS@tcp(HOST:PORT)/DB; SQLite in a folder of its own by default."`
}

const pageSize = 500

// Run seeds rows and lists them, in turn with the bare query of the same rows.
func (c benchLists) Run(ctx context.Context, out io.Writer) (err error) {
	load(out)
	r, err := newRig(ctx, c.Database, false, vast())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.stop()) }()
	have := 0
	for _, n := range c.Rows {
		if err := r.seedVMs(ctx, have, n); err != nil {
			return err
		}
		have = max(have, n)
		if err := c.measure(ctx, out, r, have); err != nil {
			return err
		}
	}
	return nil
}

func (c benchLists) measure(ctx context.Context, out io.Writer, r *rig, n int) error {
	var first, page, one, bare []time.Duration
	var size int
	for i := range c.Rounds + 1 {
		body, took, err := r.client.get(ctx, "listVirtualMachines", "listall", "true", "page", "1", "pagesize", fmt.Sprint(pageSize))
		if err != nil {
			return err
		}
		if err := checkPage(body, n); err != nil {
			return err
		}
		size = len(body)
		if i == 0 {
			first = append(first, took)
			continue
		}
		page = append(page, took)
		rows, ids, err := r.bare(ctx)
		if err != nil {
			return err
		}
		bare = append(bare, rows)
		if _, took, err = r.client.get(ctx, "listVirtualMachines", "id", ids[len(ids)/2]); err != nil {
			return err
		}
		one = append(one, took)
	}
	quiet := steady(bare)
	api, sql := quantile(page, 0.5), quantile(bare, 0.5)
	fmt.Fprintf(out, "%6d instances: page of %d to the last byte p50 %s (first call %s), %d KiB; bare query of the rows p50 %s (%.1f×); one instance p50 %s; %s\n",
		n, min(n, pageSize), ms(api), ms(first[0]), size>>10, ms(sql), float64(api)/float64(sql), ms(quantile(one, 0.5)), quiet)
	return nil
}

// checkPage wants the right number of rows and the right count.
func checkPage(body []byte, n int) error {
	var a struct {
		In struct {
			Count int               `json:"count"`
			VMs   []json.RawMessage `json:"virtualmachine"`
		} `json:"listvirtualmachinesresponse"`
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return err
	}
	if a.In.Count != n || len(a.In.VMs) != min(n, pageSize) {
		return fmt.Errorf("listed %d of %d instances, there are %d", len(a.In.VMs), a.In.Count, n)
	}
	return nil
}

// bare reads the same page as text: its rows with their cards and disks, and
// the count. It is the floor under any list that asks the database.
func (r *rig) bare(ctx context.Context) (time.Duration, []string, error) {
	ctx = store.System(ctx, "bench")
	g := r.db.In(ctx)
	began := time.Now()
	var n int64
	if err := g.Model(&compute.VM{}).Count(&n).Error; err != nil {
		return 0, nil, err
	}
	ids, err := drain(g.Model(&compute.VM{}).Order("created_at DESC, id DESC").Limit(pageSize))
	if err != nil {
		return 0, nil, err
	}
	for _, model := range []any{&network.NIC{}, &storage.Volume{}} {
		if _, err := drain(g.Model(model).Where("vm_id IN ?", ids)); err != nil {
			return 0, nil, err
		}
	}
	return time.Since(began), ids, nil
}

// drain reads all columns of all rows and keeps the first, their ids.
func drain(q *gorm.DB) (ids []string, err error) {
	rows, err := q.Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	cells, into := make([][]byte, len(columns)), make([]any, len(columns))
	for i := range cells {
		into[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		ids = append(ids, string(cells[0]))
	}
	return ids, rows.Err()
}

// networks makes so many guest networks.
func (r *rig) networks(n int) (ids []string, err error) {
	err = r.db.Tx(r.admin, func(ctx context.Context) error {
		ids = nil
		zone, err := gorm.G[infra.Zone](r.db.In(ctx)).Take(ctx)
		if err != nil {
			return err
		}
		o, err := gorm.G[network.Offering](r.db.In(ctx)).Where("availability = ?", "Required").Take(ctx)
		if err != nil {
			return err
		}
		who, _ := store.From(ctx)
		for i := range n {
			at := netip.AddrFrom4([4]byte{10, byte(i >> 4), byte(i << 4), 0})
			made, err := r.net.Create(ctx, network.Wanted{Name: fmt.Sprintf("bench-%d", i), Zone: zone, Offering: o, Owner: who.Owner, Prefix: netip.PrefixFrom(at, 20)})
			if err != nil {
				return err
			}
			ids = append(ids, made.ID)
		}
		return nil
	})
	return ids, err
}

// seedVMs writes instances with a card and a disk, numbers from to below n.
// They are rows only: no host knows them.
func (r *rig) seedVMs(ctx context.Context, from, n int) error {
	nets, err := r.networks(min(1, max(0, 1-from)))
	if err != nil {
		return err
	}
	sys := store.System(ctx, "bench")
	if len(nets) == 0 {
		if err := r.db.In(sys).Model(&network.Network{}).Limit(1).Pluck("id", &nets).Error; err != nil {
			return err
		}
	}
	what, err := r.choose(ctx)
	if err != nil {
		return err
	}
	const batch = 250
	for at := from; at < n; at += batch {
		if err := r.db.Tx(sys, func(ctx context.Context) error { return r.seedBatch(ctx, at, min(at+batch, n), nets[0], what) }); err != nil {
			return err
		}
	}
	return nil
}

func (r *rig) seedBatch(ctx context.Context, from, to int, net string, what []string) error {
	who, _ := store.From(r.admin)
	zone, offering, template := what[1], what[3], what[5]
	var host string
	if err := r.db.In(ctx).Table("hosts").Limit(1).Pluck("id", &host).Error; err != nil {
		return err
	}
	var vms []compute.VM
	var nics []network.NIC
	var vols []storage.Volume
	now := r.db.Now()
	for i := from; i < to; i++ {
		vm := compute.VM{
			Row: store.Row{ID: r.db.NewID()}, Owned: store.Owned(who.Owner), Name: fmt.Sprintf("vm-%d", i), DisplayName: fmt.Sprintf("Instance %d", i),
			InstanceName: fmt.Sprintf("i-2-%d-VM", i), State: compute.Running, ZoneID: zone, HostID: host, LastHostID: host, OfferingID: offering, TemplateID: template,
			Hypervisor: "Simulator", CPUs: 1, MHz: 500, MemoryMiB: 512, Display: true, Details: "{}", OSType: "Debian GNU/Linux 12 (64-bit)", UserID: who.UserID, StartedAt: &now,
		}
		ip := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		vms = append(vms, vm)
		nics = append(nics, network.NIC{
			Row: store.Row{ID: r.db.NewID()}, Owned: vm.Owned, VMID: vm.ID, NetworkID: net,
			MAC: fmt.Sprintf("02:00:00:%02x:%02x:%02x", byte(i>>16), byte(i>>8), byte(i)), IP: ip.String(), IsDefault: true,
		})
		vols = append(vols, storage.Volume{
			Row: store.Row{ID: r.db.NewID()}, Owned: vm.Owned, Name: "ROOT-" + vm.InstanceName, Type: storage.Root,
			State: storage.Ready, ZoneID: zone, VMID: vm.ID, AttachedAt: &now, TemplateID: template, ServiceOfferingID: offering, Bytes: 96 << 20,
		})
	}
	g := r.db.In(ctx)
	return errors.Join(g.Create(&vms).Error, g.Create(&nics).Error, g.Create(&vols).Error)
}
