// Package image keeps templates: where they come from, in which image stores
// they are, and which primary pools hold a base of them.
package image

import (
	"time"

	"gorm.io/gorm/clause"

	"aerie/services/store"
)

// CopyState is where a copy of a template is in its life.
type CopyState string

// The states of a copy.
const (
	Downloading CopyState = "Downloading"
	Ready       CopyState = "Ready"
	FailedCopy  CopyState = "Failed"
	Deleting    CopyState = "Deleting"
)

// Template is an image that instances start from.
type Template struct {
	store.Row
	store.Owned
	Name            string
	DisplayText     string
	URL             string
	Format          string // "QCOW2", "RAW"
	Hypervisor      string // "KVM", "Simulator"
	Type            string // "BUILTIN", "USER"
	Arch            string
	OSType          string `gorm:"column:os_type"`
	Bits            int
	Checksum        string // "{SHA-256}…"
	Public          bool
	Featured        bool
	Extractable     bool
	PasswordEnabled bool
	SSHKeyEnabled   bool `gorm:"column:ssh_key_enabled"`
	Scalable        bool
	RequiresHVM     bool `gorm:"column:requires_hvm"`
	Tag             string
	Details         string // JSON object of strings
	Bytes           int64  // virtual size, known when a copy is ready
	FileBytes       int64
	UserDataID      string // that guests of it get
	UserDataPolicy  string // whether deployments may bring their own
}

// Scope shows tenants their own templates and the public ones.
func (Template) Scope(a store.Actor) clause.Expression {
	own := store.OwnedScope(a)
	if own == nil {
		return nil
	}
	return clause.Or(own, clause.Eq{Column: store.Column("public"), Value: true})
}

// Copy is a template in an image store.
type Copy struct {
	ID         string `gorm:"primaryKey"`
	CreatedAt  time.Time
	TemplateID string
	ZoneID     string
	StoreID    string
	State      CopyState
	Percent    int
	Path       string
	FileBytes  int64
	Why        string
}

// TableName is the copies' table.
func (Copy) TableName() string { return "template_copies" }

// Ref is what the state machine needs of a row.
func (c *Copy) Ref() (entity, id string, at *CopyState) { return "template", c.ID, &c.State }

// Base is a template in a primary pool, ready to be cloned.
type Base struct {
	TemplateID string `gorm:"primaryKey"`
	PoolID     string `gorm:"primaryKey"`
	CreatedAt  time.Time
	Bytes      int64
}

// TableName is the bases' table.
func (Base) TableName() string { return "template_bases" }
