package command

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"flag"
	"os"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with testdata/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, append(got, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSuffix(string(want), "\n") != string(got) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

type rowState string

type tree struct {
	Name string `json:"name"`
	Kids []tree `json:"kids"`
}

type sampleResult struct {
	Pending
	ID      string            `json:"id"`
	State   rowState          `json:"state"`
	Empty   string            `json:"empty"`
	Given   *string           `json:"given"`
	Null    *string           `json:"null"`
	Zero    int               `json:"zero"`
	No      bool              `json:"no"`
	Skipped int               `json:"skipped,omitempty"`
	Limit   int64             `json:"limit,string"`
	Share   float64           `json:"share"`
	Big     float64           `json:"big"`
	Created Time              `json:"created"`
	Plain   time.Time         `json:"plain"`
	Never   Time              `json:"never"`
	Secret  string            `json:"secret" view:"admin"`
	Some    string            `json:"some" view:"domainadmin"`
	Tags    []string          `json:"tags"`
	NoTags  []string          `json:"notags"`
	None    []string          `json:"none"`
	Details map[string]string `json:"details"`
	Any     any               `json:"any"`
	Raw     json.RawMessage   `json:"raw"`
	Kids    []tree            `json:"kids"`
	Hidden  string            `json:"-"`
}

var sample = sampleResult{
	Pending: Pending{JobID: "j", JobStatus: ptr(0)}, ID: "i", State: "Running", Given: ptr(""), Limit: -1, Share: 0.25, Big: 1e21,
	Created: Time{time.Date(2021, 10, 1, 18, 25, 11, 5e8, time.FixedZone("", 7200))}, Plain: time.Date(2021, 10, 1, 16, 25, 11, 0, time.UTC),
	Secret: "s", Some: "d", Tags: []string{"a\n", "<b>&\"'ü\u2028"}, None: []string{}, Details: map[string]string{"b": "2", "a x": "1", "1": "\x07"},
	Any: []tree{{Name: "x"}}, Raw: json.RawMessage(`{"virtualmachine":{"id":"v"}}`),
	Kids: []tree{{Name: "a", Kids: []tree{{Name: "b"}}}}, Hidden: "h",
}

func TestResults(t *testing.T) {
	object := New(Meta{Name: "getThing", Object: "vmSnapshot", Roles: Everyone}, func(context.Context, None) (sampleResult, error) { return sample, nil })
	many := New(Meta{Name: "listThings", Object: "thing", Roles: Everyone}, func(context.Context, None) (List[*tree], error) { return List[*tree]{}, nil })
	flat := New(Meta{Name: "queryThing", Roles: Everyone}, func(context.Context, None) (*tree, error) { return nil, nil })
	one := New(Meta{Name: "addThing", Object: "thing", Roles: Everyone, ListLike: true}, func(context.Context, None) (tree, error) { return tree{}, nil })
	tests := []struct {
		file string
		doc  []byte
	}{
		{"admin", object.JSON(Admin, sample)},
		{"domainadmin", object.JSON(DomainAdmin, &sample)},
		{"user", object.JSON(User, sample)},
		{"list", many.JSON(User, List[*tree]{Count: 7, Items: []*tree{{Name: "a"}, {Name: "b"}}})},
		{"empty", many.JSON(User, List[*tree]{})},
		{"behind", many.JSON(User, List[*tree]{Count: 7})},
		{"flat", flat.JSON(User, &tree{Name: "a"})},
		{"nil", flat.JSON(User, (*tree)(nil))},
		{"one", one.JSON(User, tree{Name: "a"})},
		{"success", object.JSON(User, Accepted{ID: "i", JobID: "j"})},
	}
	for _, tt := range tests {
		if !json.Valid(tt.doc) {
			t.Errorf("%s is no JSON: %s", tt.file, tt.doc)
		}
		golden(t, tt.file+".json", tt.doc)
		x, err := XML(tt.doc)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, tt.file+".xml", x)
	}
}

// What is stripped from an admin's result is what a user would have got.
func TestStrip(t *testing.T) {
	c := New(Meta{Name: "getThing", Object: "thing", Roles: Everyone}, func(context.Context, None) (sampleResult, error) { return sample, nil })
	for _, role := range []Role{Admin, DomainAdmin, User} {
		if got, want := normal(t, c.Strip(role, c.Body(Admin, sample))), normal(t, c.Body(role, sample)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func normal(t *testing.T, doc []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(doc, &v); err != nil {
		t.Fatal(err)
	}
	out, _ := json.Marshal(v)
	return string(out)
}

func FuzzXML(f *testing.F) {
	for _, s := range []string{`{"a":{"b":[1,2,{"c":null}],"uuidList":["x"]}}`, `{"a":{"":"\u0000","1 x":true}}`, `{"a":1}`, `[]`, `{"a":{"b":`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		out, err := XML(doc)
		if err != nil || !json.Valid(doc) {
			return
		}
		d := xml.NewDecoder(strings.NewReader(string(out)))
		for {
			tok, err := d.Token()
			if tok == nil {
				return
			}
			if err != nil {
				t.Fatalf("%s becomes %s: %v", doc, out, err)
			}
		}
	})
}

func FuzzText(f *testing.F) {
	f.Add("a\x00\xffü<>&\"\\\u2028")
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		if err := json.Unmarshal(appendText(nil, s), &got); err != nil || got != strings.ToValidUTF8(s, "\ufffd") && got == s {
			t.Errorf("%q: %q, %v", s, got, err)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	c := New(Meta{Name: "getThing", Object: "thing", Roles: Everyone}, func(context.Context, None) (sampleResult, error) { return sample, nil })
	b.ReportAllocs()
	for b.Loop() {
		c.JSON(User, sample)
	}
}
