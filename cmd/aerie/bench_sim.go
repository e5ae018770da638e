package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"

	"aerie/drivers/sim"
	"aerie/services/compute"
	"aerie/services/image"
	"aerie/services/infra"
	"aerie/services/network"
	"aerie/services/store"
)

type benchSim struct {
	Clients  int           `help:"How many deploy at once, each in a network of its own." default:"16"`
	For      time.Duration `help:"How long." default:"10s"`
	Database string        `help:"An empty database, sqlite:PATH or mysql:USER:PASS@tcp(HOST:PORT)/DB; SQLite in a folder of its own by default."`
}

// vast is a data centre without delays that is never full.
func vast() sim.Options {
	return sim.Options{Size: sim.Size{CPUs: 4096, CPUMHz: 3000, MemoryMiB: 1 << 30}, Pool: 1 << 52}
}

// Run deploys as fast as it can. Figures include the HTTP API, signatures and
// the client. The loops of a server (heartbeats, sweeps) do not run.
func (c benchSim) Run(ctx context.Context, out io.Writer) (err error) {
	load(out)
	r, err := newRig(ctx, c.Database, false, vast())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.stop()) }()
	nets, err := r.networks(c.Clients)
	if err != nil {
		return err
	}
	what, err := r.choose(ctx)
	if err != nil {
		return err
	}
	for _, n := range nets { // a network comes up with its first instance; that is not measured
		if _, err := r.run(ctx, "deployVirtualMachine", append(what, "networkids", n)...); err != nil {
			return err
		}
	}
	flush, err := flushes(r.Data)
	if err != nil {
		return err
	}
	statements, commits, cpu, began := r.db.Statements(), r.db.Commits(), burnt(), time.Now()
	took, err := r.storm(ctx, c.For, nets, what)
	if err != nil {
		return err
	}
	n, wall := float64(len(took)), time.Since(began)
	fmt.Fprintf(out, "%d clients, %d deployments in %.1f s: %.0f/s, p50 %s, p99 %s\n", c.Clients, len(took), wall.Seconds(), n/wall.Seconds(),
		ms(quantile(took, 0.5)), ms(quantile(took, 0.99)))
	fmt.Fprintf(out, "per deployment: %.1f statements, %.2f commits, %s CPU with its client; fdatasync p50 %d µs\n",
		float64(r.db.Statements()-statements)/n, float64(r.db.Commits()-commits)/n, ms((burnt()-cpu)/time.Duration(len(took))), flush.Microseconds())
	return r.sound(ctx, out)
}

// storm deploys until the time is over and returns how long each took, from
// the call until it runs.
func (r *rig) storm(ctx context.Context, during time.Duration, nets, what []string) ([]time.Duration, error) {
	var mu sync.Mutex
	var all []time.Duration
	end := time.Now().Add(during)
	g, ctx := errgroup.WithContext(ctx)
	for _, n := range nets {
		g.Go(func() error {
			args := append(append([]string{}, what...), "networkids", n)
			for time.Now().Before(end) {
				began := time.Now()
				if _, err := r.run(ctx, "deployVirtualMachine", args...); err != nil {
					return err
				}
				mu.Lock()
				all = append(all, time.Since(began))
				mu.Unlock()
			}
			return nil
		})
	}
	return all, g.Wait()
}

// sound says what an audit finds afterwards: speed that leaves a mess is none.
func (r *rig) sound(ctx context.Context, out io.Writer) error {
	found, _, err := r.audit(ctx, time.Second)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "audit afterwards: %d findings\n", len(found))
	for _, f := range found[:min(len(found), 10)] {
		fmt.Fprintln(out, " ", f)
	}
	return nil
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

// choose is the parameters of a small instance.
func (r *rig) choose(ctx context.Context) ([]string, error) {
	sys := store.System(ctx, "bench")
	g := r.db.In(sys)
	zone, err := gorm.G[infra.Zone](g).Take(sys)
	if err != nil {
		return nil, err
	}
	o, err := gorm.G[compute.Offering](g).Where("customized = ?", false).Order("memory_mib, mhz").Take(sys)
	if err != nil {
		return nil, err
	}
	t, err := gorm.G[image.Template](g).Take(sys)
	return []string{"zoneid", zone.ID, "serviceofferingid", o.ID, "templateid", t.ID}, err
}
