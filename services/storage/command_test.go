package storage_test

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/config"
	"aerie/services/iam"
	"aerie/services/image"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/storage"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

// world is storage's commands on an empty database.
type world struct {
	t           testing.TB
	db          *store.DB
	storage     *storage.Service
	registry    *command.Registry
	admin, user context.Context
}

func newWorld(t testing.TB) *world {
	t.Helper()
	db := storetest.Open(t)
	engine := job.New(db, job.Options{})
	fleet := infra.NewFleet(db, nil)
	who := iam.New(db, iam.Options{Argon: iam.Argon{Time: 1, Memory: 64, Threads: 1}})
	if _, err := who.Bootstrap(t.Context(), "Test-password-1"); err != nil {
		t.Fatal(err)
	}
	images := image.New(image.Parts{DB: db, Jobs: engine, Fleet: fleet, IAM: who, Settings: image.DeclareSettings(config.New(db))})
	w := &world{t: t, db: db, storage: storage.New(db, fleet, images), registry: &command.Registry{DB: db, Jobs: engine, Directory: who}}
	w.storage.IAM = who
	w.registry.Add(w.storage.Commands()...)
	w.storage.Refs(w.registry.Ref)
	for _, kind := range []string{"zone", "domain", "virtualmachine", "storagepool"} {
		w.registry.Ref(kind, func(context.Context, string) (bool, error) { return true, nil })
	}
	as := func(rank store.Rank) context.Context {
		return store.With(t.Context(), store.Actor{
			UserID: db.NewID(), Rank: rank,
			Owner: store.Owner{AccountID: db.NewID(), DomainID: db.NewID(), DomainPath: "/"},
		})
	}
	w.admin, w.user = as(store.Admin), as(store.User)
	return w
}

func call[T any](w *world, ctx context.Context, name string, params ...string) (out T, err error) {
	v := url.Values{}
	for i := 0; i < len(params); i += 2 {
		v.Set(params[i], params[i+1])
	}
	_, got, err := w.registry.Call(ctx, name, v)
	if err == nil {
		out = got.(T)
	}
	return out, err
}

func TestDiskOfferings(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		fact   string
		params []string
		want   string
	}{
		{"a size is needed", nil, "missing parameter disksize"},
		{"not both", []string{"customized", "true", "disksize", "5"}, "no size of its own"},
		{"disks are thin", []string{"disksize", "5", "provisioningtype", "fat"}, "valid are: thin"},
		{"no limits of rate yet", []string{"disksize", "5", "miniops", "100"}, "no storage here can guarantee operations"},
	} {
		_, err := call[storage.OfferingView](w, w.admin, "createDiskOffering", append([]string{"name", "x"}, c.params...)...)
		if err == nil || !strings.Contains(command.Explain(err, "createDiskOffering", command.Admin).Text, c.want) {
			t.Errorf("%s: %v", c.fact, err)
		}
	}
	made, err := call[storage.OfferingView](w, w.admin, "createDiskOffering", "name", "five", "disksize", "5", "tags", "ssd")
	if err != nil || made.SizeGiB != 5 || made.State != "Active" {
		t.Fatal(made, err)
	}
	for _, c := range []struct {
		state string
		want  int
	}{{"Inactive", 0}, {"Active", 1}} {
		if _, err := call[storage.OfferingView](w, w.admin, "updateDiskOffering", "id", made.ID, "state", c.state); err != nil {
			t.Fatal(err)
		}
		got, err := call[command.List[storage.OfferingView]](w, w.user, "listDiskOfferings")
		if err != nil || got.Count != c.want {
			t.Errorf("%s: %d, %v", c.state, got.Count, err)
		}
	}
	if _, err := call[command.Success](w, w.admin, "deleteDiskOffering", "id", made.ID); err != nil {
		t.Fatal(err)
	}
	if got, err := call[command.List[storage.OfferingView]](w, w.admin, "listDiskOfferings", "id", made.ID); err != nil || got.Count != 0 {
		t.Error(got, err)
	}
}

