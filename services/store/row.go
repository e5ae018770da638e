package store

import (
	"time"

	"gorm.io/gorm"
)

// Row is embedded by every row that has an identity. A removed row stays, so
// that its id still resolves; queries do not see it unless Unscoped.
type Row struct {
	ID        string         `gorm:"primaryKey;size:36"`
	CreatedAt time.Time      `gorm:"not null"`
	RemovedAt gorm.DeletedAt `gorm:"index"`
}

// Owned is embedded by every row that belongs to an account. The store keeps
// every query on such a table inside the actor's scope.
type Owned struct {
	AccountID  string `gorm:"size:36;not null"`
	DomainID   string `gorm:"size:36;not null"`
	DomainPath string `gorm:"size:255;not null"`
}

// Owner is whom the row belongs to.
func (o Owned) Owner() Owner { return Owner(o) }
