//go:build libvirt_dlopen

package libvirt

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/uuid"
	virt "libvirt.org/go/libvirt"
	xmlvirt "libvirt.org/go/libvirtxml"

	"aerie/drivers"
)

// ProbeHost tells what the host is and has. Deep finds out whether acceleration
// works unless that is known, which takes ten seconds where it does not.
func (d *Driver) ProbeHost(ctx context.Context, req drivers.ProbeHost) (drivers.HostInfo, error) {
	const op = "probe host"
	info, err := call(ctx, d.link, op, readHost)
	if err != nil {
		return info, err
	}
	if info.UUID, err = d.hostID(info.UUID); err != nil {
		return info, wrap(op, err)
	}
	if info.Name, err = os.Hostname(); err != nil {
		return info, wrap(op, err)
	}
	if model := cpuName("/proc/cpuinfo"); model != "" {
		info.CPUModel = model
	}
	info.LoadAverage = loadAverage("/proc/loadavg")
	if req.Deep {
		info.Accelerated, err = d.accelerated(ctx)
		return info, wrap(op, err)
	}
	info.Accelerated, _ = d.knownAccel()
	return info, nil
}

func readHost(c *virt.Connect) (drivers.HostInfo, error) {
	node, err := c.GetNodeInfo()
	if err != nil {
		return drivers.HostInfo{}, err
	}
	text, err := c.GetCapabilities()
	if err != nil {
		return drivers.HostInfo{}, err
	}
	var caps xmlvirt.Caps
	if err := caps.Unmarshal(text); err != nil {
		return drivers.HostInfo{}, err
	}
	version, err := versions(c)
	info := drivers.HostInfo{
		UUID:              caps.Host.UUID,
		Hypervisor:        "KVM",
		HypervisorVersion: version,
		Arch:              "x86_64",
		CPUs:              int(node.Cpus),
		CPUSockets:        max(1, int(node.Nodes*node.Sockets)),
		CPUMHz:            int(node.MHz),
		CPUModel:          node.Model,
		MemoryMiB:         int64(node.Memory / 1024),
	}
	if cpu := caps.Host.CPU; cpu != nil && cpu.Arch != "" {
		info.Arch = cpu.Arch
	}
	readMemory(c, &info)
	return info, err
}

func versions(c *virt.Connect) (string, error) {
	qemu, err := c.GetVersion()
	if err != nil {
		return "", err
	}
	lib, err := c.GetLibVersion()
	return fmt.Sprintf("QEMU %s, libvirt %s", dotted(qemu), dotted(lib)), err
}

func dotted(v uint32) string { return fmt.Sprintf("%d.%d.%d", v/1000000, v/1000%1000, v%1000) }

// readMemory asks for the same figures that free shows: those of GetNodeInfo
// miss memory that belongs to no NUMA cell.
func readMemory(c *virt.Connect, info *drivers.HostInfo) {
	if m, err := c.GetMemoryStats(int(virt.NODE_MEMORY_STATS_ALL_CELLS), 0); err == nil && m.TotalSet {
		info.MemoryMiB = int64(m.Total / 1024)
		info.MemoryFreeMiB = int64((m.Free + m.Buffers + m.Cached) / 1024)
		return
	}
	if free, err := c.GetFreeMemory(); err == nil {
		info.MemoryFreeMiB = int64(free >> 20)
	}
}

// hostID is libvirt's name for the host as it was first seen: where the
// firmware has none, libvirtd makes a new one at every start, or has none at all.
func (d *Driver) hostID(now string) (string, error) {
	file := filepath.Join(d.cfg.StateDir, "host-uuid")
	kept, err := os.ReadFile(file)
	if id := strings.TrimSpace(string(kept)); err == nil && drivers.IsUUID(id) {
		return id, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if !drivers.IsUUID(now) {
		now = uuid.NewString()
	}
	return now, keep(file, []byte(now+"\n"))
}

// keep writes a small file whole or not at all.
func keep(file string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), ".keep-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), file)
}

func cpuName(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func loadAverage(file string) float64 {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(data), " ")
	load, _ := strconv.ParseFloat(first, 64) // a kernel that writes no number has no load
	return load
}