// TestAnOfferingOfADomain is seen by the domain and by those below, not by others.
func TestAnOfferingOfADomain(t *testing.T) {
	w := newWorld(t)
	sys := store.System(t.Context(), "test")
	check(t, w.db.Tx(sys, func(ctx context.Context) error {
		for _, d := range []iam.Domain{{Number: 101, Name: "a", Path: "/101/"}, {Number: 7, Name: "b", Path: "/101/7/"}, {Number: 1017, Name: "c", Path: "/1017/"}} {
			d.ID, d.State, d.FullName, d.FullKey = w.db.NewID(), "Active", d.Name, new(d.Name)
			if err := gorm.G[iam.Domain](w.db.In(ctx)).Create(ctx, &d); err != nil {
				return err
			}
			o := storage.Offering{Row: store.Row{ID: w.db.NewID()}, Name: d.Name, State: "Active", Display: true, DomainIDs: d.ID}
			if err := gorm.G[storage.Offering](w.db.In(ctx)).Create(ctx, &o); err != nil {
				return err
			}
		}
		return nil
	}))
	for path, want := range map[string]string{"/": "", "/101/": "a", "/101/7/": "a,b", "/1017/": "c", "/101/8/": "a"} {
		ctx := store.With(t.Context(), store.Actor{UserID: "u", Owner: store.Owner{AccountID: "x", DomainID: "x", DomainPath: path}})
		got, err := call[command.List[storage.OfferingView]](w, ctx, "listDiskOfferings")
		check(t, err)
		var names []string
		for _, o := range got.Items {
			names = append(names, o.Name)
		}
		slices.Sort(names)
		if strings.Join(names, ",") != want {
			t.Errorf("%s sees %v, want %s", path, names, want)
		}
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestListVolumes(t *testing.T) {
	w := newWorld(t)
	actor, _ := store.From(w.user)
	vm := w.db.NewID()
	w.storage.Instances = func(_ context.Context, ids []string) (map[string]storage.Instance, error) {
		for _, id := range ids {
			if id != vm {
				t.Errorf("asks for %v", ids)
			}
		}
		return map[string]storage.Instance{vm: {Name: "web", State: "Running", Hypervisor: "KVM"}}, nil
	}
	check(t, w.db.Tx(store.System(t.Context(), "test"), func(ctx context.Context) error {
		pool := infra.Pool{Row: store.Row{ID: w.db.NewID()}, ZoneID: "z", Name: "p", Scope: "ZONE", Factor: 1, State: "Up"}
		if err := gorm.G[infra.Pool](w.db.In(ctx)).Create(ctx, &pool); err != nil {
			return err
		}
		list := []storage.Volume{
			{Row: store.Row{ID: w.db.NewID()}, Owned: store.Owned(actor.Owner), Name: "ROOT-1", Type: storage.Root, State: storage.Ready, VMID: vm, PoolID: pool.ID, Bytes: 1 << 30},
			{Row: store.Row{ID: w.db.NewID()}, Owned: store.Owned(actor.Owner), Name: "data", Type: storage.Data, State: storage.Allocated, Bytes: 2 << 30},
		}
		return gorm.G[storage.Volume](w.db.In(ctx)).CreateInBatches(ctx, &list, 2)
	}))
	for _, c := range []struct {
		who    context.Context
		params []string
		want   int
	}{
		{w.user, nil, 2},
		{w.user, []string{"type", "root"}, 1},
		{w.user, []string{"virtualmachineid", vm}, 1},
		{w.user, []string{"keyword", "at"}, 1},
		{w.admin, nil, 0},
		{w.admin, []string{"listall", "true"}, 2},
	} {
		got, err := call[command.List[storage.View]](w, c.who, "listVolumes", c.params...)
		check(t, err)
		if got.Count != c.want {
			t.Errorf("%v: %d, want %d", c.params, got.Count, c.want)
		}
		for _, v := range got.Items {
			if v.Type == storage.Root && (v.VMName != "web" || v.VMState != "Running" || v.PoolName != "p" || v.Size != 1<<30 || *v.DeviceID != 0) {
				t.Errorf("the root disk: %+v", v)
			}
		}
	}
}
