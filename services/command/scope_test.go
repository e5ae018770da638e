package command_test

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"gorm.io/gorm/clause"

	"aerie/services/command"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/job"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

// Two domains under ROOT, one below the other; a third whose path begins alike.
var (
	owners = map[string]store.Owner{
		"root": {AccountID: "root", DomainID: "d1", DomainPath: "/1/"},
		"ann":  {AccountID: "ann", DomainID: "d7", DomainPath: "/1/7/"},
		"boss": {AccountID: "boss", DomainID: "d7", DomainPath: "/1/7/"},
		"kid":  {AccountID: "kid", DomainID: "d8", DomainPath: "/1/7/8/"},
		"else": {AccountID: "else", DomainID: "d71", DomainPath: "/1/71/"},
	}
	ranks = map[string]store.Rank{"root": store.Admin, "boss": store.DomainAdmin}
	paths = map[string]string{"d1": "/1/", "d7": "/1/7/", "d8": "/1/7/8/", "d71": "/1/71/"}
)

// directory knows everyone, so that it is the scope itself that must hide.
type directory struct{}

func (directory) LookupAccount(_ context.Context, domain, name string) (store.Owner, error) {
	if o, ok := owners[name]; ok && o.DomainID == domain {
		return o, nil
	}
	return store.Owner{}, fault.Absent("account", name)
}

func (directory) LookupProject(_ context.Context, id string) (store.Project, error) {
	return store.Project{}, fault.Absent("projectid", id)
}

func (directory) LookupDomain(_ context.Context, id string) (string, error) {
	if p, ok := paths[id]; ok {
		return p, nil
	}
	return "", fault.Absent("id", id)
}

func as(t testing.TB, name string) context.Context {
	return store.With(t.Context(), store.Actor{UserID: name, Owner: owners[name], Rank: ranks[name]})
}

type listQuery struct {
	command.Paging
	command.Scope
	ID string `json:"id"`
}

type row struct {
	ID string `json:"id"`
}

type createQuery struct {
	command.Owner
	Name   string `json:"name"`
	Secret string `json:"password"`
	Fail   bool   `json:"fail"`
}

func world(t testing.TB) (*command.Registry, *store.DB) {
	t.Helper()
	db := storetest.Open(t)
	r := &command.Registry{DB: db, Directory: directory{}}
	// Events serve as the rows: they are owned.
	sys := store.System(t.Context(), "test")
	for name, o := range owners {
		e := event.Row{ID: name, Owned: store.Owned(o), Type: name}
		if err := db.Tx(sys, func(ctx context.Context) error { return db.In(ctx).Create(&e).Error }); err != nil {
			t.Fatal(err)
		}
	}
	r.Add(command.New(command.Meta{Name: "listThings", Object: "thing", Roles: command.Everyone},
		func(ctx context.Context, q listQuery) (command.List[row], error) {
			rows, err := q.Apply(ctx, db.In(ctx).Model(&event.Row{}), q.ID)
			if err != nil {
				return command.List[row]{}, err
			}
			page, n, err := command.Rows[event.Row](q.Search(command.Equal(rows, "id", q.ID), "type"), q.Paging, "id")
			return command.ListOf(page, n, func(e event.Row) row { return row{e.ID} }), err
		}),
		command.New(command.Meta{Name: "createThing", Object: "thing", Roles: command.Everyone, Event: "THING.CREATE"},
			func(ctx context.Context, q createQuery) (row, error) {
				ctx, err := q.Resolve(ctx)
				if err != nil {
					return row{}, err
				}
				e := event.Row{ID: db.NewID(), Type: "made"}
				if err := db.In(ctx).Create(&e).Error; err != nil {
					return row{}, err
				}
				command.About(ctx, event.Resource{Kind: "thing", ID: e.ID, Name: q.Name}, e.Owned.Owner())
				command.Changed(ctx, nil, map[string]string{"name": q.Name})
				if q.Fail {
					return row{}, errors.New("too late")
				}
				return row{e.ID}, nil
			}))
	return r, db
}

