//go:build libvirt_dlopen

package libvirt

import (
	"bytes"
	"context"
	"image/png"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	virt "libvirt.org/go/libvirt"

	"aerie/drivers"
)

func TestLifeOfAMachine(t *testing.T) {
	d := openReal(t)
	spec := vm(t, d)
	ref := drivers.VMRef{ID: spec.ID}
	wantPower(t, drivers.PowerOff, must(t, d.DefineVM, spec))

	begin := time.Now()
	wantPower(t, drivers.PowerOn, must(t, d.StartVM, ref))
	t.Logf("started in %v", time.Since(begin))
	wantPower(t, drivers.PowerOn, must(t, d.StartVM, ref))
	wantPower(t, drivers.PowerOn, must(t, d.DefineVM, spec))

	t.Run("a running machine's disk stays", func(t *testing.T) {
		fails(t, drivers.Busy, d.DeleteDisk, drivers.DiskRef{ID: spec.Disks[0].ID, Pool: spec.Disks[0].Pool})
	})
	t.Run("a running machine's disk grows", func(t *testing.T) {
		disk := must(t, d.EnsureDisk, drivers.DiskSpec{
			ID: spec.Disks[0].ID, Pool: spec.Disks[0].Pool, Bytes: 8 << 20,
			Image: must(t, d.ListDisks, spec.Disks[0].Pool).Disks[0].Image,
		})
		if disk.Bytes != 8<<20 {
			t.Errorf("%+v, want 8 MiB", disk)
		}
	})
	t.Run("screenshot", func(t *testing.T) { testScreenshot(t, d, ref) })
	t.Run("consoles", func(t *testing.T) { testConsoles(t, d, ref.ID) })
	t.Run("meter", func(t *testing.T) { testMeter(t, d, ref.ID) })
	t.Run("reboot by force", func(t *testing.T) {
		wantPower(t, drivers.PowerOn, must(t, d.RebootVM, drivers.RebootVM{ID: ref.ID, Force: true}))
	})
	t.Run("reboot of a deaf guest", func(t *testing.T) {
		wantPower(t, drivers.PowerOn, must(t, d.RebootVM, drivers.RebootVM{ID: ref.ID, Grace: 300 * time.Millisecond}))
	})

	begin = time.Now()
	wantPower(t, drivers.PowerOff, must(t, d.StopVM, drivers.StopVM{ID: ref.ID, Grace: time.Second}))
	if took := time.Since(begin); took < time.Second || took > 10*time.Second {
		t.Errorf("a deaf guest was stopped after %v, want a little over its grace of 1 s", took)
	}
	wantPower(t, drivers.PowerOff, must(t, d.StopVM, drivers.StopVM{ID: ref.ID, Force: true}))
	fails(t, drivers.NotFound, d.Screenshot, ref)
	fails(t, drivers.NotFound, d.OpenConsole, drivers.OpenConsole{ID: ref.ID, Kind: drivers.ConsoleVNC})
	fails(t, drivers.Invalid, d.RebootVM, drivers.RebootVM{ID: ref.ID, Force: true})
}

func testScreenshot(t *testing.T, d *Driver, ref drivers.VMRef) {
	begin := time.Now()
	pic := must(t, d.Screenshot, ref)
	t.Logf("screenshot in %v", time.Since(begin))
	if _, err := png.Decode(bytes.NewReader(pic.Data)); err != nil || pic.MIME != "image/png" {
		t.Errorf("a picture of type %q: %v", pic.MIME, err)
	}
}

func testConsoles(t *testing.T, d *Driver, id string) {
	vnc := dial(t, must(t, d.OpenConsole, drivers.OpenConsole{ID: id, Kind: drivers.ConsoleVNC}))
	greeting := make([]byte, 12)
	if _, err := vnc.Read(greeting); err != nil || !strings.HasPrefix(string(greeting), "RFB 003.") {
		t.Errorf("VNC greets with %q, %v", greeting, err)
	}
	dial(t, must(t, d.OpenConsole, drivers.OpenConsole{ID: id, Kind: drivers.ConsoleSerial}))
	fails(t, drivers.Invalid, d.OpenConsole, drivers.OpenConsole{ID: id, Kind: "fax"})
}

func dial(t *testing.T, at drivers.ConsoleEndpoint) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout(at.Network, at.Address, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	return conn
}

// testMeter gives the guest a while to do what is metered.
func testMeter(t *testing.T, d *Driver, id string) {
	var last drivers.Reading
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		all := must(t, d.MeterVMs, drivers.MeterVMs{}).VMs
		at := slices.IndexFunc(all, func(r drivers.Reading) bool { return r.ID == id })
		if at < 0 {
			t.Fatalf("%s is not among %+v", id, all)
		}
		last = all[at]
		if last.CPUTime > 0 && last.MemoryKiB > 0 && last.DiskRead > 0 && last.DiskReadOps > 0 {
			return
		}
	}
	t.Errorf("a running machine has used %+v", last)
}

