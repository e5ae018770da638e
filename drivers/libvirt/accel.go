//go:build libvirt_dlopen

package libvirt

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	virt "libvirt.org/go/libvirt"
	xmlvirt "libvirt.org/go/libvirtxml"

	"aerie/drivers"
)

const (
	probePatience = 5 * time.Second // until the guest has switched itself off
	probeCleanup  = 3 * time.Second
	surelyFast    = time.Second // no emulated guest is
)

// accel remembers whether acceleration works.
type accel struct {
	turn   chan struct{} // one probe at a time
	mu     sync.Mutex
	known  bool
	works  bool
	loaded bool // the file has been read
}

// accelNote is what is kept on disk: an answer holds for one boot of one kernel
// with one emulator.
type accelNote struct {
	Kernel   string `json:"kernel"`
	Boot     string `json:"boot"`
	Emulator string `json:"emulator"`
	Works    bool   `json:"accelerated"`
}

func (d *Driver) noteNow() accelNote {
	return accelNote{
		Kernel:   firstLine("/proc/sys/kernel/osrelease"),
		Boot:     firstLine("/proc/sys/kernel/random/boot_id"),
		Emulator: d.cfg.Emulator,
	}
}

func firstLine(file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return line
}

func (d *Driver) accelFile() string { return filepath.Join(d.cfg.StateDir, "acceleration.json") }

// knownAccel answers from the configuration, memory or disk.
func (d *Driver) knownAccel() (works, known bool) {
	if d.cfg.Accel != "" {
		return d.cfg.Accel == accelKVM, true
	}
	a := &d.accel
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.known && !a.loaded {
		a.loaded = true
		var note accelNote
		data, err := os.ReadFile(d.accelFile())
		if err == nil && json.Unmarshal(data, &note) == nil {
			works := note.Works
			note.Works = false
			a.known, a.works = note == d.noteNow() && note.Boot != "", works
		}
	}
	return a.works && a.known, a.known
}

// accelerated answers at once when it is known and otherwise finds out.
func (d *Driver) accelerated(ctx context.Context) (bool, error) {
	if works, known := d.knownAccel(); known {
		return works, nil
	}
	select {
	case d.accel.turn <- struct{}{}:
		defer func() { <-d.accel.turn }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	if works, known := d.knownAccel(); known { // somebody else found out meanwhile
		return works, nil
	}
	works, err := d.tryKVM(ctx)
	if err != nil {
		return false, err
	}
	d.cfg.Log.InfoContext(ctx, "hardware acceleration probed", "works", works)
	return works, d.remember(works)
}

func (d *Driver) remember(works bool) error {
	d.accel.mu.Lock()
	d.accel.known, d.accel.works = true, works
	d.accel.mu.Unlock()
	note := d.noteNow()
	note.Works = works
	data, err := json.Marshal(note)
	if err != nil {
		return err
	}
	return keep(d.accelFile(), data)
}

// tryKVM starts a guest that switches itself off. Nothing less is proof: there
// are hosts whose /dev/kvm opens and whose guests hang, or crawl slower than
// emulated ones, as in some nested machines. Only the caller's deadline is an
// error; everything else is an answer.
func (d *Driver) tryKVM(ctx context.Context) (bool, error) {
	dir, err := PoolDir(d.cfg.StateDir) //nolint:contextcheck // asks the kernel, two seconds at most
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return false, err
	}
	disk, err := probeDisk(dir)
	if err != nil {
		return false, err
	}
	defer os.Remove(disk)
	kvm, err := d.probe(ctx, typeKVM, disk, probePatience)
	if err == nil && kvm > surelyFast {
		var tcg time.Duration
		if tcg, err = d.probe(ctx, typeTCG, disk, kvm); err != nil || kvm < tcg {
			err = nil // emulation is slower or does not work at all
		} else {
			err = fmt.Errorf("a guest takes %v with acceleration and %v without", kvm, tcg)
		}
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		d.cfg.Log.InfoContext(ctx, "no hardware acceleration", "reason", err)
	}
	return err == nil, nil
}

