package network_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"aerie/drivers"
	"aerie/drivers/sim"
	"aerie/locales"
	"aerie/services/command"
	"aerie/services/config"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/network"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

// world is a simulated zone with the commands of infra and network, and a
// clock of the test's own.
type world struct {
	t           testing.TB
	now         time.Time
	db          *store.DB
	center      *sim.Center
	engine      *job.Engine
	registry    *command.Registry
	net         *network.Service
	iam         *iam.Service
	admin, user context.Context
	zone, host  string
	busy        bool // whether an instance runs
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	w.db = storetest.OpenWith(t, func() time.Time { return w.now })
	w.center, w.engine = sim.New(sim.Options{Dir: t.TempDir()}), job.New(w.db, job.Options{})
	fleet := infra.NewFleet(w.db, map[string]infra.Opener{"sim": func(_ context.Context, h infra.Host) (drivers.Driver, error) {
		u, err := url.Parse(h.URL)
		if err != nil {
			return nil, err
		}
		return w.center.Host(u.Host), nil
	}})
	w.iam = iam.New(w.db, iam.Options{Argon: iam.Argon{Time: 1, Memory: 64, Threads: 1}})
	if _, err := w.iam.Bootstrap(t.Context(), "Test-password-1"); err != nil {
		t.Fatal(err)
	}
	place := infra.New(infra.Parts{DB: w.db, Jobs: w.engine, Fleet: fleet, Keeper: infra.NewKeeper(w.db, fleet)})
	w.net = network.New(w.db, fleet, w.iam)
	w.net.Define(w.engine, network.DeclareSettings(config.New(w.db)))
	w.net.Busy = func(_ context.Context, ids []string) (map[string]bool, error) {
		return map[string]bool{ids[0]: w.busy}, nil
	}
	place.Holders, place.Addresses = append(place.Holders, w.net.Holds), w.net.Addresses
	w.registry = &command.Registry{DB: w.db, Jobs: w.engine, Directory: w.iam}
	w.engine.Finish, w.engine.Notify = w.registry.Finish, w.registry.Notify
	w.registry.Add(place.Commands()...)
	w.registry.Add(w.net.Commands()...)
	place.Refs(w.registry.Ref)
	w.net.Refs(w.registry.Ref)
	w.registry.Ref("domain", func(ctx context.Context, id string) (bool, error) { return store.Exists[iam.Domain](ctx, w.db, id) })
	w.registry.Check()
	w.people()
	w.place()
	return w
}

func (w *world) people() {
	w.t.Helper()
	login, err := w.iam.Login(w.t.Context(), iam.LoginRequest{Username: "admin", Password: "Test-password-1"})
	w.check(err)
	w.admin = store.With(w.t.Context(), login.Principal.Actor)
	account, user, err := w.iam.CreateAccount(w.admin, iam.CreateAccount{RoleID: iam.RoleUser, User: iam.NewUser{Username: "user", Password: "Test-password-1"}})
	w.check(err)
	w.user = store.With(w.t.Context(), store.Actor{UserID: user.ID, Rank: store.User, RoleID: account.RoleID, Owner: account.Owner()})
	w.check(w.db.Tx(store.System(w.t.Context(), "test"), w.net.Seed))
}

// place makes a zone with a host and 198.18.0.10 to 198.18.0.12.
func (w *world) place() {
	w.t.Helper()
	w.zone = id(w.call("createZone", "name", "z1", "networktype", "Advanced", "dns1", "9.9.9.9", "internaldns1", "9.9.9.9", "allocationstate", "Enabled"))
	pod := id(w.call("createPod", "zoneid", w.zone, "name", "p1"))
	w.host = id(w.call("addHost", "zoneid", w.zone, "podid", pod, "clustername", "c1", "hypervisor", "Simulator", "url", "sim://h1"))
	physical := id(w.call("createPhysicalNetwork", "zoneid", w.zone, "name", "n1"))
	w.call("updatePhysicalNetwork", "id", physical, "state", "Enabled")
	w.call("addTrafficType", "physicalnetworkid", physical, "traffictype", "Public", "kvmnetworklabel", "cloudbr0")
	w.call("addTrafficType", "physicalnetworkid", physical, "traffictype", "Guest")
	w.call("createVlanIpRange", "zoneid", w.zone, "gateway", "198.18.0.1", "netmask", "255.255.255.0", "startip", "198.18.0.10", "endip", "198.18.0.12")
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) call(name string, params ...string) map[string]any {
	w.t.Helper()
	out, err := w.try(w.admin, name, params...)
	if err != nil {
		w.t.Fatalf("%s: %v", name, err)
	}
	return out
}

func (w *world) try(ctx context.Context, name string, params ...string) (map[string]any, error) {
	w.t.Helper()
	v := url.Values{}
	for i := 0; i < len(params); i += 2 {
		v.Set(params[i], params[i+1])
	}
	c, out, err := w.registry.Call(ctx, name, v)
	if err != nil {
		return nil, err
	}
	if a, ok := out.(command.Accepted); ok {
		return w.finish(a)
	}
	return w.decode(c.Body(command.Admin, out)), nil
}

// one is the first element of a list or the element of an object.
func one(body map[string]any) map[string]any {
	for _, v := range body {
		switch v := v.(type) {
		case map[string]any:
			return v
		case []any:
			return v[0].(map[string]any)
		}
	}
	return nil
}

func id(body map[string]any) string {
	s, _ := one(body)["id"].(string)
	return s
}

// refusal is the English text of what a command refused.
func (w *world) refusal(name string, params ...string) string {
	w.t.Helper()
	_, err := w.try(w.admin, name, params...)
	if err == nil {
		w.t.Fatalf("%s is not refused", name)
	}
	f := command.Explain(err, name, command.Admin)
	if f.Code != 431 {
		w.t.Errorf("%s: code %d: %v", name, f.Code, err)
	}
	for _, field := range fault.Of(err).Order {
		if key := fault.Of(err).Fields[field].Key; !locales.Has(key) {
			w.t.Errorf("no text for %s", key)
		}
	}
	return f.Text
}

// offering is the id of the offering with source NAT.
func (w *world) offering() string {
	w.t.Helper()
	return id(w.call("listNetworkOfferings", "name", "DefaultIsolatedNetworkOfferingWithSourceNatService"))
}

// implement gives a network its router, as a deployment does.
func (w *world) implement(networkID string) {
	w.t.Helper()
	sys := store.System(w.t.Context(), "test")
	w.check(w.db.Tx(sys, func(ctx context.Context) error {
		n, err := w.net.Get(ctx, networkID)
		if err != nil {
			return err
		}
		host, err := store.Find[infra.Host](ctx, w.db, w.host)
		if err != nil {
			return err
		}
		return w.net.Prepare(ctx, &n, host)
	}))
	w.check(w.net.Apply(sys, networkID))
}

func (w *world) state(networkID string) string {
	w.t.Helper()
	n, err := w.net.Get(store.System(w.t.Context(), "test"), networkID)
	w.check(err)
	return string(n.State)
}
