package placement_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/infra"
	"aerie/services/placement"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

// world is a zone of hosts with room for four of a Need each.
type world struct {
	*testing.T
	db    *store.DB
	ctx   context.Context
	zone  string
	hosts []infra.Host
}

const room = 4

func newWorld(t *testing.T, db *store.DB, hosts int) *world {
	w := &world{T: t, db: db, ctx: store.System(t.Context(), "test"), zone: db.NewID()}
	pod := infra.Pod{Row: store.Row{ID: db.NewID()}, ZoneID: w.zone, Name: "p", AllocationState: infra.Enabled}
	cluster := infra.Cluster{Row: store.Row{ID: db.NewID()}, ZoneID: w.zone, PodID: pod.ID, Name: "c", AllocationState: infra.Enabled}
	for i := range hosts {
		w.hosts = append(w.hosts, infra.Host{
			Row: store.Row{ID: db.NewID()}, ZoneID: w.zone, PodID: pod.ID, ClusterID: cluster.ID, Name: fmt.Sprintf("h%d", i+1),
			URL: fmt.Sprintf("sim://%s-%d", w.zone, i), Hypervisor: "KVM", State: infra.HostUp, ResourceState: string(infra.Enabled),
			TotalMhz: room * 500, TotalMib: room * 512, Tags: fmt.Sprintf("ssd,h%d", i+1),
		})
	}
	w.tx(func(g *gorm.DB) error {
		for _, rows := range []any{&pod, &cluster, &w.hosts} {
			if err := g.Create(rows).Error; err != nil {
				return err
			}
		}
		return nil
	})
	return w
}

func (w *world) tx(fn func(g *gorm.DB) error) {
	w.Helper()
	if err := w.db.Tx(w.ctx, func(ctx context.Context) error { return fn(w.db.In(ctx)) }); err != nil {
		w.Fatal(err)
	}
}

func (w *world) need(change func(*placement.Need)) placement.Need {
	n := placement.Need{Entity: w.db.NewID(), ZoneID: w.zone, Hypervisor: "KVM", Mhz: 500, Mib: 512}
	if change != nil {
		change(&n)
	}
	return n
}

func (w *world) claim(n placement.Need) (h infra.Host, err error) {
	err = w.db.Tx(w.ctx, func(ctx context.Context) error {
		h, err = placement.Host(ctx, w.db, n)
		return err
	})
	return h, err
}

func (w *world) release(entity string) {
	w.Helper()
	if err := w.db.Tx(w.ctx, func(ctx context.Context) error { return placement.Release(ctx, w.db, entity) }); err != nil {
		w.Error(err)
	}
}

// used fails the test unless so many claims are held, by the claims and by the
// hosts' own counters.
func (w *world) used(want int) {
	w.Helper()
	var hosts []infra.Host
	var claims []placement.Claim
	g := w.db.In(w.ctx)
	if err := g.Where("zone_id = ?", w.zone).Find(&hosts).Error; err != nil {
		w.Fatal(err)
	}
	if err := g.Where("host_id IN (?)", g.Model(&infra.Host{}).Where("zone_id = ?", w.zone).Select("id")).Find(&claims).Error; err != nil {
		w.Fatal(err)
	}
	mhz, mib := int64(0), int64(0)
	for _, h := range hosts {
		if h.UsedMhz > h.TotalMhz || h.UsedMib > h.TotalMib || h.UsedMhz < 0 || h.UsedMib < 0 {
			w.Errorf("%s has %d of %d MHz and %d of %d MiB in use", h.Name, h.UsedMhz, h.TotalMhz, h.UsedMib, h.TotalMib)
		}
		mhz, mib = mhz+h.UsedMhz, mib+h.UsedMib
	}
	if len(claims) != want || mhz != int64(want)*500 || mib != int64(want)*512 {
		w.Errorf("%d claims, %d MHz, %d MiB; want %d claims", len(claims), mhz, mib, want)
	}
}

func (w *world) change(host int, set map[string]any) {
	w.Helper()
	w.tx(func(g *gorm.DB) error {
		return g.Model(&infra.Host{}).Where("id = ?", w.hosts[host].ID).Updates(set).Error
	})
}

