package portal

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"aerie/locales"
	"aerie/services/command"
	"aerie/views/components"
)

// column is a column of a list of T.
type column[T any] struct {
	Key      string
	Label    string
	Number   bool
	Optional bool // shown only when chosen
	Phone    bool // also on a phone, like the first three
	// Text is the cell's words, in the CSV and, without Cell, on the page.
	Text func(T) string
	Cell func(T) templ.Component
}

func (c column[T]) cell() func(T) templ.Component {
	if c.Cell != nil {
		return c.Cell
	}
	return func(v T) templ.Component { return components.Text(c.Text(v)) }
}

// listPage is a page with what a list command returns.
type listPage[T any] struct {
	ID      string // DOM id and name of the CSV: "instances"
	Title   string
	Text    string
	Command string
	Params  url.Values // besides scope, page and filters
	// Load takes the place of Command, for lists that are read otherwise.
	Load    func(v url.Values) (command.List[T], error)
	Columns []column[T]
	// Filters are named like parameters of the command.
	Filters []components.Filter
	RowID   func(T) string
	Name    func(T) string
	Actions func(T) components.Menu
	Busy    func(T) bool
	Bulk    []components.Bulk
	Buttons []components.Action // of the heading
	Empty   components.Empty
	Tabs    components.Tabs
	Above   templ.Component
	Crumbs  components.Crumbs
	// NoSearch leaves out the text box, for commands without a keyword.
	NoSearch    bool
	SearchLabel string
	// Kind is what live calls the things: their rows stay fresh. IDs is the
	// command's parameter for several of them; without it they are asked for
	// one by one.
	Kind, IDs string
	// Address is the list's path when it is not the page's own.
	Address string
}

const (
	pageSize = 50
	sizeMost = 200
)

var sizes = []int{25, pageSize, sizeMost}

// showList answers with the whole page, the table alone, or the CSV.
func showList[T any](r *Request, l listPage[T]) error {
	q := components.Of(r.Request().URL)
	if q.Get("as") == "csv" {
		return writeCSV(r, l, q)
	}
	t, _, err := l.load(r, q)
	if err != nil {
		return err
	}
	views, err := r.Portal.IAM.SavedViews(r.Ctx(), l.ID)
	if err != nil {
		return err
	}
	t.Tools = r.viewTools(views, l.ID, q)
	if r.partial(l.ID) {
		return r.write(http.StatusOK, t)
	}
	parts := []templ.Component{components.Heading{Title: l.Title, Text: l.Text, Actions: l.Buttons}}
	if l.Tabs != nil {
		parts = append(parts, l.Tabs)
	}
	if l.Above != nil {
		parts = append(parts, l.Above)
	}
	if len(views) > 0 {
		parts = append(parts, r.viewLinks(views, q.Path))
	}
	p := Page{Title: l.Title, Crumbs: l.Crumbs, Body: templ.Join(append(parts, t)...)}
	if l.Kind != "" {
		p.Watch = []string{l.Kind}
	}
	return r.Show(p)
}

// load asks for the page of the list that the address names.
func (l listPage[T]) load(r *Request, q components.Query) (components.Table[T], command.List[T], error) {
	size, page := number(q.Get("size"), pageSize), max(number(q.Get("page"), 1), 1)
	size = min(max(size, 1), sizeMost)
	v := l.asked(q)
	v.Set("page", strconv.Itoa(page))
	v.Set("pagesize", strconv.Itoa(size))
	out, err := l.ask(r, v)
	if err != nil {
		return components.Table[T]{}, out, err
	}
	t := l.table(q)
	t.Rows, t.Pager = out.Items, pager(r, q, page, size, out.Count, len(out.Items))
	return t, out, nil
}

func (l listPage[T]) ask(r *Request, v url.Values) (command.List[T], error) {
	if l.Load != nil {
		return l.Load(v)
	}
	return list[T](r, l.Command, v)
}

// asked are the parameters that stand in the address.
func (l listPage[T]) asked(q components.Query) url.Values {
	v := url.Values{}
	for k, values := range l.Params {
		v[k] = values
	}
	if word := strings.TrimSpace(q.Get("q")); word != "" && !l.NoSearch {
		v.Set("keyword", word)
	}
	for _, f := range l.Filters {
		if value := q.Get(f.Name); value != "" {
			v.Set(f.Name, value)
		}
	}
	return v
}

