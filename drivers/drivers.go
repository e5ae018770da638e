// Package drivers names what a hypervisor host can do. Every ability is one
// small interface and a driver implements what it can; every method is
// (ctx, request) (response, error) with plain data on both sides, so that an
// agent on another machine can carry the same calls.
//
// Every method may run twice: creating what is there and removing what is not
// are both success. Errors are [Error]; a call whose context ends is Unreachable.
// Requests are checked alike by all drivers before anything is touched, see
// [VMSpec.Check] and its like.
package drivers

import (
	"context"
	"net/netip"
	"time"
)

// Driver is what every driver is.
type Driver interface {
	// Kind is the driver's short name: "libvirt", "netns", "sim".
	Kind() string
}

// Prober tells what a host is and has.
type Prober interface {
	ProbeHost(context.Context, ProbeHost) (HostInfo, error)
}

// Hypervisor runs virtual machines.
type Hypervisor interface {
	// DefineVM makes the machine known to the host, powered off. A machine that
	// is off is redefined by a new spec; a running one is left as it is.
	DefineVM(context.Context, VMSpec) (VMState, error)
	// StartVM powers on; a running machine is left alone, a paused one resumes.
	StartVM(context.Context, VMRef) (VMState, error)
	// StopVM powers off: by ACPI first, by force after Grace. A machine that is
	// off already is success.
	StopVM(context.Context, StopVM) (VMState, error)
	// RebootVM restarts the guest without redefining it. A machine that is off
	// is Invalid: there is nothing to restart.
	RebootVM(context.Context, RebootVM) (VMState, error)
	// UndefineVM powers off by force and forgets the machine; its disks stay.
	UndefineVM(context.Context, VMRef) (Done, error)
	// ListVMs is the full sweep: every machine the host knows, Aerie's or not.
	ListVMs(context.Context, ListVMs) (VMList, error)
}

// Watcher tells what happens to machines, by whoever's hand.
type Watcher interface {
	// NextEvents blocks until something happened after the given sequence
	// number. To number 0, and to one that is not known any more, it answers at
	// once with Resync, so that a watcher sweeps first and goes on from Last.
	// When the context ends before anything happens, that is an error as for
	// every call: ask again with the same number.
	NextEvents(context.Context, NextEvents) (EventBatch, error)
}

// Meter reads live figures of all running machines in one call.
type Meter interface {
	MeterVMs(context.Context, MeterVMs) (Readings, error)
}

// Console opens a machine's screen or serial line.
type Console interface {
	OpenConsole(context.Context, OpenConsole) (ConsoleEndpoint, error)
}

// Screen takes a picture of a machine's screen.
type Screen interface {
	Screenshot(context.Context, VMRef) (Picture, error)
}

// DiskHost keeps images and disks in pools.
type DiskHost interface {
	// EnsurePool makes the pool usable on this host.
	EnsurePool(context.Context, Pool) (PoolState, error)
	// EnsureImage copies a template into the pool, as a base that disks can
	// be cloned from.
	EnsureImage(context.Context, ImageSpec) (DiskState, error)
	// EnsureDisk makes a disk: empty, or a thin clone of an image in its pool,
	// never smaller than the image. One that is there grows to the size that is
	// asked and never shrinks; one of another image is Invalid. One that is Kept
	// and lost is NotFound.
	EnsureDisk(context.Context, DiskSpec) (DiskState, error)
	// DeleteDisk removes a disk or an image. One that a machine has open or that
	// a disk is cloned from is Busy.
	DeleteDisk(context.Context, DiskRef) (Done, error)
	// ListDisks names every disk and image in the pool.
	ListDisks(context.Context, Pool) (DiskList, error)
}

// Switch keeps the bridges that machines and routers plug into.
type Switch interface {
	ApplyBridge(context.Context, BridgeSpec) (Done, error)
	// RemoveBridge removes a bridge; one that something is plugged into is Busy.
	RemoveBridge(context.Context, BridgeRef) (Done, error)
	ListBridges(context.Context, ListBridges) (BridgeList, error)
}

// Router keeps virtual routers.
type Router interface {
	// ApplyRouter makes the router look like the spec, whatever it looked like
	// before: the whole wanted state, never an increment. To a spec older than
	// what the router has it answers what the router has; one older than the
	// router's removal is NotFound and does not bring it back.
	ApplyRouter(context.Context, RouterSpec) (RouterState, error)
	// RemoveRouter removes the router, and its guest bridge if the router has
	// made that and nothing else is plugged into it. The generation is remembered
	// for RouterMemory. A removal older than what the router has is Busy.
	RemoveRouter(context.Context, RouterRef) (Done, error)
	ListRouters(context.Context, ListRouters) (RouterList, error)
}

// Done is the answer of a method that has nothing to tell.
type Done struct{}

// Power is what a machine is doing, as its host sees it.
type Power string

// A machine's power states.
const (
	PowerOff     Power = "off"
	PowerOn      Power = "on"
	PowerPaused  Power = "paused"
	PowerCrashed Power = "crashed"
)

