// Package netns is the driver for networks on Linux: bridges, and virtual
// routers that are network namespaces with dnsmasq, nftables and a metadata
// service. Routers outlive the process; an opened driver adopts what it finds.
//
// Layout of StateDir: routers/<name>/ is one router, removed/<name> the
// generation of one that was removed of late, taken/<NIC> the ID of the password
// that this NIC has already been given.
package netns

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"sync"

	"github.com/vishvananda/netns"

	"aerie/drivers"
)

// Config says where a driver lives.
type Config struct {
	// StateDir keeps the routers' files. It holds passwords and is made 0700.
	StateDir string
	// Prefix begins the name of everything made on the machine, so that several
	// drivers leave each other alone: one to four of a-z and 0-9, "ae" if empty.
	Prefix string
	// Namespace names the network namespace that plays the host; empty is the
	// process's own.
	Namespace string
	// Look opens the driver beside another one that keeps the same routers, to
	// list what there is: no metadata service is resumed.
	Look bool
	Log  *slog.Logger
}

// Driver keeps bridges and virtual routers on this machine.
type Driver struct {
	prefix string
	dir    string
	log    *slog.Logger
	host   space
	tools  tools
	locks  locks
	warned sync.Once

	mu       sync.Mutex
	closed   bool
	services map[string]*service // by router name
}

var (
	_ drivers.Driver = (*Driver)(nil)
	_ drivers.Switch = (*Driver)(nil)
	_ drivers.Router = (*Driver)(nil)
)

var (
	goodPrefix = regexp.MustCompile(`\A[a-z][a-z0-9]{0,3}\z`)
	// plainPath is what dnsmasq.conf takes without quoting.
	plainPath = regexp.MustCompile(`\A/[A-Za-z0-9_./+@:~-]{0,200}\z`)
)

// Open opens the driver and resumes the metadata service of all routers that
// an earlier one has left.
func Open(c Config) (*Driver, error) {
	const op = "open networks"
	if c.Prefix == "" {
		c.Prefix = "ae"
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	switch {
	case !goodPrefix.MatchString(c.Prefix):
		return nil, drivers.Errorf(drivers.Invalid, op, "prefix %q", c.Prefix)
	case !filepath.IsAbs(c.StateDir) || !plainPath.MatchString(c.StateDir):
		return nil, drivers.Errorf(drivers.Invalid, op, "state directory %q", c.StateDir)
	case os.Geteuid() != 0:
		return nil, drivers.Errorf(drivers.Unsupported, op, "network namespaces need root")
	}
	d := &Driver{prefix: c.Prefix, dir: filepath.Clean(c.StateDir), log: c.Log, services: map[string]*service{}}
	if err := d.open(c.Namespace); err != nil {
		return nil, fail(op, err)
	}
	if !c.Look {
		d.adopt()
	}
	return d, nil
}

func (d *Driver) open(namespace string) (err error) {
	if d.tools, err = findTools(); err != nil {
		return err
	}
	for _, sub := range []string{"routers", "taken", removedDir} {
		if err := os.MkdirAll(filepath.Join(d.dir, sub), 0o700); err != nil {
			return err
		}
	}
	if err := os.Chmod(d.dir, 0o700); err != nil {
		return err
	}
	if namespace == "" {
		d.host, err = ownSpace()
	} else {
		d.host, err = openSpace(namespace)
	}
	if err == nil {
		// Not when the driver is closed: calls may still be running.
		runtime.AddCleanup(d, func(fd netns.NsHandle) { _ = fd.Close() }, d.host.fd)
	}
	return err
}

// adopt resumes what can be resumed without touching a router; the rest heals
// when the router is applied again.
func (d *Driver) adopt() {
	saved, err := d.loadAll()
	if err != nil {
		d.log.Warn("read routers", "error", err)
	}
	for _, s := range saved {
		r := d.router(s.ID)
		ns, err := openSpace(r.name)
		if err != nil {
			d.log.Warn("router is not there", "router", s.ID, "error", err)
			continue
		}
		if err := d.serve(context.Background(), ns, r.name, s.Spec); err != nil {
			d.log.Warn("resume metadata service", "router", s.ID, "error", err)
		}
		ns.close()
	}
}

// Kind is "netns".
func (d *Driver) Kind() string { return "netns" }

// Close ends the metadata services and leaves the routers running. A router
// that is being applied meanwhile fails.
func (d *Driver) Close() error {
	d.mu.Lock()
	services := d.services
	d.services, d.closed = map[string]*service{}, true
	d.mu.Unlock()
	var all sync.WaitGroup
	for _, s := range services {
		all.Go(func() { s.stop(context.Background()) })
	}
	all.Wait()
	return nil
}

// tools is where the programs are that a router needs.
type tools struct{ nft, dnsmasq string }

func findTools() (t tools, err error) {
	for name, to := range map[string]*string{"nft": &t.nft, "dnsmasq": &t.dnsmasq} {
		if *to, err = findTool(name); err != nil {
			return t, drivers.Errorf(drivers.Unsupported, "open networks", "%w", err)
		}
	}
	return t, nil
}

// findTool looks in the administrators' folders, too, which are not in every
// user's PATH.
func findTool(name string) (string, error) {
	for _, try := range []string{name, "/usr/sbin/" + name, "/sbin/" + name} {
		if path, err := exec.LookPath(try); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s: %w", name, fs.ErrNotExist)
}

// fail makes an error of this package a driver error.
func fail(op string, err error) error {
	var done *drivers.Error
	if err == nil || errors.As(err, &done) {
		return err
	}
	return &drivers.Error{Kind: kindOf(err), Op: op, Cause: err}
}
