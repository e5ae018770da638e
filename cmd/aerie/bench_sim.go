package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"

	"aerie/drivers/sim"
	"aerie/services/compute"
	"aerie/services/iam"
	"aerie/services/image"
	"aerie/services/infra"
	"aerie/services/store"
)

type benchSim struct {
	Clients  int           `help:"How many deploy at once, each an account with a network of its own." default:"16"`
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
	what, err := r.choose(ctx)
	if err != nil {
		return err
	}
	tenants, err := r.tenants(ctx, c.Clients, what)
	if err != nil {
		return err
	}
	flush, err := flushes(r.Data)
	if err != nil {
		return err
	}
	statements, commits, cpu, began := r.db.Statements(), r.db.Commits(), burnt(), time.Now()
	took, err := r.storm(ctx, c.For, tenants)
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
func (r *rig) storm(ctx context.Context, during time.Duration, all []tenant) ([]time.Duration, error) {
	var mu sync.Mutex
	var each []time.Duration
	end := time.Now().Add(during)
	g, ctx := errgroup.WithContext(ctx)
	for _, t := range all {
		g.Go(func() error {
			for time.Now().Before(end) {
				began := time.Now()
				if _, err := r.runAs(ctx, t.caller, "deployVirtualMachine", t.what...); err != nil {
					return err
				}
				mu.Lock()
				each = append(each, time.Since(began))
				mu.Unlock()
			}
			return nil
		})
	}
	return each, g.Wait()
}

// tenant is an account without limits, with a network that is up.
type tenant struct {
	*caller
	what []string // of a deployment into the network
}

func (r *rig) tenants(ctx context.Context, n int, what []string) (all []tenant, err error) {
	for i := range n {
		t, err := r.tenant(ctx, fmt.Sprintf("bench-%d", i), what)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

func (r *rig) tenant(ctx context.Context, name string, what []string) (tenant, error) {
	var made struct {
		Account struct {
			DomainID string `json:"domainid"`
			Users    []struct {
				ID string `json:"id"`
			} `json:"user"`
		} `json:"account"`
	}
	err := r.client.decode(ctx, &made, "createAccount", "accounttype", "0", "username", name, "password", rand.Text(),
		"firstname", "Bench", "lastname", name, "email", name+"@localhost")
	if err != nil {
		return tenant{}, err
	}
	for _, kind := range []iam.Kind{iam.Instances, iam.Volumes, iam.CPUs, iam.Memory, iam.PrimaryStorage} {
		if _, _, err := r.client.get(ctx, "updateResourceLimit", "account", name, "domainid", made.Account.DomainID,
			"resourcetype", strconv.Itoa(int(kind)), "max", strconv.Itoa(iam.Unlimited)); err != nil {
			return tenant{}, err
		}
	}
	var keys struct {
		Pair struct {
			Key    string `json:"apikey"`
			Secret string `json:"secretkey"`
		} `json:"userkeys"`
	}
	if err := r.client.decode(ctx, &keys, "registerUserKeys", "id", made.Account.Users[0].ID); err != nil {
		return tenant{}, err
	}
	t := tenant{caller: &caller{base: r.client.base, key: keys.Pair.Key, secret: keys.Pair.Secret, http: r.client.http}}
	t.what, err = r.networkOf(ctx, t.caller, what)
	return t, err
}

// networkOf makes a network and its first instance, with which it comes up.
func (r *rig) networkOf(ctx context.Context, c *caller, what []string) ([]string, error) {
	var offerings struct {
		All []struct {
			ID string `json:"id"`
		} `json:"networkoffering"`
	}
	if err := c.decode(ctx, &offerings, "listNetworkOfferings", "availability", "Required", "guestiptype", "Isolated"); err != nil || len(offerings.All) == 0 {
		return nil, fmt.Errorf("no offering for a network: %w", err)
	}
	var made struct {
		Network struct {
			ID string `json:"id"`
		} `json:"network"`
	}
	err := c.decode(ctx, &made, "createNetwork", "name", "bench", "zoneid", what[1], "networkofferingid", offerings.All[0].ID,
		"gateway", "10.0.0.1", "netmask", "255.255.0.0")
	if err != nil {
		return nil, err
	}
	what = append(slices.Clone(what), "networkids", made.Network.ID)
	_, err = r.runAs(ctx, c, "deployVirtualMachine", what...)
	return what, err
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
