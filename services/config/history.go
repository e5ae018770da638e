package config

import (
	"context"
	"time"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/store"
)

// Change is one change of a setting. What is nil was, or is, not set there; of
// what is secret only that is told.
type Change struct {
	ID        string `gorm:"primaryKey"`
	CreatedAt time.Time
	Name      string
	Scope     Scope
	ScopeID   string
	Was, Now  *string
	UserID    string
}

// TableName is the table of changes.
func (Change) TableName() string { return "setting_changes" }

// Target is where it was changed.
func (c Change) Target() Target { return Target{c.Scope, c.ScopeID} }

// Changes are the latest changes of a setting, the last first.
func (s *Service) Changes(ctx context.Context, name string, most int) ([]Change, error) {
	return gorm.G[Change](s.db.In(ctx)).Where("name = ?", name).Order("id DESC").Limit(most).Find(ctx)
}

// Undo brings back what a change replaced, if the setting has not been changed
// again there since; otherwise it is fault.Conflict error.setting_changed.
func (s *Service) Undo(ctx context.Context, id string) (Change, error) {
	var c Change
	err := s.db.Tx(ctx, func(ctx context.Context) (err error) {
		if c, err = store.Find[Change](ctx, s.db, id); err != nil {
			return err
		}
		d, err := s.known(c.Name)
		if err != nil {
			return err
		}
		if d.Secret {
			return fault.New(fault.Invalid, "error.setting_secret", "name", c.Name)
		}
		last, err := gorm.G[Change](s.db.In(ctx)).
			Where("name = ? AND scope = ? AND scope_id = ?", c.Name, c.Scope, c.ScopeID).Order("id DESC").Limit(1).Find(ctx)
		if err != nil {
			return err
		}
		if len(last) == 0 || last[0].ID != c.ID {
			return fault.New(fault.Conflict, "error.setting_changed", "name", c.Name)
		}
		return s.write(ctx, d, c.Target(), c.Was)
	})
	return c, err
}
