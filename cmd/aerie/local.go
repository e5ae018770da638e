package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"aerie/drivers"
	"aerie/services/compute"
	"aerie/services/infra"
	"aerie/services/store"
)

var (
	errNotRoot  = errors.New("it is not running as root")
	errNoProber = errors.New("its driver cannot tell what the machine is")
)

// localDNS answers guests' questions about the internet.
var localDNS = netip.MustParseAddr("9.9.9.9")

// guestImage is the bundled guest image.
const guestImage = "tiny.qcow2"

// seed makes the offerings and the zone, once in a database's life.
func (a *app) seed(ctx context.Context, auto bool) error {
	sys := store.System(ctx, "first start")
	if done, err := a.seeded(sys); done || err != nil {
		return err
	}
	zone, builtin, err := a.plan(sys, auto)
	if err != nil {
		return err
	}
	err = a.db.Tx(sys, func(ctx context.Context) error {
		n, err := a.db.Next(ctx, "seeded")
		if err != nil {
			return err
		}
		if n > 1 {
			return errSeeded
		}
		for _, seed := range []func(context.Context) error{a.compute.Seed, a.net.Seed, a.storage.Seed} {
			if err := seed(ctx); err != nil {
				return err
			}
		}
		if zone.Suffix != "" {
			if _, err := a.config.Set(ctx, compute.InstanceName, zone.Suffix); err != nil {
				return err
			}
		}
		z, err := a.compute.MakeLocal(ctx, zone.LocalZone)
		if err != nil || builtin == nil {
			return err
		}
		return a.compute.AddBuiltIn(ctx, z, *builtin)
	})
	if errors.Is(err, errSeeded) { // another server was quicker
		return nil
	}
	return err
}

// seeded tells whether this database was begun before.
func (a *app) seeded(ctx context.Context) (bool, error) {
	var n int64
	err := a.db.In(ctx).Model(&infra.Zone{}).Unscoped().Count(&n).Error
	return n > 0, err
}

// errSeeded rolls a second seeding back.
var errSeeded = errors.New("seeded before")

// localZone is a zone with what the installation adds.
type localZone struct {
	compute.LocalZone
	Suffix string // see compute.InstanceName; empty leaves it
}

// plan is the local zone that this machine can be.
func (a *app) plan(ctx context.Context, auto bool) (localZone, *compute.BuiltIn, error) {
	z := localZone{LocalZone: compute.LocalZone{Name: "local", Hypervisor: "KVM", PoolType: "Filesystem", ImagePath: a.path("images"), DNS: []netip.Addr{localDNS}, CPUFactor: 4, Hosts: []compute.LocalHost{{Name: hostname(), URL: "qemu:///system", IP: "127.0.0.1"}}}}
	why := errors.New("--node off")
	if auto {
		why = a.node.able(ctx)
	}
	if why != nil {
		a.log.WarnContext(ctx, "this machine is no KVM host; simulating a data centre instead", "why", why)
		z.Hypervisor, z.Simulated, z.PoolType, z.PoolPath, z.Bridge = "Simulator", true, "SharedMountPoint", "/pool", "cloudbr0"
		z.Public = netip.PrefixFrom(publicSpace.Addr(), 16)
		z.Hosts = nil
		for i := range 3 {
			z.Hosts = append(z.Hosts, compute.LocalHost{Name: fmt.Sprintf("sim-%d", i+1), URL: fmt.Sprintf("sim://sim-%d", i+1), IP: fmt.Sprintf("192.0.2.%d", i+1)})
		}
	} else {
		if err := a.node.plan(ctx, &z); err != nil {
			return z, nil, err
		}
	}
	b, err := a.builtin(ctx, z.Hypervisor)
	return z, b, err
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "host-1"
	}
	return name
}

