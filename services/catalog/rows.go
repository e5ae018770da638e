package catalog

import (
	"time"

	"aerie/services/store"
)

// Category groups guest operating systems.
type Category struct {
	ID        string `gorm:"primaryKey"`
	CreatedAt time.Time
	Name      string
	Featured  bool
	SortKey   int
}

// TableName is the categories' table.
func (Category) TableName() string { return "guest_os_categories" }

// Type is a guest operating system. A removed one stays, so that templates made
// for it can still say what they hold.
type Type struct {
	store.Row
	CategoryID  string
	Name        string // an operator's own short name
	DisplayName string
	NameKey     *string // display name in lower case; NULL when removed
	Display     bool
	UserDefined bool
	Details     string // JSON object of strings
}

// TableName is the operating systems' table.
func (Type) TableName() string { return "guest_os" }

// Mapping is what a hypervisor calls a guest operating system.
type Mapping struct {
	ID                string `gorm:"primaryKey"`
	CreatedAt         time.Time
	GuestOSID         string `gorm:"column:guest_os_id"`
	Hypervisor        string
	HypervisorVersion string
	Name              string
	UserDefined       bool
}

// TableName is the mappings' table.
func (Mapping) TableName() string { return "guest_os_mappings" }

// Region is a cloud under the same roof. Number 1 is this one.
type Region struct {
	ID        int `gorm:"primaryKey"`
	CreatedAt time.Time
	Name      string
	Endpoint  string
	CloudID   string // of number 1, made at first use
}

// own is the number of this cloud's own region.
const own = 1

// Ability is what a hypervisor is able to do, and how much of it. 0 is no limit.
type Ability struct {
	ID                 string `gorm:"primaryKey"`
	CreatedAt          time.Time
	Hypervisor         string
	HypervisorVersion  string
	MaxGuests          int64 // on a host
	MaxDataVolumes     int   // of an instance
	MaxHostsPerCluster int
	SecurityGroups     bool
	StorageMotion      bool
	VMSnapshots        bool `gorm:"column:vm_snapshots"`
}

// TableName is the abilities' table.
func (Ability) TableName() string { return "hypervisor_capabilities" }
