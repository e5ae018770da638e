package command

import (
	"net/url"
	"reflect"
	"strings"
	"testing"

	"aerie/services/fault"
	"aerie/services/store"
)

type pair struct {
	NetworkID string   `json:"networkid" ref:"network" required:"true"`
	IP        string   `json:"ip"`
	Names     []string `json:"names"`
}

type everything struct {
	Paging
	Name     string              `json:"name" required:"true" max:"8"`
	Text     *string             `json:"text"`
	Start    *bool               `json:"start"`
	Force    bool                `json:"force"`
	CPU      int                 `json:"cpu" range:"1..64"`
	Size     int64               `json:"size" min:"0"`
	Ratio    float64             `json:"ratio"`
	ZoneID   string              `json:"zoneid" ref:"zone"`
	RoleID   string              `json:"roleid" ref:"role" loose:"true"`
	IDs      []string            `json:"ids" ref:"zone"`
	Tags     []string            `json:"tags"`
	Details  map[string]string   `json:"details"`
	Many     []map[string]string `json:"many"`
	Networks []pair              `json:"iptonetworklist"`
	From     Date                `json:"startdate"`
	To       Date                `json:"enddate" day:"end"`
	Protocol string              `json:"protocol" enum:"TCP,UDP"`
	Host     string              `json:"host" pattern:"[a-z]+"`
	Hidden   string              `json:"hidden" view:"admin"`
	Password string              `json:"password"`
}

