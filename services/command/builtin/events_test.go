package builtin_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"aerie/services/command"
	"aerie/services/command/builtin"
	"aerie/services/event"
	"aerie/services/job"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

var ann = store.Owner{AccountID: "ann", DomainID: "d1", DomainPath: "/1/"}

type lists struct {
	testing.TB
	db  *store.DB
	reg *command.Registry
	now time.Time
}

func newLists(t testing.TB) *lists {
	l := &lists{TB: t, now: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)}
	l.db = storetest.OpenWith(t, func() time.Time { return l.now })
	jobs := job.New(l.db, job.Options{Name: "a"})
	l.reg = &command.Registry{DB: l.db, Jobs: jobs}
	for _, kind := range []string{"zone", "pod"} {
		l.reg.Ref(kind, func(context.Context, string) (bool, error) { return true, nil })
	}
	s := &builtin.Service{Registry: l.reg, DB: l.db}
	s.Register()
	s.Define(jobs)
	l.reg.Check()
	jobs.Finish, jobs.Notify = l.reg.Finish, l.reg.Notify
	return l
}

func as(t testing.TB, r store.Rank) context.Context {
	return store.With(context.Background(), store.Actor{UserID: "u", Owner: ann, Rank: r})
}

// seed writes many events at once, half of them ann's.
func (l *lists) seed(n int) {
	l.Helper()
	ctx := store.System(context.Background(), "seed")
	rows := make([]event.Row, 0, 500)
	for i := range n {
		l.now = l.now.Add(time.Millisecond)
		owner := ann
		if i%2 == 1 {
			owner = store.Owner{AccountID: "bob", DomainID: "d2", DomainPath: "/2/"}
		}
		kind := "VM.START"
		if i%100_000 == 0 {
			kind = "VM.RARE"
		}
		rows = append(rows, event.Row{ID: l.db.NewID(), CreatedAt: l.now, Type: kind, Level: event.Info, State: event.Completed, Owned: store.Owned(owner), ResourceID: strconv.Itoa(i)})
		if len(rows) == cap(rows) || i == n-1 {
			if err := l.db.Tx(ctx, func(ctx context.Context) error { return l.db.In(ctx).Create(&rows).Error }); err != nil {
				l.Fatal(err)
			}
			rows = rows[:0]
		}
	}
}

func (l *lists) events(ctx context.Context, args ...string) command.List[builtin.EventView] {
	l.Helper()
	v := url.Values{}
	for _, a := range args {
		name, value, _ := strings.Cut(a, "=")
		v.Set(name, value)
	}
	_, out, err := l.reg.Call(ctx, "listEvents", v)
	if err != nil {
		l.Fatal(args, err)
	}
	return out.(command.List[builtin.EventView])
}

// TestPagesOfEvents: one page after the other holds every event once, whether
// or not the server remembers where the last one ended, and what comes meanwhile
// repeats nothing.
func TestPagesOfEvents(t *testing.T) {
	l := newLists(t)
	l.seed(101)
	ctx := as(t, store.User)
	seen := map[string]int{}
	for page := 1; page <= 6; page++ {
		got := l.events(ctx, fmt.Sprint("page=", page), "pagesize=10")
		for i, e := range got.Items {
			if want := strconv.Itoa(100 - 2*(10*(page-1)+i)); e.ResourceID != want {
				t.Errorf("page %d, row %d: %s, want %s", page, i, e.ResourceID, want)
			}
			seen[e.ID]++
		}
		if got.Count != 51 {
			t.Error("page", page, "counts", got.Count)
		}
		if page == 3 { // forgotten in between
			l.now = l.now.Add(2 * time.Minute)
		}
	}
	if len(seen) != 51 {
		t.Error(len(seen), "events were seen")
	}
	l.events(ctx, "page=1", "pagesize=10")
	l.seed(10)
	if got := l.events(ctx, "page=2", "pagesize=10"); got.Items[0].ResourceID != "80" {
		t.Error("page 2 begins anew with", got.Items[0].ResourceID)
	}
	if got := l.events(as(t, store.Admin), "listall=true", "page=2", "pagesize=10"); got.Count != 111 {
		t.Error("another reader has the first one's pages:", got.Count)
	}
}

