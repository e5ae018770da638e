package audit_test

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"aerie/drivers"
	"aerie/drivers/sim"
	"aerie/services/audit"
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

// world is a simulated data centre with the services that fill it.
type world struct {
	t        testing.TB
	db       *store.DB
	center   *sim.Center
	iam      *iam.Service
	fleet    *infra.Fleet
	compute  *compute.Service
	engine   *job.Engine
	registry *command.Registry
	zone     infra.Zone
	sys      context.Context
	admin    context.Context
}

func newWorld(t testing.TB) *world {
	t.Helper()
	db := storetest.Open(t)
	w := &world{t: t, db: db, center: sim.New(sim.Options{Dir: t.TempDir(), NoImageLock: true}), sys: store.System(t.Context(), "test")}
	w.iam = iam.New(db, iam.Options{Argon: iam.Argon{Time: 1, Memory: 64, Threads: 1}})
	if _, err := w.iam.Bootstrap(t.Context(), "Test-password-1"); err != nil {
		t.Fatal(err)
	}
	w.wire()
	w.check(db.Tx(w.sys, w.fill))
	w.check(infra.NewKeeper(db, w.fleet).Round(t.Context()))
	login, err := w.iam.Login(t.Context(), iam.LoginRequest{Username: "admin", Password: "Test-password-1"})
	w.check(err)
	w.admin = store.With(t.Context(), login.Principal.Actor)
	return w
}

// wire makes the services.
func (w *world) wire() {
	w.engine = job.New(w.db, job.Options{Name: "test"})
	c := config.New(w.db)
	w.fleet = infra.NewFleet(w.db, map[string]infra.Opener{"sim": func(_ context.Context, h infra.Host) (drivers.Driver, error) {
		u, err := url.Parse(h.URL)
		if err != nil {
			return nil, err
		}
		return w.center.Host(u.Host), nil
	}})
	images := image.New(image.Parts{DB: w.db, Jobs: w.engine, Fleet: w.fleet, IAM: w.iam, Settings: image.DeclareSettings(c)})
	w.compute = compute.New(compute.Parts{
		DB: w.db, Jobs: w.engine, Fleet: w.fleet, IAM: w.iam, Images: images,
		Net: network.New(w.db, w.fleet, w.iam), Storage: storage.New(w.db, w.fleet, images), Settings: compute.DeclareSettings(c),
		Origin: func(context.Context) *url.URL { return &url.URL{Scheme: "https", Host: "portal.test"} },
	})
	w.registry = &command.Registry{DB: w.db, Jobs: w.engine, Directory: w.iam}
	w.engine.Finish, w.engine.Notify = w.registry.Finish, w.registry.Notify
	w.registry.Add(w.compute.Commands()...)
	w.compute.Refs(w.registry.Ref)
	images.Refs(w.registry.Ref)
	for kind, exists := range map[string]func(context.Context, string) (bool, error){
		"zone": of[infra.Zone](w.db), "host": of[infra.Host](w.db), "storagepool": of[infra.Pool](w.db), "network": of[network.Network](w.db),
		"diskoffering": of[storage.Offering](w.db), "user": of[iam.User](w.db),
	} {
		w.registry.Ref(kind, exists)
	}
}

// fill makes offerings, a zone of two hosts and a template.
func (w *world) fill(ctx context.Context) (err error) {
	for _, seed := range []func(context.Context) error{w.compute.Seed, w.compute.Net.Seed, w.compute.Storage.Seed} {
		if err := seed(ctx); err != nil {
			return err
		}
	}
	l := compute.LocalZone{
		Name: "local", Hypervisor: "Simulator", Simulated: true, PoolType: "SharedMountPoint", PoolPath: "/pool",
		ImagePath: "/nowhere/images", Public: netip.MustParsePrefix("198.18.0.0/16"), Bridge: "cloudbr0", DNS: []netip.Addr{netip.MustParseAddr("9.9.9.9")},
	}
	for i := range 2 {
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
}

func of[T any](db *store.DB) func(context.Context, string) (bool, error) {
	return func(ctx context.Context, id string) (bool, error) { return store.Exists[T](ctx, db, id) }
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// call runs a command and its job to the end and returns what it is about.
func (w *world) call(name string, params ...string) string {
	w.t.Helper()
	v := url.Values{}
	for i := 0; i < len(params); i += 2 {
		v.Set(params[i], params[i+1])
	}
	_, out, err := w.registry.Call(w.admin, name, v)
	w.check(err)
	a, ok := out.(command.Accepted)
	if !ok {
		return ""
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		if n, err := w.engine.Once(w.t.Context()); n == 0 || err != nil {
			w.check(err)
			break
		}
	}
	var row job.Row
	w.check(w.db.In(w.sys).Take(&row, "id = ?", a.JobID).Error)
	if row.Status != job.Succeeded {
		w.t.Fatalf("%s: job is %s: %s", name, row.Status, row.Error)
	}
	return row.ObjectID
}

func (w *world) id(model any, where string, args ...any) string {
	w.t.Helper()
	var ids []string
	w.check(w.db.In(w.sys).Model(model).Where(where, args...).Limit(1).Pluck("id", &ids).Error)
	if len(ids) == 0 {
		w.t.Fatalf("no %T where %s", model, where)
	}
	return ids[0]
}

func (w *world) deploy(name string, more ...string) string {
	w.t.Helper()
	return w.call("deployVirtualMachine", append([]string{
		"zoneid", w.zone.ID, "name", name,
		"serviceofferingid", w.id(&compute.Offering{}, "name = ?", "Small Instance"), "templateid", w.id(&image.Template{}, "name = ?", "tiny"),
	}, more...)...)
}

// set changes rows behind everybody's back.
func (w *world) set(model any, column string, value any, where string, args ...any) {
	w.t.Helper()
	var n int64
	w.check(w.db.Tx(w.sys, func(ctx context.Context) error {
		res := w.db.In(ctx).Unscoped().Model(model).Where(where, args...).UpdateColumn(column, value)
		n = res.RowsAffected
		return res.Error
	}))
	if n == 0 {
		w.t.Fatalf("no %T where %s", model, where)
	}
}

func (w *world) create(row any) {
	w.t.Helper()
	w.check(w.db.Tx(w.sys, func(ctx context.Context) error { return w.db.In(ctx).Create(row).Error }))
}

// drop removes rows for good, as nobody should.
func (w *world) drop(model any, where string, args ...any) {
	w.t.Helper()
	w.check(w.db.Tx(w.sys, func(ctx context.Context) error {
		return w.db.In(ctx).Unscoped().Where(where, args...).Delete(model).Error
	}))
}

func (w *world) audit() []audit.Finding {
	w.t.Helper()
	found, err := audit.Run(w.t.Context(), audit.Parts{DB: w.db, Fleet: w.fleet, IAM: w.iam, Pause: time.Millisecond})
	w.check(err)
	return found
}
