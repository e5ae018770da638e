//go:build libvirt_dlopen

package libvirt

import (
	"encoding/xml"
	"path/filepath"

	xmlvirt "libvirt.org/go/libvirtxml"

	"aerie/drivers"
)

// How libvirt names acceleration.
const (
	accelKVM = "kvm"
	accelTCG = "tcg"

	typeKVM = "kvm"
	typeTCG = "qemu"
)

// tcgCacheMiB keeps an emulated guest small; QEMU's own default takes twice the
// memory and is not faster.
const tcgCacheMiB = 32

// balloonSeconds is how often the guest tells its memory figures.
const balloonSeconds = 10

// machine is what a domain's XML is made of.
type machine struct {
	drivers.VMSpec
	kvm      bool
	emulator string
	runDir   string                   // of the serial socket and the boot log
	cache    func(file string) string // QEMU cache mode that the file's file system allows
}

// mark is the metadata element by which Aerie knows its own machines.
type mark struct {
	XMLName xml.Name `xml:"urn:aerie:libvirt:1 vm"`
	CPUMHz  int      `xml:"cpumhz,attr"`
}

func (m machine) xml() (string, error) {
	note, err := xml.Marshal(mark{CPUMHz: m.CPUMHz})
	if err != nil {
		return "", err
	}
	dom := xmlvirt.Domain{
		Type:       typeTCG,
		Name:       m.Name,
		UUID:       m.ID,
		Metadata:   &xmlvirt.DomainMetadata{XML: string(note)},
		Memory:     &xmlvirt.DomainMemory{Value: uint(m.MemoryMiB), Unit: "MiB"},
		VCPU:       &xmlvirt.DomainVCPU{Placement: "static", Value: uint(m.CPUs)},
		CPUTune:    cpuTune(m.CPUs, m.CPUMHz, m.CPUCap),
		OS:         &xmlvirt.DomainOS{Type: &xmlvirt.DomainOSType{Arch: "x86_64", Machine: "pc", Type: "hvm"}},
		Features:   &xmlvirt.DomainFeatureList{ACPI: &xmlvirt.DomainFeature{}, APIC: &xmlvirt.DomainFeatureAPIC{}},
		CPU:        &xmlvirt.DomainCPU{Mode: "maximum", Migratable: "on"},
		Clock:      &xmlvirt.DomainClock{Offset: "utc"},
		OnPoweroff: "destroy",
		OnReboot:   "restart",
		OnCrash:    "destroy",
		PM:         &xmlvirt.DomainPM{SuspendToMem: off(), SuspendToDisk: off()},
		Devices:    m.devices(),
	}
	if m.kvm {
		m.accelerate(&dom)
	} else {
		dom.Features.TCG = &xmlvirt.DomainFeatureTCG{TBCache: &xmlvirt.DomainFeatureTCGTBCache{Unit: "MiB", Size: tcgCacheMiB}}
	}
	return dom.Marshal()
}

// accelerate makes it a KVM machine, with the host's CPU in a form that similar
// hosts can take over.
func (m machine) accelerate(dom *xmlvirt.Domain) {
	dom.Type = typeKVM
	dom.CPU = &xmlvirt.DomainCPU{Mode: "host-model", Check: "partial"}
	dom.Clock.Timer = []xmlvirt.DomainTimer{
		{Name: "rtc", TickPolicy: "catchup"},
		{Name: "pit", TickPolicy: "delay"},
		{Name: "hpet", Present: "no"},
	}
}

func off() *xmlvirt.DomainPMPolicy { return &xmlvirt.DomainPMPolicy{Enabled: "no"} }