// probe runs the guest and says how long it took from start to its own end.
func (d *Driver) probe(ctx context.Context, kind, disk string, patience time.Duration) (time.Duration, error) {
	id := uuid.NewString()
	text, err := probeXML(kind, id, disk, d.cfg.Emulator)
	if err != nil {
		return 0, err
	}
	// The guest belongs to this connection and dies with it.
	own := &link{uri: d.cfg.URI, log: d.cfg.Log}
	defer own.close()
	defer d.endProbe(ctx, id)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return d.runProbe(ctx, own, id, text)
}

// runProbe waits for the event of the guest's end: a QEMU that died is gone just
// the same.
func (d *Driver) runProbe(ctx context.Context, l *link, id, text string) (time.Duration, error) {
	const op = "probe acceleration"
	seen := d.ring.now()
	begin, err := call(ctx, l, op, func(c *virt.Connect) (time.Time, error) {
		dom, err := c.DomainCreateXML(text, virt.DOMAIN_START_AUTODESTROY)
		if err != nil {
			return time.Time{}, err
		}
		return time.Now(), dom.Free()
	})
	for err == nil {
		var batch drivers.EventBatch
		batch, err = d.NextEvents(ctx, drivers.NextEvents{After: seen})
		seen = batch.Last
		for _, e := range batch.Events {
			switch {
			case e.State.ID != id || active(e.State.Power):
			case e.State.Power == drivers.PowerOff && e.State.Why == wordShutDown:
				return e.At.Sub(begin), nil
			default:
				return 0, fmt.Errorf("the guest ended by %q", e.State.Why)
			}
		}
	}
	return 0, err
}

// endProbe removes what is left, on a fresh connection: the other one may hang.
func (d *Driver) endProbe(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeCleanup)
	defer cancel()
	_, err := onDomain(ctx, d, "end the probe", id, func(dom *virt.Domain) (drivers.Done, error) {
		return drivers.Done{}, powerOff(dom)
	})
	if err != nil && drivers.KindOf(err) != drivers.NotFound {
		d.cfg.Log.WarnContext(ctx, "the probe's guest is still there", "id", id, "error", err)
	}
}

// probeProgram is a boot sector that switches a pc machine off by its ACPI
// port: mov dx,0x604; mov ax,0x2000; out dx,ax; hlt; jmp to the hlt.
var probeProgram = []byte{0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef, 0xf4, 0xeb, 0xfd}

func bootSector(program []byte) []byte {
	sector := make([]byte, 512)
	copy(sector, program)
	sector[510], sector[511] = 0x55, 0xaa
	return sector
}

func probeDisk(dir string) (string, error) {
	f, err := os.CreateTemp(dir, "probe-*.raw")
	if err != nil {
		return "", err
	}
	defer f.Close()
	if err := f.Chmod(0o644); err != nil {
		return "", err
	}
	_, err = f.Write(bootSector(probeProgram))
	return f.Name(), err
}

func probeXML(kind, id, disk, emulator string) (string, error) {
	dom := xmlvirt.Domain{
		Type:       kind,
		Name:       "aerie-probe-" + id[:8],
		UUID:       id,
		Memory:     &xmlvirt.DomainMemory{Value: 16, Unit: "MiB"},
		VCPU:       &xmlvirt.DomainVCPU{Value: 1},
		OS:         &xmlvirt.DomainOS{Type: &xmlvirt.DomainOSType{Arch: "x86_64", Machine: "pc", Type: "hvm"}},
		Features:   &xmlvirt.DomainFeatureList{ACPI: &xmlvirt.DomainFeature{}},
		OnPoweroff: "destroy", OnReboot: "destroy", OnCrash: "destroy",
		Devices: &xmlvirt.DomainDeviceList{
			Emulator:    emulator,
			Controllers: []xmlvirt.DomainController{{Type: "usb", Model: "none"}},
			MemBalloon:  &xmlvirt.DomainMemBalloon{Model: "none"},
			Disks: []xmlvirt.DomainDisk{{
				Device: "disk",
				Driver: &xmlvirt.DomainDiskDriver{Name: "qemu", Type: "raw"},
				Source: &xmlvirt.DomainDiskSource{File: &xmlvirt.DomainDiskSourceFile{File: disk}},
				Target: &xmlvirt.DomainDiskTarget{Dev: "hda", Bus: "ide"},
			}},
		},
	}
	return dom.Marshal()
}
