package event

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"aerie/locales"
	"aerie/services/store"
)

// Alert is what Raise writes. Subject tells two troubles of one kind apart:
// the host's id, the pool's name.
type Alert struct {
	Kind                  Kind
	Subject               string
	Message               string // key in locales
	Args                  []any  // its name, value pairs
	ZoneID, PodID, HostID string
}

// AlertRow is an alert in the database. It stands until it is cleared.
type AlertRow struct {
	ID         string `gorm:"primaryKey;size:36"`
	CreatedAt  time.Time
	ResolvedAt *time.Time
	LastAt     time.Time
	Type       int16
	Name       string
	Message    string
	Args       string
	Subject    string
	Standing   *string
	Times      int64
	ZoneID     string
	PodID      string
	HostID     string
	Archived   bool
}

// TableName is the table of alerts.
func (AlertRow) TableName() string { return "alerts" }

// Text words the alert in ctx's language.
func (r AlertRow) Text(ctx context.Context) string {
	return locales.T(ctx, r.Message, decodeArgs(r.Args)...)
}

func standing(k Kind, subject string) string { return fmt.Sprintf("%d/%s", k.Number, subject) }

// Raise notes trouble and tells whether it is news. While an alert of the same
// kind and subject stands it is only counted, so a loop may raise every time.
func Raise(ctx context.Context, db *store.DB, a Alert) (news bool, err error) {
	args, err := encodeArgs(a.Args)
	if err != nil {
		return false, fmt.Errorf("alert %s: %w", a.Kind.Name, err)
	}
	key := standing(a.Kind, a.Subject)
	row := AlertRow{
		ID: db.NewID(), CreatedAt: db.Now(), LastAt: db.Now(), Type: a.Kind.Number, Name: a.Kind.Name,
		Message: a.Message, Args: args, Subject: a.Subject, Standing: &key, Times: 1,
		ZoneID: a.ZoneID, PodID: a.PodID, HostID: a.HostID,
	}
	err = db.Tx(ctx, func(ctx context.Context) error {
		again, err := count(ctx, db, key)
		if err != nil || again {
			return err
		}
		news = true
		err = db.In(ctx).Create(&row).Error
		if store.IsDuplicate(err) { // another server was faster
			news = false
			_, err = count(ctx, db, key)
		}
		if err != nil || !news {
			return err
		}
		return tell(ctx, db, row.ID, Raised)
	})
	if err != nil {
		return false, fmt.Errorf("alert %s: %w", a.Kind.Name, err)
	}
	return news, nil
}

func count(ctx context.Context, db *store.DB, key string) (bool, error) {
	res := db.In(ctx).Model(&AlertRow{}).Where("standing = ?", key).
		Updates(map[string]any{"times": gorm.Expr("times + 1"), "last_at": db.Now()})
	return res.RowsAffected > 0, res.Error
}

// Generate writes an alert that tells of something and does not last. Written
// twice with one id it is one.
func Generate(ctx context.Context, db *store.DB, id string, a Alert) error {
	args, err := encodeArgs(a.Args)
	if err != nil {
		return fmt.Errorf("alert %s: %w", a.Kind.Name, err)
	}
	now := db.Now()
	row := AlertRow{
		ID: id, CreatedAt: now, LastAt: now, ResolvedAt: &now, Type: a.Kind.Number, Name: a.Kind.Name, Message: a.Message, Args: args,
		Subject: a.Subject, Times: 1, ZoneID: a.ZoneID, PodID: a.PodID, HostID: a.HostID,
	}
	err = db.Tx(ctx, func(ctx context.Context) error {
		if err := db.In(ctx).Create(&row).Error; err != nil {
			return err
		}
		return tell(ctx, db, row.ID, Raised)
	})
	if store.IsDuplicate(err) {
		return nil
	}
	return err
}

// Clear ends the alert of that kind and subject, if one stands.
func Clear(ctx context.Context, db *store.DB, k Kind, subject string) (was bool, err error) {
	key := standing(k, subject)
	err = db.Tx(ctx, func(ctx context.Context) error {
		was = false
		var ids []string
		if err := db.In(ctx).Model(&AlertRow{}).Where("standing = ?", key).Limit(1).Pluck("id", &ids).Error; err != nil || len(ids) == 0 {
			return err
		}
		res := db.In(ctx).Model(&AlertRow{}).Where("id = ? AND standing = ?", ids[0], key).
			Updates(map[string]any{"standing": nil, "resolved_at": db.Now()})
		if res.Error != nil || res.RowsAffected == 0 {
			return res.Error
		}
		was = true
		return tell(ctx, db, ids[0], Cleared)
	})
	if err != nil {
		return false, fmt.Errorf("clear alert %s: %w", k.Name, err)
	}
	return was, nil
}

// Standing lists the subjects of the alerts of one kind that last.
func Standing(ctx context.Context, db *store.DB, k Kind) (subjects []string, err error) {
	err = db.In(ctx).Model(&AlertRow{}).Where("standing LIKE ?", fmt.Sprintf("%d/%%", k.Number)).Order("standing").Pluck("subject", &subjects).Error
	return subjects, err
}