func values(t testing.TB, query string) url.Values {
	t.Helper()
	v, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func bindAs(t testing.TB, rank store.Rank, query string) (everything, error) {
	t.Helper()
	var req everything
	c := New(Meta{Name: "doIt", Roles: Everyone}, func(_ testingContext, q everything) (Success, error) { return OK, nil })
	ctx := store.With(t.Context(), store.Actor{Rank: rank})
	err := c.bind(ctx, testRegistry(), values(t, query), reflect.ValueOf(&req).Elem())
	return req, err
}

func ptr[T any](v T) *T { return &v }

func TestDecode(t *testing.T) {
	const zone = "0199d3c4-0000-7000-8000-000000000001"
	tests := []struct {
		name, query string
		field       func(everything) any
		want        any
	}{
		{"a text", "name=web", func(e everything) any { return e.Name }, "web"},
		{"the name's case does not matter", "NAME=Web", func(e everything) any { return e.Name }, "Web"},
		{"of two spellings the lower-case one counts", "Name=a&name=b", func(e everything) any { return e.Name }, "b"},
		{"the first of repeated values counts", "name=a&name=b", func(e everything) any { return e.Name }, "a"},
		{"length is counted in characters", "name=%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4", func(e everything) any { return e.Name }, "ääääääää"},
		{"a text keeps its spaces and newlines", "name=x&text=+a%0Ab%09", func(e everything) any { return *e.Text }, " a\nb\t"},
		{"an optional text given empty", "name=x&text=", func(e everything) any { return e.Text }, ptr("")},
		{"an optional text not given", "name=x", func(e everything) any { return e.Text }, (*string)(nil)},
		{"Python's True", "name=x&start=True", func(e everything) any { return *e.Start }, true},
		{"any other boolean is false", "name=x&start=yes", func(e everything) any { return *e.Start }, false},
		{"a boolean given empty is not given", "name=x&start=", func(e everything) any { return e.Start }, (*bool)(nil)},
		{"an integer", "name=x&cpu=+4+", func(e everything) any { return e.CPU }, 4},
		{"a blank integer is not given", "name=x&cpu=+", func(e everything) any { return e.CPU }, 0},
		{"a long", "name=x&size=1099511627776", func(e everything) any { return e.Size }, int64(1 << 40)},
		{"a float", "name=x&ratio=1.5", func(e everything) any { return e.Ratio }, 1.5},
		{"a reference", "name=x&zoneid=" + zone, func(e everything) any { return e.ZoneID }, zone},
		{"-1 needs no resolving", "name=x&zoneid=-1", func(e everything) any { return e.ZoneID }, "-1"},
		{"a loose id that is none", "name=x&roleid=4", func(e everything) any { return e.RoleID }, ""},
		{"a list", "name=x&tags=a,+b,,c", func(e everything) any { return e.Tags }, []string{"a", "b", "c"}},
		{"an empty list", "name=x&tags=", func(e everything) any { return e.Tags }, []string{}},
		{"a list not given", "name=x", func(e everything) any { return e.Tags }, []string(nil)},
		{"a list of references", "name=x&ids=" + zone + "," + zone, func(e everything) any { return len(e.IDs) }, 2},
		{"map: key and value", "name=x&details[0].key=a&details[0].value=1&details[1].key=B&details[1].value=2", func(e everything) any { return e.Details }, map[string]string{"a": "1", "B": "2"}},
		{"map: service and provider", "name=x&details[0].service=Dns&details[0].provider=VR", func(e everything) any { return e.Details }, map[string]string{"Dns": "VR"}},
		{"map: one field an index", "name=x&details[0].a=1&details[1].b=2", func(e everything) any { return e.Details }, map[string]string{"a": "1", "b": "2"}},
		{"map: many fields at one index", "name=x&details[0].cpuNumber=1&details[0].memory.size=2", func(e everything) any { return e.Details }, map[string]string{"cpuNumber": "1", "memory.size": "2"}},
		{"map: the name's case does not matter, the key's does", "name=x&DETAILS[0].cpuNumber=1", func(e everything) any { return e.Details }, map[string]string{"cpuNumber": "1"}},
		{"map: a key without a value", "name=x&details[0].key=a", func(e everything) any { return e.Details }, map[string]string{"a": ""}},
		{"maps", "name=x&many[1].a=2&many[0].a=1", func(e everything) any { return e.Many }, []map[string]string{{"a": "1"}, {"a": "2"}}},
		{
			"objects in the order of their index", "name=x&iptonetworklist[10].networkId=" + zone + "&iptonetworklist[2].networkid=" + zone + "&iptonetworklist[2].ip=10.1.1.2&iptonetworklist[2].names=a,b",
			func(e everything) any { return e.Networks },
			[]pair{{zone, "10.1.1.2", []string{"a", "b"}}, {NetworkID: zone}},
		},
		{"a day", "name=x&startdate=2026-01-31", func(e everything) any { return e.From.Format(timeForm) }, "2026-01-31T00:00:00+0000"},
		{"a bare last day", "name=x&enddate=2026-01-31", func(e everything) any { return e.To.Format(timeForm) }, "2026-01-31T23:59:59+0000"},
		{"a day and time", "name=x&enddate=2026-01-31+10:11:12", func(e everything) any { return e.To.Format(timeForm) }, "2026-01-31T10:11:12+0000"},
		{"a time with a zone", "name=x&startdate=2026-01-31T10:11:12%2B0200", func(e everything) any { return e.From.Format(timeForm) }, "2026-01-31T08:11:12+0000"},
		{"a choice in any case", "name=x&protocol=tcp", func(e everything) any { return e.Protocol }, "TCP"},
		{"a pattern", "name=x&host=abc", func(e everything) any { return e.Host }, "abc"},
		{"unknown parameters are ignored", "name=x&filter=a&listall=true&unknown[x]=1&signature=%01", func(e everything) any { return e.Name }, "x"},
		{"a parameter of admins from a user", "name=x&hidden=a", func(e everything) any { return e.Hidden }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := bindAs(t, store.User, tt.query)
			if err != nil {
				t.Fatal(err)
			}
			if got := tt.field(e); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %#v, want %#v", got, tt.want)
			}
		})
	}
	if e, err := bindAs(t, store.Admin, "name=x&hidden=a"); err != nil || e.Hidden != "a" {
		t.Errorf("an admin's own parameter: %q, %v", e.Hidden, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	tests := []struct {
		name, query, param, key string
		kind                    fault.Kind
	}{
		{"what is required", "", "name", "error.required", fault.Invalid},
		{"what is required but blank", "name=+", "name", "error.required", fault.Invalid},
		{"a text too long", "name=123456789", "name", "error.too_long", fault.Invalid},
		{"a text over the default length", "name=x&text=" + strings.Repeat("a", 256), "text", "error.too_long", fault.Invalid},
		{"a control character", "name=%07", "name", "error.characters", fault.Invalid},
		{"a C1 control character", "name=%C2%9B", "name", "error.characters", fault.Invalid},
		{"broken UTF-8", "name=%ff", "name", "error.characters", fault.Invalid},
		{"DEL", "name=%7f", "name", "error.characters", fault.Invalid},
		{"no number", "name=x&cpu=1g", "cpu", "error.number", fault.Invalid},
		{"a number that would wrap", "name=x&cpu=4294967297", "cpu", "error.number", fault.Invalid},
		{"a long that would wrap", "name=x&size=9223372036854775808", "size", "error.number", fault.Invalid},
		{"a negative size", "name=x&size=-1", "size", "error.too_small", fault.Invalid},
		{"out of range", "name=x&cpu=65", "cpu", "error.range", fault.Invalid},
		{"not finite", "name=x&ratio=NaN", "ratio", "error.number", fault.Invalid},
		{"an id that is not there", "name=x&zoneid=nowhere", "zoneid", "error.no_entity", fault.NotFound},
		{"an id in a list", "name=x&ids=0199d3c4-0000-7000-8000-000000000001,nowhere", "ids", "error.no_entity", fault.NotFound},
		{"an id in an object", "name=x&iptonetworklist[0].networkid=nowhere", "iptonetworklist[0].networkid", "error.no_entity", fault.NotFound},
		{"an object without what is required", "name=x&iptonetworklist[0].ip=::1", "iptonetworklist[0].networkid", "error.required", fault.Invalid},
		{"no date", "name=x&startdate=tomorrow", "startdate", "error.date", fault.Invalid},
		{"no choice", "name=x&protocol=ICMP", "protocol", "error.enum", fault.Invalid},
		{"not the pattern", "name=x&host=aB", "host", "error.pattern", fault.Invalid},
		{"a map index that is no number", "name=x&details[a].b=1", "details", "error.map", fault.Malformed},
		{"a map index without a field", "name=x&details[0]=1", "details", "error.map", fault.Malformed},
		{"two pairs of brackets", "name=x&details[0].a[1].b=1", "details", "error.map", fault.Malformed},
		{"a negative map index", "name=x&details[-1].b=1", "details", "error.map", fault.Malformed},
		{"a map as a text", "name=x&details=a", "details", "error.map", fault.Malformed},
		{"a control character in a map", "name=x&details[0].a=%00", "details", "error.characters", fault.Invalid},
		{"too many ids", "name=x&ids=" + strings.Repeat("a,", 1001), "ids", "error.too_many", fault.Invalid},
		{"a page without a size", "name=x&page=1", "pagesize", "error.page_alone", fault.Invalid},
		{"a size without a page", "name=x&pagesize=1", "page", "error.page_alone", fault.Invalid},
		{"a page too big", "name=x&page=1&pagesize=501", "pagesize", "error.page_size", fault.Invalid},
		{"a page of nothing", "name=x&page=1&pagesize=0", "pagesize", "error.page_size", fault.Invalid},
		{"a negative page", "name=x&page=-1&pagesize=1", "page", "error.too_small", fault.Invalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := bindAs(t, store.User, tt.query)
			f := fault.Of(err)
			if err == nil || f.Kind != tt.kind || f.Fields[tt.param] == nil || f.Fields[tt.param].Key != tt.key || f.Order[0] != tt.param {
				t.Errorf("got %v with %v, want %s for %s", err, f.Fields, tt.key, tt.param)
			}
		})
	}
}

