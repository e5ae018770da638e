package drivers

import (
	"context"
	"time"
)

// Observer hears of every call of a driver: its method and how it went.
type Observer func(method string, took time.Duration, err error)

// Observe is the driver with an observer on all of its abilities.
func Observe(d Driver, see Observer) Driver {
	var parts []Driver
	add := func(part Driver) { parts = append(parts, part) }
	if a, ok := As[Prober](d); ok {
		add(seenProber{d, a, see})
	}
	if a, ok := As[Hypervisor](d); ok {
		add(seenHypervisor{d, a, see})
	}
	if a, ok := As[Meter](d); ok {
		add(seenMeter{d, a, see})
	}
	if a, ok := As[Console](d); ok {
		add(seenConsole{d, a, see})
	}
	if a, ok := As[Screen](d); ok {
		add(seenScreen{d, a, see})
	}
	if a, ok := As[DiskHost](d); ok {
		add(seenDisks{d, a, see})
	}
	if a, ok := As[Switch](d); ok {
		add(seenSwitch{d, a, see})
	}
	if a, ok := As[Router](d); ok {
		add(seenRouter{d, a, see})
	}
	return Join(d.Kind(), append(parts, d)...) // the rest, such as a watch that lasts, is not timed
}

func timed[Q, R any](ctx context.Context, see Observer, method string, call func(context.Context, Q) (R, error), q Q) (R, error) {
	began := time.Now()
	r, err := call(ctx, q)
	see(method, time.Since(began), err)
	return r, err
}

type (
	seenProber struct {
		Driver
		to  Prober
		see Observer
	}
	seenHypervisor struct {
		Driver
		to  Hypervisor
		see Observer
	}
	seenMeter struct {
		Driver
		to  Meter
		see Observer
	}
	seenConsole struct {
		Driver
		to  Console
		see Observer
	}
	seenScreen struct {
		Driver
		to  Screen
		see Observer
	}
	seenDisks struct {
		Driver
		to  DiskHost
		see Observer
	}
	seenSwitch struct {
		Driver
		to  Switch
		see Observer
	}
	seenRouter struct {
		Driver
		to  Router
		see Observer
	}
)

func (s seenProber) ProbeHost(ctx context.Context, q ProbeHost) (HostInfo, error) {
	return timed(ctx, s.see, "ProbeHost", s.to.ProbeHost, q)
}

func (s seenHypervisor) DefineVM(ctx context.Context, q VMSpec) (VMState, error) {
	return timed(ctx, s.see, "DefineVM", s.to.DefineVM, q)
}

func (s seenHypervisor) StartVM(ctx context.Context, q VMRef) (VMState, error) {
	return timed(ctx, s.see, "StartVM", s.to.StartVM, q)
}

func (s seenHypervisor) StopVM(ctx context.Context, q StopVM) (VMState, error) {
	return timed(ctx, s.see, "StopVM", s.to.StopVM, q)
}

func (s seenHypervisor) RebootVM(ctx context.Context, q RebootVM) (VMState, error) {
	return timed(ctx, s.see, "RebootVM", s.to.RebootVM, q)
}

func (s seenHypervisor) UndefineVM(ctx context.Context, q VMRef) (Done, error) {
	return timed(ctx, s.see, "UndefineVM", s.to.UndefineVM, q)
}

func (s seenHypervisor) ListVMs(ctx context.Context, q ListVMs) (VMList, error) {
	return timed(ctx, s.see, "ListVMs", s.to.ListVMs, q)
}

func (s seenMeter) MeterVMs(ctx context.Context, q MeterVMs) (Readings, error) {
	return timed(ctx, s.see, "MeterVMs", s.to.MeterVMs, q)
}

func (s seenConsole) OpenConsole(ctx context.Context, q OpenConsole) (ConsoleEndpoint, error) {
	return timed(ctx, s.see, "OpenConsole", s.to.OpenConsole, q)
}

func (s seenScreen) Screenshot(ctx context.Context, q VMRef) (Picture, error) {
	return timed(ctx, s.see, "Screenshot", s.to.Screenshot, q)
}

func (s seenDisks) EnsurePool(ctx context.Context, q Pool) (PoolState, error) {
	return timed(ctx, s.see, "EnsurePool", s.to.EnsurePool, q)
}

func (s seenDisks) EnsureImage(ctx context.Context, q ImageSpec) (DiskState, error) {
	return timed(ctx, s.see, "EnsureImage", s.to.EnsureImage, q)
}

func (s seenDisks) EnsureDisk(ctx context.Context, q DiskSpec) (DiskState, error) {
	return timed(ctx, s.see, "EnsureDisk", s.to.EnsureDisk, q)
}

func (s seenDisks) DeleteDisk(ctx context.Context, q DiskRef) (Done, error) {
	return timed(ctx, s.see, "DeleteDisk", s.to.DeleteDisk, q)
}

func (s seenDisks) ListDisks(ctx context.Context, q Pool) (DiskList, error) {
	return timed(ctx, s.see, "ListDisks", s.to.ListDisks, q)
}

func (s seenSwitch) ApplyBridge(ctx context.Context, q BridgeSpec) (Done, error) {
	return timed(ctx, s.see, "ApplyBridge", s.to.ApplyBridge, q)
}

func (s seenSwitch) RemoveBridge(ctx context.Context, q BridgeRef) (Done, error) {
	return timed(ctx, s.see, "RemoveBridge", s.to.RemoveBridge, q)
}

func (s seenSwitch) ListBridges(ctx context.Context, q ListBridges) (BridgeList, error) {
	return timed(ctx, s.see, "ListBridges", s.to.ListBridges, q)
}

func (s seenRouter) ApplyRouter(ctx context.Context, q RouterSpec) (RouterState, error) {
	return timed(ctx, s.see, "ApplyRouter", s.to.ApplyRouter, q)
}

func (s seenRouter) RemoveRouter(ctx context.Context, q RouterRef) (Done, error) {
	return timed(ctx, s.see, "RemoveRouter", s.to.RemoveRouter, q)
}

func (s seenRouter) ListRouters(ctx context.Context, q ListRouters) (RouterList, error) {
	return timed(ctx, s.see, "ListRouters", s.to.ListRouters, q)
}
