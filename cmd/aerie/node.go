package main

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"aerie/drivers"
	"aerie/drivers/libvirt"
	"aerie/drivers/netns"
	"aerie/drivers/sim"
	"aerie/services/infra"
)

var randomness io.Reader = rand.Reader

// node is this machine as a host: its hypervisor and its namespaces, or the
// simulated data centre that stands in for them.
type node struct {
	state
	log    *slog.Logger
	mu     sync.Mutex
	local  drivers.Driver
	center *sim.Center
	world  func() sim.Options // of the simulated data centre
	look   bool               // beside the server that keeps the routers
	shut   []func() error
}

func newNode(s state, log *slog.Logger) *node { return &node{state: s, log: log, world: sim.Lifelike} }

// kvm opens the machine's own libvirtd and its network namespaces.
func (n *node) kvm(ctx context.Context, h infra.Host) (drivers.Driver, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.local != nil {
		return n.local, nil
	}
	prefix, err := n.prefix()
	if err != nil {
		return nil, err
	}
	vms, err := libvirt.Open(ctx, libvirt.Config{URI: h.URL, StateDir: n.path("libvirt"), Log: n.log})
	if err != nil {
		return nil, err
	}
	nets, err := netns.Open(netns.Config{StateDir: n.path("routers"), Prefix: prefix, Look: n.look, Log: n.log})
	if err != nil {
		_ = vms.Close()
		return nil, err
	}
	n.shut = append(n.shut, vms.Close, nets.Close)
	n.local = drivers.Join("kvm", vms, nets)
	return n.local, nil
}

// simulated is a host of the data centre in memory.
func (n *node) simulated(_ context.Context, h infra.Host) (drivers.Driver, error) {
	u, err := url.Parse(h.URL)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.center == nil {
		o := n.world()
		o.Dir = n.path("run")
		if err := os.MkdirAll(o.Dir, 0o700); err != nil {
			return nil, err
		}
		n.center = sim.New(o)
		n.shut = append(n.shut, n.center.Close)
	}
	return n.center.Host(u.Host), nil
}

func (n *node) close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var first error
	for _, f := range n.shut {
		if err := f(); err != nil && first == nil {
			first = err
		}
	}
	n.shut, n.local, n.center = nil, nil, nil
	return first
}

// able tells why this machine cannot be a KVM host, or nil.
func (n *node) able(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errNotRoot
	}
	d, err := n.kvm(ctx, infra.Host{Name: "local", URL: "qemu:///system"})
	if err != nil {
		return err
	}
	p, ok := drivers.As[drivers.Prober](d)
	if !ok {
		return errNoProber
	}
	_, err = p.ProbeHost(ctx, drivers.ProbeHost{})
	return err
}

// plan fills in where this machine keeps what the local zone consists of.
func (n *node) plan(ctx context.Context, z *localZone) error {
	prefix, err := n.prefix()
	if err != nil {
		return err
	}
	if z.Public, err = publicNet(prefix); err != nil {
		return err
	}
	z.Bridge = publicBridge(prefix)
	if z.Suffix, err = n.suffix(ctx, prefix); err != nil {
		return err
	}
	z.PoolPath, err = n.pool()
	return err
}

// usual is the name that CloudStack gives an instance at its hypervisor.
var usual = regexp.MustCompile(`^i-\d+-\d+-VM$`)

// suffix keeps the names of instances apart from those of another installation
// on this machine; the first needs none of its own.
func (n *node) suffix(ctx context.Context, prefix string) (string, error) {
	d, err := n.kvm(ctx, infra.Host{URL: "qemu:///system"})
	if err != nil {
		return "", err
	}
	h, ok := drivers.As[drivers.Hypervisor](d)
	if !ok {
		return "", nil
	}
	list, err := h.ListVMs(ctx, drivers.ListVMs{})
	for _, vm := range list.VMs {
		if usual.MatchString(vm.Name) {
			return "VM" + strings.ToUpper(prefix[2:]), err
		}
	}
	return "", err
}

// pool is where this machine keeps disks: under the data folder where QEMU's
// user can reach it, else where it can.
func (n *node) pool() (string, error) {
	abs, err := filepath.Abs(n.path("disks"))
	if err != nil {
		return "", err
	}
	return libvirt.PoolDir(abs)
}