// cpuTune weighs a machine among its neighbours. The scale keeps every size
// within what cgroup v1 (2…262144) and v2 (1…10000) both take.
func cpuTune(cpus, mhz, percent int) *xmlvirt.DomainCPUTune {
	if mhz == 0 && percent == 0 {
		return nil
	}
	t := &xmlvirt.DomainCPUTune{}
	if mhz > 0 {
		t.Shares = &xmlvirt.DomainCPUTuneShares{Value: uint(min(max(cpus*mhz/50, 2), 10000))}
	}
	if percent > 0 {
		t.Period = &xmlvirt.DomainCPUTunePeriod{Value: capPeriod}
		t.Quota = &xmlvirt.DomainCPUTuneQuota{Value: int64(capPeriod * percent / 100)}
	}
	return t
}

// capPeriod is the time, in microseconds, of which a bound CPU gets its share:
// libvirt takes 1000 to 1000000, and a quota of at least 1000.
const capPeriod = 100_000

func (m machine) devices() *xmlvirt.DomainDeviceList {
	return &xmlvirt.DomainDeviceList{
		Emulator:   m.emulator,
		Disks:      m.disks(),
		Interfaces: m.nics(),
		// An xHCI controller sleeps when nobody uses it; the default one costs
		// every idle guest a thousand wake-ups a second.
		Controllers: []xmlvirt.DomainController{{Type: "usb", Model: "qemu-xhci"}},
		Inputs:      []xmlvirt.DomainInput{{Type: "tablet", Bus: "usb"}}, // absolute: the pointer is where the browser's is
		Serials:     []xmlvirt.DomainSerial{m.serial()},
		Channels: []xmlvirt.DomainChannel{{
			Source: &xmlvirt.DomainChardevSource{UNIX: &xmlvirt.DomainChardevSourceUNIX{}},
			Target: &xmlvirt.DomainChannelTarget{VirtIO: &xmlvirt.DomainChannelTargetVirtIO{Name: "org.qemu.guest_agent.0"}},
		}},
		Graphics: []xmlvirt.DomainGraphic{{VNC: &xmlvirt.DomainGraphicVNC{
			Listeners: []xmlvirt.DomainGraphicListener{{Socket: &xmlvirt.DomainGraphicListenerSocket{}}},
		}}},
		Videos: []xmlvirt.DomainVideo{{Model: xmlvirt.DomainVideoModel{Type: "vga", VRam: 16384, Heads: 1, Primary: "yes"}}},
		RNGs: []xmlvirt.DomainRNG{{
			Model:   "virtio",
			Backend: &xmlvirt.DomainRNGBackend{Random: &xmlvirt.DomainRNGBackendRandom{Device: "/dev/urandom"}},
		}},
		MemBalloon: &xmlvirt.DomainMemBalloon{
			Model: "virtio", AutoDeflate: "on", FreePageReporting: "on",
			Stats: &xmlvirt.DomainMemBalloonStats{Period: balloonSeconds},
		},
		Panics: []xmlvirt.DomainPanic{{Model: "isa"}}, // how the guest tells that it has crashed
	}
}

func (m machine) disks() []xmlvirt.DomainDisk {
	disks := make([]xmlvirt.DomainDisk, len(m.Disks))
	for i, d := range m.Disks {
		file := diskFile(d.Pool, d.ID)
		disks[i] = xmlvirt.DomainDisk{
			Device: "disk",
			Driver: &xmlvirt.DomainDiskDriver{Name: "qemu", Type: formatQcow2, Cache: m.cacheOf(d, file), Discard: "unmap"},
			Source: &xmlvirt.DomainDiskSource{File: &xmlvirt.DomainDiskSourceFile{File: file}},
			Target: &xmlvirt.DomainDiskTarget{Dev: "vd" + string(rune('a'+i)), Bus: "virtio"},
			Serial: d.Serial(),
			IOTune: ioTune(d.Limits),
		}
	}
	if len(disks) > 0 {
		disks[0].Boot = &xmlvirt.DomainDeviceBoot{Order: 1}
	}
	return disks
}

// cacheOf is what was asked for the disk; without it, or where the file system
// cannot do without the page cache, it is what that allows.
func (m machine) cacheOf(d drivers.VMDisk, file string) string {
	if d.Cache == drivers.CacheWriteback || d.Cache == drivers.CacheWritethrough {
		return d.Cache
	}
	return m.cache(file)
}