// TestNoMoreThanThereIs: of many at once exactly as many win as there is room.
func TestNoMoreThanThereIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), 3)
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 2 * 3 * room {
		wg.Go(func() {
			_, err := w.claim(w.need(nil))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case !fault.Is(err, fault.NoCapacity):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won != 3*room {
		t.Errorf("%d won, want %d", won, 3*room)
	}
	w.used(3 * room)
}

// TestOneClaimEach: who claims several times, also at once, has one claim, and
// who gives back several times gives back once.
func TestOneClaimEach(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), 2)
	n := w.need(nil)
	first, err := w.claim(n)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if h, err := w.claim(n); err != nil || h.ID != first.ID {
				t.Errorf("%s, %v; want %s", h.Name, err, first.Name)
			}
		})
	}
	wg.Wait()
	w.used(1)
	for range 8 {
		wg.Go(func() { w.release(n.Entity) })
	}
	wg.Wait()
	w.used(0)
}

// TestARolledBackClaimIsNone: claims belong to their transactions.
func TestARolledBackClaimIsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), 1)
	changed := fault.New(fault.Conflict, "error.internal")
	err := w.db.Tx(w.ctx, func(ctx context.Context) error {
		if _, err := placement.Host(ctx, w.db, w.need(nil)); err != nil {
			return err
		}
		return changed
	})
	if !fault.Is(err, fault.Conflict) {
		t.Fatal(err)
	}
	w.used(0)
}

func TestWhichHost(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	down := map[string]any{"state": infra.HostDown}
	for _, c := range []struct {
		fact  string
		need  func(*world, *placement.Need)
		hosts map[int]map[string]any
		want  string // "" for none
		why   string
	}{
		{"the one that was asked for", func(w *world, n *placement.Need) { n.HostID = w.hosts[1].ID }, nil, "h2", ""},
		{"it alone", func(w *world, n *placement.Need) { n.HostID = w.hosts[1].ID }, map[int]map[string]any{1: down}, "", "h1: not the host that was asked for"},
		{"the preferred one", func(w *world, n *placement.Need) { n.Prefer = w.hosts[0].ID }, nil, "h1", ""},
		{
			"another than the preferred one when that is full", func(w *world, n *placement.Need) { n.Prefer = w.hosts[0].ID },
			map[int]map[string]any{0: {"used_mib": room * 512}},
			"h2", "",
		},
		{"the one with the tag", func(_ *world, n *placement.Need) { n.Tags = "ssd,h2" }, nil, "h2", ""},
		{"none has the tag", func(_ *world, n *placement.Need) { n.Tags = "gpu" }, nil, "", "lacks the tags gpu"},
		{"not one that is down", nil, map[int]map[string]any{0: down}, "h2", ""},
		{"not one in maintenance", nil, map[int]map[string]any{1: {"resource_state": "Maintenance"}}, "h1", ""},
		{"all are down", nil, map[int]map[string]any{0: down, 1: down}, "", "is Down"},
		{"another hypervisor", func(_ *world, n *placement.Need) { n.Hypervisor = "VMware" }, nil, "", "runs KVM, not VMware"},
		{"too much memory", func(_ *world, n *placement.Need) { n.Mib = room*512 + 1 }, nil, "", "MiB free, needs 2049"},
		{"too much CPU", func(_ *world, n *placement.Need) { n.Mhz = room*500 + 1 }, nil, "", "MHz free, needs 2001"},
		{"all of a host", func(w *world, n *placement.Need) { n.Mib, n.Mhz, n.HostID = room*512, room*500, w.hosts[0].ID }, nil, "h1", ""},
		{"another zone", func(w *world, n *placement.Need) { n.ZoneID = w.db.NewID() }, nil, "", "the zone has no hosts"},
	} {
		t.Run(c.fact, func(t *testing.T) {
			w := newWorld(t, db, 2)
			for host, set := range c.hosts {
				w.change(host, set)
			}
			n := w.need(nil)
			if c.need != nil {
				c.need(w, &n)
			}
			h, err := w.claim(n)
			if h.Name != c.want || (err == nil) != (c.want != "") {
				t.Errorf("%q, %v; want %q", h.Name, err, c.want)
			}
			if err != nil && (!fault.Is(err, fault.NoCapacity) || !strings.Contains(err.Error(), c.why)) {
				t.Errorf("%v; want %q", err, c.why)
			}
		})
	}
}