func (l listPage[T]) table(q components.Query) components.Table[T] {
	if l.Address != "" {
		q.Path = l.Address
	}
	t := components.Table[T]{
		ID: l.ID, Caption: l.Title, RowID: l.RowID, Name: l.Name, Actions: l.Actions, Busy: l.Busy, Bulk: l.Bulk,
		Query: q, Search: "q", SearchLabel: l.SearchLabel, Filters: l.Filters, CSV: q.With("as", "csv"), Empty: l.Empty, Live: l.Kind != "", Partial: true,
	}
	if l.NoSearch {
		t.Search = ""
	}
	for _, c := range l.Columns {
		t.Columns = append(t.Columns, components.Column[T]{Key: c.Key, Label: c.Label, Number: c.Number, Optional: c.Optional, Phone: c.Phone, Cell: c.cell()})
	}
	return t
}

func number(s string, other int) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return other
	}
	return n
}

func pager(r *Request, q components.Query, page, size, count, shown int) components.Pager {
	if count <= sizes[0] && page == 1 {
		return components.Pager{}
	}
	from := (page-1)*size + 1
	ctx := r.Ctx()
	p := components.Pager{Summary: r.T("list.summary", "from", locales.Number(ctx, from), "to", locales.Number(ctx, from+shown-1), "n", locales.Number(ctx, count))}
	if page > 1 {
		p.First, p.Prev = q.With("page", ""), q.With("page", strconv.Itoa(page-1))
	}
	if page*size < count {
		p.Next = q.With("page", strconv.Itoa(page+1))
	}
	for _, n := range sizes {
		p.Sizes = append(p.Sizes, components.Page{Label: strconv.Itoa(n), Href: q.With("size", strconv.Itoa(n)), Current: n == size})
	}
	return p
}

// liveRows makes the pieces that show those things on a page of that address.
type liveRows func(r *Request, q components.Query, ids []string) ([]templ.Component, error)

// rowsOf are the rows of a list, for the stream: only what the reader may see
// comes back from the command.
func rowsOf[T any](page func(*Request) listPage[T]) liveRows {
	return func(r *Request, q components.Query, ids []string) ([]templ.Component, error) {
		l := page(r)
		items, err := l.some(r, ids)
		if err != nil {
			return nil, err
		}
		t := l.table(q)
		var out []templ.Component
		for _, item := range items {
			out = append(out, swap("#"+t.RowDOM(item), "outerMorph", t.Row(item)))
		}
		return out, nil
	}
}

// some asks for the things with those ids.
func (l listPage[T]) some(r *Request, ids []string) ([]T, error) {
	if l.IDs != "" {
		out, err := l.ask(r, vals(l.IDs, strings.Join(ids, ",")))
		if err == nil || len(ids) == 1 {
			return out.Items, ignoreAbsent(err)
		}
	}
	var all []T
	for _, id := range ids { // one that is gone must not keep the others
		out, err := l.ask(r, vals("id", id))
		if err := ignoreAbsent(err); err != nil {
			return nil, err
		}
		all = append(all, out.Items...)
	}
	return all, nil
}

// csvMost bounds a download.
const csvMost = 10000

func writeCSV[T any](r *Request, l listPage[T], q components.Query) error {
	h := r.Response().Header()
	var out *csv.Writer
	for page := 1; ; page++ {
		v := l.asked(q)
		v.Set("page", strconv.Itoa(page))
		v.Set("pagesize", strconv.Itoa(sizeMost))
		rows, err := l.ask(r, v)
		if err != nil {
			return err
		}
		if out == nil { // nothing is sent before the first answer is there
			h.Set(echo.HeaderContentType, "text/csv; charset=utf-8")
			h.Set(echo.HeaderContentDisposition, `attachment; filename="`+l.ID+`.csv"`)
			r.Response().WriteHeader(http.StatusOK)
			out = csv.NewWriter(r.Response())
			if err := out.Write(l.line(func(c column[T]) string { return c.Label })); err != nil {
				return err
			}
		}
		for _, item := range rows.Items {
			if err := out.Write(l.line(func(c column[T]) string { return c.Text(item) })); err != nil {
				return err
			}
		}
		if len(rows.Items) < sizeMost || page*sizeMost >= csvMost {
			break
		}
	}
	out.Flush()
	return out.Error()
}

func (l listPage[T]) line(text func(column[T]) string) []string {
	var out []string
	for _, c := range l.Columns {
		if c.Text != nil {
			out = append(out, harmless(text(c)))
		}
	}
	return out
}

// harmless keeps a spreadsheet from running what a name holds.
func harmless(s string) string {
	if s != "" && slices.Contains([]byte{'=', '+', '-', '@', '\t', '\r'}, s[0]) {
		return "'" + s
	}
	return s
}