// builtin copies the bundled image into the image store; without one the zone
// has no template yet.
func (a *app) builtin(ctx context.Context, hypervisor string) (*compute.BuiltIn, error) {
	root, err := a.iam.Root(ctx)
	if err != nil {
		return nil, err
	}
	admin, err := a.iam.AccountByName(ctx, root.ID, "admin")
	if err != nil {
		return nil, err
	}
	b := &compute.BuiltIn{
		Name: "Aerie Tiny Linux", Text: "Aerie Tiny Linux, a small Debian guest for trying things out", Hypervisor: hypervisor,
		OSType: "Debian GNU/Linux 12 (64-bit)", Owner: admin.Owner(), Path: a.path("images", guestImage), Bytes: 96 << 20,
	}
	source, err := bundled(a.state)
	if hypervisor == "Simulator" {
		return b, nil // a simulated host pretends to read it
	}
	if err != nil {
		a.log.WarnContext(ctx, "the bundled guest image is missing; build it with make guest and register it", "why", err)
		return nil, nil
	}
	if b.FileBytes, err = copyFile(source, b.Path); err != nil {
		return nil, err
	}
	b.Bytes, err = virtualSize(ctx, b.Path)
	return b, err
}

// bundled finds the image that make guest built.
func bundled(s state) (string, error) {
	for _, path := range []string{os.Getenv("AERIE_GUEST_IMAGE"), s.path("cache", guestImage), filepath.Join("var", "cache", guestImage)} {
		if path == "" {
			continue
		}
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no %s", guestImage)
}

func copyFile(from, to string) (int64, error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return 0, err
	}
	in, err := os.Open(from)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	tmp := to + ".part"
	out, err := os.Create(tmp)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(out, in)
	if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
		return 0, err
	}
	return n, os.Rename(tmp, to)
}

func virtualSize(ctx context.Context, path string) (int64, error) {
	text, err := exec.CommandContext(ctx, "qemu-img", "info", "--output=json", "-f", "qcow2", "--", path).Output()
	if err != nil {
		return 0, fmt.Errorf("qemu-img: %w", err)
	}
	var info struct {
		Bytes int64 `json:"virtual-size"`
	}
	return info.Bytes, json.Unmarshal(text, &info)
}

// plug makes the bridge that carries the local zone's public traffic; the
// driver does nothing when it is there. A bridge of another name is the
// operator's own affair.
func (a *app) plug(ctx context.Context) error {
	hosts, err := a.hosts(ctx)
	if err != nil {
		return err
	}
	for _, h := range hosts {
		if h.URL != "qemu:///system" {
			continue
		}
		if err := a.plugInto(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

// keepPlugged mends the bridge of this machine, which no other server can: the
// zone's resolvers change, and other programs flush a machine's rules.
func (a *app) keepPlugged(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := a.plug(ctx); err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "the public bridge is not as it shall be", "error", err)
		}
	}
}

func (a *app) plugInto(ctx context.Context, h infra.Host) error {
	prefix, err := a.node.prefix()
	if err != nil {
		return err
	}
	seat, err := a.net.Seat(ctx, h.ZoneID, publicBridge(prefix))
	if err != nil || !seat.IsValid() {
		return err
	}
	d, err := a.fleet.Driver(ctx, h.ID)
	if err != nil {
		return err
	}
	sw, ok := drivers.As[drivers.Switch](d)
	if !ok {
		return nil
	}
	resolvers, err := a.resolvers(ctx, h.ZoneID)
	if err != nil {
		return err
	}
	_, err = sw.ApplyBridge(ctx, drivers.BridgeSpec{Name: publicBridge(prefix), Address: seat, Masquerade: true, Resolvers: resolvers})
	return err
}

// resolvers are those that an administrator gave the zone. A network's own are
// its tenant's choice and open no way into this machine's networks.
func (a *app) resolvers(ctx context.Context, zoneID string) (list []netip.Addr, err error) {
	zone, err := store.Find[infra.Zone](store.System(ctx, "the public bridge"), a.db, zoneID)
	for _, text := range []string{zone.DNS1, zone.DNS2} {
		if addr, bad := netip.ParseAddr(text); bad == nil && addr.Is4() && addr.IsGlobalUnicast() {
			list = append(list, addr)
		}
	}
	return list, err
}