// The boot sector of the acceleration probe obeys nobody and switches itself
// off; under TCG it shows that the probe's program works.
func TestProbeProgramSwitchesOff(t *testing.T) {
	d := openReal(t)
	spec := vm(t, d, func(s *drivers.VMSpec) {
		s.Disks[0].ID = sectorDisk(t, d, s.Disks[0].Pool, probeProgram)
	})
	must(t, d.StartVM, drivers.VMRef{ID: spec.ID})
	eventually(t, "the guest has switched itself off", func() bool {
		s, err := d.state(soon(t), "look", spec.ID)
		return err == nil && s.Power == drivers.PowerOff && s.Why == "shut down"
	})
}

func TestSerialLineSpeaks(t *testing.T) {
	d := openReal(t)
	// mov dx,0x3f8; mov al,'A'; out dx,al; jmp to the mov: writes for ever
	talker := []byte{0xba, 0xf8, 0x03, 0xb0, 'A', 0xee, 0xeb, 0xfb}
	spec := vm(t, d, func(s *drivers.VMSpec) {
		s.Disks[0].ID = sectorDisk(t, d, s.Disks[0].Pool, talker)
	})
	must(t, d.StartVM, drivers.VMRef{ID: spec.ID})
	for range 2 { // the line is free again when a client has gone
		line := dial(t, must(t, d.OpenConsole, drivers.OpenConsole{ID: spec.ID, Kind: drivers.ConsoleSerial}))
		heard := make([]byte, 1)
		if _, err := line.Read(heard); err != nil || heard[0] != 'A' {
			t.Fatalf("heard %q, %v", heard, err)
		}
		line.Close()
	}
	if end := must(t, d.OpenConsole, drivers.OpenConsole{ID: spec.ID, Kind: drivers.ConsoleSerial}); !bytes.HasSuffix(end.History, []byte("AAAA")) || len(end.History) > keptOutput {
		t.Errorf("the history is %d bytes", len(end.History))
	}
	log, err := os.ReadFile(bootLog(d.runDir, spec.ID))
	if err != nil || !bytes.Contains(log, []byte("AAAA")) {
		t.Errorf("the boot log holds %d bytes, %v", len(log), err)
	}
}

func TestPausedAndKilled(t *testing.T) {
	d := openReal(t)
	spec := vm(t, d)
	ref := drivers.VMRef{ID: spec.ID}
	must(t, d.StartVM, ref)

	if _, err := onDomain(soon(t), d, "pause", ref.ID, func(dom *virt.Domain) (drivers.Done, error) {
		return drivers.Done{}, dom.Suspend()
	}); err != nil {
		t.Fatal(err)
	}
	paused, err := d.state(soon(t), "look", ref.ID)
	if err != nil || paused.Power != drivers.PowerPaused || paused.Why != "paused by a user" {
		t.Errorf("%+v, %v", paused, err)
	}
	wantPower(t, drivers.PowerOn, must(t, d.StartVM, ref))

	for _, pid := range qemuPIDs(t, ref.ID) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	eventually(t, "libvirt has seen the crash", func() bool {
		s, err := d.state(soon(t), "look", ref.ID)
		return err == nil && s.Power == drivers.PowerCrashed
	})
	wantPower(t, drivers.PowerOn, must(t, d.StartVM, ref))
}

func TestRedefine(t *testing.T) {
	d := openReal(t)
	spec := vm(t, d)
	spec.Name, spec.CPUs, spec.NICs = "renamed-"+spec.ID[:6], 2, nil
	if s := must(t, d.DefineVM, spec); s.Name != spec.Name {
		t.Errorf("%+v, want the name %s", s, spec.Name)
	}
	for _, s := range must(t, d.ListVMs, drivers.ListVMs{}).VMs {
		if s.ID == spec.ID && s.Name == spec.Name {
			return
		}
	}
	t.Error("the renamed machine is not listed")
}

func TestTwoMachinesCannotShareAName(t *testing.T) {
	d := openReal(t)
	first := vm(t, d)
	second := first
	second.ID, second.NICs = newID(), nil
	fails(t, drivers.Invalid, d.DefineVM, second)
}

func TestUndefineLeavesNothing(t *testing.T) {
	d := openReal(t)
	spec := vm(t, d)
	ref := drivers.VMRef{ID: spec.ID}
	must(t, d.StartVM, ref)
	must(t, d.UndefineVM, ref)
	must(t, d.UndefineVM, ref)
	if pids := qemuPIDs(t, ref.ID); len(pids) > 0 {
		t.Errorf("QEMU still runs: %v", pids)
	}
	left, _ := os.ReadDir(d.runDir)
	for _, e := range left {
		if strings.HasPrefix(e.Name(), ref.ID) {
			t.Errorf("%s is left behind", e.Name())
		}
	}
	fails(t, drivers.NotFound, d.StartVM, ref)
	if len(must(t, d.ListDisks, spec.Disks[0].Pool).Disks) != 2 {
		t.Error("the disks went with the machine")
	}
}

func TestStopEndsWithItsContext(t *testing.T) {
	d := openReal(t)
	spec := vm(t, d)
	must(t, d.StartVM, drivers.VMRef{ID: spec.ID})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, err := d.StopVM(ctx, drivers.StopVM{ID: spec.ID, Grace: time.Hour})
	if drivers.KindOf(err) != drivers.Unreachable || time.Since(begin) > 2*time.Second {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
}
