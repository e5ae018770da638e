//go:build libvirt_dlopen

package libvirt

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"aerie/drivers"
)

// openReal opens a driver on the private libvirtd; changes adapt its Config.
func openReal(t testing.TB, changes ...func(*Config)) *Driver {
	t.Helper()
	real(t)
	cfg := Config{StateDir: labDir(t, "state"), Accel: accelTCG, Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, change := range changes {
		change(&cfg)
	}
	return open(t, cfg)
}

// openTest opens a driver on libvirt's own simulation.
func openTest(t testing.TB) *Driver {
	t.Helper()
	return open(t, Config{URI: "test:///default", StateDir: t.TempDir(), Accel: accelTCG})
}

func open(t testing.TB, cfg Config) *Driver {
	t.Helper()
	d, err := Open(soon(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// labDir is a folder that QEMU can get to, which t.TempDir is not.
func labDir(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.MkdirTemp(os.Getenv(labVar), name+"-")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// soon is the context of one call; it outlives the test for its cleanups.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func newPool(t testing.TB, d *Driver) drivers.Pool {
	t.Helper()
	p := drivers.Pool{ID: newID(), Type: "Filesystem", Path: filepath.Join(labDir(t, "pool"), "p")}
	must(t, d.EnsurePool, p)
	return p
}

// must calls a method that must succeed.
func must[Req, Resp any](t testing.TB, method func(context.Context, Req) (Resp, error), req Req) Resp {
	t.Helper()
	resp, err := method(soon(t), req)
	if err != nil {
		t.Fatalf("%+v: %v", req, err)
	}
	return resp
}

// fails calls a method that must fail with the kind.
func fails[Req, Resp any](t testing.TB, want drivers.Kind, method func(context.Context, Req) (Resp, error), req Req) error {
	t.Helper()
	_, err := method(soon(t), req)
	if err == nil || drivers.KindOf(err) != want {
		t.Errorf("%+v: %v, want %q", req, err, want)
	}
	return err
}

// vm defines a machine whose boot sector only sleeps.
func vm(t testing.TB, d *Driver, change ...func(*drivers.VMSpec)) drivers.VMSpec {
	t.Helper()
	pool := newPool(t, d)
	disk := sectorDisk(t, d, pool, []byte{0xf4, 0xeb, 0xfd}) // hlt; jmp to it
	id := newID()
	spec := drivers.VMSpec{
		ID: id, Name: "i-2-" + id[len(id)-6:] + "-VM", CPUs: 1, CPUMHz: 1000, MemoryMiB: 32,
		Disks: []drivers.VMDisk{{ID: disk, Pool: pool}},
		NICs:  []drivers.VMNIC{{ID: newID(), MAC: "02:00:00:00:00:01", Bridge: labBridge}},
	}
	for _, c := range change {
		c(&spec)
	}
	t.Cleanup(func() { must(t, d.UndefineVM, drivers.VMRef{ID: id}) })
	must(t, d.DefineVM, spec)
	return spec
}

// sectorDisk makes a disk from an image with the boot sector.
func sectorDisk(t testing.TB, d *Driver, pool drivers.Pool, program []byte) string {
	t.Helper()
	image := drivers.ImageSpec{ID: newID(), Pool: pool, Source: sectorFile(t, program), Format: formatRaw}
	must(t, d.EnsureImage, image)
	disk := drivers.DiskSpec{ID: newID(), Pool: pool, Image: image.ID}
	must(t, d.EnsureDisk, disk)
	return disk.ID
}

// sectorFile is a raw image of 4 MiB.
func sectorFile(t testing.TB, program []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sector.raw")
	if err := errors.Join(os.WriteFile(file, bootSector(program), 0o644), os.Truncate(file, 4<<20)); err != nil {
		t.Fatal(err)
	}
	return file
}

func wantPower(t testing.TB, want drivers.Power, got drivers.VMState) {
	t.Helper()
	if got.Power != want {
		t.Errorf("%s is %s (%s), want %s", got.Name, got.Power, got.Why, want)
	}
}

// eventually waits for a fact.
func eventually(t testing.TB, what string, fact func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !fact(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still not: %s", what)
		}
	}
}

// pids of the QEMU processes of a machine.
func qemuPIDs(t testing.TB, id string) []int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, file := range files {
		data, _ := os.ReadFile(file)
		args := strings.Split(string(data), "\x00")
		if strings.Contains(args[0], "qemu-system") && strings.Contains(string(data), "\x00-uuid\x00"+id+"\x00") {
			pids = append(pids, atoi(filepath.Base(filepath.Dir(file))))
		}
	}
	return pids
}

func atoi(s string) int {
	n := 0
	for _, c := range s {
		n = 10*n + int(c-'0')
	}
	return n
}
