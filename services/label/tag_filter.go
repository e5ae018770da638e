package label

import (
	"context"
	"strings"

	"gorm.io/gorm"

	"aerie/services/store"
)

// ByTags is embedded by list requests of what carries tags.
type ByTags struct {
	Tags map[string]string `json:"tags" doc:"resources with all of these tags, in any case; a key without a value matches any value"`
}

// Narrow narrows a query on resources to those with the tags. The query itself
// is fenced already, and who sees a resource sees its tags.
func (f ByTags) Narrow(ctx context.Context, db *store.DB, q *gorm.DB) *gorm.DB {
	if len(f.Tags) == 0 {
		return q
	}
	sys := store.System(ctx, "tags of rows that the caller sees")
	for key, value := range f.Tags {
		tagged := folded(folded(db.In(sys).Model(&Tag{}), "key_fold", key), "value_fold", value)
		q = q.Where("id IN (?)", tagged.Select("resource_id"))
	}
	return q
}

// folded narrows q to tags whose key or value is the text in any case, as
// CloudStack's database compares them. An empty text narrows nothing.
func folded(q *gorm.DB, column, text string) *gorm.DB {
	if text == "" {
		return q
	}
	// As it stands, too, for tags older than the column.
	return q.Where(column+" IN ?", []string{fold(text), text})
}

func fold(s string) string { return strings.ToLower(s) }
