// Package storage keeps volumes and the offerings they are made of.
package storage

import (
	"time"

	"aerie/services/state"
	"aerie/services/store"
)

// State is where a volume is in its life.
type State string

// Event moves a volume.
type Event string

// The states of a volume, by CloudStack's names.
const (
	Allocated State = "Allocated" // a row only
	Creating  State = "Creating"
	Ready     State = "Ready"
	Destroy   State = "Destroy" // can be recovered
	Expunging State = "Expunging"
	Expunged  State = "Expunged"
)

// The events of a volume.
const (
	Create  Event = "create"
	Made    Event = "made"
	Failed  Event = "failed"
	Delete  Event = "delete"
	Recover Event = "recover"
	Expunge Event = "expunge"
	Gone    Event = "gone"
)

// States is the life of a volume.
var States = state.Machine[State, Event]{
	Allocated: {Create: Creating, Delete: Destroy, Expunge: Expunging},
	Creating:  {Made: Ready, Failed: Allocated, Expunge: Expunging, Create: Creating},
	Ready:     {Delete: Destroy, Expunge: Expunging, Failed: Allocated},
	Destroy:   {Recover: Ready, Expunge: Expunging},
	Expunging: {Gone: Expunged, Expunge: Expunging},
	Expunged:  {},
}

// Offering is what a data disk can be.
type Offering struct {
	store.Row
	Name         string
	DisplayText  string
	Bytes        int64 // 0 for customized
	Customized   bool
	StorageType  string // "shared", "local"
	Provisioning string // "thin"
	Strict       bool   // volumes keep their size
	Limits       `gorm:"embedded"`
	Tags         string
	State        string // "Active", "Inactive"
	Display      bool
	DomainIDs    string
	ZoneIDs      string
	SortKey      int
	Details      string // JSON object of strings
}

// TableName is the offerings' table.
func (Offering) TableName() string { return "disk_offerings" }

// Volume is a disk.
type Volume struct {
	store.Row
	store.Owned
	Name              string
	Type              string // "ROOT", "DATADISK"
	State             State
	ZoneID            string
	PoolID            string
	VMID              string `gorm:"column:vm_id"`
	Device            int
	AttachedAt        *time.Time
	TemplateID        string
	DiskOfferingID    string
	ServiceOfferingID string
	Bytes             int64
	DeleteProtection  bool
	Why               string
}

// Ref is what the state machine needs of a row.
func (v *Volume) Ref() (entity, id string, at *State) { return "volume", v.ID, &v.State }

// The types of volumes.
const (
	Root = "ROOT"
	Data = "DATADISK"
)
