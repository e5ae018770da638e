package command

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"gorm.io/gorm"

	"aerie/services/store"
)

// Marks remember where the pages of long lists ended, so that the page after
// one costs as much as the first, however deep it is. They are of one server
// and forgotten after a minute; a list read without them is only slower.
type Marks struct {
	mu    sync.Mutex
	now   func() time.Time
	lists map[string]*trail
}

type trail struct {
	used  time.Time
	marks []mark // by offset
}

// mark is the id that stands before the row of that offset.
type mark struct {
	offset int
	id     string
}

const (
	markAge   = time.Minute
	markLists = 1000
	marksEach = 200
	// countMost is up to where matches are counted.
	countMost = 10_000
)

// NewMarks makes them with the clock of their age.
func NewMarks(now func() time.Time) *Marks { return &Marks{now: now, lists: map[string]*trail{}} }

// Newest is Rows for tables that grow without end and whose ids are in the
// order of creation: the newest first, by ids alone. Up to ten thousand matches
// are counted; of more the count is beyond what the page shows as long as more
// follows, so that clients that read until it is reached get everything.
func Newest[T any](q *gorm.DB, p Paging, m *Marks) (rows []T, count int, err error) {
	q = q.Session(&gorm.Session{})
	limit, offset := p.Limit(), p.Offset()
	if limit < 0 {
		err := q.Order("id DESC").Find(&rows).Error
		return rows, len(rows), err
	}
	list := listKey(q, new(T))
	from := m.before(list, offset)
	find := q
	if from.id != "" {
		find = q.Where("id < ?", from.id)
	}
	// The ids first: an index has them, and rows that are skipped are not read.
	var ids []string
	if err := find.Model(new(T)).Order("id DESC").Offset(offset-from.offset).Limit(limit).Pluck("id", &ids).Error; err != nil {
		return nil, 0, err
	}
	if len(ids) > 0 {
		// The fence was asked with the ids. Asked again it would be an index of all
		// that is the caller's, which a database without figures takes instead.
		sys := store.System(q.Statement.Context, "rows whose ids were found as the caller's")
		if err := q.Session(&gorm.Session{NewDB: true, Context: sys}).Where("id IN ?", ids).Order("id DESC").Find(&rows).Error; err != nil {
			return nil, 0, err
		}
	}
	if len(ids) < limit && (len(ids) > 0 || offset == 0) {
		return rows, offset + len(rows), nil
	}
	if len(ids) == limit {
		m.add(list, mark{offset + limit, ids[limit-1]})
	}
	n, err := countUpTo[T](q)
	if n > countMost {
		n = max(n, offset+len(ids))
		if len(ids) == limit {
			n = max(n, offset+limit+1)
		}
	}
	return rows, n, err
}

// countUpTo counts matches and gives up above countMost.
func countUpTo[T any](q *gorm.DB) (int, error) {
	var more []string
	err := q.Model(new(T)).Order("id DESC").Offset(countMost).Limit(1).Pluck("id", &more).Error
	if err != nil || len(more) > 0 {
		return countMost + 1, err
	}
	var n int64
	err = q.Model(new(T)).Count(&n).Error
	return int(n), err
}

// listKey is the list's statement with the fence of who asks, which the store
// has added by then.
func listKey(q *gorm.DB, model any) string {
	st := q.Session(&gorm.Session{DryRun: true}).Model(model).Select("id").Find(&[]string{}).Statement
	return fmt.Sprint(st.SQL.String(), st.Vars)
}

// before is the last mark at or before an offset.
func (m *Marks) before(list string, offset int) (found mark) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.lists[list]
	if t == nil || offset == 0 || m.now().Sub(t.used).Abs() > markAge {
		delete(m.lists, list)
		return mark{}
	}
	for _, k := range t.marks {
		if k.offset <= offset && k.offset > found.offset {
			found = k
		}
	}
	return found
}

func (m *Marks) add(list string, k mark) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.lists[list]
	if t == nil {
		if len(m.lists) >= markLists {
			clear(m.lists)
		}
		t = &trail{}
		m.lists[list] = t
	}
	t.used = m.now()
	t.marks = slices.DeleteFunc(t.marks, func(o mark) bool { return o.offset == k.offset })
	if t.marks = append(t.marks, k); len(t.marks) > marksEach {
		t.marks = t.marks[1:]
	}
}
