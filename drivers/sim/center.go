// Package sim is a data centre in memory: hosts that implement every ability
// of package drivers, faults on demand, and a view of the whole world for
// those who audit it. It starts no goroutine until a console is opened.
package sim

import (
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"time"
)

// Options shape a data centre. The zero value is one without delays, whose
// guests are at their prompt as soon as they are started.
type Options struct {
	Now     func() time.Time                   // time.Now if nil
	Latency func(method string) time.Duration  // what every call of a method takes; none if nil
	Boot    time.Duration                      // from power-on to the guest's prompt
	Dir     string                             // for the consoles' sockets; a temporary one if empty
	Seed    uint64                             // of the faults' dice
	Size    Size                               // of hosts; 16 CPUs and 64 GiB if zero
	Uplinks []string                           // bridges that hosts have from the start; cloudbr0 if nil
	Pool    int64                              // bytes that a pool holds; 1 TiB if zero
	Image   func(source string) (int64, error) // virtual size of a template file; 2 GiB if nil
	History int                                // how many calls Calls can tell apart; see Center.History

	// NoImageLock lets two hosts open one disk, as a hypervisor does whose
	// locks are switched off. Snapshot tells of it.
	NoImageLock bool
	// Forgetful makes disks anew that it does not know: a data centre in memory
	// whose instances outlive it in a database.
	Forgetful bool
}

// Size is what a host has.
type Size struct {
	CPUs      int
	CPUMHz    int
	MemoryMiB int64
}

// Lifelike is a data centre for demonstrations: calls take about as long as
// on real hosts and guests boot in two seconds.
func Lifelike() Options {
	took := map[string]time.Duration{
		"ProbeHost": 30, "DefineVM": 40, "StartVM": 500, "StopVM": 200, "RebootVM": 100,
		"UndefineVM": 100, "ListVMs": 5, "MeterVMs": 5, "OpenConsole": 10, "Screenshot": 30,
		"EnsurePool": 20, "EnsureImage": 1200, "EnsureDisk": 80, "DeleteDisk": 40, "ListDisks": 10,
		"ApplyBridge": 40, "RemoveBridge": 30, "ApplyRouter": 250, "RemoveRouter": 120,
	}
	return Options{
		Forgetful: true,
		Boot:      2 * time.Second,
		Latency:   func(method string) time.Duration { return took[method] * time.Millisecond },
	}
}

// Center is a data centre. All methods may be called at once.
type Center struct {
	options Options
	faults  faults
	locks   locks
	sockets sockets

	mu     sync.Mutex
	hosts  map[string]*Host
	shared map[string]*pool // pools that all hosts see
}

// New makes a data centre without hosts.
func New(o Options) *Center {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Size == (Size{}) {
		o.Size = Size{CPUs: 16, CPUMHz: 2600, MemoryMiB: 64 << 10}
	}
	if o.Uplinks == nil {
		o.Uplinks = []string{"cloudbr0"}
	}
	if o.Pool == 0 {
		o.Pool = 1 << 40
	}
	if o.Image == nil {
		o.Image = func(string) (int64, error) { return 2 << 30, nil }
	}
	c := &Center{options: o, hosts: map[string]*Host{}, shared: map[string]*pool{}}
	c.faults.dice = rand.New(rand.NewPCG(o.Seed, 0x5eed))
	c.faults.counts = map[string]int{}
	c.faults.keep = o.History
	c.locks = locks{broken: o.NoImageLock, writers: map[string]holder{}, running: map[string]map[string]bool{}}
	c.sockets.dir = o.Dir
	return c
}

// Host is the host of that name, added in the centre's usual size if need be.
func (c *Center) Host(id string) *Host { return c.AddHost(id, c.options.Size) }

// AddHost is the host of that name, added in the given size if need be.
func (c *Center) AddHost(id string, size Size) *Host {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, ok := c.hosts[id]
	if !ok {
		h = newHost(c, id, size)
		c.hosts[id] = h
	}
	return h
}

// Hosts is all hosts, by name.
func (c *Center) Hosts() []*Host {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]*Host, 0, len(c.hosts))
	for _, h := range c.hosts {
		all = append(all, h)
	}
	slices.SortFunc(all, func(a, b *Host) int { return compare(a.id, b.id) })
	return all
}

// Close closes all consoles and waits for their ends. Machines run on, unseen.
func (c *Center) Close() error {
	c.sockets.shut()
	for _, h := range c.Hosts() {
		h.mu.Lock()
		for _, vm := range h.vms {
			vm.closeConsole()
		}
		h.mu.Unlock()
	}
	return c.sockets.close()
}

// sockets is where consoles listen.
type sockets struct {
	mu     sync.Mutex
	dir    string
	own    bool // the directory is ours to remove
	closed bool
	serve  sync.WaitGroup
}

// place is the directory of the sockets, made when first needed.
func (s *sockets) place() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return "", errors.New("the data centre is closed")
	}
	if s.dir != "" {
		return s.dir, os.MkdirAll(s.dir, 0o700)
	}
	dir, err := os.MkdirTemp("", "aerie-sim-")
	s.dir, s.own = dir, err == nil
	return dir, err
}

// shut lets nobody open another console.
func (s *sockets) shut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

// close waits for all consoles.
func (s *sockets) close() error {
	s.mu.Lock()
	dir, own := s.dir, s.own
	s.mu.Unlock()
	s.serve.Wait()
	if !own {
		return nil
	}
	return os.RemoveAll(dir)
}
