package event

import (
	"context"
	"time"

	"gorm.io/gorm"

	"aerie/services/store"
)

// Phase is what of an alert is told.
type Phase string

// The phases of an alert.
const (
	Raised  Phase = "raised"
	Cleared Phase = "cleared"
)

// Channel is how an alert is told.
type Channel string

// The channels.
const (
	Mail   Channel = "mail"
	Syslog Channel = "syslog"
)

// Notice is something that is still to be told of an alert. It exists from the
// transaction that raised or cleared it until it is told.
type Notice struct {
	ID        string `gorm:"primaryKey"`
	CreatedAt time.Time
	AlertID   string
	Phase     Phase
	Channel   Channel
	DueAt     int64 // unix ms
	Tries     int
	Error     string
}

// TableName is the table of notices.
func (Notice) TableName() string { return "alert_notices" }

func tell(ctx context.Context, db *store.DB, alertID string, p Phase) error {
	var list []Notice
	for _, c := range []Channel{Mail, Syslog} {
		list = append(list, Notice{ID: db.NewID(), CreatedAt: db.Now(), AlertID: alertID, Phase: p, Channel: c})
	}
	return db.In(ctx).Create(&list).Error
}

// Untold are the first notices of a channel in the order in which they came,
// with their alerts. A notice whose alert was deleted has none.
func Untold(ctx context.Context, db *store.DB, c Channel, most int) ([]Notice, map[string]AlertRow, error) {
	list, err := gorm.G[Notice](db.In(ctx)).Where("channel = ?", c).Order("created_at, phase DESC, id").Limit(most).Find(ctx)
	if err != nil || len(list) == 0 {
		return nil, nil, err
	}
	var ids []string
	for _, n := range list {
		ids = append(ids, n.AlertID)
	}
	alerts, err := gorm.G[AlertRow](db.In(ctx)).Where("id IN ?", ids).Find(ctx)
	of := map[string]AlertRow{}
	for _, a := range alerts {
		of[a.ID] = a
	}
	return list, of, err
}

// Told ends a notice and tells whether it was still there. In a transaction
// with what tells it, it is told once.
func Told(ctx context.Context, db *store.DB, n Notice) (was bool, err error) {
	err = db.Tx(ctx, func(ctx context.Context) error {
		rows, err := gorm.G[Notice](db.In(ctx)).Where("id = ?", n.ID).Delete(ctx)
		was = rows == 1
		return err
	})
	return was, err
}

// Delay puts a notice off that could not be told.
func Delay(ctx context.Context, db *store.DB, n Notice, till time.Time, why error) error {
	return db.Tx(ctx, func(ctx context.Context) error {
		return db.In(ctx).Model(&Notice{}).Where("id = ?", n.ID).
			Updates(map[string]any{"due_at": till.UnixMilli(), "tries": n.Tries + 1, "error": why.Error()}).Error
	})
}
