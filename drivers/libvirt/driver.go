//go:build libvirt_dlopen

package libvirt

import (
	"context"
	"path/filepath"
	"sync"

	virt "libvirt.org/go/libvirt"

	"aerie/drivers"
)

var (
	_ drivers.Prober     = (*Driver)(nil)
	_ drivers.Hypervisor = (*Driver)(nil)
	_ drivers.Watcher    = (*Driver)(nil)
	_ drivers.Meter      = (*Driver)(nil)
	_ drivers.Console    = (*Driver)(nil)
	_ drivers.Screen     = (*Driver)(nil)
	_ drivers.DiskHost   = (*Driver)(nil)
)

// Driver drives one libvirtd. It is safe for concurrent use.
type Driver struct {
	cfg   Config
	link  *link
	ring  *ring
	boots *bootWaiters
	pools *holds // one change of a pool's files at a time
	accel accel

	unpacking promises

	runDir string // serial sockets and boot logs; QEMU can get there

	stop context.CancelFunc // ends the watcher
	work sync.WaitGroup     // the watcher
}

// Open connects to libvirtd and starts to watch its machines. A host without a
// reachable libvirtd is drivers.Unreachable; once open, the driver reconnects by
// itself.
func Open(ctx context.Context, cfg Config) (*Driver, error) {
	cfg = cfg.withDefaults()
	if cfg.Accel != "" && cfg.Accel != accelKVM && cfg.Accel != accelTCG {
		return nil, invalid("open libvirt", "acceleration %q is neither kvm nor tcg", cfg.Accel)
	}
	runDir, err := runDirOf(cfg.StateDir) //nolint:contextcheck // asks the kernel, two seconds at most
	if err != nil {
		return nil, wrap("open libvirt", err)
	}
	d := &Driver{
		cfg:    cfg,
		link:   &link{uri: cfg.URI, log: cfg.Log},
		ring:   newRing(ringSize),
		boots:  newBootWaiters(),
		pools:  newHolds(),
		runDir: runDir,
	}
	d.accel.turn = make(chan struct{}, 1)
	if _, err := call(ctx, d.link, "connect "+cfg.URI, func(c *virt.Connect) (uint32, error) { return c.GetLibVersion() }); err != nil {
		return nil, err
	}
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	d.stop = stop
	ready := make(chan struct{})
	d.work.Go(func() { d.watch(watching, ready) })
	select {
	case <-ready:
		return d, nil
	case <-ctx.Done():
		d.stop()
		d.link.close()
		return nil, wrap("watch "+cfg.URI, ctx.Err())
	}
}

// Kind is "libvirt".
func (d *Driver) Kind() string { return Kind }

// Close ends the watcher and the connections; machines run on.
func (d *Driver) Close() error {
	d.stop()
	d.link.close()
	d.work.Wait()
	return nil
}

// socketRoom is what the longest file name in runDir leaves of a Unix socket's
// 108 bytes.
const socketRoom = 107 - len("/01234567-89ab-cdef-0123-456789abcdef.serial")

// runDirOf is a folder below the state folder if QEMU can get there and socket
// paths stay short enough.
func runDirOf(stateDir string) (string, error) {
	dir, err := PoolDir(filepath.Join(stateDir, "run"))
	if err == nil && len(dir) > socketRoom {
		dir = shortDir(dir)
	}
	return dir, err
}
