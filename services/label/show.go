package label

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/store"
)

// Want says what views show of their resources' labels.
type Want struct {
	IDs                  []string
	Tags, Notes, Details bool
	Icons                bool
}

// Shown are the labels of resources.
type Shown struct {
	tags    map[string][]TagView
	details map[string]map[string]string
	noted   map[string]bool
	icons   map[string]*Icon
}

// Of reads the labels of resources that the actor was found to see: a constant
// number of queries.
func Of(ctx context.Context, db *store.DB, w Want) (l Shown, err error) {
	if len(w.IDs) == 0 {
		return l, nil
	}
	sys := store.System(ctx, "labels of rows that the caller sees")
	var reads []func() error
	var rows []any
	for _, read := range []struct {
		wanted bool
		row    any
		fn     func() error
	}{
		{w.Tags, &Tag{}, func() error { return l.readTags(sys, db, w.IDs) }},
		{w.Details, &Detail{}, func() error { return l.readDetails(sys, db, w.IDs) }},
		{w.Notes, &Note{}, func() error { return l.readNotes(ctx, db, w.IDs) }},
		{w.Icons, &Picture{}, func() error { return l.readIcons(sys, db, w.IDs) }},
	} {
		if read.wanted {
			reads, rows = append(reads, read.fn), append(rows, read.row)
		}
	}
	// Most resources have none of them, which is told at once.
	there, err := store.Present(ctx, db, "resource_id", w.IDs, rows...)
	if err != nil {
		return l, err
	}
	for i, read := range reads {
		if !there[i] {
			continue
		}
		if err := read(); err != nil {
			return l, err
		}
	}
	return l, nil
}

// Tags are a resource's tags: never nil, so that clients find a list.
func (l Shown) Tags(id string) []TagView {
	if tags := l.tags[id]; tags != nil {
		return tags
	}
	return []TagView{}
}

// Details adds a resource's details to those it has itself.
func (l Shown) Details(id string, own map[string]string) map[string]string {
	more := l.details[id]
	if len(more) == 0 {
		return own
	}
	out := make(map[string]string, len(own)+len(more))
	for k, v := range own {
		out[k] = v
	}
	for k, v := range more {
		out[k] = v
	}
	return out
}

// Noted tells whether there are comments that the actor may read.
func (l Shown) Noted(id string) bool { return l.noted[id] }

// Icon is a resource's icon, or nil.
func (l Shown) Icon(id string) *Icon { return l.icons[id] }

func (l *Shown) readTags(ctx context.Context, db *store.DB, ids []string) error {
	rows, err := gorm.G[Tag](db.In(ctx)).Where("resource_id IN ?", ids).Order("tag_key, id").Find(ctx)
	if err != nil || len(rows) == 0 {
		return err
	}
	views, err := tagViews(ctx, db, rows)
	l.tags = map[string][]TagView{}
	for _, v := range views {
		l.tags[v.ResourceID] = append(l.tags[v.ResourceID], v)
	}
	return err
}

func (l *Shown) readDetails(ctx context.Context, db *store.DB, ids []string) error {
	rows, err := gorm.G[Detail](db.In(ctx)).Where("resource_id IN ? AND display = ?", ids, true).Find(ctx)
	l.details = map[string]map[string]string{}
	for _, d := range rows {
		if l.details[d.ResourceID] == nil {
			l.details[d.ResourceID] = map[string]string{}
		}
		l.details[d.ResourceID][d.Key] = d.Value
	}
	return err
}

// readNotes stays inside the actor's fence: comments on what is shared are for
// those who own it.
func (l *Shown) readNotes(ctx context.Context, db *store.DB, ids []string) error {
	var noted []string
	err := readable(ctx, db.In(ctx).Model(&Note{})).Where("resource_id IN ?", ids).Distinct("resource_id").Pluck("resource_id", &noted).Error
	l.noted = map[string]bool{}
	for _, id := range noted {
		l.noted[id] = true
	}
	return err
}

func (l *Shown) readIcons(ctx context.Context, db *store.DB, ids []string) error {
	rows, err := gorm.G[Picture](db.In(ctx)).Where("resource_id IN ?", ids).Find(ctx)
	l.icons = map[string]*Icon{}
	for _, p := range rows {
		l.icons[p.ResourceID] = &Icon{Image: p.Image, Type: p.Kind, ID: p.ResourceID}
	}
	return err
}

// Fill reads the labels of what views show and lets put write them into each.
func Fill[V any](ctx context.Context, db *store.DB, views []V, w Want, id func(*V) string, put func(*V, Shown)) error {
	for i := range views {
		w.IDs = append(w.IDs, id(&views[i]))
	}
	if w.IDs == nil || !w.Tags && !w.Notes && !w.Details && !w.Icons {
		return nil
	}
	l, err := Of(ctx, db, w)
	if err != nil {
		return err
	}
	for i := range views {
		put(&views[i], l)
	}
	return nil
}
