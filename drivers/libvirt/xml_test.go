//go:build libvirt_dlopen

package libvirt

import (
	"encoding/xml"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	xmlvirt "libvirt.org/go/libvirtxml"

	"aerie/drivers"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; see it with -update and git diff:\n%s", name, got)
	}
}

func noCache(string) string { return "none" }

var pool = drivers.Pool{ID: "0197a000-0000-7000-8000-0000000000aa", Type: "Filesystem", Path: "/srv/pool"}

func small() machine {
	return machine{
		VMSpec: drivers.VMSpec{
			ID: "0197a000-0000-7000-8000-000000000001", Name: "i-2-17-VM", CPUs: 1, CPUMHz: 500, MemoryMiB: 256,
			Disks: []drivers.VMDisk{{ID: "0197a000-0000-7000-8000-000000000011", Pool: pool}},
			NICs:  []drivers.VMNIC{{ID: "0197a000-0000-7000-8000-000000000021", MAC: "02:00:5e:00:00:01", Bridge: "ab0123456789ab"}},
		},
		runDir: "/var/lib/aerie/run",
		cache:  noCache,
	}
}

func large() machine {
	m := small()
	m.kvm, m.emulator = true, "/usr/libexec/qemu-kvm"
	m.CPUs, m.CPUMHz, m.MemoryMiB = 8, 3000, 16384
	m.Disks = append(m.Disks, drivers.VMDisk{ID: "0197a000-0000-7000-8000-000000000012", Pool: pool})
	m.NICs = append(m.NICs, drivers.VMNIC{
		ID: "0197a000-0000-7000-8000-000000000022", MAC: "02:00:5e:00:00:02", Bridge: "cloudbr0", MTU: 9000,
	})
	m.cache = func(string) string { return "writeback" }
	return m
}

// bounded is a machine with a bound of every kind.
func bounded() machine {
	m := large()
	m.CPUCap, m.NICs[0].Mbit = 25, 100
	m.Disks[0].Limits = drivers.DiskLimits{
		ReadBytes: drivers.Rate{Sustained: 10 << 20, Burst: 20 << 20, Seconds: 30}, WriteBytes: drivers.Rate{Sustained: 5 << 20},
		ReadOps: drivers.Rate{Sustained: 500}, WriteOps: drivers.Rate{Sustained: 250, Burst: 300, Seconds: 5},
	}
	m.Disks[1].Limits.TotalOps, m.Disks[1].Cache = 1000, drivers.CacheWritethrough
	return m
}

func TestDomainXML(t *testing.T) {
	bare := small()
	bare.Disks, bare.NICs, bare.CPUMHz = nil, nil, 0
	for name, m := range map[string]machine{"tcg.xml": small(), "kvm.xml": large(), "bare.xml": bare, "bounded.xml": bounded()} {
		t.Run(name, func(t *testing.T) {
			got, err := m.xml()
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name, got+"\n")
		})
	}
	probe, err := probeXML(typeKVM, "0197a000-0000-7000-8000-000000000031", "/var/lib/aerie/probe-1.raw", "")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "probe.xml", probe+"\n")
}

func TestSharesFitEveryCgroup(t *testing.T) {
	for _, c := range []struct{ cpus, mhz, want int }{
		{1, 500, 10}, {4, 2000, 160}, {1, 1, 2}, {1, 49, 2}, {255, 5000, 10000},
	} {
		if got := cpuTune(c.cpus, c.mhz, 0).Shares.Value; got != uint(c.want) {
			t.Errorf("%d × %d MHz weighs %d, want %d", c.cpus, c.mhz, got, c.want)
		}
	}
}

// FuzzDomainXML: whatever text passes validation comes back from the XML as it
// went in, and nothing else with it.
func FuzzDomainXML(f *testing.F) {
	f.Add("i-2-17-VM", "/srv/pool", "ab0123456789ab", "02:00:5e:00:00:01", uint16(1), uint16(500))
	f.Add("x", "/a&b/<c>", "br.1_x-y", "fe:ff:ff:ff:ff:ff", uint16(255), uint16(0))
	f.Add("n", `/it's "quoted" ]]>`, "eth0", "00:00:00:00:00:01", uint16(2), uint16(9))
	f.Fuzz(func(t *testing.T, name, path, bridge, mac string, cpus, mhz uint16) {
		m := small()
		m.Name, m.CPUs, m.CPUMHz = name, int(cpus), int(mhz)
		m.Disks[0].Pool.Path, m.NICs[0].Bridge, m.NICs[0].MAC = path, bridge, mac
		if m.Check() != nil || strings.ContainsRune(path, utf8.RuneError) {
			return
		}
		text, err := m.xml()
		if err != nil {
			t.Fatal(err)
		}
		var dom xmlvirt.Domain
		if err := dom.Unmarshal(text); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if dom.Name != name || dom.VCPU.Value != uint(cpus) || len(dom.Devices.Disks) != 1 || len(dom.Devices.Interfaces) != 1 {
			t.Fatalf("another machine came back: %s", text)
		}
		nic := dom.Devices.Interfaces[0]
		if nic.Source.Bridge.Bridge != bridge || nic.MAC.Address != mac {
			t.Fatalf("another network card came back: %s", text)
		}
		if file := dom.Devices.Disks[0].Source.File.File; file != diskFile(m.Disks[0].Pool, m.Disks[0].ID) {
			t.Fatalf("another disk came back: %q in %s", file, text)
		}
		var note mark
		if err := xml.Unmarshal([]byte(dom.Metadata.XML), &note); err != nil || note.CPUMHz != int(mhz) {
			t.Fatalf("another mark came back: %+v, %v", note, err)
		}
	})
}