// TestCountsAreCapped: of very many no more than ten thousand are counted, but
// there is always more to read until the end.
func TestCountsAreCapped(t *testing.T) {
	l := newLists(t)
	l.seed(10_500)
	ctx := as(t, store.Admin)
	for page, want := range map[int]int{1: 10_001, 21: 10_501, 22: 10_500} {
		if got := l.events(ctx, "listall=true", fmt.Sprint("page=", page), "pagesize=500"); got.Count != want && (page != 22 || got.Count < 10_500) {
			t.Errorf("page %d counts %d, want %d", page, got.Count, want)
		}
	}
}

// plan is how the database finds a page of a statement.
func (l *lists) plan(sql string, args ...any) string {
	l.Helper()
	ctx := store.System(context.Background(), "plan")
	explain := "EXPLAIN QUERY PLAN "
	if os.Getenv(storetest.Env) != "" {
		explain = "EXPLAIN "
	}
	rows, err := l.db.In(ctx).Raw(explain+sql, args...).Rows()
	if err != nil {
		l.Fatal(sql, err)
	}
	defer rows.Close()
	cols, _ := rows.Columns()
	var out []string
	for rows.Next() {
		cells := make([]any, len(cols))
		for i := range cells {
			cells[i] = new(any)
		}
		if err := rows.Scan(cells...); err != nil {
			l.Fatal(err)
		}
		for i := range cells {
			switch v := (*cells[i].(*any)).(type) {
			case []byte:
				out = append(out, string(v))
			default:
				out = append(out, fmt.Sprint(v))
			}
		}
	}
	if rows.Err() != nil {
		l.Fatal(rows.Err())
	}
	return strings.Join(out, " ")
}

// TestPlansOfEvents: pages come from an index in their order, nothing is sorted.
func TestPlansOfEvents(t *testing.T) {
	l := newLists(t)
	l.seed(3000)
	if os.Getenv(storetest.Env) != "" {
		if err := l.db.In(store.System(t.Context(), "plan")).Exec("ANALYZE TABLE events, alerts").Error; err != nil { //nolint:misspell // it is SQL
			t.Fatal(err)
		}
	}
	middle := floorOf(l.now)
	for _, c := range []struct {
		sql  string
		args []any
		want []string // one of these indexes
	}{
		{"SELECT id FROM events WHERE account_id = ? AND archived = ? AND id < ? ORDER BY id DESC LIMIT 50", []any{"ann", false, middle}, []string{"events_account"}},
		{"SELECT id FROM events WHERE archived = ? AND id < ? ORDER BY id DESC LIMIT 50", []any{false, middle}, []string{"events_all", "PRIMARY"}},
		{"SELECT id FROM events WHERE type = ? AND archived = ? AND id < ? ORDER BY id DESC LIMIT 50", []any{"VM.RARE", false, middle}, []string{"events_type"}},
		{"SELECT id FROM events WHERE level = ? AND archived = ? AND id < ? ORDER BY id DESC LIMIT 50", []any{"ERROR", false, middle}, []string{"events_level"}},
		{"SELECT id FROM events WHERE resource_id = ? AND archived + 0 = ? ORDER BY id DESC LIMIT 50", []any{"7", false}, []string{"events_resource"}},
		{"SELECT id FROM alerts WHERE archived = ? AND id < ? ORDER BY id DESC LIMIT 50", []any{false, middle}, []string{"alerts_all", "PRIMARY"}},
	} {
		got := l.plan(c.sql, c.args...)
		found := false
		for _, index := range c.want {
			found = found || strings.Contains(got, index)
		}
		if !found || strings.Contains(got, "TEMP B-TREE") || strings.Contains(got, "filesort") {
			t.Errorf("%s:\n%s", c.sql, got)
		}
	}
}

