package sim

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"aerie/drivers"
)

// Host is one host of the data centre and its driver.
type Host struct {
	center *Center
	id     string
	size   Size
	cut    atomic.Bool // nobody reaches the host

	mu      sync.Mutex
	vms     map[string]*machine
	names   map[string]string // machine name → ID
	bridges map[string]*bridge
	routers map[string]*router
	removed map[string]removal // routers, of late
	pools   map[string]*pool
	events  eventLog
}

var _ interface {
	drivers.Driver
	drivers.Prober
	drivers.Hypervisor
	drivers.Watcher
	drivers.Meter
	drivers.Console
	drivers.Screen
	drivers.DiskHost
	drivers.Switch
	drivers.Router
} = (*Host)(nil)

func newHost(c *Center, id string, size Size) *Host {
	return &Host{
		center: c, id: id, size: size,
		vms: map[string]*machine{}, names: map[string]string{},
		bridges: map[string]*bridge{}, routers: map[string]*router{}, removed: map[string]removal{}, pools: map[string]*pool{},
		events: newEventLog(),
	}
}

// ID is the host's name in its data centre.
func (h *Host) ID() string { return h.id }

// Kind is "sim".
func (h *Host) Kind() string { return "sim" }

// call carries one call to the host: it takes its time, meets its faults, has
// its effect and may still be lost on the way back.
func call[Resp any](ctx context.Context, h *Host, method, entity string, effect func() (Resp, error)) (Resp, error) {
	var none Resp
	c := Call{Method: method, Host: h.id, Entity: entity}
	h.center.faults.count(c)
	if err := h.reach(ctx, c, h.latency(method)); err != nil {
		return none, err
	}
	resp, err := effect()
	if err != nil {
		return none, err
	}
	c.After = true
	if err := h.reach(ctx, c, 0); err != nil {
		return none, err
	}
	return resp, nil
}

func (h *Host) latency(method string) time.Duration {
	if h.center.options.Latency == nil {
		return 0
	}
	return h.center.options.Latency(method)
}

// reach is the way to the host, or back when the call is After.
func (h *Host) reach(ctx context.Context, c Call, latency time.Duration) error {
	if !c.After {
		if err := pause(ctx, c, latency); err != nil {
			return err
		}
	}
	if err := h.center.faults.meet(ctx, c); err != nil {
		return err
	}
	if h.cut.Load() {
		return drivers.Errorf(drivers.Unreachable, c.op(), "no route to host")
	}
	return nil
}

func (h *Host) now() time.Time { return h.center.options.Now() }

// ProbeHost tells what the host is and has.
func (h *Host) ProbeHost(ctx context.Context, req drivers.ProbeHost) (drivers.HostInfo, error) {
	return call(ctx, h, "ProbeHost", "", func() (drivers.HostInfo, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		used, cpus := h.used()
		return drivers.HostInfo{
			UUID: uuid.NewSHA1(uuid.NameSpaceDNS, []byte(h.id+".sim.aerie")).String(), Name: h.id,
			Hypervisor: "Simulator", HypervisorVersion: "1.0", Arch: "x86_64",
			CPUs: h.size.CPUs, CPUSockets: 1, CPUMHz: h.size.CPUMHz, CPUModel: "Aerie Simulated CPU",
			MemoryMiB: h.size.MemoryMiB, MemoryFreeMiB: max(0, h.size.MemoryMiB-used),
			Accelerated: req.Deep, LoadAverage: float64(cpus) / 4,
		}, nil
	})
}

// used is the memory and CPUs of running machines.
func (h *Host) used() (memory int64, cpus int) {
	for _, vm := range h.vms {
		if vm.active() {
			memory += int64(vm.spec.MemoryMiB)
			cpus += vm.spec.CPUs
		}
	}
	return memory, cpus
}

func compare(a, b string) int { return strings.Compare(a, b) }