// TestClosedPodsAndClusters take nothing new.
func TestClosedPodsAndClusters(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	for _, model := range []any{&infra.Pod{}, &infra.Cluster{}} {
		w := newWorld(t, db, 1)
		w.tx(func(g *gorm.DB) error {
			return g.Model(model).Where("zone_id = ?", w.zone).Update("allocation_state", infra.Disabled).Error
		})
		if _, err := w.claim(w.need(nil)); !fault.Is(err, fault.NoCapacity) {
			t.Errorf("%T: %v", model, err)
		}
		w.used(0)
	}
}

// TestHostsTakeTurnsByTheStoresDice: all hosts are used, and the same dice give
// the same hosts.
func TestHostsTakeTurnsByTheStoresDice(t *testing.T) {
	t.Parallel()
	order := func() (out []string) {
		db, err := store.Open(t.Context(), store.Config{DSN: storetest.DSN(t), Key: storetest.Key, Rand: dice()})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, db, 4)
		for range 4 * room {
			h, err := w.claim(w.need(nil))
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, h.Name)
		}
		w.used(4 * room)
		return out
	}
	one, other := order(), order()
	if !slices.Equal(one, other) {
		t.Errorf("%v, then %v", one, other)
	}
	if slices.IsSorted(one) {
		t.Errorf("first fit: %v", one)
	}
}

func dice() io.Reader { return rand.NewChaCha8([32]byte{1}) }

func (w *world) allocate(want placement.Want) (v int64, err error) {
	err = w.db.Tx(w.ctx, func(ctx context.Context) error {
		v, err = placement.Allocate(ctx, w.db, want)
		return err
	})
	return v, err
}

// TestValuesAreHeldByOneEach: of many at once all get a value of their own while
// there are any.
func TestValuesAreHeldByOneEach(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), 1)
	const values = 12
	var wg sync.WaitGroup
	var mu sync.Mutex
	held := map[int64]int{}
	for i := range 2 * values {
		wg.Go(func() {
			v, err := w.allocate(placement.Want{Pool: "p", Purpose: "nic", Owner: fmt.Sprint(i), First: 10, Last: 10 + values - 1})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				held[v]++
			} else if !fault.Is(err, fault.NoCapacity) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(held) != values {
		t.Errorf("%d values are held, want %d", len(held), values)
	}
	for v, n := range held {
		if n != 1 || v < 10 || v >= 10+values {
			t.Errorf("%d is held %d times", v, n)
		}
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), 1)
	want := func(owner string) placement.Want {
		return placement.Want{Pool: "p", Purpose: "nic", Owner: owner, First: 1, Last: 3}
	}
	exactly := func(owner string, v int64) placement.Want {
		x := want(owner)
		x.Exactly = v
		return x
	}
	for _, step := range []struct {
		fact string
		free string
		want placement.Want
		v    int64 // 0: refused
	}{
		{"upwards from the first", "", want("a"), 1},
		{"the same again", "", want("a"), 1},
		{"the next", "", want("b"), 2},
		{"what was freed below the highest rests", "a", want("c"), 3},
		{"until the top is reached", "", want("d"), 1},
		{"none is left", "", want("e"), 0},
		{"this one is taken", "", exactly("e", 3), 0},
		{"this one is not in the range", "b", exactly("e", 4), 0},
		{"this one is free", "", exactly("e", 2), 2},
		{"another pool is another matter", "", placement.Want{Pool: "q", Purpose: "nic", Owner: "a", First: 1, Last: 3}, 1},
	} {
		if step.free != "" {
			w.tx(func(g *gorm.DB) error { return placement.Free(g.Statement.Context, w.db, "nic", step.free) })
		}
		v, err := w.allocate(step.want)
		if v != step.v && err == nil || (err == nil) != (step.v != 0) || err != nil && !fault.Is(err, fault.NoCapacity) {
			t.Errorf("%s: %d, %v; want %d", step.fact, v, err, step.v)
		}
	}
}
