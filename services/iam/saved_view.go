package iam

import (
	"context"
	"net/url"
	"strings"
	"time"

	"gorm.io/gorm/clause"

	"aerie/services/fault"
	"aerie/services/store"
)

// SavedView is a list as a user wants to find it again: the end of its address,
// with its filters and columns, under a name.
type SavedView struct {
	ID        string `gorm:"primaryKey"`
	CreatedAt time.Time
	UserID    string
	List      string
	Name      string
	Query     string
}

// TableName is the table of saved views.
func (SavedView) TableName() string { return "saved_views" }

// Scope lets everyone see its own, root included.
func (SavedView) Scope(a store.Actor) clause.Expression {
	if a.IsSystem() {
		return nil
	}
	return clause.Eq{Column: store.Column("user_id"), Value: a.UserID}
}

const (
	viewsEach       = 20 // of one list and user
	longestViewName = 64
	longestView     = 2000
)

// SavedViews are the actor's of a list, by name.
func (s *Service) SavedViews(ctx context.Context, list string) (out []SavedView, err error) {
	err = s.db.In(ctx).Where("list = ?", list).Order("name").Find(&out).Error
	return out, err
}

// SaveView keeps a view for the actor; one of the same name is replaced. The
// query is one of an address.
func (s *Service) SaveView(ctx context.Context, list, name, query string) (SavedView, error) {
	a, err := actor(ctx)
	if err != nil {
		return SavedView{}, err
	}
	name = strings.TrimSpace(name)
	values, bad := url.ParseQuery(query)
	switch {
	case name == "":
		return SavedView{}, fault.Param("name", "error.required")
	case len([]rune(name)) > longestViewName:
		return SavedView{}, fault.Param("name", "error.too_long", "max", longestViewName)
	case bad != nil || len(values) == 0 || len(query) > longestView || list == "" || len(list) > longestViewName:
		return SavedView{}, fault.Param("name", "error.view_query")
	}
	v := SavedView{ID: s.db.NewID(), CreatedAt: s.db.Now(), UserID: a.UserID, List: list, Name: name, Query: values.Encode()}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		set := s.db.In(ctx).Model(&SavedView{}).Where("list = ? AND name = ?", list, name).Update("query", v.Query)
		if set.Error != nil || set.RowsAffected > 0 {
			return set.Error
		}
		var n int64
		if err := s.db.In(ctx).Model(&SavedView{}).Where("list = ?", list).Count(&n).Error; err != nil {
			return err
		}
		if n >= viewsEach {
			return fault.Param("name", "error.view_count", "max", viewsEach)
		}
		return s.db.In(ctx).Create(&v).Error
	})
	if store.IsDuplicate(err) { // saved twice at once
		err = fault.Param("name", "error.name_taken", "value", name)
	}
	return v, err
}

// DropView deletes one of the actor's.
func (s *Service) DropView(ctx context.Context, id string) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		res := s.db.In(ctx).Where("id = ?", id).Delete(&SavedView{})
		if res.Error == nil && res.RowsAffected == 0 {
			return fault.New(fault.NotFound, "portal.not_found")
		}
		return res.Error
	})
}
