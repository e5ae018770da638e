//go:build libvirt_dlopen

package libvirt

import (
	"os"
	"path/filepath"
	"testing"

	"aerie/drivers"
)

// TestAnAbsentMount: with the folder there and the mount gone, nothing is made,
// nothing is missed and nothing counts as deleted.
func TestAnAbsentMount(t *testing.T) {
	needQemuImg(t)
	d := openReal(t)
	dir := filepath.Join(labDir(t, "pool"), "mnt")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	pool := drivers.Pool{ID: newID(), Type: drivers.PoolMount, Path: dir}
	must(t, d.EnsurePool, pool)
	disk := drivers.DiskSpec{ID: newID(), Pool: pool, Bytes: 1 << 20}
	must(t, d.EnsureDisk, disk)
	pool.Known, disk.Pool.Known, disk.Kept = true, true, true
	must(t, d.EnsurePool, pool)
	must(t, d.EnsureDisk, disk)

	away := dir + ".away"
	if err := os.Rename(dir, away); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	fails(t, drivers.Unreachable, d.EnsurePool, pool)
	fails(t, drivers.Unreachable, d.EnsureDisk, disk)
	fails(t, drivers.Unreachable, d.EnsureImage, drivers.ImageSpec{ID: newID(), Pool: pool, Source: "/nowhere", Format: formatQcow2})
	fails(t, drivers.Unreachable, d.DeleteDisk, drivers.DiskRef{ID: disk.ID, Pool: pool})
	fails(t, drivers.Unreachable, d.ListDisks, pool)
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Error("something was made below the absent mount:", left, err)
	}

	other := drivers.Pool{ID: newID(), Type: drivers.PoolMount, Path: away}
	fails(t, drivers.Invalid, d.EnsurePool, other) // another pool's disks are in it
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(away, dir); err != nil {
		t.Fatal(err)
	}
	must(t, d.EnsureDisk, disk)
	must(t, d.DeleteDisk, drivers.DiskRef{ID: disk.ID, Pool: pool})
}
