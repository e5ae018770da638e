package infra_test

import (
	"context"
	"net/url"
	"testing"

	"aerie/drivers"
	"aerie/drivers/sim"
	"aerie/locales"
	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

// world is a simulated data centre with infra's commands.
type world struct {
	t        testing.TB
	db       *store.DB
	center   *sim.Center
	engine   *job.Engine
	registry *command.Registry
	infra    *infra.Service
	admin    context.Context
}

func newWorld(t testing.TB) *world {
	db := storetest.Open(t)
	w := &world{t: t, db: db, center: sim.New(sim.Options{Dir: t.TempDir()}), engine: job.New(db, job.Options{})}
	fleet := infra.NewFleet(db, map[string]infra.Opener{"sim": func(_ context.Context, h infra.Host) (drivers.Driver, error) {
		u, err := url.Parse(h.URL)
		if err != nil {
			return nil, err
		}
		return w.center.Host(u.Host), nil
	}})
	w.infra = infra.New(infra.Parts{DB: db, Jobs: w.engine, Fleet: fleet, Keeper: infra.NewKeeper(db, fleet)})
	w.registry = &command.Registry{DB: db, Jobs: w.engine}
	w.engine.Finish, w.engine.Notify = w.registry.Finish, w.registry.Notify
	w.registry.Add(w.infra.Commands()...)
	w.infra.Refs(w.registry.Ref)
	w.registry.Ref("domain", func(ctx context.Context, id string) (bool, error) { return store.Exists[iam.Domain](ctx, db, id) })
	w.registry.Check()
	w.admin = store.With(t.Context(), store.Actor{UserID: "u", Rank: store.Admin, Owner: store.Owner{AccountID: "a", DomainID: "d", DomainPath: "/"}})
	return w
}

// call runs a command as the administrator, with its job, and returns the
// reply's body.
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
	for _, field := range append([]string{}, fault.Of(err).Order...) {
		key := fault.Of(err).Fields[field].Key
		if !locales.Has(key) {
			w.t.Errorf("no text for %s", key)
		}
	}
	return f.Text
}

// place makes a zone, a pod, a cluster and a host.
func (w *world) place() (zone, pod, cluster, host string) {
	w.t.Helper()
	zone = id(w.call("createZone", "name", "z1", "networktype", "Advanced", "dns1", "9.9.9.9", "internaldns1", "9.9.9.9", "allocationstate", "Enabled"))
	pod = id(w.call("createPod", "zoneid", zone, "name", "p1"))
	cluster = id(w.call("addCluster", "zoneid", zone, "podid", pod, "clustername", "c1", "clustertype", "CloudManaged", "hypervisor", "Simulator"))
	host = id(w.call("addHost", "zoneid", zone, "podid", pod, "clusterid", cluster, "hypervisor", "Simulator", "url", "sim://h1"))
	return zone, pod, cluster, host
}
