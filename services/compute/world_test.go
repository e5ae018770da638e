package compute_test

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"gorm.io/gorm"

	"aerie/drivers"
	"aerie/drivers/sim"
	"aerie/services/command"
	"aerie/services/compute"
	"aerie/services/config"
	"aerie/services/iam"
	"aerie/services/image"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/network"
	"aerie/services/storage"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

// world is a simulated data centre with all services.
type world struct {
	t      testing.TB
	db     *store.DB
	center *sim.Center
	zone   infra.Zone
	iam    *iam.Service
	servers
	admin context.Context
}

// servers is what one server runs.
type servers struct {
	engine   *job.Engine
	registry *command.Registry
	compute  *compute.Service
	net      *network.Service
	keeper   *infra.Keeper
}

func newWorld(t testing.TB) *world { return newWorldOn(t, storetest.Open(t), 2) }

func newWorldOn(t testing.TB, db *store.DB, hosts int) *world {
	t.Helper()
	w := &world{t: t, db: db, center: sim.New(sim.Options{Dir: t.TempDir()})}
	w.iam = iam.New(db, iam.Options{Argon: iam.Argon{Time: 1, Memory: 64, Threads: 1}})
	w.must(w.iam.Bootstrap(t.Context(), "Test-password-1"))
	w.servers = w.server(job.New(db, job.Options{Name: "a"}))
	sys := store.System(t.Context(), "test world")
	w.check(db.Tx(sys, func(ctx context.Context) (err error) {
		for _, seed := range []func(context.Context) error{w.compute.Seed, w.net.Seed, w.compute.Storage.Seed} {
			if err := seed(ctx); err != nil {
				return err
			}
		}
		l := compute.LocalZone{Name: "local", Hypervisor: "Simulator", Simulated: true, PoolType: "SharedMountPoint", PoolPath: "/pool", ImagePath: "/images",
			Public: netip.MustParsePrefix("198.18.0.0/16"), Bridge: "cloudbr0", DNS: []netip.Addr{netip.MustParseAddr("9.9.9.9")}}
		for i := range hosts {
			l.Hosts = append(l.Hosts, compute.LocalHost{Name: fmt.Sprintf("sim-%d", i+1), URL: fmt.Sprintf("sim://sim-%d", i+1)})
		}
		if w.zone, err = w.compute.MakeLocal(ctx, l); err != nil {
			return err
		}
		root, err := w.iam.Root(ctx)
		if err != nil {
			return err
		}
		admin, err := w.iam.AccountByName(ctx, root.ID, "admin")
		if err != nil {
			return err
		}
		return w.compute.AddBuiltIn(ctx, w.zone, compute.BuiltIn{Name: "tiny", Path: "/images/tiny.qcow2", Hypervisor: "Simulator", Bytes: 64 << 20, Owner: admin.Owner()})
	}))
	w.check(w.keeper.Round(t.Context()))
	login, err := w.iam.Login(t.Context(), iam.LoginRequest{Username: "admin", Password: "Test-password-1"})
	w.check(err)
	w.admin = store.With(t.Context(), login.Principal.Actor)
	return w
}

// server is a further server on the world's database and data centre.
func (w *world) server(e *job.Engine) servers {
	c := config.New(w.db)
	fleet := infra.NewFleet(w.db, map[string]infra.Opener{"sim": func(_ context.Context, h infra.Host) (drivers.Driver, error) {
		u, err := url.Parse(h.URL)
		if err != nil {
			return nil, err
		}
		return w.center.Host(u.Host), nil
	}})
	images := image.New(image.Parts{DB: w.db, Jobs: e, Fleet: fleet, IAM: w.iam, Settings: image.DeclareSettings(c)})
	s := servers{engine: e, net: network.New(w.db, fleet, w.iam), keeper: infra.NewKeeper(w.db, fleet)}
	s.compute = compute.New(compute.Parts{DB: w.db, Jobs: e, Fleet: fleet, IAM: w.iam, Images: images, Net: s.net,
		Storage: storage.New(w.db, fleet, images), Settings: compute.DeclareSettings(c),
		Origin: func(context.Context) *url.URL { return &url.URL{Scheme: "https", Host: "portal.test"} }})
	s.registry = &command.Registry{DB: w.db, Jobs: e, Directory: w.iam}
	e.Finish, e.Notify = s.registry.Finish, s.registry.Notify
	s.registry.Add(s.compute.Commands()...)
	s.compute.Refs(s.registry.Ref)
	images.Refs(s.registry.Ref)
	for kind, exists := range map[string]func(context.Context, string) (bool, error){
		"zone": of[infra.Zone](w.db), "host": of[infra.Host](w.db), "storagepool": of[infra.Pool](w.db), "network": of[network.Network](w.db),
		"diskoffering": of[storage.Offering](w.db), "user": of[iam.User](w.db),
	} {
		s.registry.Ref(kind, exists)
	}
	s.registry.Check()
	return s
}

func of[T any](db *store.DB) func(context.Context, string) (bool, error) {
	return func(ctx context.Context, id string) (bool, error) { return store.Exists[T](ctx, db, id) }
}

func (w *world) must(_ any, err error) { w.t.Helper(); w.check(err) }

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// call runs a command and its job to the end.
func (w *world) call(ctx context.Context, name string, params ...string) any {
	w.t.Helper()
	out, err := w.try(ctx, name, params...)
	w.check(err)
	return out
}

func (w *world) try(ctx context.Context, name string, params ...string) (any, error) {
	w.t.Helper()
	v := url.Values{}
	for i := 0; i < len(params); i += 2 {
		v.Set(params[i], params[i+1])
	}
	_, out, err := w.registry.Call(ctx, name, v)
	if a, ok := out.(command.Accepted); ok && err == nil {
		w.work()
		var row job.Row
		w.check(w.db.In(store.System(ctx, "test")).Take(&row, "id = ?", a.JobID).Error)
		if row.Status != job.Succeeded {
			return out, fmt.Errorf("job %s: %s: %s", row.Kind, row.Status, row.Error)
		}
		if a.ID == "" {
			return command.Accepted{ID: row.ObjectID, JobID: a.JobID}, nil
		}
	}
	return out, err
}

// work does all jobs that are due.
func (w *world) work() {
	w.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		n, err := w.engine.Once(w.t.Context())
		w.check(err)
		if n == 0 || time.Now().After(deadline) {
			return
		}
	}
}

func (w *world) id(model any, where string, args ...any) string {
	w.t.Helper()
	var ids []string
	w.check(w.db.In(store.System(w.t.Context(), "test")).Model(model).Where(where, args...).Limit(1).Pluck("id", &ids).Error)
	if len(ids) == 0 {
		w.t.Fatalf("no %T where %s", model, where)
	}
	return ids[0]
}

func (w *world) deploy(ctx context.Context, name string, more ...string) string {
	w.t.Helper()
	out := w.call(ctx, "deployVirtualMachine", append([]string{"zoneid", w.zone.ID, "name", name,
		"serviceofferingid", w.id(&compute.Offering{}, "name = ?", "Small Instance"), "templateid", w.id(&image.Template{}, "name = ?", "tiny")}, more...)...)
	return out.(command.Accepted).ID
}

func (w *world) vm(id string) compute.VM {
	w.t.Helper()
	sys := store.System(w.t.Context(), "test")
	vm, err := gorm.G[compute.VM](w.db.In(sys).Unscoped()).Where("id = ?", id).Take(sys)
	w.check(err)
	return vm
}
