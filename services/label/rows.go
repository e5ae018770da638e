package label

import (
	"time"

	"aerie/services/store"
)

// Tag is a key with a value on a resource.
type Tag struct {
	ID        string `gorm:"primaryKey"`
	CreatedAt time.Time
	store.Owned
	Kind       string
	ResourceID string
	Key        string `gorm:"column:tag_key"`
	Value      string `gorm:"column:tag_value"`
	KeyFold    string // key and value in lower case
	ValueFold  string
	Customer   string
}

// TableName is the tags' table.
func (Tag) TableName() string { return "resource_tags" }

// Detail is a key with a value on a resource, for programs rather than people.
type Detail struct {
	ID        string `gorm:"primaryKey"`
	CreatedAt time.Time
	store.Owned
	Kind       string
	ResourceID string
	Key        string `gorm:"column:detail_key"`
	Value      string `gorm:"column:detail_value"`
	Display    bool
}

// TableName is the details' table.
func (Detail) TableName() string { return "resource_details" }

// Note is a comment on a resource. A removed one stays for the record.
type Note struct {
	store.Row
	store.Owned
	Kind       string // the kind's Entity
	ResourceID string
	Text       string
	UserID     string
	AdminsOnly bool
}

// TableName is the comments' table.
func (Note) TableName() string { return "annotations" }

// Picture is a resource's icon.
type Picture struct {
	ResourceID string `gorm:"primaryKey"`
	CreatedAt  time.Time
	store.Owned
	Kind  string
	Media string // image/png
	Image string // base64
}

// TableName is the icons' table.
func (Picture) TableName() string { return "resource_icons" }
