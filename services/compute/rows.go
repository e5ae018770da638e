// Package compute runs instances: their life from deployment to expunge, what
// they are made of, and the truth about them that hosts tell.
package compute

import (
	"time"

	"aerie/services/state"
	"aerie/services/storage"
	"aerie/services/store"
)

// State is where an instance is in its life.
type State string

// Event moves an instance.
type Event string

// The states of an instance, by CloudStack's names; Paused and Unknown are
// what a host or its silence tells.
const (
	Stopped   State = "Stopped"
	Starting  State = "Starting"
	Running   State = "Running"
	Stopping  State = "Stopping"
	Paused    State = "Paused"
	Unknown   State = "Unknown"
	Broken    State = "Error" // a deployment that failed and was undone
	Destroyed State = "Destroyed"
	Expunging State = "Expunging"
)

// The events of an instance. Those of the second group are observed, not asked.
const (
	Start      Event = "start"
	Started    Event = "started"
	NotStarted Event = "not started"
	NotMade    Event = "not made"
	Stop       Event = "stop"
	Halted     Event = "halted"
	NotStopped Event = "not stopped"
	Reboot     Event = "reboot"
	Destroy    Event = "destroy"
	Gone       Event = "gone"
	Recover    Event = "recover"
	Expunge    Event = "expunge"

	SeenOff    Event = "seen off"
	SeenOn     Event = "seen on"
	SeenPaused Event = "seen paused"
	Lost       Event = "lost"
)

// States is the life of an instance. Pages, API errors and jobs read this table.
var States = state.Machine[State, Event]{
	Stopped:  {Start: Starting, Destroy: Stopping, Expunge: Expunging},
	Starting: {Started: Running, NotStarted: Stopped, NotMade: Broken, Start: Starting},
	Running: {
		Stop: Stopping, Reboot: Running, Destroy: Stopping, SeenOff: Stopped, SeenPaused: Paused, Lost: Unknown,
		Started: Running, NotStarted: Stopped, NotMade: Broken,
	}, // a start that was cancelled at its last moment
	Stopping:  {Halted: Stopped, NotStopped: Running, SeenPaused: Paused, Gone: Destroyed, Stop: Stopping, Destroy: Stopping},
	Paused:    {Stop: Stopping, Start: Starting, Destroy: Stopping, SeenOff: Stopped, SeenOn: Running, Lost: Unknown},
	Unknown:   {Stop: Stopping, Destroy: Stopping, SeenOff: Stopped, SeenOn: Running, SeenPaused: Paused},
	Broken:    {Destroy: Stopping, Expunge: Expunging},
	Destroyed: {Recover: Stopped, Expunge: Expunging},
	Expunging: {Expunge: Expunging},
}

// Offering is a size of instances.
type Offering struct {
	store.Row
	Name         string
	DisplayText  string
	CPUs         int `gorm:"column:cpus"`
	MHz          int `gorm:"column:mhz"`
	MemoryMiB    int `gorm:"column:memory_mib"`
	Customized   bool
	MinCPUs      int `gorm:"column:min_cpus"`
	MaxCPUs      int `gorm:"column:max_cpus"`
	MinMemory    int
	MaxMemory    int
	RootGiB      int64 `gorm:"column:root_gib"`
	HA           bool  `gorm:"column:ha"`
	LimitCPU     bool  `gorm:"column:limit_cpu"`
	Volatile     bool
	Dynamic      bool
	StorageType  string
	Provisioning string
	HostTags     string
	StorageTags  string
	NetworkRate  int
	Planner      string
	State        string // "Active", "Inactive"
	DomainIDs    string `gorm:"column:domain_ids"`
	ZoneIDs      string `gorm:"column:zone_ids"`
	SortKey      int
	Details      string // JSON object of strings
	// DiskOfferingID is what root disks are made of; without it the size says
	// by itself what they may do.
	DiskOfferingID     string
	DiskOfferingStrict bool
	storage.Limits     `gorm:"embedded"`
	LeaseDays          int    // until instances end by themselves; 0 is never
	LeaseAction        string // LeaseStop, LeaseDestroy
}

// What happens to an instance at the end of its lease.
const (
	LeaseStop    = "STOP"
	LeaseDestroy = "DESTROY"
)

// TableName is the offerings' table.
func (Offering) TableName() string { return "service_offerings" }

// VM is an instance.
type VM struct {
	store.Row
	store.Owned
	Name             string // host name
	DisplayName      string
	InstanceName     string // i-<account>-<number>-VM
	State            State
	ZoneID           string
	HostID           string // while it runs
	LastHostID       string
	OfferingID       string
	TemplateID       string
	Hypervisor       string
	CPUs             int  `gorm:"column:cpus"`
	MHz              int  `gorm:"column:mhz"`
	MemoryMiB        int  `gorm:"column:memory_mib"`
	HA               bool `gorm:"column:ha"`
	Display          bool
	Dynamic          bool
	DeleteProtection bool
	PasswordEnabled  bool
	Password         store.Secret // until the guest has taken it
	PasswordID       string
	KeyPairs         string // names, comma-separated
	PublicKeys       string // lines of authorized_keys
	UserData         string // base64, as the guest gets it
	UserDataID       string // the entry of the library that it is from
	UserDataParams   string // JSON object: values of the entry's variables
	GroupID          string // its instance group
	Bonded           bool   // it is in affinity groups
	LeaseEnds        *time.Time
	LeaseDays        int
	LeaseAction      string
	Details          string // JSON object of strings
	OSType           string `gorm:"column:os_type"`
	UserID           string // who deployed it
	Why              string // what failed, in Aerie's words
	UpdatedAt        *time.Time
	StartedAt        *time.Time
	StoppedAt        *time.Time
	DestroyedAt      *time.Time
}

// TableName is the instances' table.
func (VM) TableName() string { return "vms" }

// Ref is what the state machine needs of a row.
func (vm *VM) Ref() (entity, id string, at *State) { return "virtualmachine", vm.ID, &vm.State }

// Entity is what a job about the instance has to itself.
func (vm *VM) Entity() string { return "vm/" + vm.ID }
