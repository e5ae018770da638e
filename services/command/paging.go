package command

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/fault"
)

// Paging is embedded by the requests of list commands.
type Paging struct {
	Keyword  string `json:"keyword" doc:"List by keyword"`
	Page     *int   `json:"page" min:"0" doc:"the page, from 1"`
	PageSize *int   `json:"pagesize" min:"-1" doc:"the number of entries per page; -1 for all"`

	most int
}

const (
	defaultPage = 500
	unlimited   = -1
)

// Check holds the rules of page and pagesize: only together, no more than the
// setting allows; -1 alone is unlimited.
func (p *Paging) Check(ctx context.Context) error {
	p.most = defaultPage
	if r := callOf(ctx).registry; r != nil && r.MaxPage != nil {
		p.most = r.MaxPage(ctx)
	}
	switch {
	case p.PageSize != nil && *p.PageSize == unlimited:
		return nil
	case p.Page != nil && p.PageSize == nil:
		return fault.Param("pagesize", "error.page_alone", "other", "page")
	case p.Page == nil && p.PageSize != nil:
		return fault.Param("page", "error.page_alone", "other", "pagesize")
	case p.PageSize != nil && (*p.PageSize > p.most || *p.PageSize == 0):
		return fault.Param("pagesize", "error.page_size", "value", *p.PageSize, "max", p.most)
	}
	return nil
}

// Limit is how many rows to return, -1 for all, as gorm has it.
func (p Paging) Limit() int {
	switch {
	case p.PageSize != nil:
		return *p.PageSize
	case p.most > 0:
		return p.most
	}
	return defaultPage
}

// Offset is how many rows to skip.
func (p Paging) Offset() int {
	if p.Page == nil || *p.Page <= 1 || p.Limit() == unlimited {
		return 0
	}
	return (*p.Page - 1) * p.Limit()
}

// Rows returns one page of q and the number of all matches. It counts only
// when the page itself does not tell. Order ends in the id to be total.
func Rows[T any](q *gorm.DB, p Paging, order string) (rows []T, count int, err error) {
	q = q.Session(&gorm.Session{}) // both statements start from here
	limit, offset := p.Limit(), p.Offset()
	find := q
	if limit >= 0 {
		find = q.Limit(limit).Offset(offset)
	}
	if err := find.Order(order).Find(&rows).Error; err != nil {
		return nil, 0, err
	}
	if limit < 0 || len(rows) < limit && (len(rows) > 0 || offset == 0) {
		return rows, offset + len(rows), nil
	}
	var n int64
	err = q.Model(new(T)).Count(&n).Error
	return rows, int(n), err
}