func TestEveryBadParameterAtOnce(t *testing.T) {
	_, err := bindAs(t, store.User, "cpu=x&size=-1&zoneid=nowhere&details[x].y=1")
	got := fault.Of(err).Order
	want := []string{"name", "cpu", "size", "details", "zoneid"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestPaging(t *testing.T) {
	tests := []struct {
		query         string
		limit, offset int
	}{
		{"", 500, 0},
		{"&page=1&pagesize=20", 20, 0},
		{"&page=0&pagesize=20", 20, 0},
		{"&page=3&pagesize=20", 20, 40},
		{"&pagesize=-1", -1, 0},
		{"&page=2&pagesize=-1", -1, 0},
		{"&page=2147483647&pagesize=500", 500, 2147483646 * 500},
	}
	for _, tt := range tests {
		e, err := bindAs(t, store.User, "name=x"+tt.query)
		if err != nil || e.Limit() != tt.limit || e.Offset() != tt.offset {
			t.Errorf("%q: %d from %d, %v; want %d from %d", tt.query, e.Limit(), e.Offset(), err, tt.limit, tt.offset)
		}
	}
}

func TestRedact(t *testing.T) {
	c := New(Meta{Name: "doIt", Roles: Everyone}, func(_ testingContext, q everything) (Success, error) { return OK, nil })
	got := c.Redact(values(t, "name=x&Password=p&apikey=k&details[0].key=rootPassword&details[0].value=p&details[1].password=p&details[2].a=1&hidden="+strings.Repeat("ä", 200)))
	want := map[string]string{
		"name": "x", "password": redacted, "details[0].key": "rootPassword", "details[0].value": redacted,
		"details[1].password": redacted, "details[2].a": "1", "hidden": strings.Repeat("ä", 127) + "…",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"name=x", "details[0].key=a&details[0].value=b", "iptonetworklist[1].ip=%00", "tags=,,", "page=1&pagesize=-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		v, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		var req everything
		c := New(Meta{Name: "doIt", Roles: Everyone}, func(_ testingContext, q everything) (Success, error) { return OK, nil })
		err = c.bind(store.With(t.Context(), store.Actor{}), testRegistry(), v, reflect.ValueOf(&req).Elem())
		if err != nil && len(fault.Of(err).Fields) == 0 {
			t.Errorf("no parameter is blamed: %v", err)
		}
		if err == nil && (!printable(req.Name) || len([]rune(req.Name)) > 8) {
			t.Errorf("let %q pass", req.Name)
		}
		c.Redact(v)
	})
}