type (
	// ProbeHost asks for HostInfo. Deep probes acceleration by really starting
	// a guest and may take some seconds.
	ProbeHost struct{ Deep bool }

	// HostInfo is what a host is and has.
	HostInfo struct {
		UUID              string // stable identity of the machine
		Name              string // host name
		Hypervisor        string // "KVM", "Simulator"
		HypervisorVersion string
		Arch              string // "x86_64"
		CPUs              int    // logical processors
		CPUSockets        int
		CPUMHz            int
		CPUModel          string
		MemoryMiB         int64
		MemoryFreeMiB     int64
		Accelerated       bool // hardware acceleration works; known after a deep probe
		LoadAverage       float64
	}

	// VMRef names a machine by its UUID.
	VMRef struct{ ID string }

	// VMSpec is a machine as it shall be.
	VMSpec struct {
		ID     string // UUID, also the hypervisor's own
		Name   string // internal name such as i-2-17-VM: letters, digits, dashes
		CPUs   int
		CPUMHz int // weight of one CPU among its neighbours
		// CPUCap is how much of a processor of the host each CPU may use at most,
		// in percent; 0 is no bound.
		CPUCap    int
		MemoryMiB int
		Disks     []VMDisk // the first one boots
		NICs      []VMNIC  // in slot order
	}

	// VMDisk is a disk as plugged into a machine.
	VMDisk struct {
		ID     string // disk UUID, see Serial
		Pool   Pool
		Limits DiskLimits
		Cache  string // CacheNone, CacheWriteback, CacheWritethrough; empty leaves it to the host
	}

	// DiskLimits is what a disk may do in a second; 0 is no bound.
	DiskLimits struct {
		ReadBytes, WriteBytes Rate
		ReadOps, WriteOps     Rate
		TotalOps              int64 // both together, where ReadOps and WriteOps do not say it
	}

	// Rate is a bound for a second with what may be more for some seconds: bytes
	// or operations.
	Rate struct {
		Sustained int64 // 0 is no bound
		Burst     int64 // 0 is none; never less than Sustained
		Seconds   int64 // that a burst lasts; 0 is one
	}

	// VMNIC is a network card as plugged into a machine.
	VMNIC struct {
		ID     string // NIC UUID
		MAC    string // lower case, colons
		Bridge string // see BridgeName
		MTU    int    // 0 leaves it to the bridge
		Mbit   int    // the rate each way in Mbit/s; 0 is no bound
	}

	// StopVM asks for power off. Without Force the guest is asked by ACPI and
	// forced when Grace has passed; 0 is 30 s.
	StopVM struct {
		ID    string
		Force bool
		Grace time.Duration
	}

	// RebootVM asks for a restart. Without Force the guest is asked by ACPI and
	// reset when Grace has passed; 0 is 30 s.
	RebootVM struct {
		ID    string
		Force bool
		Grace time.Duration
	}

	// VMState is a machine as its host sees it.
	VMState struct {
		ID    string
		Name  string
		Power Power
		Why   string // the hypervisor's own word for how it came there
	}

	// ListVMs asks for all machines.
	ListVMs struct{}
	// VMList is all machines of a host.
	VMList struct{ VMs []VMState }

	// NextEvents asks for what happened after sequence number After; 0 is where
	// a watcher starts.
	NextEvents struct{ After int64 }
	// EventBatch is what happened up to sequence number Last, which is never 0.
	// Resync says that events may be unknown and a full sweep is due.
	EventBatch struct {
		Last   int64
		Events []VMEvent
		Resync bool
	}
	// VMEvent is a change of one machine. Gone says that the host forgot it.
	VMEvent struct {
		State VMState
		Gone  bool
		At    time.Time
	}

	// MeterVMs asks for the figures of all running machines.
	MeterVMs struct{}
	// Readings is one reading of every running machine.
	Readings struct {
		At  time.Time
		VMs []Reading
	}
	// Reading is the counters of one machine, counted since it was started.
	Reading struct {
		ID           string
		CPUTime      time.Duration
		MemoryKiB    int64 // in use inside the guest, or resident on the host when the guest does not tell
		NetworkRx    int64 // bytes into the guest
		NetworkTx    int64 // bytes out of the guest
		DiskRead     int64 // bytes
		DiskWrite    int64
		DiskReadOps  int64
		DiskWriteOps int64
	}

	// OpenConsole asks where a machine's console listens.
	OpenConsole struct {
		ID   string
		Kind ConsoleKind
	}
	// ConsoleEndpoint is where to dial, as net.Dial wants it. It is reachable
	// on the host alone.
	ConsoleEndpoint struct {
		Network string // "unix" or "tcp"
		Address string
		// History is what a serial line said last, where the line itself does
		// not repeat it for who comes later.
		History []byte
	}

	// Picture is a screenshot.
	Picture struct {
		MIME string // "image/png"
		Data []byte
	}

	// Pool is a place for disks on a host.
	Pool struct {
		ID   string // UUID
		Type string // PoolLocal, PoolMount, PoolNFS
		Path string // absolute directory
		// Known pools were prepared once and bear a mark since. Where the mark
		// is not to be seen, as below an absent mount, everything is refused
		// with Unreachable.
		Known bool
	}
	// PoolState is how full a pool is, in bytes.
	PoolState struct {
		Capacity  int64
		Used      int64
		Available int64
	}

	// ImageSpec names a template file on this host and the pool that wants it.
	ImageSpec struct {
		ID     string // UUID of the copy in the pool
		Pool   Pool
		Source string // absolute path of the file in the image store
		Format string // "qcow2", "raw": stated, never probed
	}

	// DiskSpec is a disk as it shall be. With Image it is a thin clone.
	DiskSpec struct {
		ID    string
		Pool  Pool
		Bytes int64  // virtual size; 0 takes the image's
		Image string // ID of an image in the same pool, or empty
		// Kept is a disk with somebody's data: it is not made anew if it is lost.
		Kept bool
	}
	// DiskRef names a disk or an image.
	DiskRef struct {
		ID   string
		Pool Pool
	}
	// DiskState is a disk as it is.
	DiskState struct {
		ID        string
		Path      string
		Bytes     int64 // virtual size
		Allocated int64 // bytes really taken
		Image     string
	}
	// DiskList is all disks and images of a pool.
	DiskList struct{ Disks []DiskState }

	// BridgeSpec is a bridge as it shall be.
	BridgeSpec struct {
		Name    string
		MTU     int          // 0 means 1500
		Address netip.Prefix // the host's own address on it; zero for none
		// Masquerade lets what is behind the bridge out through the host.
		Masquerade bool
		// Resolvers may be asked for names from the bridge, wherever they are; it
		// is fenced off from the host and the host's own networks else.
		Resolvers []netip.Addr
	}
	// BridgeRef names a bridge.
	BridgeRef struct{ Name string }
	// ListBridges asks for Aerie's bridges.
	ListBridges struct{}
	// BridgeList is the names of Aerie's bridges.
	BridgeList struct{ Names []string }

	// RouterSpec is a virtual router as it shall be: one guest network, its
	// services and its way out. Rules, VPNs and load balancers join as further
	// fields; a field that is empty means that nothing of it shall exist.
	RouterSpec struct {
		ID string // UUID of the router
		// Generation grows with every change. A spec that is older than what the
		// router has is not applied: its sender was overtaken.
		Generation int64
		Guest      RouterGuest
		Public     *RouterPublic // nil for a network without a way out
		Hosts      []RouterHost
	}
	// RouterGuest is the router's leg in the guest network.
	RouterGuest struct {
		Bridge    string       // made by the router when absent, see BridgeName
		Gateway   netip.Prefix // the router's address with the network's length
		MTU       int
		Domain    string       // DNS suffix of the network
		Upstream  []netip.Addr // resolvers for everything else
		NoDHCP    bool         // the network has no DHCP service
		NoDNS     bool
		NoData    bool // no metadata and password service
		EgressAll bool // guests may go out unless a rule forbids
	}
	// RouterPublic is the router's leg in the public network.
	RouterPublic struct {
		Bridge    string
		MAC       string
		Address   netip.Prefix // first public address with the range's length
		Gateway   netip.Addr
		SourceNAT bool // guests leave as Address
	}
	// RouterHost is a network card that the router serves.
	RouterHost struct {
		NIC      string // NIC UUID
		MAC      string
		IP       netip.Addr
		Name     string            // host name, a DNS label
		Default  bool              // this NIC carries the machine's default route
		Metadata map[string]string // path below /latest/meta-data/ → content
		UserData []byte            // decoded, served as /latest/user-data
		// Password is handed to the guest once by the password service.
		// PasswordID changes when it does; a password that the guest has taken
		// is not served again.
		Password   string
		PasswordID string
	}
	// RouterState is a router as it is.
	RouterState struct {
		ID   string
		Hash string // of the spec that is applied, see HashRouter
		Up   bool
		// Hosts is whom it serves, by NIC: only in ListRouters' answer.
		Hosts map[string]netip.Addr
	}
	// RouterRef names a router to remove. Generation is the one that the sender
	// knows; 0 removes whatever is there.
	RouterRef struct {
		ID         string
		Generation int64
	}
	// ListRouters asks for all routers of the host.
	ListRouters struct{}
	// RouterList is all routers of the host.
	RouterList struct{ Routers []RouterState }
)

// How a host may cache what guests write to a disk.
const (
	CacheNone         = "none"
	CacheWriteback    = "writeback"
	CacheWritethrough = "writethrough"
)

// ConsoleKind is what is on the other end of a console.
type ConsoleKind string

// The kinds of console.
const (
	ConsoleVNC    ConsoleKind = "vnc"    // RFB, without a password: the way there is guarded
	ConsoleSerial ConsoleKind = "serial" // bytes of the first serial line
)
