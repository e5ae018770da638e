package components

import (
	"encoding/json"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"aerie/locales"
)

func html(t *testing.T, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	if err := c.Render(WithCSRF(t.Context(), "token"), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// has checks what must and what must not (!…) be in the text.
func has(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if bare, not := strings.CutPrefix(part, "!"); not == strings.Contains(text, bare) {
			t.Errorf("want %s in\n%s", part, text)
		}
	}
}

func TestEveryStateHasAWordAndAnIcon(t *testing.T) {
	icons := iconNames(t)
	for state, look := range looks {
		if !locales.Has("state." + state) {
			t.Errorf("state.%s has no word", state)
		}
		if !slices.Contains(icons, look.icon) {
			t.Errorf("%s: no icon %q", state, look.icon)
		}
	}
}

func iconNames(t *testing.T) []string {
	t.Helper()
	raw, err := os.ReadFile("../../static/icons.json")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	if err := json.Unmarshal(raw, &names); err != nil {
		t.Fatal(err)
	}
	return names
}

// TestIconsExist: what pages ask for is in the sprite.
func TestIconsExist(t *testing.T) {
	icons := iconNames(t)
	wanted := regexp.MustCompile(`(?:\bIcon\("|\bIcon:\s*")([a-z0-9-]+)"`)
	err := filepath.WalkDir("../..", func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains([]string{"node_modules", ".git", "var", "bin", "vendor"}, d.Name()) {
			return filepath.SkipDir
		}
		if ext := filepath.Ext(name); ext != ".templ" && ext != ".go" {
			return nil
		}
		text, err := os.ReadFile(name)
		for _, m := range wanted.FindAllStringSubmatch(string(text), -1) {
			if !slices.Contains(icons, m[1]) {
				t.Errorf("%s: the sprite has no %q; add it to static/icons.json", name, m[1])
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPill(t *testing.T) {
	has(t, html(t, Pill("Running")), `class="pill ok"`, "Running")
	has(t, html(t, Pill("BackedUp")), `class="pill ok"`, "Backed up")
	has(t, html(t, Pill("prepare_for_maintenance")), "pill busy spin")
	has(t, html(t, Pill("<b>Odd</b>")), "pill idle", "&lt;b&gt;Odd", "!<b>")
	has(t, html(t, JobPill{State: "Starting", Href: "/jobs/1"}), `href="/jobs/1"`)
}

func TestActionsClimbTheLadder(t *testing.T) {
	a := Action{Label: "Stop", Post: "/vm/1/stop", Fields: []Pair{{"forced", "true"}}}
	has(t, html(t, a), `method="post"`, `action="/vm/1/stop"`, `hx-post="/vm/1/stop"`, `name="_csrf" value="token"`, `name="forced" value="true"`, "!popover")
	a.Confirm = Confirm{Level: Ask, Title: "Stop web-1?"}
	has(t, html(t, a), `popovertarget="`+a.id()+`"`, `class="popover ask"`, "!<dialog")
	a.Confirm.Level = Dialog
	has(t, html(t, a), "<dialog", `data-modal="`+a.id()+`"`, "!name=\"confirm\"")
	a.Confirm.Level, a.Confirm.Name = TypeName, "web.1"
	has(t, html(t, a), `name="confirm"`, `pattern="web\.1"`, "required")
	a.Disabled = "It is locked."
	has(t, html(t, a), `aria-disabled="true"`, "It is locked.", "!<form", "!<dialog")
	has(t, html(t, Action{Label: "Edit", Href: "/vm/1/edit"}), `<a class="button" href="/vm/1/edit"`)
	has(t, html(t, Action{Label: "x", Href: "javascript:alert(1)"}), "!javascript")
}

func TestMenuShowsWhyNot(t *testing.T) {
	m := Menu{ID: "m", Name: "web-1", Actions: []Action{{Label: "Migrate", Post: "/x", Disabled: "Local disk."}}}
	has(t, html(t, m), `aria-describedby="m-why-0"`, `id="m-why-0">Local disk.`, "More actions for web-1", "!<form")
}

func TestField(t *testing.T) {
	bad := Field{Name: "name", Label: "Name", Value: `"><script>`, Error: "Too long.", Help: "Any.", Max: 63, Required: true}
	has(t, html(t, bad), `for="f-name"`, `aria-describedby="f-name-error f-name-help"`, `aria-invalid="true"`, `maxlength="63"`,
		"&#34;&gt;&lt;script&gt;", "!<script>", "!optional")
	has(t, html(t, Field{Name: "a.b[0]"}), `id="f-a-b-0-"`, "optional")
	has(t, html(t, Field{Name: "z", Type: "select", Value: "2", Options: []Option{{Value: "1", Label: "One", Disabled: "full"}, {Value: "2", Label: "Two", Group: "G"}}}),
		`<option value="1" disabled>`, "One – full", `<optgroup label="G">`, `<option value="2" selected>`)
	has(t, html(t, Field{Name: "r", Type: "radio", Label: "R", Value: "a", Options: []Option{{Value: "a", Label: "A"}}}), "<fieldset", "<legend>", "checked")
	has(t, html(t, Field{Name: "c", Type: "checkbox", Value: "true"}), `type="checkbox"`, "checked")
	has(t, html(t, Field{Name: "p", Type: "password", Value: "x"}), `type="password"`)
	has(t, html(t, Field{Name: "k", Type: "combobox", Options: []Option{{Value: "v"}}}), `list="f-k-list"`, `<datalist id="f-k-list">`)
	has(t, html(t, Field{Name: "h", Type: "hidden", Value: "1"}), `type="hidden"`, "!label")
}

func TestForm(t *testing.T) {
	f := Form{Action: "/x", Submit: "Save", Sections: []Section{{Title: "More", Folded: true, Fields: []Field{{Name: "a", Label: "A", Error: "Wrong."}}}}}
	has(t, html(t, f), "There is a problem with 1 entry", `href="#f-a"`, "<details", " open", `name="_csrf"`, "autofocus")
	f.Sections[0].Fields[0].Error = ""
	has(t, html(t, f), "!error-summary", "! open")
	f.Method = "get"
	has(t, html(t, f), "!_csrf")
}

type row struct{ id, name string }

func table(values url.Values, rows ...row) Table[row] {
	return Table[row]{
		ID: "t", Rows: rows, Search: "q", Query: Query{Path: "/l", Values: values},
		RowID: func(r row) string { return r.id },
		Columns: []Column[row]{
			{Key: "name", Label: "Name", Sort: true, Cell: func(r row) templ.Component { return Text(r.name) }},
			{Key: "age", Label: "Age", Number: true, Cell: func(row) templ.Component { return Number(7) }},
			{Key: "zone", Label: "Zone", Optional: true, Cell: func(row) templ.Component { return Text("fra") }},
		},
		Filters: []Filter{{Name: "state", Label: "State", Options: []Option{{Value: "up", Label: "Up"}}}},
		Bulk:    []Bulk{{Label: "Stop", Post: "/stop"}, {Label: "Destroy", Post: "/destroy", Ask: true}},
		Empty:   Empty{Title: "Nothing yet"},
	}
}

func TestTable(t *testing.T) {
	one := row{"1/2", "web"}
	plain := html(t, table(nil, one))
	has(t, plain, `id="t-1-2"`, `<th scope="row"`, `data-label="Age"`, `aria-sort="none"`, `href="/l?sort=name"`,
		`form="t-bulk"`, `formaction="/destroy" formmethod="get"`, `hx-select="#t"`, "!fra<", "!chips")
	has(t, html(t, table(url.Values{"cols": {"zone"}}, one)), "fra<", `!data-label="Age"`)
	sorted := html(t, table(url.Values{"sort": {"name"}, "state": {"up"}, "cursor": {"c"}}, one))
	has(t, sorted, `aria-sort="ascending"`, `href="/l?sort=-name&amp;state=up"`, `class="chip" href="/l?sort=name"`, "!cursor")
	has(t, html(t, table(nil)), "Nothing yet", "!<table")
	has(t, html(t, table(url.Values{"q": {"x"}})), "Nothing matches", "!Nothing yet")
	partial := table(nil, one)
	partial.Partial = true
	has(t, html(t, partial), "!hx-select", `hx-target="#t"`)
	has(t, html(t, table(nil).Row(one)), `<tr id="t-1-2"`)
}

func TestQuery(t *testing.T) {
	q := Query{Path: "/l", Values: url.Values{"q": {"a b"}, "cursor": {"x"}, "sort": {"-age"}}}
	for _, c := range []struct{ name, got, want string }{
		{"a value is set, the cursor goes", q.With("state", "up"), "/l?q=a+b&sort=-age&state=up"},
		{"an empty value goes", q.With("q", ""), "/l?sort=-age"},
		{"nothing left", Query{Path: "/l"}.With("q", ""), "/l"},
		{"descending turns round", q.sortBy("age"), "/l?q=a+b&sort=age"},
		{"another column", q.sortBy("name"), "/l?q=a+b&sort=name"},
		{"nonsense density", Query{Values: url.Values{"density": {"x"}}}.Density(), ""},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, c.got, c.want)
		}
	}
	if q.Get("cursor") != "x" {
		t.Error("the query itself was changed")
	}
}

func TestMeter(t *testing.T) {
	for _, c := range []struct {
		used, total float64
		tone        Tone
		width       string
	}{
		{1, 4, OK, "25.0"}, {3, 4, Warn, "75.0"}, {85, 100, Bad, "85.0"}, {9, 4, Bad, "100.0"}, {1, 0, OK, "0.0"}, {-1, 4, OK, "0.0"},
	} {
		m := Meter{Used: c.used, Total: c.total}
		if m.tone() != c.tone || m.width() != c.width {
			t.Errorf("%v of %v: %s %s", c.used, c.total, m.tone(), m.width())
		}
	}
}

func TestSparkline(t *testing.T) {
	for _, c := range []struct {
		name   string
		points []float64
		want   string
	}{
		{"nothing", nil, ""},
		{"a line", []float64{0, 5, 10}, "M0 22L60 12L120 2"},
		{"a gap", []float64{10, math.NaN(), 10, 10}, "M0 2M80 2L120 2"},
		{"zeros", []float64{0, 0}, "M0 22L120 22"},
	} {
		if got := (Sparkline{Points: c.points}).path(false); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	if got := (Sparkline{Points: []float64{10, 10}}).path(true); got != "M0 2L120 2L120 24L0 24Z" {
		t.Errorf("the area: %q", got)
	}
}

func TestShowCall(t *testing.T) {
	s := ShowCall{
		Command: "deployVirtualMachine", Endpoint: "https://c.example/client/api", Resource: "cloudstack_instance",
		Params: []Pair{{"name", "it's"}, {"empty", ""}, {"userdata", "a\"${x}\n"}}, Rename: map[string]string{"userdata": "user_data"},
	}
	has(t, s.curl(), `'name=it'\''s'`, "command=deployVirtualMachine", "$AERIE_API_KEY", "!empty")
	has(t, s.cmk(), `cmk deploy virtualmachine`, `name='it'\''s'`)
	has(t, s.terraform(), `resource "cloudstack_instance" "main"`, `name      = "it's"`, `user_data = "a\"$${x}\n"`)
	has(t, html(t, ShowCall{Command: "listZones"}), "!Terraform")
}

func TestWordsFollowTheLanguage(t *testing.T) {
	ctx := locales.With(t.Context(), "de")
	var b strings.Builder
	if err := Pill("Stopped").Render(ctx, &b); err != nil {
		t.Fatal(err)
	}
	has(t, b.String(), "Gestoppt")
}

// TestNoInlineStyle: the content policy forbids style and event attributes.
func TestNoInlineStyle(t *testing.T) {
	forbidden := regexp.MustCompile(`\s(style|on[a-z]+|hx-on[^=]*)=`)
	files, err := filepath.Glob("../*/*.templ")
	if err != nil {
		t.Fatal(err)
	}
	pages, _ := filepath.Glob("../pages/*/*.templ")
	for _, file := range append(files, pages...) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if m := forbidden.FindString(string(text)); m != "" {
			t.Errorf("%s has%s", file, m)
		}
	}
}
