package label

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/store"
)

// ByTags is embedded by list requests of what carries tags.
type ByTags struct {
	Tags map[string]string `json:"tags" doc:"resources with all of these tags; a key without a value matches any value"`
}

// Narrow narrows a query on resources to those with the tags. The query itself
// is fenced already, and who sees a resource sees its tags.
func (f ByTags) Narrow(ctx context.Context, db *store.DB, q *gorm.DB) *gorm.DB {
	if len(f.Tags) == 0 {
		return q
	}
	sys := store.System(ctx, "tags of rows that the caller sees")
	for key, value := range f.Tags {
		tagged := db.In(sys).Model(&Tag{}).Where("tag_key = ?", key)
		if value != "" {
			tagged = tagged.Where("tag_value = ?", value)
		}
		q = q.Where("id IN (?)", tagged.Select("resource_id"))
	}
	return q
}
