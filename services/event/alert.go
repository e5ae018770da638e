package event

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"aerie/locales"
	"aerie/services/store"
)

// Kind is what an alert is about. Numbers and names are CloudStack's.
type Kind struct {
	Number int16
	Name   string
}

// The kinds of alerts.
var (
	Memory           = Kind{0, "ALERT.MEMORY"}
	CPU              = Kind{1, "ALERT.CPU"}
	Storage          = Kind{2, "ALERT.STORAGE"}
	StorageAllocated = Kind{3, "ALERT.STORAGE.ALLOCATED"}
	PublicIP         = Kind{4, "ALERT.NETWORK.PUBLICIP"}
	PrivateIP        = Kind{5, "ALERT.NETWORK.PRIVATEIP"}
	SecondaryStorage = Kind{6, "ALERT.STORAGE.SECONDARY"}
	Host             = Kind{7, "ALERT.COMPUTE.HOST"}
	VM               = Kind{8, "ALERT.USERVM"}
	Router           = Kind{9, "ALERT.SERVICE.DOMAINROUTER"}
	ConsoleProxy     = Kind{10, "ALERT.SERVICE.CONSOLEPROXY"}
	StorageMisc      = Kind{12, "ALERT.STORAGE.MISC"}
	Usage            = Kind{13, "ALERT.USAGE"}
	Management       = Kind{14, "ALERT.MANAGEMENT"}
	VMMigrate        = Kind{17, "ALERT.SERVICE.USERVM.MIGRATE"}
	VLAN             = Kind{18, "ALERT.NETWORK.VLAN"}
	LocalStorage     = Kind{25, "ALERT.STORAGE.LOCAL"}
	LimitExceeded    = Kind{26, "ALERT.RESOURCE.EXCEED"}
	HighAvailability = Kind{30, "ALERT.HA.ACTION"}
	Certificate      = Kind{31, "ALERT.CA.CERT"}
	Job              = Kind{40, "ALERT.JOB"}
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
		return err
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

// Clear ends the alert of that kind and subject, if one stands.
func Clear(ctx context.Context, db *store.DB, k Kind, subject string) (was bool, err error) {
	err = db.Tx(ctx, func(ctx context.Context) error {
		res := db.In(ctx).Model(&AlertRow{}).Where("standing = ?", standing(k, subject)).
			Updates(map[string]any{"standing": nil, "resolved_at": db.Now()})
		was = res.RowsAffected > 0
		return res.Error
	})
	if err != nil {
		return false, fmt.Errorf("clear alert %s: %w", k.Name, err)
	}
	return was, nil
}

// Prune deletes events and resolved alerts older than that, some at a time, and
// returns how many events went.
func Prune(ctx context.Context, db *store.DB, olderThan time.Duration) (total int64, err error) {
	ctx = store.System(ctx, "events are kept for a time only")
	cutoff := db.Now().Add(-olderThan)
	for {
		var n int64
		err := db.Tx(ctx, func(ctx context.Context) error {
			var ids []string
			if err := db.In(ctx).Model(&Row{}).Where("created_at < ?", cutoff).Order("created_at").Limit(500).Pluck("id", &ids).Error; err != nil {
				return err
			}
			n = int64(len(ids))
			if n == 0 {
				return db.In(ctx).Where("resolved_at < ?", cutoff).Delete(&AlertRow{}).Error
			}
			return db.In(ctx).Where("id IN ?", ids).Delete(&Row{}).Error
		})
		if err != nil {
			return total, fmt.Errorf("prune events: %w", err)
		}
		if total += n; n == 0 {
			return total, nil
		}
	}
}
