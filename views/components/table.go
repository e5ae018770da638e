package components

import (
	"context"
	"io"

	"github.com/a-h/templ"
)

// Column is one column of a table of T. The first column names the row.
type Column[T any] struct {
	Key      string // name in the address
	Label    string
	Sort     bool // the list can be sorted by it
	Number   bool // aligned to the end
	Optional bool // shown only when chosen
	Phone    bool // also on a card of the narrow layout, like the first three
	Cell     func(T) templ.Component
}

// Bulk is an action on all selected rows, posted as many "id" values to Post.
type Bulk struct {
	Label string
	Icon  string
	Post  string
	Style Style
	Ask   bool // Post is opened by GET first; that page asks
}

// Filter is one choice of the filter bar; its name stands in the address.
type Filter struct {
	Name    string
	Label   string
	Options []Option // none: a text box
}

// Table is a list page's table: filter bar, bulk actions, columns, pager.
type Table[T any] struct {
	ID      string // DOM id, "instances"
	Caption string // for screen readers
	Columns []Column[T]
	Rows    []T
	RowID   func(T) string
	Name    func(T) string // what a row is called, for its checkbox and menu
	Actions func(T) Menu   // ID and Name are filled in
	Busy    func(T) bool   // the row is dimmed while a job works on it
	Bulk    []Bulk
	Query   Query
	// Search names the text box of the filter bar, "q"; empty for none.
	Search      string
	SearchLabel string
	Filters     []Filter
	CSV         string // address of the same list as CSV
	Tools       []Button
	Pager       Pager
	Empty       Empty
	Live        bool // shows "as of" when the stream is cut
	// Partial tells that the page's handler answers an htmx request with this
	// table alone; otherwise the whole page is fetched and cut.
	Partial bool
	// Bare leaves out the bar and the pager: a small table inside a card.
	Bare bool
}

// Render draws the table with its bars.
func (t Table[T]) Render(ctx context.Context, w io.Writer) error { return tableView(t).Render(ctx, w) }

// Row is one row alone, as the live stream sends it.
func (t Table[T]) Row(item T) templ.Component { return tableRow(t, item) }

// RowDOM is the element id of a row, the target of an <hx-partial>.
func (t Table[T]) RowDOM(item T) string { return t.ID + "-" + slug(t.RowID(item)) }

func (t Table[T]) shown() []Column[T] {
	var list []Column[T]
	for i, c := range t.Columns {
		if i == 0 || t.Query.shows(c.Key, c.Optional) {
			list = append(list, c)
		}
	}
	return list
}

func (t Table[T]) selectable() bool { return len(t.Bulk) > 0 && !t.Bare }

func (t Table[T]) bulkForm() string { return t.ID + "-bulk" }

func (t Table[T]) name(item T) string {
	if t.Name == nil {
		return t.RowID(item)
	}
	return t.Name(item)
}

func (t Table[T]) menu(item T) Menu {
	m := t.Actions(item)
	m.ID, m.Small = t.RowDOM(item)+"-menu", true
	if m.Name == "" {
		m.Name = t.name(item)
	}
	return m
}

func (t Table[T]) filtered() bool {
	return len(t.active()) > 0 || (t.Search != "" && t.Query.Get(t.Search) != "")
}

// chip is an active filter, with the address without it.
type chip struct{ label, value, without string }

func (t Table[T]) active() []chip {
	var list []chip
	for _, f := range t.Filters {
		value := t.Query.Get(f.Name)
		if value == "" {
			continue
		}
		shown := value
		for _, o := range f.Options {
			if o.Value == value {
				shown = o.Label
			}
		}
		list = append(list, chip{f.Label, shown, t.Query.With(f.Name, "")})
	}
	return list
}

// names of everything the filter form sets itself.
func (t Table[T]) filterNames() []string {
	names := []string{t.Search}
	for _, f := range t.Filters {
		names = append(names, f.Name)
	}
	return names
}

// swap are the htmx attributes that replace the table instead of the page.
func (t Table[T]) swap(get string) templ.Attributes {
	a := templ.Attributes{
		"hx-get": get, "hx-target": "#" + t.ID, "hx-swap": "outerMorph", "hx-push-url": "true",
	}
	if !t.Partial {
		a["hx-select"] = "#" + t.ID
	}
	return a
}

func (t Table[T]) swapForm() templ.Attributes {
	a := t.swap(t.Query.Path)
	a["hx-trigger"] = "submit, change, input changed delay:300ms from:find input[type=search]"
	a["hx-sync"] = "this:replace"
	return a
}

// Pager leads through a long list. Cursors need First, Prev and Next; Pages
// may be given for short lists.
type Pager struct {
	First, Prev, Next string
	Pages             []Page
	Summary           string // "1–50 of about 25k"
	Sizes             []Page // links that change the page size
}

// Page is one numbered link.
type Page struct {
	Label   string
	Href    string
	Current bool
}

func (p Pager) empty() bool {
	return p.Prev == "" && p.Next == "" && p.Summary == "" && len(p.Pages) == 0
}