func floorOf(at time.Time) string { return fmt.Sprintf("%012x", at.UnixMilli())[:8] + "-ffff" }

func TestOperationsThatHang(t *testing.T) {
	l := newLists(t)
	sys := store.With(context.Background(), store.Actor{UserID: "u", Owner: ann})
	log := func(e event.Event) string {
		row, err := event.Log(sys, l.db, e)
		if err != nil {
			t.Fatal(err)
		}
		return row.ID
	}
	hangs := log(event.Event{Type: "VM.START", State: event.Scheduled})
	log(event.Event{Type: "VM.START", State: event.Started, StartID: hangs})
	done := log(event.Event{Type: "VM.STOP", State: event.Scheduled})
	log(event.Event{Type: "VM.STOP", State: event.Completed, StartID: done})
	l.now = l.now.Add(10 * time.Minute)
	log(event.Event{Type: "VM.REBOOT", State: event.Scheduled})
	l.now = l.now.Add(time.Minute)
	got := l.events(as(t, store.User), "duration=300", "entrytime=3600")
	if len(got.Items) != 1 || got.Items[0].ID != hangs {
		t.Errorf("%+v", got.Items)
	}
	for _, bad := range []url.Values{{"duration": {"3"}}, {"entrytime": {"3"}}, {"duration": {"60"}, "entrytime": {"60"}}} {
		if _, _, err := l.reg.Call(as(t, store.User), "listEvents", bad); err == nil {
			t.Error(bad, "is taken")
		}
	}
}

func TestGenerateAlert(t *testing.T) {
	l := newLists(t)
	engine := l.reg.Jobs.(*job.Engine)
	ask := func(ctx context.Context, v url.Values) error {
		_, _, err := l.reg.Call(ctx, "generateAlert", v)
		return err
	}
	good := url.Values{"description": {"the roof leaks"}, "name": {"ALERT.MANAGEMENT"}, "type": {"14"}}
	if err := ask(as(t, store.Admin), good); err != nil {
		t.Fatal(err)
	}
	for {
		n, err := engine.Once(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	_, out, err := l.reg.Call(as(t, store.Admin), "listAlerts", url.Values{"type": {"14"}})
	if alerts := out.(command.List[builtin.AlertView]); err != nil || alerts.Count != 1 || alerts.Items[0].Description != "the roof leaks" {
		t.Error(out, err)
	}
	if err := ask(as(t, store.Admin), url.Values{"description": {"x"}, "name": {"ALERT.CPU"}, "type": {"14"}}); err == nil {
		t.Error("the number of another kind")
	}
	if err := ask(as(t, store.DomainAdmin), good); err == nil {
		t.Error("a domain admin raises alerts")
	}
	_, out, err = l.reg.Call(as(t, store.Admin), "listAlertTypes", nil)
	if types := out.(command.List[builtin.AlertType]); err != nil || types.Count != len(event.Kinds()) {
		t.Error(out, err)
	}
}

// BenchmarkEvents reads pages of a list, the first and deep ones, of 100000
// events, or as many as AERIE_BENCH_EVENTS says: 5000000 are a large cloud's.
func BenchmarkEvents(b *testing.B) {
	n := 100_000
	if text := os.Getenv("AERIE_BENCH_EVENTS"); text != "" {
		n, _ = strconv.Atoi(text)
	}
	l := newLists(b)
	l.seed(n)
	for name, args := range map[string][]string{
		"first": {"page=1"}, "rare": {"page=1", "type=VM.RARE"}, "hundredth": {"page=100"}, "last": {fmt.Sprint("page=", n/2/50)},
	} {
		for who, rank := range map[string]store.Rank{"user": store.User, "root": store.Admin} {
			b.Run(name+"/"+who, func(b *testing.B) {
				for b.Loop() {
					l.events(as(b, rank), append(args, "pagesize=50", "listall=true")...)
				}
			})
		}
	}
}
