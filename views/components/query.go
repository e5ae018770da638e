package components

import (
	"net/url"
	"slices"
	"strings"
)

// Query is the address of a list: everything a user chose is in it.
type Query struct {
	Path   string
	Values url.Values
}

// Of makes a Query of a request's address.
func Of(u *url.URL) Query { return Query{Path: u.Path, Values: u.Query()} }

// With is the address with one value set; an empty value takes it out. The
// cursor goes, because it belongs to another list.
func (q Query) With(name, value string) string { return q.edit("", name, value) }

func (q Query) edit(keep, name, value string) string {
	v := url.Values{}
	for key, values := range q.Values {
		if key == keep || (key != "cursor" && key != "page") {
			v[key] = values
		}
	}
	v.Del(name)
	if value != "" {
		v.Set(name, value)
	}
	if len(v) == 0 {
		return q.Path
	}
	return q.Path + "?" + v.Encode()
}

// Get is the value of a name.
func (q Query) Get(name string) string { return q.Values.Get(name) }

// Sorted is the column the list is sorted by: sort=name, or sort=-name for
// the other direction.
func (q Query) Sorted() (key string, descending bool) {
	return strings.CutPrefix(q.Get("sort"), "-")
}

// sortBy is the address that sorts by a column, or turns it round.
func (q Query) sortBy(key string) string {
	if now, descending := q.Sorted(); now == key && !descending {
		return q.With("sort", "-"+key)
	}
	return q.With("sort", key)
}

func (q Query) ariaSort(key string) string {
	now, descending := q.Sorted()
	switch {
	case now != key:
		return "none"
	case descending:
		return "descending"
	}
	return "ascending"
}

// shows tells whether the user chose the column; without a choice all but the
// optional ones are shown.
func (q Query) shows(key string, optional bool) bool {
	chosen := q.Values["cols"]
	if len(chosen) == 0 {
		return !optional
	}
	return slices.Contains(chosen, key)
}

// rest are the values a GET form must carry along.
func (q Query) rest(except ...string) []Pair {
	var pairs []Pair
	for name, values := range q.Values {
		if name == "cursor" || name == "page" || slices.Contains(except, name) {
			continue
		}
		for _, v := range values {
			pairs = append(pairs, Pair{name, v})
		}
	}
	slices.SortFunc(pairs, func(a, b Pair) int { return strings.Compare(a.Name+"="+a.Value, b.Name+"="+b.Value) })
	return pairs
}

// Density is the height of rows: "compact", "" or "touch".
func (q Query) Density() string {
	switch d := q.Get("density"); d {
	case "compact", "touch":
		return d
	}
	return ""
}
