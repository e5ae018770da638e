// Package network keeps guest networks, their addresses and their virtual
// routers. A router is declared as a whole and applied; nothing is ever sent
// as an increment.
package network

import (
	"fmt"
	"math/big"
	"net/netip"
	"strings"
	"time"

	"gorm.io/gorm/clause"

	"aerie/services/state"
	"aerie/services/store"
)

// State is where a network is in its life.
type State string

// Event moves a network.
type Event string

// The states of a network, by CloudStack's names.
const (
	Allocated    State = "Allocated"    // rows only
	Implementing State = "Implementing" // getting its router
	Implemented  State = "Implemented"
	Shutdown     State = "Shutdown" // losing its router
	Destroy      State = "Destroy"  // going for good
)

// The events of a network.
const (
	Implement Event = "implement"
	Ready     Event = "ready"
	Failed    Event = "failed"
	ShutDown  Event = "shutdown"
	Delete    Event = "delete"
)

// States is the life of a network.
var States = state.Machine[State, Event]{
	Allocated:    {Implement: Implementing, Delete: Destroy},
	Implementing: {Ready: Implemented, Failed: Shutdown, Implement: Implementing, Delete: Destroy},
	Implemented:  {ShutDown: Shutdown, Delete: Destroy, Implement: Implemented, Ready: Implemented},
	Shutdown:     {Ready: Allocated, Implement: Implementing, Delete: Destroy, ShutDown: Shutdown},
	Destroy:      {Delete: Destroy},
}

// Offering says what a network can do.
type Offering struct {
	store.Row
	Name           string
	DisplayText    string
	TrafficType    string // "Guest"
	GuestType      string // "Isolated", "Shared", "L2"
	State          string // "Enabled", "Disabled"
	Availability   string // "Required", "Optional"
	IsDefault      bool
	ForVPC         bool
	Conserve       bool
	EgressAllow    bool // guests may go out unless a rule forbids
	SpecifyVLAN    bool
	SpecifyRanges  bool
	Persistent     bool
	NetworkRate    int // Mbit/s
	MaxConnections int
	Tags           string
	Services       string // comma-separated names: Dhcp,Dns,SourceNat …
	DomainIDs      string
	ZoneIDs        string
	SortKey        int
	Details        string // JSON object of strings
}

// TableName is the offerings' table.
func (Offering) TableName() string { return "network_offerings" }

// Has tells whether the offering has that service.
func (o Offering) Has(service string) bool {
	for s := range strings.SplitSeq(o.Services, ",") {
		if strings.EqualFold(s, service) {
			return true
		}
	}
	return false
}

// Network is a guest network.
type Network struct {
	store.Row
	store.Owned
	Name              string
	DisplayText       string
	ZoneID            string
	PhysicalNetworkID string
	OfferingID        string
	GuestType         string
	State             State
	CIDR              string `gorm:"column:cidr"`
	Gateway           string
	NetworkDomain     string
	DNS1              string `gorm:"column:dns1"`
	DNS2              string `gorm:"column:dns2"`
	MTU               int    `gorm:"column:mtu"`
	PublicMTU         int    `gorm:"column:public_mtu"`
	Display           bool
	RestartRequired   bool
	IdleSince         *time.Time // since when no instance runs in it
	// Generation grows with every change that its router must learn of.
	Generation int64
}

// Ref is what the state machine needs of a row.
func (n *Network) Ref() (entity, id string, at *State) { return "network", n.ID, &n.State }

// Scope shows tenants their own networks.
func (Network) Scope(a store.Actor) clause.Expression { return store.OwnedScope(a) }

// Prefix is the network's CIDR.
func (n Network) Prefix() (netip.Prefix, error) { return netip.ParsePrefix(n.CIDR) }

// PublicRange is a run of public addresses of a zone.
type PublicRange struct {
	store.Row
	ZoneID            string
	PhysicalNetworkID string
	VLAN              string `gorm:"column:vlan"`
	Gateway           string
	Netmask           string
	StartIP           string
	EndIP             string
}

// PublicIP is a public address that is in use.
type PublicIP struct {
	store.Row
	store.Owned
	ZoneID    string
	RangeID   string
	NetworkID string
	Address   string
	MAC       string `gorm:"column:mac"`
	SourceNAT bool   `gorm:"column:source_nat"`
}

// leased is a public address with its range.
type leased struct {
	PublicIP `gorm:"embedded"`
	Range    PublicRange `gorm:"foreignKey:RangeID"`
}

// TableName is the public addresses' table.
func (PublicIP) TableName() string { return "public_ips" }

// Router is the virtual router of a network.
type Router struct {
	store.Row
	store.Owned
	Name      string // r-12-VM
	NetworkID string
	ZoneID    string
	HostID    string
	State     string // "Starting", "Running", "Stopped"
	Applied   int64  // the network generation that it has
	Hash      string
	Why       string
	BusyUntil int64
}

// NIC is a network card of an instance.
type NIC struct {
	store.Row
	store.Owned
	VMID      string `gorm:"column:vm_id"`
	NetworkID string
	Device    int
	MAC       string `gorm:"column:mac"`
	IP        string
	IsDefault bool
}

// TableName is the cards' table.
func (NIC) TableName() string { return "nics" }

// Number is an IPv4 address as the number that pools count in.
func Number(a netip.Addr) int64 {
	return new(big.Int).SetBytes(a.AsSlice()).Int64()
}

// Address is the IPv4 address of a number.
func Address(n int64) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

// mac makes a hardware address from randomness: locally administered, unicast
// (IEEE 802: second-least bit of the first byte set, least one clear).
func (s *Service) mac() (string, error) {
	var b [5]byte
	if _, err := s.db.Rand().Read(b[:]); err != nil {
		return "", fmt.Errorf("random MAC: %w", err)
	}
	return fmt.Sprintf("02:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4]), nil
}
