// Package infra is what an operator owns: zones, pods, clusters, hosts, pools,
// image stores and physical networks, and the way to each host's driver.
package infra

import (
	"time"

	"gorm.io/gorm/clause"

	"aerie/services/store"
)

// Allocation tells whether new things may be placed in a zone, pod, cluster or
// pool; what runs there goes on.
type Allocation string

// The allocation states, by CloudStack's names.
const (
	Enabled  Allocation = "Enabled"
	Disabled Allocation = "Disabled"
)

// HostState is what the portal knows of a host's life.
type HostState string

// The states of a host.
const (
	HostConnecting   HostState = "Connecting"
	HostUp           HostState = "Up"
	HostDown         HostState = "Down"
	HostDisconnected HostState = "Disconnected"
	HostAlert        HostState = "Alert"
)

// Zone is a place with its own networks and storage.
type Zone struct {
	store.Row
	Name            string
	Description     string
	NetworkType     string // "Advanced" or "Basic"
	AllocationState Allocation
	DNS1            string `gorm:"column:dns1"`
	DNS2            string `gorm:"column:dns2"`
	InternalDNS1    string `gorm:"column:internal_dns1"`
	InternalDNS2    string `gorm:"column:internal_dns2"`
	GuestCIDR       string `gorm:"column:guest_cidr"`
	NetworkDomain   string
	DomainID        string // a private zone's domain; empty for a public one
	LocalStorage    bool
	SecurityGroups  bool
	Simulated       bool // its hosts are simulated, and pages say so
}

// Scope hides zones that are switched off from tenants.
func (Zone) Scope(a store.Actor) clause.Expression {
	if a.IsSystem() || a.Rank == store.Admin {
		return nil
	}
	return clause.And(clause.Eq{Column: store.Column("allocation_state"), Value: Enabled}, ForDomains(a, "domain_id"))
}

// ForDomains is the clause for what belongs to a domain, or to a list of them,
// and to all below: the column is empty for what is everybody's.
func ForDomains(a store.Actor, column string) clause.Expression {
	c := store.Column(column)
	return clause.Expr{
		SQL:  "(? = '' OR EXISTS (SELECT 1 FROM domains d WHERE SUBSTR(?, 1, LENGTH(d.path)) = d.path AND INSTR(?, d.id) > 0))",
		Vars: []any{c, a.DomainPath, c},
	}
}

// Pod is a rack with its management addresses.
type Pod struct {
	store.Row
	ZoneID          string
	Name            string
	AllocationState Allocation
	Gateway         string
	Netmask         string
	StartIP         string
	EndIP           string
}

// Cluster is hosts of one kind.
type Cluster struct {
	store.Row
	ZoneID          string
	PodID           string
	Name            string
	Hypervisor      string
	ClusterType     string
	AllocationState Allocation
	Arch            string
	CPUFactor       float64 // over-provisioning: capacity is raw times factor
	MemoryFactor    float64
}

// Host runs machines. Capacity is counted on the row: Total is raw times the
// cluster's factor, Used is what claims took.
type Host struct {
	store.Row
	ZoneID            string
	PodID             string
	ClusterID         string
	Name              string
	URL               string // how to reach the driver: qemu:///system, sim://NAME
	Machine           string // the machine's own identity
	Hypervisor        string
	HypervisorVersion string
	Arch              string
	IP                string
	State             HostState
	ResourceState     string // "Enabled", "Disabled", "Maintenance" …
	Tags              string
	CPUs              int
	CPUSockets        int
	CPUMhz            int
	MemoryMib         int64
	MemoryFreeMib     int64
	LoadAverage       float64
	Accelerated       bool
	TotalMhz          int64
	TotalMib          int64
	UsedMhz           int64
	UsedMib           int64
	Why               string // what keeps it from being Up
	LastPinged        *time.Time
}

// Pool is primary storage.
type Pool struct {
	store.Row
	ZoneID     string
	PodID      string
	ClusterID  string
	HostID     string
	Name       string
	Type       string // "Filesystem", "SharedMountPoint"
	Scope      string // "HOST", "CLUSTER", "ZONE"
	URL        string
	Path       string
	Provider   string
	Hypervisor string
	State      string // "Up", "Maintenance", "Disabled" …
	Tags       string
	Capacity   int64   // bytes
	Used       int64   // bytes, as measured
	Allocated  int64   // bytes promised to volumes
	Factor     float64 // over-provisioning
	// Marked pools were seen by a host once; see drivers.Pool.
	Marked bool
}

// TableName is the pools' table.
func (Pool) TableName() string { return "storage_pools" }

// ImageStore is secondary storage.
type ImageStore struct {
	store.Row
	ZoneID   string
	Name     string
	URL      string
	Provider string
	Protocol string
	Path     string
	ReadOnly bool
	Capacity int64
	Used     int64
}

// PhysicalNetwork carries a zone's traffic.
type PhysicalNetwork struct {
	store.Row
	ZoneID    string
	Name      string
	State     Allocation
	DomainID  string
	VLAN      string // "100-200"
	Isolation string // "VLAN", "VXLAN"
	Broadcast string // "ZONE" or "POD"
	Speed     string
	Tags      string
}

// TrafficType is a kind of traffic on a physical network and the bridges that
// carry it.
type TrafficType struct {
	store.Row
	PhysicalNetworkID string
	Type              string // "Guest", "Public", "Management", "Storage"
	KVMLabel          string `gorm:"column:kvm_label"`
	VmwareLabel       string `gorm:"column:vmware_label"`
	XenLabel          string `gorm:"column:xen_label"`
	VLAN              string
}
