package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"aerie/drivers"
)

func root(_ context.Context, m Machine) []Result {
	if m.UID != 0 {
		return bad("root", "run it with sudo, or as a service of root", "it runs as user %d, but machines and networks need root", m.UID)
	}
	return ok("root", "it runs as root")
}

// needed are the programs that drivers call, with their packages in Debian.
var needed = []struct{ tool, pkg string }{{"qemu-img", "qemu-utils"}, {"qemu-system-x86_64", "qemu-system-x86"}, {"dnsmasq", "dnsmasq-base"}, {"nft", "nftables"}}

func tools(_ context.Context, m Machine) (all []Result) {
	for _, n := range needed {
		if err := m.Find(n.tool); err != nil {
			all = append(all, bad(n.tool, "apt-get install "+n.pkg, "%s is not installed", n.tool)...)
			continue
		}
		all = append(all, ok(n.tool, "%s is installed", n.tool)...)
	}
	return all
}

func kvm(_ context.Context, m Machine) []Result {
	const device = "/dev/kvm"
	const absent = "switch virtualization on in the firmware, or nested virtualization on the host of this machine, and load kvm_intel or kvm_amd"
	who, err := m.Emulator()
	if err != nil {
		return bad("kvm", "apt-get install libvirt-daemon-system", "QEMU's user is not known: %v", err)
	}
	may, err := who.MayOpen(m.Root + device)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return warn("kvm", absent, "there is no %s: guests are emulated, which is many times slower", device)
	case err != nil:
		return warn("kvm", "look at the device's rights", "%s: %v", device, err)
	case !may:
		return warn("kvm", "usermod -aG kvm "+who.Name()+", then restart libvirtd", "%s may not use %s: guests are emulated", who.Name(), device)
	}
	return ok("kvm", "%s is there, and %s may use it", device, who.Name())
}

// hypervisor asks libvirtd, and has it start a guest to see whether
// acceleration really works.
func hypervisor(ctx context.Context, m Machine) []Result {
	const mend = "apt-get install libvirt-daemon-system, then systemctl start libvirtd"
	d, err := m.Open(ctx)
	if err != nil {
		return bad("libvirtd", mend, "libvirtd does not answer: %v", err)
	}
	p, can := drivers.As[drivers.Prober](d)
	if !can {
		return bad("libvirtd", "build with -tags libvirt_dlopen", "the program was built without libvirt")
	}
	info, err := p.ProbeHost(ctx, drivers.ProbeHost{Deep: true})
	if err != nil {
		return bad("libvirtd", "look at journalctl -u libvirtd", "libvirtd cannot tell what the machine is: %v", err)
	}
	all := ok("libvirtd", "%s, %d CPUs, %d MiB of memory, %d free", info.HypervisorVersion, info.CPUs, info.MemoryMiB, info.MemoryFreeMiB)
	if !info.Accelerated {
		return append(all, warn("acceleration", "use a machine, or a nested one, whose KVM starts guests; small guests work all the same",
			"a guest that was started with acceleration did not get through: guests are emulated (TCG), which is many times slower")...)
	}
	return append(all, ok("acceleration", "guests run with hardware acceleration")...)
}

func namespaces(_ context.Context, m Machine) []Result {
	if err := m.Namespaces(); err != nil {
		return bad("networks", "modprobe bridge veth nf_tables nft_chain_nat, and run it outside of a container that lacks CAP_NET_ADMIN and CAP_SYS_ADMIN",
			"what routers are made of cannot be made: %v", err)
	}
	return ok("networks", "namespaces, bridges, links and packet filters can be made")
}

func (m Machine) number(path string) (int64, error) {
	text, err := os.ReadFile(m.Root + path)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
}

func forwarding(_ context.Context, m Machine) []Result {
	n, err := m.number("/proc/sys/net/ipv4/ip_forward")
	switch {
	case err != nil:
		return warn("forwarding", "sysctl -w net.ipv4.ip_forward=1", "whether the machine forwards cannot be read: %v", err)
	case n == 0:
		return warn("forwarding", "sysctl -w net.ipv4.ip_forward=1 (aerie serve does it for its own public bridge)", "the machine does not forward: guests do not get beyond it")
	}
	return ok("forwarding", "the machine forwards packets")
}

const gib = 1 << 30

func space(_ context.Context, m Machine) (all []Result) {
	for _, p := range []struct{ check, dir string }{{"data folder", m.Data}, {"pool", m.Pool}} {
		n, err := m.Free(existing(p.dir))
		switch mend := "free some space, or choose another folder with --data"; {
		case err != nil:
			all = append(all, bad(p.check, "make the folder", "%s: %v", p.dir, err)...)
		case n < gib:
			all = append(all, bad(p.check, mend, "%s has %d MiB left", p.dir, n>>20)...)
		case n < 10*gib:
			all = append(all, warn(p.check, mend, "%s has only %.1f GiB left", p.dir, float64(n)/gib)...)
		default:
			all = append(all, ok(p.check, "%s has %.0f GiB left", p.dir, float64(n)/gib)...)
		}
	}
	return all
}

// existing is the folder, or the nearest one above it that is there.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || filepath.Dir(dir) == dir {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

func reach(_ context.Context, m Machine) []Result {
	who, err := m.Emulator()
	if err != nil {
		return nil // kvm tells of it
	}
	if at := who.BlockedAt(m.Pool); at != "" {
		return bad("pool access", "chmod o+x "+at+", or setfacl -m u:"+who.Name()+":x "+at, "QEMU runs as %s, which may not enter %s", who.Name(), at)
	}
	return ok("pool access", "QEMU's user %s gets to %s", who.Name(), m.Pool)
}