// ioTune bounds what a disk does; nil for no bound.
func ioTune(l drivers.DiskLimits) *xmlvirt.DomainDiskIOTune {
	if l == (drivers.DiskLimits{}) {
		return nil
	}
	return &xmlvirt.DomainDiskIOTune{
		TotalIopsSec:    uint64(l.TotalOps),
		ReadBytesSec:    uint64(l.ReadBytes.Sustained),
		WriteBytesSec:   uint64(l.WriteBytes.Sustained),
		ReadIopsSec:     uint64(l.ReadOps.Sustained),
		WriteIopsSec:    uint64(l.WriteOps.Sustained),
		ReadBytesSecMax: uint64(l.ReadBytes.Burst), ReadBytesSecMaxLength: uint64(l.ReadBytes.Seconds),
		WriteBytesSecMax: uint64(l.WriteBytes.Burst), WriteBytesSecMaxLength: uint64(l.WriteBytes.Seconds),
		ReadIopsSecMax: uint64(l.ReadOps.Burst), ReadIopsSecMaxLength: uint64(l.ReadOps.Seconds),
		WriteIopsSecMax: uint64(l.WriteOps.Burst), WriteIopsSecMaxLength: uint64(l.WriteOps.Seconds),
	}
}

// bandwidth bounds a card, each way; nil for no bound. libvirt counts in
// kilobytes of 1024 a second; a burst of a second's eighth lets TCP reach the
// rate.
func bandwidth(mbit int) *xmlvirt.DomainInterfaceBandwidth {
	if mbit == 0 {
		return nil
	}
	average := max(mbit*1_000_000/8/1024, 1)
	burst := max(average/8, 64)
	way := func() *xmlvirt.DomainInterfaceBandwidthParams {
		return &xmlvirt.DomainInterfaceBandwidthParams{Average: &average, Burst: &burst}
	}
	return &xmlvirt.DomainInterfaceBandwidth{Inbound: way(), Outbound: way()}
}

func (m machine) nics() []xmlvirt.DomainInterface {
	nics := make([]xmlvirt.DomainInterface, len(m.NICs))
	for i, n := range m.NICs {
		nics[i] = xmlvirt.DomainInterface{
			MAC:       &xmlvirt.DomainInterfaceMAC{Address: n.MAC},
			Source:    &xmlvirt.DomainInterfaceSource{Bridge: &xmlvirt.DomainInterfaceSourceBridge{Bridge: n.Bridge}},
			Model:     &xmlvirt.DomainInterfaceModel{Type: "virtio"},
			Bandwidth: bandwidth(n.Mbit),
			ROM:       &xmlvirt.DomainROM{Enabled: "no"}, // nobody boots from the network; the ROM would cost a second
		}
		if n.MTU != 0 {
			nics[i].MTU = &xmlvirt.DomainInterfaceMTU{Size: uint(n.MTU)}
		}
	}
	return nics
}

// serial is COM1 on a socket where QEMU listens. One client at a time gets it;
// what nobody reads is in the boot log.
func (m machine) serial() xmlvirt.DomainSerial {
	port := uint(0)
	return xmlvirt.DomainSerial{
		Source: &xmlvirt.DomainChardevSource{UNIX: &xmlvirt.DomainChardevSourceUNIX{
			Mode: "bind", Path: serialSocket(m.runDir, m.ID),
		}},
		Target: &xmlvirt.DomainSerialTarget{
			Type: "isa-serial", Port: &port, Model: &xmlvirt.DomainSerialTargetModel{Name: "isa-serial"},
		},
		Log: &xmlvirt.DomainChardevLog{File: bootLog(m.runDir, m.ID), Append: "off"},
	}
}

func serialSocket(runDir, id string) string { return filepath.Join(runDir, id+".serial") }
func bootLog(runDir, id string) string      { return filepath.Join(runDir, id+".log") }