func TestScope(t *testing.T) {
	const absent = "!" // the call is refused and names that parameter
	tests := []struct {
		who, query, want string
	}{
		{"ann", "", "ann"},
		{"ann", "listall=true", "ann"},
		{"ann", "listall=true&isrecursive=true", "ann"},
		{"ann", "projectid=-1", "ann"},
		{"ann", "id=kid", ""},
		{"ann", "id=ann", "ann"},
		{"ann", "domainid=d7", "ann"},
		{"ann", "domainid=d7&isrecursive=true", "ann"},
		{"ann", "domainid=d71", absent + "domainid"},
		{"ann", "domainid=d8", absent + "domainid"},
		{"ann", "account=ann", "ann"},
		{"ann", "account=ann&domainid=d7", "ann"},
		{"ann", "account=boss", absent + "account"},
		{"ann", "account=kid&domainid=d8", absent + "domainid"},
		{"ann", "account=nobody", absent + "account"},
		{"boss", "", "boss"},
		{"boss", "isrecursive=true", "boss"},
		{"boss", "listall=true", "ann boss kid"},
		{"boss", "projectid=-1", "ann boss kid"},
		{"boss", "domainid=-1&listall=true", "ann boss kid"},
		{"boss", "id=kid", "kid"},
		{"boss", "id=else", ""},
		{"boss", "domainid=d7", "ann boss"},
		{"boss", "domainid=d7&isrecursive=true", "ann boss kid"},
		{"boss", "domainid=d8", "kid"},
		{"boss", "domainid=d71", absent + "domainid"},
		{"boss", "domainid=d1", absent + "domainid"},
		{"boss", "domainid=d1&isrecursive=true&listall=true", absent + "domainid"},
		{"boss", "account=ann", "ann"},
		{"boss", "account=kid", absent + "account"},
		{"boss", "account=kid&domainid=d8", "kid"},
		{"boss", "account=else&domainid=d71", absent + "domainid"},
		{"root", "", "root"},
		{"root", "listall=true", "ann boss else kid root"},
		{"root", "id=else", "else"},
		{"root", "domainid=d1", "root"},
		{"root", "domainid=d1&isrecursive=true", "ann boss else kid root"},
		{"root", "domainid=d7&isrecursive=true&listall=true", "ann boss kid"},
		{"root", "account=kid&domainid=d8", "kid"},
		{"root", "account=kid", absent + "account"},
		{"root", "account=ann&projectid=p", absent + "account"},
		{"root", "projectid=0199d3c4-0000-7000-8000-000000000001", absent + "projectid"},
		{"root", "domainid=nowhere", absent + "domainid"},
		{"root", "listall=true&keyword=n", "ann"},
		{"root", "listall=true&keyword=%25", ""},
		{"root", "listall=true&keyword=_", ""},
	}
	r, _ := world(t)
	for _, tt := range tests {
		t.Run(tt.who+"/"+tt.query, func(t *testing.T) {
			v, err := url.ParseQuery(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			_, out, err := r.Call(as(t, tt.who), "listThings", v)
			if param, refused := strings.CutPrefix(tt.want, absent); refused {
				if f := fault.Of(err); f.Kind.API != 431 || f.Fields[param] == nil {
					t.Errorf("got %v, %v", out, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			list := out.(command.List[row])
			ids := make([]string, len(list.Items))
			for i, item := range list.Items {
				ids[i] = item.ID
			}
			if got := strings.Join(ids, " "); got != tt.want || list.Count != len(ids) {
				t.Errorf("got %q (%d), want %q", got, list.Count, tt.want)
			}
		})
	}
}

func TestPagesTellTheWholeCount(t *testing.T) {
	r, _ := world(t)
	tests := []struct {
		query string
		ids   int
		count int
	}{
		{"page=1&pagesize=2", 2, 5}, {"page=3&pagesize=2", 1, 5}, {"page=4&pagesize=2", 0, 5}, {"page=1&pagesize=5", 5, 5}, {"pagesize=-1", 5, 5}, {"page=0&pagesize=3", 3, 5},
	}
	for _, tt := range tests {
		v, _ := url.ParseQuery("listall=true&" + tt.query)
		_, out, err := r.Call(as(t, "root"), "listThings", v)
		if err != nil {
			t.Fatal(err)
		}
		if l := out.(command.List[row]); len(l.Items) != tt.ids || l.Count != tt.count {
			t.Errorf("%s: %d of %d", tt.query, len(l.Items), l.Count)
		}
	}
}

func TestCreateForAnother(t *testing.T) {
	r, db := world(t)
	tests := []struct{ who, query, owner string }{
		{"ann", "", "ann"},
		{"ann", "account=ann", "ann"},
		{"ann", "account=boss", ""},
		{"ann", "domainid=d7", "ann"},
		{"ann", "domainid=d71", ""},
		{"boss", "account=kid&domainid=d8", "kid"},
		{"boss", "account=else&domainid=d71", ""},
		{"root", "account=else&domainid=d71", "else"},
		{"root", "account=else", ""},
		{"root", "projectid=p", ""},
	}
	for _, tt := range tests {
		v, _ := url.ParseQuery(tt.query + "&name=web&password=hush")
		_, out, err := r.Call(as(t, tt.who), "createThing", v)
		if (err != nil) != (tt.owner == "") {
			t.Errorf("%s %s: %v", tt.who, tt.query, err)
		}
		if err != nil {
			continue
		}
		made := out.(row)
		rows := eventsOf(t, db, made.ID)
		if len(rows) != 1 || rows[0].AccountID != tt.owner || rows[0].UserID != tt.who || rows[0].Type != "THING.CREATE" ||
			rows[0].ResourceName != "web" || *rows[0].AfterChange != `{"name":"web"}` {
			t.Errorf("%s %s: events %+v", tt.who, tt.query, rows)
		}
	}
}

func TestARefusedCommandLeavesNothing(t *testing.T) {
	r, db := world(t)
	before := db.Commits()
	if _, _, err := r.Call(as(t, "ann"), "createThing", url.Values{"fail": {"true"}}); err == nil {
		t.Fatal("went through")
	}
	var n int64
	if err := db.In(as(t, "ann")).Model(&event.Row{}).Count(&n).Error; err != nil || n != 1 || db.Commits() != before {
		t.Errorf("%d rows, %v", n, err)
	}
}

func eventsOf(t *testing.T, db *store.DB, id string) (rows []event.Row) {
	t.Helper()
	err := db.In(store.System(t.Context(), "test")).Where(clause.Eq{Column: "resource_id", Value: id}).Order("id").Find(&rows).Error
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

type jobs struct{ got []job.Spec }

func (j *jobs) Submit(_ context.Context, s job.Spec) (*job.Row, error) {
	j.got = append(j.got, s)
	if s.Entity == "busy" {
		return nil, fault.New(fault.Conflict, "error.busy")
	}
	return &job.Row{Row: store.Row{ID: "job-id"}}, nil
}

func TestAsync(t *testing.T) {
	r, _ := world(t)
	j := &jobs{}
	r.Jobs = j
	accept := func(ctx context.Context, q createQuery) (job.Spec, error) {
		command.About(ctx, event.Resource{}, owners["kid"])
		return job.Spec{Kind: "thing.make", Entity: q.Name, ObjectID: "thing-id"}, nil
	}
	view := func(_ context.Context, id string) (row, error) { return row{id}, nil }
	r.Add(command.Async(command.Meta{Name: "makeThing", Object: "thing", Roles: command.Everyone, Event: "THING.MAKE", Create: true}, accept, view),
		command.Async[createQuery, command.Success](command.Meta{Name: "breakThing", Roles: command.Everyone, Event: "THING.BREAK"}, accept, nil))
	v := url.Values{"name": {"web"}, "Password": {"hush"}, "unknown": {"x"}}
	c, out, err := r.Call(as(t, "root"), "makeThing", v)
	if err != nil || string(c.JSON(command.Admin, out)) != `{"makethingresponse":{"id":"thing-id","jobid":"job-id"}}` {
		t.Errorf("got %v, %v", out, err)
	}
	s := j.got[0]
	if s.Command != "makeThing" || s.Event != "THING.MAKE" || s.Object != "thing" || s.Owner != owners["kid"] ||
		len(s.Params) != 2 || s.Params["name"] != "web" || s.Params["password"] != "•••" {
		t.Errorf("the job is %+v", s)
	}
	c, out, err = r.Call(as(t, "root"), "breakThing", v)
	if err != nil || string(c.JSON(command.Admin, out)) != `{"breakthingresponse":{"jobid":"job-id"}}` {
		t.Errorf("got %v, %v", out, err)
	}
	if _, _, err = r.Call(as(t, "root"), "makeThing", url.Values{"name": {"busy"}}); !fault.Is(err, fault.Conflict) {
		t.Errorf("busy: %v", err)
	}
	for command, want := range map[string]string{"makeThing": `{"thing":{"id":"thing-id"}}`, "breakThing": `{"success":true}`, "": `{"success":true}`} {
		got, err := r.Finish(t.Context(), &job.Row{Command: command, ObjectID: "thing-id"})
		if err != nil || string(got) != want {
			t.Errorf("%s leaves %s, %v", command, got, err)
		}
	}
}

func TestDescribe(t *testing.T) {
	r, _ := world(t)
	all := r.Describe(as(t, "ann"))
	i := slices.IndexFunc(all, func(a command.API) bool { return a.Name == "listThings" })
	doc := string(command.Marshal(all[i]))
	for _, want := range []string{
		`{"name":"listThings","isasync":false,"related":"createThing,listThings","params":[`,
		`{"name":"pagesize","description":"the number of entries per page; -1 for all","type":"integer","length":255,"required":false}`,
		`{"name":"domainid","description":"the domain of the account","type":"uuid","length":255,"required":false}`,
		`"response":[{"name":"id","type":"string"},{"name":"jobid",`, // that of every result
	} {
		if !strings.Contains(doc, want) {
			t.Errorf("no %s in %s", want, doc)
		}
	}
}
